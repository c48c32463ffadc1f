"""The tasks of TextCraft: goals by crafting depth, and the recipes that each task shows."""

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

MAX_PLAN_LENGTH = 40
"""Goals whose plan from an empty inventory takes more commands are left out."""

SHARES = {"train": 0.70, "valid": 0.15, "test": 0.15}
"""The share of a tier's goals that each split has."""

TASKS_PER_GOAL = 16
"""How many tasks each goal has; they differ in the other recipes shown, and in the order."""

DISTRACTOR_RECIPES = 10
"""How many recipes are shown that play no part in the goal."""


@dataclass(frozen=True)
class CraftTask:
    """The content of a task: the goal, and the recipes that are shown."""

    goal: str
    """The item to be made."""
    recipes: tuple[tuple[str, ...], ...]
    """The recipes in the order in which they are shown: what each makes, and from what."""

    def __repr__(self) -> str:
        """Return the text that fingerprints hash, with the class's name of an earlier version."""
        return f"Order(goal={self.goal!r}, recipes={self.recipes!r})"


class TextCraftTasks(Tasks[CraftTask]):
    """Goals of depth 1 (easy), 2 (medium) and 3 to 4 (hard), with `TASKS_PER_GOAL` tasks each.

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
        return TASKS_PER_GOAL * len(_goals(tier)[split])

    def generate(self, task_id: TaskId, index: int) -> CraftTask:
        """Return the goal of task *index* and the recipes that its stream draws for it."""
        goals = _goals(task_id.tier)[task_id.split]
        goal = goals[index % len(goals)]
        rng, book = task_id.stream("recipes"), recipe_book()
        relevant = _relevant_recipes(goal)
        numbers = rng.permutation([*relevant, *_sample_distractors(relevant, rng)])
        return CraftTask(goal, tuple(book.commands[number].args for number in numbers))


@functools.cache
def _goals(tier: str) -> dict[str, tuple[str, ...]]:
    """Return the goals of *tier* by split, in an order given by their names' hashes alone."""
    book = recipe_book()
    goals = [
        goal
        for goal in book.recipes_for
        if book.depth(goal) in DEPTHS[tier] and reference(goal).length <= MAX_PLAN_LENGTH
    ]
    goals.sort(key=lambda goal: hashlib.sha256(goal.encode()).digest())
    first = round(SHARES["valid"] * len(goals))
    second = first + round(SHARES["test"] * len(goals))
    return {
        "train": tuple(goals[second:]),
        "valid": tuple(goals[:first]),
        "test": tuple(goals[first:second]),
    }


@functools.cache
def _relevant_recipes(goal: str) -> tuple[int, ...]:
    return recipe_book().relevant_recipes(goal)


def _sample_distractors(relevant: tuple[int, ...], rng: np.random.Generator) -> list[int]:
    """Return recipes that share ingredients with *relevant*, and others if these are too few.

    The original's rule: up to ten uses of every part of every relevant recipe, and ten of these.
    """
    book = recipe_book()
    similar: set[int] = set()
    for number in relevant:
        for name, _ in book.recipes[number].parts:
            similar.update(_sample(book.naming[name], DISTRACTOR_RECIPES, rng))
    similar.difference_update(relevant)
    distractors = _sample(sorted(similar), DISTRACTOR_RECIPES, rng)
    if len(distractors) < DISTRACTOR_RECIPES:
        others = sorted(set(range(len(book.recipes))) - similar - set(relevant))
        distractors += _sample(others, DISTRACTOR_RECIPES - len(distractors), rng)
    return distractors


def _sample(numbers: Sequence[int], amount: int, rng: np.random.Generator) -> list[int]:
    """Return *amount* of *numbers*, or all; draws nothing where there is nothing to choose."""
    if len(numbers) <= amount:
        return list(numbers)
    return [numbers[int(place)] for place in rng.choice(len(numbers), amount, replace=False)]
