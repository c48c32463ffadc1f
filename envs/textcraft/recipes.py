"""The facts of TextCraft: which recipes there are, and what follows from them.

A book is read once in a process and shared by every world; worlds do not change it. Items are
named as the observations name them: ``oak planks``. A *tag* (``planks``) is a kind of item: a
recipe takes any of its members, and no item of the inventory has the name of a tag.
"""

from __future__ import annotations

import functools
import importlib.resources
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentgym_gen.world import Command, SharedData

Amount = tuple[str, int]
"""An item or tag, and how many of it."""


@dataclass(frozen=True, order=True)
class Recipe:
    """One way to make an item."""

    target: str
    """The item that it makes."""
    amount: int
    """How many of it are made at once."""
    parts: tuple[Amount, ...]
    """The ingredients: items or tags, each with its exact count."""

    def command(self, members: Sequence[str] = ()) -> Command:
        """Return the recipe as a command, with *members* in place of its parts' names."""
        names = members or [name for name, _ in self.parts]
        counts = [count for _, count in self.parts]
        ingredients = ", ".join(f"{n} {name}" for n, name in zip(counts, names, strict=True))
        return Command("craft", (f"{self.amount} {self.target}", ingredients))


class RecipeBook(SharedData):
    """All recipes, cleaned as the original cleans them, in an order of their own.

    A recipe from one kind of block only is dropped (``craft 9 coal using 1 coal block`` undoes the
    block), and so is one whose target is needed to make its parts. Which recipe closes a cycle
    depends on the order in which they are read; here it is always the sorted one.

    A recipe is known by its *number*, its place in the book.

    Args:
        recipes: The recipes, in any order.
        tags: The members of every tag, the common one first.
    """

    def __init__(self, recipes: Iterable[Recipe], tags: Mapping[str, tuple[str, ...]]) -> None:
        self.tags = dict(tags)
        self.tags_of = _tags_by_member(self.tags)
        self.recipes_for: dict[str, tuple[Recipe, ...]] = {}
        all_recipes = sorted(recipes)
        for recipe in all_recipes:
            if not _unpacks_block(recipe) and not self._closes_cycle(recipe):
                earlier = self.recipes_for.get(recipe.target, ())
                self.recipes_for[recipe.target] = (*earlier, recipe)
        self.recipes = tuple(itertools.chain(*self.recipes_for.values()))
        parts = {name for recipe in all_recipes for name, _ in recipe.parts}
        members = itertools.chain(*(self.members(name) for name in parts))
        self.items = frozenset(members) | {recipe.target for recipe in all_recipes}
        self.nouns = tuple(sorted({*self.items, *self.tags}.union(*self.tags.values())))
        self.commands = tuple(recipe.command() for recipe in self.recipes)
        self.number_of = {command.args: n for n, command in enumerate(self.commands)}
        self.naming = self._recipes_by_part()
        self.inputs = tuple(
            tuple((self.members(name), count) for name, count in recipe.parts)
            for recipe in self.recipes
        )
        self.takers = self._recipes_by_item()
        self._command_cache: dict[tuple[object, ...], Command] = {}
        self._levels: dict[str, int] = {}
        self._depths: dict[str, int] = {}

    def members(self, name: str) -> tuple[str, ...]:
        """Return the items that *name* stands for: the members of a tag, or the item itself."""
        return self.tags.get(name) or (name,)

    def raw_item(self, name: str) -> str | None:
        """Return the item without a recipe that *name* stands for, the common one of a tag."""
        return next((item for item in self.members(name) if item not in self.recipes_for), None)

    def depth(self, name: str) -> int:
        """Return the least number of crafts between *name* and items without a recipe."""
        if name not in self._depths:
            self._depths[name] = min(map(self._item_depth, self.members(name)))
        return self._depths[name]

    def level(self, item: str) -> int:
        """Return the longest way from *item* down; what goes into an item has a lower level."""
        if item not in self._levels:
            parts = {name for recipe in self.recipes_for.get(item, ()) for name, _ in recipe.parts}
            below = [self.level(member) for name in parts for member in self.members(name)]
            self._levels[item] = 1 + max(below) if below else 0
        return self._levels[item]

    def relevant_recipes(self, goal: str) -> tuple[int, ...]:
        """Return the numbers of the recipes that can play a part in making *goal*."""
        targets: set[str] = set()
        todo = [goal]
        while todo:
            item = todo.pop()
            if item in targets:
                continue
            targets.add(item)
            recipes = self.recipes_for.get(item, ())
            for name in {name for recipe in recipes for name, _ in recipe.parts}:
                # Where a raw item will do, it can be got, and no recipe is needed.
                if self.raw_item(name) is None:
                    todo += self.members(name)
        return tuple(n for n, recipe in enumerate(self.recipes) if recipe.target in targets)

    def craft_command(self, number: int, members: tuple[str, ...]) -> Command:
        """Return the command that puts *members* into a recipe; one object for all worlds."""
        command = self._command_cache.get((number, members))
        if command is None:
            command = self.recipes[number].command(members)
            self._command_cache[number, members] = command
        return command

    def get_command(self, item: str, count: int) -> Command:
        """Return the command that gets *count* of *item*; one object for all worlds."""
        return self._command_cache.setdefault((item, count), Command("get", (f"{count} {item}",)))

    def _item_depth(self, item: str) -> int:
        recipes = self.recipes_for.get(item, ())
        depths = [1 + max(self.depth(name) for name, _ in recipe.parts) for recipe in recipes]
        return min(depths, default=0)

    def _recipes_by_part(self) -> dict[str, tuple[int, ...]]:
        """Return the numbers of the recipes that name each item or tag as a part."""
        naming: dict[str, tuple[int, ...]] = {}
        for number, recipe in enumerate(self.recipes):
            for name, _ in recipe.parts:
                naming[name] = (*naming.get(name, ()), number)
        return naming

    def _recipes_by_item(self) -> dict[str, tuple[int, ...]]:
        """Return the numbers of the recipes that each item can be put into."""
        takers: dict[str, tuple[int, ...]] = {}
        for name, numbers in self.naming.items():
            for item in self.members(name):
                takers[item] = (*takers.get(item, ()), *numbers)
        return takers

    def _closes_cycle(self, recipe: Recipe) -> bool:
        """Return whether the recipes so far need the target for one of the parts."""
        visited: set[str] = set()
        todo = [name for name, _ in recipe.parts]
        while todo:
            for item in self.members(todo.pop()):
                if item == recipe.target:
                    return True
                if item not in visited:
                    visited.add(item)
                    recipes = self.recipes_for.get(item, ())
                    todo += [name for earlier in recipes for name, _ in earlier.parts]
        return False


