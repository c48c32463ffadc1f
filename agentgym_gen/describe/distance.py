"""How far two interfaces, or two environments, are apart: measured on what a model sees and says.

    one = listen("rftgen/TextCraft-easy-v0")
    other = listen("rftgen/TextCraft-easy-v0", interface="symbols+json")
    distance(one, other).actions

Each part of the distance is 0 (the same) to 1 (nothing in common), so that a study can regress what
transfers on it. The descriptors, how much there is to read and how long a task takes, are those of
arXiv 2601.18217.
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

TASKS = 20
"""How many tasks are played by default."""

_WORD = re.compile(r"[^\W_]+|[^\w\s]")
_LETTERS = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)*")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Heard:
    """What was seen and said in the episodes of an expert."""

    observations: tuple[str, ...]
    """What was seen before every action."""
    actions: tuple[str, ...]
    """What was said."""
    listed: float
    """The share of observations that hold every admissible action."""
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
    """Total variation between the frequencies of the words that are seen."""
    actions: float
    """The same of the words that are said."""
    syntax: float
    """Edit distance between the forms of actions: each has the nearest of the other side."""
    listing: float
    """Difference of the shares of observations that list what can be done."""

    @property
    def mean(self) -> float:
        """The mean of the four parts."""
        return fmean(astuple(self))

    def parts(self) -> dict[str, float]:
        """Return the parts by name, as columns of a regression."""
        return asdict(self)


def listen(
    env_id: str,
    *,
    split: str = "train",
    number: int = TASKS,
    options: Mapping[str, Any] | None = None,
) -> Heard:
    """Return what is seen and said when the expert plays *number* tasks of *env_id*.

    The tasks depend on *env_id*'s environment, tier and split and on *number* only, so that two
    interfaces are heard on the same ones.

    Args:
        env_id: A registered id.
        split: The split; the test split is for results, not for choosing what to train on.
        number: How many tasks.
        options: Keyword arguments of the environment, such as ``interface``.

    Raises:
        InvalidValueError: if no task would be played.
        UnknownNameError: if the id is not registered.
    """
    if number < 1:
        raise InvalidValueError(f"`number` is at least 1, not {number!r}")
    env = make_text_env(env_id, split, options)
    rng = stream("listen", env.world.tasks.env, *env.tiers, split)
    tasks = sample_task_ids(env_id, split, number, rng, options)
    turns = [turn for task in tasks for turn in _turns(env, task)]
    observations, actions, menus = zip(*turns, strict=True)
    return Heard(
        observations=observations,
        actions=actions,
        listed=fmean(_lists(seen, menu) for seen, _, menu in turns),
        observation_chars=fmean(map(len, observations)),
        action_chars=fmean(map(len, actions)),
        admissible=fmean(map(len, menus)),
        expert_turns=len(turns) / number,
    )


def distance(one: Heard, other: Heard) -> Distance:
    """Return how far *one* and *other* are apart.

    - observations, actions: ``1 - sum(min(p, q))`` over the shares ``p`` and ``q`` that each word
      or punctuation mark has on the two sides.
    - syntax: in an action every run of letters becomes ``a`` and every number ``1``; of these forms
      each on one side has the nearest on the other by edit distance, in units of the longer one,
      averaged over the actions of a side and then over the sides.
    - listing: the difference of `Heard.listed`.
    """
    return Distance(
        observations=_variation(one.observations, other.observations),
        actions=_variation(one.actions, other.actions),
        syntax=(_one_way(one, other) + _one_way(other, one)) / 2,
        listing=abs(one.listed - other.listed),
    )


def _turns(env: TextEnv, task: str) -> list[tuple[str, str, list[str]]]:
    """Return observation, action and admissible actions of every turn of the expert."""
    turns: list[tuple[str, str, list[str]]] = []
    observation, info = env.reset(options={"task_id": task})
    while info["end_reason"] is None:
        action = env.expert_action() or ""
        turns.append((observation, action, info["admissible_actions"]))
        observation, _, _, _, info = env.step(action)
    return turns


def _lists(observation: str, menu: list[str]) -> bool:
    """Say whether *observation* holds every action of *menu*, each as a whole."""
    if all(action.isdigit() for action in menu):  # numbers of a menu, each at the start of a line
        starts = {line.partition(". ")[0] for line in observation.split("\n")}
        return starts.issuperset(menu)
    return all(action in observation for action in menu)


def _variation(one: Iterable[str], other: Iterable[str]) -> float:
    mine, others = _shares(one), _shares(other)
    shared = math.fsum(min(share, others.get(word, 0.0)) for word, share in mine.items())
    return max(0.0, round(1.0 - shared, 12))  # shares of floating point sum up to nearly 1


def _shares(texts: Iterable[str]) -> dict[str, float]:
    counts = Counter(word.lower() for text in texts for word in _WORD.findall(text))
    total = sum(counts.values())
    return {word: count / total for word, count in counts.items()}


def _one_way(one: Heard, other: Heard) -> float:
    forms = Counter(map(_form, one.actions))
    targets = sorted(set(map(_form, other.actions)))
    nearest = {form: min(_edits(form, target) for target in targets) for form in forms}
    return sum(nearest[form] * count for form, count in forms.items()) / forms.total()


def _form(action: str) -> str:
    """Return *action* with ``a`` for its words and ``1`` for its numbers.

    >>> _form('go_to("desk 12")'), _form("put mug 1 in/on desk 12")
    ('a_a("a 1")', 'a 1 a/a 1')
    """
    return _DIGITS.sub("1", _LETTERS.sub("a", action))


@lru_cache(maxsize=1 << 14)
def _edits(one: str, other: str) -> float:
    """Return the edit distance of two texts (Levenshtein) in units of the longer one.

    >>> _edits("a 1", "a(1)"), _edits("", "")
    (0.5, 0.0)
    """
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        left, row[0], diagonal = place, place, place - 1
        for column, wanted in enumerate(other, 1):
            above = row[column]
            left = min(above + 1, left + 1, diagonal + (letter != wanted))
            row[column], diagonal = left, above
    return row[-1] / max(len(one), len(other), 1)
