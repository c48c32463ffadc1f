"""How an evaluation is played; results of different settings are never mixed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, cast

from agentgym_gen.agents.prompt import RULES, PromptStyle
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.models import Decoding

__all__ = ["EvalSettings"]

HASHED = ("format", "instruction", "window", "keep_first")
"""The fields of a style that every hash of a prompt covers."""

SHOTS_REVISION = 2
"""Rises when demonstrations before an episode get another text, of which the hash sees nothing."""

NOT_OF_THE_PROMPT = ("reader",)
"""Those that say how answers are read, and not what is asked."""


def _lenient_style() -> PromptStyle:
    return PromptStyle(reader="lenient")


@dataclass(frozen=True)
class EvalSettings:
    """How an evaluation is played.

    Raises:
        InvalidValueError: if a number is outside what is accepted.
    """

    style: PromptStyle = field(default_factory=_lenient_style)
    """How episodes become prompts, and how answers are read."""
    decoding: Decoding = field(default_factory=Decoding)
    """How completions are sampled."""
    split: str = "test"
    """The split of the tasks: ``train``, ``valid``, ``test``, or one that the environment adds."""
    shots: int = 0
    """How many episodes of the expert stand before each episode, as earlier turns."""
    max_turns: int | None = None
    """The turn limit; None takes each task's own."""
    seed: int = 0
    """The root of the streams that sample tasks, demonstrations and completions."""

    def __post_init__(self) -> None:
        """Check the fields."""
        if self.shots < 0 or self.seed < 0:
            raise InvalidValueError(
                f"`shots` and `seed` are 0 or more, not {self.shots!r} and {self.seed!r}"
            )
        if self.max_turns is not None and self.max_turns < 1:
            raise InvalidValueError(f"`max_turns` is 1 or more, not {self.max_turns!r}")

    def as_dict(self) -> dict[str, Any]:
        """Return what decides the results, as JSON holds it."""
        style, decoding = self.style, self.decoding
        settings = {
            "split": self.split,
            "seed": self.seed,
            **asdict(style),
            "shots": self.shots,
            "max_turns": self.max_turns,
            "temperature": decoding.temperature,
            "max_tokens": decoding.max_tokens,
            "plain_template": decoding.plain_template,
            "extra": dict(decoding.extra),
        }
        return cast("dict[str, Any]", json.loads(json.dumps(settings)))

    @property
    def prompt_hash(self) -> str:
        """A hash of what decides the prompt beside the task: the style, its rules, the shots."""
        style = self.style
        parts = [style.format, RULES.get(style.format), style.instruction, style.window]
        shots = [self.shots, self.seed, SHOTS_REVISION] if self.shots else [0]
        # a field that is added to the style changes the hash only where it is used
        more = {
            part.name: getattr(style, part.name)
            for part in fields(style)
            if part.name not in (*HASHED, *NOT_OF_THE_PROMPT)
            and getattr(style, part.name) != part.default
        }
        text = json.dumps([*parts, style.keep_first, *shots, *([more] if more else [])])
        return hashlib.sha256(text.encode()).hexdigest()[:12]
