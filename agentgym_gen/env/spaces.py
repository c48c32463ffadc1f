"""The space of texts.

``gymnasium.spaces.Text`` accepts letters and digits only unless it is given every character that
may ever occur, so it rejects real observations; this one accepts any Unicode text up to a length.
Asynchronous vector environments need ``shared_memory=False`` with it.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from agentgym_gen.interface import clip

__all__ = ["SAMPLE_ALPHABET", "Unicode"]

SAMPLE_ALPHABET = "abcdefghijklmnopqrstuvwxyz 0123456789"
"""The characters of which `Unicode.sample` makes its texts."""


class Unicode(gymnasium.Space[str]):
    """All texts of at most `max_length` characters.

    Args:
        max_length: The greatest number of characters (code points).
        seed: The seed of `sample`.
    """

    def __init__(self, max_length: int, seed: int | np.random.Generator | None = None) -> None:
        self.max_length = max_length
        super().__init__(dtype=str, seed=seed)

    def sample(self, mask: Any | None = None, probability: Any | None = None) -> str:  # noqa: ANN401
        """Return a random text of 1 to 16 letters, digits and spaces; masks are not supported."""
        if mask is not None or probability is not None:
            raise gymnasium.error.Error("`Unicode.sample` takes neither a mask nor a probability")
        length = int(self.np_random.integers(1, min(16, self.max_length) + 1))
        letters = self.np_random.integers(0, len(SAMPLE_ALPHABET), size=length)
        return "".join(SAMPLE_ALPHABET[i] for i in letters)

    def contains(self, x: Any) -> bool:  # noqa: ANN401
        """Say whether *x* is a text of at most `max_length` characters."""
        return isinstance(x, str) and len(x) <= self.max_length

    def clip(self, text: str) -> str:
        """Return *text*, cut with a visible mark if it is too long for this space."""
        return clip(text, self.max_length)

    @property
    def is_np_flattenable(self) -> bool:
        """False: a text has no fixed-size array form."""
        return False

    def __eq__(self, other: object) -> bool:
        """Say whether *other* is the same space."""
        return isinstance(other, Unicode) and other.max_length == self.max_length

    def __hash__(self) -> int:
        """Return a hash that agrees with equality."""
        return hash((Unicode, self.max_length))

    def __repr__(self) -> str:
        """Return the call that makes this space."""
        return f"Unicode({self.max_length})"
