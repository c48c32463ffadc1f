"""The facts of TextCraft: which recipes there are, and what follows from them.

A book is read once in a process and shared by every world, which only read it. Items are named as
the observations name them: ``oak planks``. A *tag* (``planks``) is a kind of item: any of its
members may be put in, and nothing is ever called by a tag in the inventory.
"""

from __future__ import annotations

import functools
import importlib.resources
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentgym_gen.world import Command

Amount = tuple[str, int]
"""An item or tag, and how many of it."""


@dataclass(frozen=True, order=True)
class Recipe:
    """One way to make an item."""

    target: str
    """What is made."""
    amount: int
    """How many of it are made at once."""
    parts: tuple[Amount, ...]
    """What goes in: items or tags, each with its exact count."""

    def line(self, members: Sequence[str] = ()) -> Command:
        """Return the recipe as a command, with *members* in place of its parts' names."""
        names = members or [name for name, _ in self.parts]
        counts = [count for _, count in self.parts]
        listed = ", ".join(f"{n} {name}" for n, name in zip(counts, names, strict=True))
        return Command("craft", (f"{self.amount} {self.target}", listed))


class RecipeBook:
    """All recipes, cleaned as the original cleans them, in an order of their own.

    A recipe from one kind of block only is dropped (``craft 9 coal using 1 coal block`` undoes the
    block), and so is one whose target is needed to make its parts. Which recipe closes a cycle
    depends on the order in which they are read; here it is always the sorted one.

    Args:
        recipes: The recipes, in any order.
        tags: The members of every tag, the common one first.
    """

    def __init__(self, recipes: Iterable[Recipe], tags: Mapping[str, tuple[str, ...]]) -> None:
        self.tags = dict(tags)
        self.kinds = _inverted(self.tags)
        self.ways: dict[str, tuple[Recipe, ...]] = {}
        known = sorted(recipes)
        for recipe in known:
            if not _unpacks(recipe) and not self._closes_cycle(recipe):
                self.ways[recipe.target] = (*self.ways.get(recipe.target, ()), recipe)
        self.recipes = tuple(itertools.chain(*self.ways.values()))
        parts = {name for recipe in known for name, _ in recipe.parts}
        members = itertools.chain(*(self.members(name) for name in parts))
        self.items = frozenset(members) | {recipe.target for recipe in known}
        self.nouns = tuple(sorted({*self.items, *self.tags}.union(*self.tags.values())))
        self.lines = tuple(recipe.line() for recipe in self.recipes)
        self.places = {line.args: place for place, line in enumerate(self.lines)}
        self.uses = self._uses()
        self.inputs = tuple(
            tuple((self.members(name), count) for name, count in recipe.parts)
            for recipe in self.recipes
        )
        self.users = self._users()
        self._commands: dict[tuple[object, ...], Command] = {}
        self._levels: dict[str, int] = {}
        self._depths: dict[str, int] = {}

    def members(self, name: str) -> tuple[str, ...]:
        """Return the items that *name* stands for: the members of a tag, or the item itself."""
        return self.tags.get(name) or (name,)

    def raw(self, name: str) -> str | None:
        """Return the item without a recipe that *name* stands for, the common one of a tag."""
        return next((item for item in self.members(name) if item not in self.ways), None)

    def depth(self, name: str) -> int:
        """Return how many crafts at least lie between *name* and items without a recipe."""
        if name not in self._depths:
            self._depths[name] = min(map(self._depth, self.members(name)))
        return self._depths[name]

    def level(self, item: str) -> int:
        """Return the longest way from *item* down; what goes into an item has a lower level."""
        if item not in self._levels:
            parts = {name for recipe in self.ways.get(item, ()) for name, _ in recipe.parts}
            below = [self.level(member) for name in parts for member in self.members(name)]
            self._levels[item] = 1 + max(below) if below else 0
        return self._levels[item]

    def needed(self, goal: str) -> tuple[int, ...]:
        """Return the places in the book of every recipe that can play a part in making *goal*."""
        found: set[str] = set()
        todo = [goal]
        while todo:
            item = todo.pop()
            if item in found:
                continue
            found.add(item)
            for name in {name for recipe in self.ways.get(item, ()) for name, _ in recipe.parts}:
                if self.raw(name) is None:
                    todo += self.members(name)
        return tuple(n for n, recipe in enumerate(self.recipes) if recipe.target in found)

    def craft(self, place: int, members: tuple[str, ...]) -> Command:
        """Return the command that puts *members* into the recipe at *place*, one object for all."""
        found = self._commands.get((place, members))
        if found is None:
            found = self._commands[place, members] = self.recipes[place].line(members)
        return found

    def get(self, item: str, count: int) -> Command:
        """Return the command that gets *count* of *item*; one object for all worlds."""
        return self._commands.setdefault((item, count), Command("get", (f"{count} {item}",)))

    def _depth(self, item: str) -> int:
        ways = self.ways.get(item, ())
        depths = [1 + max(self.depth(name) for name, _ in recipe.parts) for recipe in ways]
        return min(depths, default=0)

    def _uses(self) -> dict[str, tuple[int, ...]]:
        """Return the places of the recipes that name each item or tag as a part."""
        uses: dict[str, tuple[int, ...]] = {}
        for place, recipe in enumerate(self.recipes):
            for name, _ in recipe.parts:
                uses[name] = (*uses.get(name, ()), place)
        return uses

    def _users(self) -> dict[str, tuple[int, ...]]:
        """Return the places of the recipes that each item can be put into."""
        users: dict[str, tuple[int, ...]] = {}
        for name, places in self.uses.items():
            for item in self.members(name):
                users[item] = (*users.get(item, ()), *places)
        return users

    def _closes_cycle(self, recipe: Recipe) -> bool:
        """Return whether the recipes so far need the target for one of the parts."""
        seen: set[str] = set()
        todo = [name for name, _ in recipe.parts]
        while todo:
            for item in self.members(todo.pop()):
                if item == recipe.target:
                    return True
                if item not in seen:
                    seen.add(item)
                    todo += [name for way in self.ways.get(item, ()) for name, _ in way.parts]
        return False


