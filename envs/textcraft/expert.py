"""The solver of TextCraft: from any inventory to the goal with admissible commands only.

Demand runs down from the goal: an item that is lacking asks for its parts, every item after all
that need it, so that one craft serves them all. What stays open is which recipe makes an item and
which member stands for a tag. A first draft takes the choice that is cheapest by itself; then each
choice is tried otherwise and kept if the plan gets shorter. The plan need not be the shortest.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

from agentgym_gen.envs.textcraft.recipes import Recipe, RecipeBook, Sheet, recipe_book
from agentgym_gen.world import Command

Choices = Mapping[str, Recipe | str]
"""The recipe that makes an item, or the member that stands for a tag, where it is settled."""


NEVER = 10**9
"""The length of a draft that cannot be carried out."""


@dataclass
class Draft:
    """A way to the goal as amounts, before it is put in order."""

    gets: dict[str, int] = field(default_factory=dict)
    """How many of each item have to be got."""
    crafts: list[tuple[Recipe, tuple[str, ...], int]] = field(default_factory=list)
    """Each recipe with the members that go in and how often, the goal's first."""
    open: dict[str, tuple[Recipe | str, ...]] = field(default_factory=dict)
    """What else could have been chosen, by item or tag."""
    chosen: dict[str, str] = field(default_factory=dict)
    """The member that stands for each tag."""

    def length(self, sheet: Sheet) -> int:
        """Return how many commands it takes, or `NEVER` if it needs what *sheet* does not offer."""
        if not sheet.counts.keys() >= self.gets.keys():
            return NEVER
        gets = sum(-(-count // sheet.counts[item][-1]) for item, count in self.gets.items())
        return gets + sum(times for _, _, times in self.crafts)

    def commands(self, sheet: Sheet) -> tuple[Command, ...]:
        """Return the commands in an order that works: everything is got, then crafted."""
        gets = [
            Command("get", (f"{count} {item}",))
            for item, lacking in self.gets.items()
            for count in helpings(lacking, sheet.counts[item])
        ]
        crafts = [
            command
            for recipe, members, times in reversed(self.crafts)
            for command in [recipe.line(members)] * times
        ]
        return (*gets, *crafts)


def plan(sheet: Sheet, goal: str, inventory: Mapping[str, int]) -> tuple[Command, ...]:
    """Return commands that make *goal* from *inventory*, by the recipes of *sheet*."""
    return best_draft(sheet, goal, inventory).commands(sheet)


def best_draft(sheet: Sheet, goal: str, inventory: Mapping[str, int]) -> Draft:
    """Return the draft that is left when no single other choice makes it shorter."""
    settled: dict[str, Recipe | str] = {}
    best = draft(sheet, goal, inventory, settled)
    length = best.length(sheet)
    tried: set[str] = set()
    while todo := [point for point in best.open if point not in tried]:
        tried.add(todo[0])
        for option in best.open[todo[0]]:
            other = draft(sheet, goal, inventory, {**settled, todo[0]: option})
            if other.length(sheet) < length:
                settled[todo[0]] = option
                best, length = other, other.length(sheet)
    return best


def draft(sheet: Sheet, goal: str, inventory: Mapping[str, int], settled: Choices) -> Draft:
    """Return what has to be got and crafted for *goal* when the choices of *settled* are made."""
    level, made = sheet.book.level, Draft()
    demand = {goal: 1}
    while demand:
        item = max(demand, key=lambda name: (level(name), name))
        lacking = demand.pop(item) - inventory.get(item, 0)
        if lacking <= 0:
            continue
        if item not in sheet.ways:
            made.gets[item] = lacking
            continue
        recipe = _recipe(made, sheet, item, lacking, settled)
        times = -(-lacking // recipe.amount)
        members = tuple(_member(made, sheet, name, inventory, settled) for name, _ in recipe.parts)
        made.crafts.append((recipe, members, times))
        for member, (_, count) in zip(members, recipe.parts, strict=True):
            demand[member] = demand.get(member, 0) + count * times
    return made


def helpings(lacking: int, counts: tuple[int, ...]) -> list[int]:
    """Return the fewest of *counts* (ascending) that add up to *lacking* or a little more.

    >>> helpings(9, (1, 3, 4))
    [4, 4, 1]
    """
    full, rest = divmod(lacking, counts[-1])
    last = [next(count for count in counts if count >= rest)] if rest else []
    return [counts[-1]] * full + last


@functools.cache
def reference(goal: str) -> tuple[int, Mapping[str, int]]:
    """Return the length of the plan for *goal* from nothing, and how often it makes what.

    The same for every task of the goal, whatever else is shown; where the plan takes a member for
    a tag, the tag is counted, so that another member does as well.
    """
    book = recipe_book()
    sheet = Sheet(book, book.needed(goal))
    found = best_draft(sheet, goal, {})
    kinds = {member: tag for tag, member in found.chosen.items()}
    needed: dict[str, int] = {}
    for recipe, _, times in found.crafts:
        kind = kinds.get(recipe.target, recipe.target)
        needed[kind] = needed.get(kind, 0) + times
    return found.length(sheet), needed


def _recipe(made: Draft, sheet: Sheet, item: str, lacking: int, settled: Choices) -> Recipe:
    ways = sheet.ways[item]
    if len(ways) > 1:
        made.open[item] = ways
    choice = settled.get(item)
    if isinstance(choice, Recipe):
        return choice
    return min(ways, key=lambda way: _cost_of_way(sheet.book, way, lacking))


def _member(made: Draft, sheet: Sheet, name: str, held: Mapping[str, int], settled: Choices) -> str:
    if name not in sheet.book.tags:
        return name
    common, members = sheet.book.raw(name), sheet.book.members(name)
    made.open[name] = members if common is None else (*filter(held.get, members), common)
    choice = settled.get(name)
    if not isinstance(choice, str):
        choice = common or min(members, key=lambda member: _cost(sheet.book, member, 1))
    made.chosen[name] = choice
    return choice


@functools.cache
def _cost(book: RecipeBook, name: str, count: int) -> int:
    """Return about how many commands *count* of *name* take when nothing else needs the parts."""
    return min(
        min((_cost_of_way(book, way, count) for way in book.ways.get(item, ())), default=1)
        for item in book.members(name)
    )


def _cost_of_way(book: RecipeBook, way: Recipe, count: int) -> int:
    times = -(-count // way.amount)
    return times + sum(_cost(book, name, times * amount) for name, amount in way.parts)