class ShownRecipes:
    """The recipes that one task shows, and what can be got for them.

    Args:
        book: The book that they are from.
        numbers: Their numbers in the book, in the order in which they are shown.
    """

    def __init__(self, book: RecipeBook, numbers: Sequence[int]) -> None:
        self.book = book
        self.numbers = tuple(numbers)
        self.recipes_for: dict[str, tuple[Recipe, ...]] = {}
        counts: dict[str, set[int]] = {}
        # In the order of the book, so that the order of showing has no influence on the expert.
        for recipe in (book.recipes[number] for number in sorted(numbers)):
            self.recipes_for[recipe.target] = (*self.recipes_for.get(recipe.target, ()), recipe)
            for name, count in recipe.parts:
                item = book.raw_item(name)
                if item is not None:
                    counts.setdefault(item, set()).add(count)
        self.counts = {item: tuple(sorted(counts[item])) for item in sorted(counts)}
        """The raw items, each with the counts in which a recipe names it, ascending."""


def _tags_by_member(tags: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the tags of every member."""
    tags_of: dict[str, tuple[str, ...]] = {}
    for tag, members in tags.items():
        for member in members:
            tags_of[member] = (*tags_of.get(member, ()), tag)
    return tags_of


def _unpacks_block(recipe: Recipe) -> bool:
    return len(recipe.parts) == 1 and recipe.parts[0][0].endswith(" block")


def parse_recipes(facts: Mapping[str, Any]) -> RecipeBook:
    """Return the book that the content of the data file describes."""
    tags = {_item_name(tag): tuple(map(_item_name, items)) for tag, items in facts["tags"].items()}
    recipes = [
        Recipe(_item_name(target), amount, tuple((_item_name(name), n) for name, n in parts))
        for target, amount, parts in facts["recipes"]
    ]
    return RecipeBook(recipes, tags)


def _item_name(identifier: str) -> str:
    """Return the name in observations: ``oak planks`` for ``oak_planks``, without a tag's ``#``."""
    return identifier.removeprefix("#").replace("_", " ")


@functools.cache
def recipe_book() -> RecipeBook:
    """Return the book of this package's data file, read once in a process."""
    folder = importlib.resources.files("agentgym_gen.envs.textcraft")
    text = (folder / "data" / "recipes.json").read_text(encoding="utf-8")
    return parse_recipes(json.loads(text)).made_by(recipe_book)
