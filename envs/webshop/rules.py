"""The rules with which a world is made: the keywords of `WebShop` and their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from agentgym_gen.errors import unknown_name

ACCEPTED_VALUES: Mapping[str, tuple[str, ...]] = {
    "observation": ("text", "text_rich"),
    "preset": ("webshop", "agentgym", "verl-agent"),
    "compat": ("fixed", "original"),
    "nouns": ("words", "spacy"),
    "expert": ("instruction", "title"),
}
"""The accepted values of each rule, the default first."""

TURN_LIMITS = {"webshop": 15, "agentgym": 10, "verl-agent": 15}
"""The turn limits of the presets; the original has none."""

VERL_AGENT_REWARD = 10.0
"""The reward of verl-agent for a score of exactly 1; for less it is 0."""


@dataclass(frozen=True)
class Rules:
    """How a world is played.

    Raises:
        UnknownNameError: if a rule has no such value.
    """

    observation: str = "text"
    preset: str = "webshop"
    compat: str = "fixed"
    nouns: str = "words"
    expert: str = "instruction"

    def __post_init__(self) -> None:
        """Check every rule."""
        for name, values in ACCEPTED_VALUES.items():
            value = getattr(self, name)
            if value not in values:
                raise unknown_name(f"value of `{name}`:", value, values)

    @property
    def is_text_rich(self) -> bool:
        """Whether pages are shown in the original's ``text_rich`` mode."""
        return self.observation == "text_rich"

    @property
    def as_original(self) -> bool:
        """Whether the faults of the original are kept."""
        return self.compat == "original"

    @property
    def turn_limit(self) -> int:
        """The turn limit."""
        return TURN_LIMITS[self.preset]

    def reward(self, score: float) -> float:
        """Return the reward of a purchase with *score*."""
        if self.preset != "verl-agent":
            return score
        return VERL_AGENT_REWARD if score == 1.0 else 0.0


def parse_rules(keywords: Mapping[str, str]) -> Rules:
    """Return the rules with the values of *keywords*.

    Raises:
        UnknownNameError: if there is no such rule or value.
    """
    valid_names = [field.name for field in fields(Rules)]
    for name in keywords:
        if name not in valid_names:
            raise unknown_name("keyword of WebShop", name, valid_names, "see the page of WebShop")
    return Rules(**keywords)
