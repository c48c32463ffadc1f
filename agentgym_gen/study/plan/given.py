"""Models that a study is given: trained elsewhere, and only tested here."""

from __future__ import annotations

from dataclasses import dataclass

from agentgym_gen.errors import InvalidValueError

__all__ = ["SEED_FIELD", "GivenModel"]

SEED_FIELD = "{seed}"
"""Stands in a path for the number of a training seed."""


@dataclass(frozen=True)
class GivenModel:
    """A model that was trained elsewhere, as an arm of a study.

    Raises:
        InvalidValueError: if there is no path, or nothing that it was trained on.
    """

    name: str
    """The name of its arm."""
    path: str
    """A folder, a folder with an adapter, or a name on the hub; with `base_url` the name under
    which a server has the model. With ``{seed}`` in it there is one model for each training seed;
    without, it is one training."""
    trained_on: tuple[str, ...]
    """The environment ids that it was trained on."""
    base_url: str = ""
    """The address of an OpenAI-compatible server; empty loads the model here."""
    api_key_env: str = ""
    """The environment variable that holds the key of the server."""
    test: tuple[str, ...] = ()
    """The environment ids that it is tested on beside `trained_on`; empty means every column."""

    def __post_init__(self) -> None:
        """Check the fields."""
        if not self.path.strip():
            raise InvalidValueError(
                f"The given model {self.name!r} needs `path`: a folder, a name on the hub, or the "
                "name that the server of `base_url` knows"
            )
        if not self.trained_on:
            raise InvalidValueError(
                f"The given model {self.name!r} needs `trained_on`, the environment ids that it "
                "was trained on: what is held out depends on it"
            )

    @property
    def has_seeds(self) -> bool:
        """Whether there is one model for each training seed."""
        return SEED_FIELD in self.path

    def source(self, seed: int) -> str:
        """Return the path of the model of *seed*."""
        return self.path.replace(SEED_FIELD, str(seed))
