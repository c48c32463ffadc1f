"""The tasks of TextCraft: goals by crafting depth, and which recipes each task shows."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agentgym_gen.envs.textcraft.expert import reference
from agentgym_gen.envs.textcraft.recipes import recipe_book
from agentgym_gen.world import TaskId, Tasks

DEPTHS = {"easy": (1,), "medium": (2,), "hard": (3, 4)}
"""The crafting depths of the goals of each tier."""

LONGEST_PLAN = 40
"""Goals whose plan from nothing takes more commands are left out."""

SHARES = {"train": 0.70, "valid": 0.15, "test": 0.15}
"""Which share of a tier's goals each split has."""

DRAWS = 16
"""How many tasks each goal has; they differ in what else is shown, and in which order."""

DISTRACTORS = 10
"""How many recipes are shown that play no part in the goal."""


@dataclass(frozen=True)
class Order:
    """The content of a task: what is to be made, and the recipes that are shown."""

    goal: str
    """The item to be made."""
    recipes: tuple[tuple[str, ...], ...]
    """The recipes in the order in which they are shown: what each makes, and from what."""


class TextCraftTasks(Tasks[Order]):
    """Goals of depth 1 (easy), 2 (medium) and 3 to 4 (hard), each drawn `DRAWS` times.

    No goal is in two splits. Task ``i`` of a split has goal ``i % goals``, so that the first tasks
    of a split have as many goals as there are.
    """

    env = "textcraft"

    def goals(self, tier: str, split: str) -> tuple[str, ...]:
        """Return the goals of *split* of *tier*, in the order of the indices."""
        self._check(tier, split)
        return _goals(tier)[split]

    def size(self, tier: str, split: str) -> int:
        """Return how many tasks *split* of *tier* has."""
        return DRAWS * len(_goals(tier)[split])

    def generate(self, task_id: TaskId, index: int) -> Order:
        """Return the goal of task *index* and the recipes that its stream draws for it."""
        goals = _goals(task_id.tier)[task_id.split]
        goal = goals[index % len(goals)]
        rng, book = task_id.stream("recipes"), recipe_book()
        needed = _needed(goal)
        shown = rng.permutation([*needed, *_distractors(needed, rng)])
        return Order(goal, tuple(book.lines[place].args for place in shown))


@functools.cache
def _goals(tier: str) -> dict[str, tuple[str, ...]]:
    """Return the goals of *tier* by split, in an order given by their names' hashes alone."""
    book = recipe_book()
    found = [
        goal
        for goal in book.ways
        if book.depth(goal) in DEPTHS[tier] and reference(goal)[0] <= LONGEST_PLAN
    ]
    found.sort(key=lambda goal: hashlib.sha256(goal.encode()).digest())
    first = round(SHARES["valid"] * len(found))
    second = first + round(SHARES["test"] * len(found))
    return {
        "train": tuple(found[second:]),
        "valid": tuple(found[:first]),
        "test": tuple(found[first:second]),
    }


@functools.cache
def _needed(goal: str) -> tuple[int, ...]:
    return recipe_book().needed(goal)


def _distractors(needed: tuple[int, ...], rng: np.random.Generator) -> list[int]:
    """Return recipes that use the same things as *needed*, and others where these do not suffice.

    The original's rule: up to ten uses of every part of every needed recipe, and ten of these.
    """
    book = recipe_book()
    near: set[int] = set()
    for place in needed:
        for name, _ in book.recipes[place].parts:
            near.update(_some(book.uses[name], DISTRACTORS, rng))
    near.difference_update(needed)
    chosen = _some(sorted(near), DISTRACTORS, rng)
    if len(chosen) < DISTRACTORS:
        others = sorted(set(range(len(book.recipes))) - near - set(needed))
        chosen += _some(others, DISTRACTORS - len(chosen), rng)
    return chosen


def _some(pool: Sequence[int], amount: int, rng: np.random.Generator) -> list[int]:
    if len(pool) <= amount:
        return list(pool)
    return [pool[int(place)] for place in rng.choice(len(pool), amount, replace=False)]
