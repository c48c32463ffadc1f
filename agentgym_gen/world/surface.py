"""The surface of a world: what an interface needs to show the world in other words and formats.

Every field has a default, so that the author of a world sets only what the original has:

    Surface(listing="always", nouns=lambda: ("box", "wall"), glyphs="#@")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from agentgym_gen.world.distractors import COMMON_DISTRACTORS, sample_lines
from agentgym_gen.world.messages import Message, bulleted

__all__ = ["Surface", "as_is", "common_distractors", "in_lower_case", "no_nouns"]


def common_distractors(rng: np.random.Generator, amount: int) -> tuple[Message | str, ...]:
    """Return *amount* of `COMMON_DISTRACTORS`, sampled with *rng*."""
    return sample_lines(COMMON_DISTRACTORS, amount, rng)


def no_nouns() -> tuple[str, ...]:
    """Return no names: nothing of the world is renamed."""
    return ()


def as_is(argument: str) -> str:
    """Return *argument* unchanged."""
    return argument


def in_lower_case(argument: str) -> str:
    """Return *argument* in lower case, with one blank for each run of white space."""
    return " ".join(argument.lower().split())


@dataclass(frozen=True)
class Surface:
    """What the axes of an interface read of a world, in the current episode.

    The functions are called while an episode lasts; they may read the state of the world.
    """

    listing: str = "never"
    """When the original lists the admissible actions: ``always``, ``first`` or ``never``."""
    list_actions: Callable[[Sequence[str]], str] = bulleted
    """Prints a list of admissible actions as the original does."""
    nouns: Callable[[], tuple[str, ...]] = no_nouns
    """Returns every name that may occur in the current task, for the ``names`` axis."""
    canonical_argument: Callable[[str], str] = as_is
    """Returns an argument as this world spells it, so that no spelling hides an old name."""
    glyphs: str = ""
    """The characters that stand for things in an `AsciiGrid`, for the ``names`` axis."""
    verb_labels: Mapping[str, Message] = field(default_factory=dict)
    """Arguments that name a verb, such as a button, as messages in lower case.

    ``{"back to search": ("back to ", VerbName("search"))}``: if the verb has another name,
    so has the argument, and its old name is refused.
    """
    distractors: Callable[[np.random.Generator, int], tuple[Message | str, ...]] = (
        common_distractors
    )
    """Returns that many lines that have nothing to do with the goal of the current task.

    Nothing that they mention can ever be done or used in it. They are sampled with the generator
    alone.
    """
    distractor_amount: int = 8
    """How many such lines an observation gets by the recipe of arXiv 2601.18217."""
