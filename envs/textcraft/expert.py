"""The solver of TextCraft: from any inventory to the goal with admissible commands only.

Demand is passed down from the goal: an item that is lacking demands its parts. Every item is
handled after all items that need it, so that one batch of crafts serves all of them. Two kinds of
choices are open: which recipe makes an item, and which member stands for a tag. The first draft
makes the choice that is cheapest by itself; then each alternative is tried, and kept if the plan
gets shorter. The plan need not be the shortest.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from agentgym_gen.envs.textcraft.recipes import Recipe, RecipeBook, ShownRecipes, recipe_book
from agentgym_gen.world import Command

Choices = Mapping[str, Recipe | str]
"""The recipe that makes an item, or the member that stands for a tag, where it is chosen."""


IMPOSSIBLE = 10**9
"""The length of a draft that cannot be carried out."""


@dataclass
class Draft:
    """A plan as amounts, before its commands are put in order."""

    gets: dict[str, int] = field(default_factory=dict)
    """How many of each item have to be got."""
    crafts: list[tuple[Recipe, tuple[str, ...], int]] = field(default_factory=list)
    """Each recipe with the members that it takes and the number of crafts, the goal's first."""
    alternatives: dict[str, tuple[Recipe | str, ...]] = field(default_factory=dict)
    """All that could have been chosen, by item or tag."""
    members: dict[str, str] = field(default_factory=dict)
    """The member that stands for each tag."""

    def length(self, shown_recipes: ShownRecipes) -> int:
        """Return the number of commands, or `IMPOSSIBLE` if a get is not of *shown_recipes*."""
        if not shown_recipes.counts.keys() >= self.gets.keys():
            return IMPOSSIBLE
        # `-(-a // b)` is a / b rounded up, in integers.
        gets = sum(-(-count // shown_recipes.counts[item][-1]) for item, count in self.gets.items())
        return gets + sum(times for _, _, times in self.crafts)

    def commands(self, shown_recipes: ShownRecipes) -> tuple[Command, ...]:
        """Return the commands in an order that works: all gets, then the crafts, goal last."""
        gets = [
            Command("get", (f"{count} {item}",))
            for item, lacking in self.gets.items()
            for count in split_count(lacking, shown_recipes.counts[item])
        ]
        crafts = [
            command
            for recipe, members, times in reversed(self.crafts)
            for command in [recipe.command(members)] * times
        ]
        return (*gets, *crafts)


class Reference(NamedTuple):
    """The expert's plan for a goal from an empty inventory, in figures."""

    length: int
    """The number of its commands."""
    crafts: Mapping[str, int]
    """How often it makes each item, or each kind of item where it chooses a member for a tag."""


def plan(
    shown_recipes: ShownRecipes, goal: str, inventory: Mapping[str, int]
) -> tuple[Command, ...]:
    """Return commands that make *goal* from *inventory*, by the recipes of *shown_recipes*."""
    return best_draft(shown_recipes, goal, inventory).commands(shown_recipes)


def best_draft(shown_recipes: ShownRecipes, goal: str, inventory: Mapping[str, int]) -> Draft:
    """Return a draft that no other single choice makes shorter."""
    choices: dict[str, Recipe | str] = {}
    best = make_draft(shown_recipes, goal, inventory, choices)
    length = best.length(shown_recipes)
    tried: set[str] = set()
    # A new best draft may open choices that the one before did not have.
    while todo := [name for name in best.alternatives if name not in tried]:
        tried.add(todo[0])
        for option in best.alternatives[todo[0]]:
            variant = make_draft(shown_recipes, goal, inventory, {**choices, todo[0]: option})
            if variant.length(shown_recipes) < length:
                choices[todo[0]] = option
                best, length = variant, variant.length(shown_recipes)
    return best


def make_draft(
    shown_recipes: ShownRecipes, goal: str, inventory: Mapping[str, int], choices: Choices
) -> Draft:
    """Return what has to be got and crafted for *goal* when *choices* are made."""
    level, draft = shown_recipes.book.level, Draft()
    demand = {goal: 1}
    while demand:
        # The item of the highest level is a part of no other item here: its demand is complete.
        item = max(demand, key=lambda name: (level(name), name))
        lacking = demand.pop(item) - inventory.get(item, 0)
        if lacking <= 0:
            continue
        if item not in shown_recipes.recipes_for:
            draft.gets[item] = lacking
            continue
        recipe = _choose_recipe(draft, shown_recipes, item, lacking, choices)
        times = -(-lacking // recipe.amount)
        members = tuple(
            _choose_member(draft, shown_recipes, name, inventory, choices)
            for name, _ in recipe.parts
        )
        draft.crafts.append((recipe, members, times))
        for member, (_, count) in zip(members, recipe.parts, strict=True):
            demand[member] = demand.get(member, 0) + count * times
    return draft


def split_count(lacking: int, counts: tuple[int, ...]) -> list[int]:
    """Return the fewest of *counts* (ascending) that add up to *lacking* or a little more.

    >>> split_count(9, (1, 3, 4))
    [4, 4, 1]
    """
    full, rest = divmod(lacking, counts[-1])
    last = [next(count for count in counts if count >= rest)] if rest else []
    return [counts[-1]] * full + last


@functools.cache
def reference(goal: str) -> Reference:
    """Return the figures of the plan for *goal* from an empty inventory.

    They are the same for every task of the goal, whatever other recipes it shows. Where the plan
    takes a member for a tag, the tag is counted, so that another member counts as well.
    """
    book = recipe_book()
    shown_recipes = ShownRecipes(book, book.relevant_recipes(goal))
    draft = best_draft(shown_recipes, goal, {})
    tags = {member: tag for tag, member in draft.members.items()}
    crafts: dict[str, int] = {}
    for recipe, _, times in draft.crafts:
        name = tags.get(recipe.target, recipe.target)
        crafts[name] = crafts.get(name, 0) + times
    return Reference(draft.length(shown_recipes), crafts)


def _choose_recipe(
    draft: Draft, shown_recipes: ShownRecipes, item: str, lacking: int, choices: Choices
) -> Recipe:
    recipes = shown_recipes.recipes_for[item]
    if len(recipes) > 1:
        draft.alternatives[item] = recipes
    choice = choices.get(item)
    if isinstance(choice, Recipe):
        return choice
    return min(recipes, key=lambda recipe: _recipe_cost(shown_recipes.book, recipe, lacking))


def _choose_member(
    draft: Draft,
    shown_recipes: ShownRecipes,
    name: str,
    inventory: Mapping[str, int],
    choices: Choices,
) -> str:
    if name not in shown_recipes.book.tags:
        return name
    raw, members = shown_recipes.book.raw_item(name), shown_recipes.book.members(name)
    # A raw member costs one get, so that only members in the inventory can be better.
    draft.alternatives[name] = members if raw is None else (*filter(inventory.get, members), raw)
    choice = choices.get(name)
    if not isinstance(choice, str):
        choice = raw or min(members, key=lambda member: _cost(shown_recipes.book, member, 1))
    draft.members[name] = choice
    return choice


@functools.cache
def _cost(book: RecipeBook, name: str, count: int) -> int:
    """Estimate the number of commands for *count* of *name* when nothing else needs the parts."""
    return min(
        min(
            (_recipe_cost(book, recipe, count) for recipe in book.recipes_for.get(item, ())),
            default=1,
        )
        for item in book.members(name)
    )


def _recipe_cost(book: RecipeBook, recipe: Recipe, count: int) -> int:
    times = -(-count // recipe.amount)
    return times + sum(_cost(book, name, times * amount) for name, amount in recipe.parts)
