"""How an evaluation is played; results of different settings are never mixed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from agentgym_gen.agents.prompt import RULES, PromptStyle
from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.models import Decoding
from agentgym_gen.world import SPLITS

__all__ = ["EvalSettings"]


@dataclass(frozen=True)
class EvalSettings:
    """How an evaluation is played.

    Raises:
        UnknownNameError: if there is no such split.
        InvalidValueError: if a number is outside what is accepted.
    """

    style: PromptStyle = field(default_factory=PromptStyle)
    """How episodes become prompts."""
    decoding: Decoding = field(default_factory=Decoding)
    """How completions are sampled."""
    split: str = "test"
    """The split of the tasks."""
    shots: int = 0
    """How many episodes of the expert stand before each episode, as earlier turns."""
    max_turns: int | None = None
    """The turn limit; None takes each task's own."""
    seed: int = 0
    """The root of the streams that sample tasks, demonstrations and completions."""

    def __post_init__(self) -> None:
        """Check the fields."""
        if self.split not in SPLITS:
            raise unknown_name("split", self.split, SPLITS, "all")
        if self.shots < 0 or self.seed < 0:
            raise InvalidValueError(
                f"`shots` and `seed` are 0 or more, not {self.shots!r} and {self.seed!r}"
            )
        if self.max_turns is not None and self.max_turns < 1:
            raise InvalidValueError(f"`max_turns` is 1 or more, not {self.max_turns!r}")

    def as_dict(self) -> dict[str, Any]:
        """Return what decides the results, as plain data."""
        style, decoding = self.style, self.decoding
        return {
            "split": self.split,
            "seed": self.seed,
            "format": style.format,
            "instruction": style.instruction,
            "window": style.window,
            "keep_first": style.keep_first,
            "shots": self.shots,
            "max_turns": self.max_turns,
            "temperature": decoding.temperature,
            "max_tokens": decoding.max_tokens,
            "plain_template": decoding.plain_template,
            "extra": dict(decoding.extra),
        }

    @property
    def prompt_hash(self) -> str:
        """A hash of what decides the prompt beside the task: the style, its rules, the shots."""
        style = self.style
        parts = [style.format, RULES[style.format], style.instruction, style.window]
        shots = [self.shots, self.seed] if self.shots else [0]
        text = json.dumps([*parts, style.keep_first, *shots])
        return hashlib.sha256(text.encode()).hexdigest()[:12]