class Sheet:
    """The recipes that one task shows, and what can be got for them.

    Args:
        book: The book that they are from.
        places: Their places in the book, in the order in which they are shown.
    """

    def __init__(self, book: RecipeBook, places: Sequence[int]) -> None:
        self.book = book
        self.places = tuple(places)
        self.ways: dict[str, tuple[Recipe, ...]] = {}
        counts: dict[str, set[int]] = {}
        for recipe in (book.recipes[place] for place in sorted(places)):
            self.ways[recipe.target] = (*self.ways.get(recipe.target, ()), recipe)
            for name, count in recipe.parts:
                item = book.raw(name)
                if item is not None:
                    counts.setdefault(item, set()).add(count)
        self.counts = {item: tuple(sorted(counts[item])) for item in sorted(counts)}


def _inverted(tags: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the tags of every member."""
    kinds: dict[str, tuple[str, ...]] = {}
    for tag, members in tags.items():
        for member in members:
            kinds[member] = (*kinds.get(member, ()), tag)
    return kinds


def _unpacks(recipe: Recipe) -> bool:
    return len(recipe.parts) == 1 and recipe.parts[0][0].endswith(" block")


def read_facts(facts: Mapping[str, Any]) -> RecipeBook:
    """Return the book that the content of the data file describes."""
    tags = {_spoken(tag): tuple(map(_spoken, items)) for tag, items in facts["tags"].items()}
    recipes = [
        Recipe(_spoken(target), amount, tuple((_spoken(name), count) for name, count in parts))
        for target, amount, parts in facts["recipes"]
    ]
    return RecipeBook(recipes, tags)


def _spoken(name: str) -> str:
    return name.removeprefix("#").replace("_", " ")


@functools.cache
def recipe_book() -> RecipeBook:
    """Return the book of this package's data file, read once in a process."""
    folder = importlib.resources.files("agentgym_gen.envs.textcraft")
    text = (folder / "data" / "recipes.json").read_text(encoding="utf-8")
    return read_facts(json.loads(text))
