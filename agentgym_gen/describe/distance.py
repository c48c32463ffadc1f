"""How far two interfaces or two environments are apart, measured on what a model reads and writes.

    native = profile("rftgen/TextCraft-easy-v0")
    changed = profile("rftgen/TextCraft-easy-v0", options={"interface": "symbols+json"})
    distance(native, changed).actions

Each part of the distance is 0 (the same) to 1 (nothing in common), so that a study can regress
transfer on it. The descriptors in a profile, how much there is to read and how long a task takes,
are those of arXiv 2601.18217.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, dataclass
from functools import lru_cache
from statistics import fmean
from typing import Any

from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env, sample_task_ids
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.seeding import stream

__all__ = [
    "DEFAULT_TASKS",
    "Distance",
    "ExpertProfile",
    "distance",
    "profile",
]

DEFAULT_TASKS = 20
"""How many tasks are played by default."""

_WORD = re.compile(r"[^\W_]+|[^\w\s]")
_LETTERS = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)*")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class ExpertProfile:
    """The texts of the expert's episodes through one interface, and their descriptors."""

    observations: tuple[str, ...]
    """The observation before every action."""
    actions: tuple[str, ...]
    """The texts of the actions."""
    listed_share: float
    """The share of observations that contain every admissible action."""
    observation_chars: float
    """The mean number of characters of an observation."""
    action_chars: float
    """The mean number of characters of an action."""
    admissible: float
    """The mean number of admissible actions."""
    expert_turns: float
    """The mean number of turns of an episode."""


@dataclass(frozen=True)
class Distance:
    """How far two interfaces are apart; each part is 0 to 1."""

    observations: float
    """Total variation distance between the word frequencies of the observations."""
    actions: float
    """Total variation distance between the word frequencies of the actions."""
    syntax: float
    """Mean edit distance from the form of an action to the nearest form of the other side."""
    listing: float
    """Difference between the shares of observations that list the admissible actions."""

    @property
    def mean(self) -> float:
        """The mean of the four parts."""
        return fmean(astuple(self))

    def parts(self) -> dict[str, float]:
        """Return the parts by name, as columns of a regression."""
        return asdict(self)


def profile(
    env_id: str,
    *,
    split: str = "train",
    tasks: int = DEFAULT_TASKS,
    options: Mapping[str, Any] | None = None,
) -> ExpertProfile:
    """Let the expert play *tasks* tasks of *env_id* and return the profile of its episodes.

    Which tasks are sampled depends on the environment, tiers and split of *env_id* and on the
    number only, so that two interfaces are profiled on the same tasks.

    Args:
        env_id: A registered id.
        split: The split; the test split is for results, not for choosing what to train on.
        tasks: How many tasks.
        options: Keyword arguments of the environment, such as ``interface``.

    Raises:
        InvalidValueError: if no task would be played.
        UnknownNameError: if the id is not registered.
    """
    if tasks < 1:
        raise InvalidValueError(f"`tasks` is at least 1, not {tasks!r}")
    env = make_text_env(env_id, split, options)
    # The key of the stream decides which tasks are sampled, and so the published distances.
    rng = stream("listen", env.world.tasks.env, *env.tiers, split)
    task_ids = sample_task_ids(env_id, split, tasks, rng, options)
    turns = [turn for task_id in task_ids for turn in _expert_turns(env, task_id)]
    observations, actions, admissible = zip(*turns, strict=True)
    return ExpertProfile(
        observations=observations,
        actions=actions,
        listed_share=fmean(_lists_all(observation, listed) for observation, _, listed in turns),
        observation_chars=fmean(map(len, observations)),
        action_chars=fmean(map(len, actions)),
        admissible=fmean(map(len, admissible)),
        expert_turns=len(turns) / tasks,
    )


def distance(first: ExpertProfile, second: ExpertProfile) -> Distance:
    """Return how far *first* and *second* are apart.

    - observations, actions: ``1 - sum(min(p, q))`` over the shares ``p`` and ``q`` that each word
      or punctuation mark has on the two sides.
    - syntax: the form of an action has ``a`` for every run of letters and ``1`` for every number.
      Each form is compared with the nearest form of the other side by edit distance, in units of
      the longer one; the mean is over the actions of a side and then over the sides.
    - listing: the difference of `ExpertProfile.listed_share`.
    """
    return Distance(
        observations=_total_variation(first.observations, second.observations),
        actions=_total_variation(first.actions, second.actions),
        syntax=(_mean_edits(first, second) + _mean_edits(second, first)) / 2,
        listing=abs(first.listed_share - second.listed_share),
    )


def _expert_turns(env: TextEnv, task_id: str) -> list[tuple[str, str, list[str]]]:
    """Return observation, action and admissible actions of every turn of the expert."""
    turns: list[tuple[str, str, list[str]]] = []
    observation, info = env.reset(options={"task_id": task_id})
    while info["end_reason"] is None:
        action = env.expert_action() or ""
        turns.append((observation, action, info["admissible_actions"]))
        observation, _, _, _, info = env.step(action)
    return turns


def _lists_all(observation: str, admissible: list[str]) -> bool:
    """Return whether *observation* contains every one of the *admissible* actions."""
    if all(action.isdigit() for action in admissible):  # the menu: a number starts each line
        starts = {line.partition(". ")[0] for line in observation.split("\n")}
        return starts.issuperset(admissible)
    return all(action in observation for action in admissible)


def _total_variation(first: Iterable[str], second: Iterable[str]) -> float:
    first_shares, second_shares = _word_shares(first), _word_shares(second)
    overlap = math.fsum(
        min(share, second_shares.get(word, 0.0)) for word, share in first_shares.items()
    )
    return max(0.0, round(1.0 - overlap, 12))  # floating-point shares sum up to nearly 1


def _word_shares(texts: Iterable[str]) -> dict[str, float]:
    counts = Counter(word.lower() for text in texts for word in _WORD.findall(text))
    total = sum(counts.values())
    return {word: count / total for word, count in counts.items()}


def _mean_edits(source: ExpertProfile, target: ExpertProfile) -> float:
    """Return the mean edit distance from an action's form in *source* to the nearest in *target*.

    Most actions share a form, so each form is compared once and weighted by how often it occurs.
    """
    counts = Counter(map(_form, source.actions))
    targets = sorted(set(map(_form, target.actions)))
    nearest = {form: min(_edit_distance(form, other) for other in targets) for form in counts}
    return sum(nearest[form] * count for form, count in counts.items()) / counts.total()


def _form(action: str) -> str:
    """Return *action* with ``a`` for its words and ``1`` for its numbers.

    >>> _form('go_to("desk 12")'), _form("put mug 1 in/on desk 12")
    ('a_a("a 1")', 'a 1 a/a 1')
    """
    return _DIGITS.sub("1", _LETTERS.sub("a", action))


@lru_cache(maxsize=1 << 14)
def _edit_distance(first: str, second: str) -> float:
    """Return the edit distance of two texts (Levenshtein) in units of the longer one.

    >>> _edit_distance("a 1", "a(1)"), _edit_distance("", "")
    (0.5, 0.0)
    """
    # One row of the table is kept; `diagonal` is the cell above and to the left, which the row has
    # just overwritten.
    row = list(range(len(second) + 1))
    for number, letter in enumerate(first, 1):
        left, row[0], diagonal = number, number, number - 1
        for column, target in enumerate(second, 1):
            above = row[column]
            left = min(above + 1, left + 1, diagonal + (letter != target))
            row[column], diagonal = left, above
    return row[-1] / max(len(first), len(second), 1)
