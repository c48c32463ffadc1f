"""The rules of TextCraft: what can be got and crafted, and how the world answers.

Rules and answers follow AgentGym's implementation, which follows ADaPT's; where they differ, the
environment's page in the documentation says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Self

import numpy as np

from agentgym_gen.envs.textcraft import expert, reward
from agentgym_gen.envs.textcraft.admissible import AdmissibleCommands
from agentgym_gen.envs.textcraft.distractors import curio_lines
from agentgym_gen.envs.textcraft.recipes import Recipe, ShownRecipes, recipe_book
from agentgym_gen.envs.textcraft.tasks import CraftTask, TextCraftTasks
from agentgym_gen.envs.textcraft.wording import INSTRUCTION, INSTRUCTION_WORDS, VERBS
from agentgym_gen.world import (
    Command,
    EndReason,
    Malformed,
    Message,
    Outcome,
    Piece,
    Scene,
    Surface,
    Task,
    VerbName,
    World,
    copy_sharing,
    literals,
)
from agentgym_gen.world.distractors import sample_evenly

__all__ = ["MAX_GET", "MIN_TURN_LIMIT", "TextCraft", "clean_text"]

MAX_GET = 1000
"""The most of an item that one command can get."""

MIN_TURN_LIMIT = 20
"""The turn limit of AgentGym, and the shortest here."""

_CRAFT = re.compile(r"craft (.*) using (.*)")
_GET = re.compile(r"get ([0-9]+) (.*)")
_COUNTED = re.compile(r"([0-9]+) (.*)")
_NOT_WHOLE = re.compile(
    r"(?<![0-9])[0-9]++(?:\.[0-9]++)++|(?<![A-Za-z0-9])-\s*+[0-9]++(?:\.[0-9]++)*+"
)
"""A decimal or negative number, which cleaning would make another number."""
UNKNOWN_ACTION = "an action starts with one of the known verbs and names a quantity"
WHOLE_NUMBERS = "a quantity is a whole number, without a sign or a point"
# The possessive `*+` keeps the match linear: what it has consumed is not tried again.
_CLEAN = re.compile(r"[A-Za-z0-9,]+(?: [A-Za-z0-9,]+)*+")
_DROPPED = re.compile(r"[^A-Za-z0-9, ]+")
_WITHIN = re.compile(r"[A-Za-z0-9](?:.*[A-Za-z0-9])?")


class TextCraft(World[CraftTask]):
    """Craft an item of Minecraft by the recipes shown, from raw items that can be got freely.

    Items without a recipe can be got in any number; the others have to be crafted, step by step.
    An ingredient such as ``planks`` is a kind of item: any member may be put in, by its own name.
    """

    name = "TextCraft"
    steps_in_process = True
    verbs = VERBS

    def __init__(self) -> None:
        self.tasks = TextCraftTasks()
        self._book = recipe_book()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares the book, the recipes shown and the plan."""
        return copy_sharing(self, memo, "_shown_recipes", "_plan_crafts", "_plan")

    def reset(self, task: Task[CraftTask]) -> Scene:
        """Start *task*: an empty inventory and the recipes."""
        number_of = self._book.number_of
        self._shown_recipes = ShownRecipes(
            self._book, [number_of[line] for line in task.content.recipes]
        )
        self._goal = task.content.goal
        self._plan_crafts = expert.reference(self._goal).crafts
        self._inventory: dict[str, int] = {}
        self._crafts: dict[str, int] = {}
        self._score = 0.0
        self._plan: tuple[Command, ...] | None = None
        self._admissible = AdmissibleCommands(self._shown_recipes)
        return self._opening(
            tuple(self._book.commands[number] for number in self._shown_recipes.numbers)
        )

    def step(self, command: Command) -> Outcome:
        """Carry out *command*."""
        if any(map(_NOT_WHOLE.search, command.args)):
            quotation = _canonical_argument(" ".join(command.args))
            return self._refuse((f"Could not execute {quotation}",), WHOLE_NUMBERS)
        args = tuple(map(clean_text, command.args))
        if command.verb == "inventory":
            return self._answer(self._inventory_message(), {"carried": dict(self._inventory)})
        outcome = self._get(*args) if command.verb == "get" else self._craft(*args)
        if outcome.valid:
            follows = self._plan is not None and self._plan[:1] == (command,)
            self._plan = self._plan[1:] if self._plan and follows else None
        return outcome

    def admissible(self) -> tuple[Command, ...]:
        """Return every get of the shown recipes, the crafts that are possible, and `inventory`."""
        return self._admissible.commands()

    def expert_plan(self) -> tuple[Command, ...]:
        """Return commands to the goal; while they are followed, the rest of the same plan."""
        if self._plan is None:
            self._plan = expert.plan(self._shown_recipes, self._goal, self._inventory)
        return self._plan

    def instruction(self) -> Message:
        """Return AgentGym's instruction."""
        return INSTRUCTION

    def goal(self) -> Message:
        """Return the item to be made."""
        return (VerbName("craft"), f" {self._goal}")

    def turn_limit(self) -> int:
        """Return twice the length of the goal's plan, and at least 20."""
        return max(MIN_TURN_LIMIT, 2 * expert.reference(self._goal).length)

    def invalid_reply(self, malformed: Malformed) -> Message:
        """Return that the text could not be executed, as far as the original reads it."""
        return (f"Could not execute {_canonical_argument(malformed.text)}",)

    def read(self, text: str) -> Command | Malformed:
        """Read *text* as the original does, whose client keeps letters, digits and commas only."""
        action = clean_text(text)
        if _NOT_WHOLE.search(text):
            return Malformed(text, WHOLE_NUMBERS)
        if match := _CRAFT.match(action):
            return Command("craft", match.groups())
        if match := _GET.match(action):
            return Command("get", (f"{match[1]} {match[2]}",))
        if action.startswith("inventory") or action.lower() == "look":
            return Command("inventory")
        return Malformed(action, UNKNOWN_ACTION)

    def read_reworded(self, text: str, templates: Mapping[str, str]) -> Command | Malformed:
        """Read *text* in the words of *templates*, whatever stands around it, as in `read`."""
        if _NOT_WHOLE.search(text):
            return Malformed(text, WHOLE_NUMBERS)
        within = _WITHIN.search(" ".join(text.split()))
        action = within[0] if within else ""
        craft, get = _patterns(templates["craft"], templates["get"])
        if match := craft.match(action):
            return Command("craft", match.groups())
        if match := get.match(action):
            return Command("get", (f"{match[1]} {match[2]}",))
        if action.startswith(templates["inventory"]):
            return Command("inventory")
        return Malformed(text, UNKNOWN_ACTION)

    def surface(self) -> Surface:
        """Return what interfaces read of this world."""
        return Surface(
            nouns=_nouns, canonical_argument=_canonical_argument, distractors=_distractors
        )

    def _opening(self, recipes: tuple[Command, ...]) -> Scene:
        lines: list[Piece] = []
        for recipe in recipes:
            lines += (recipe, "\n")
        goal = ("\nGoal: ", *self.goal(), ".")
        facts = {"goal": self._goal, "recipes": list(recipes)}
        return Scene(("Crafting commands:\n", *lines, *goal), facts)

    def _inventory_message(self) -> Message:
        items = "".join(f"[{item}] ({count}) " for item, count in self._inventory.items())
        header = VerbName("inventory", capital=True)
        return (header, f": {items or 'You are not carrying anything.'}")

    def _get(self, counted_item: str) -> Outcome:
        match = _COUNTED.match(counted_item)
        if match is None:
            message = (f"Wrong item format: {counted_item}",)
            return self._refuse(message, "a count and a name are needed")
        count, name = _number(match[1]), match[2]
        item = self._raw_item(name)
        if item is None:
            return self._refuse((f"Could not find {name}",), self._why_not_got(name))
        if not 1 <= count <= MAX_GET:
            reason = f"from 1 to {MAX_GET} of an item can be had at once"
            return self._refuse((f"Could not find {name}",), reason)
        self._change({item: count})
        return self._answer((f"Got {count} {item}",))

    def _raw_item(self, name: str) -> str | None:
        """Return the item that *name* gets, or None if there is none."""
        exists = name in self._book.items or name in self._book.tags
        return self._book.raw_item(name) if exists else None

    def _why_not_got(self, name: str) -> str:
        if name in self._book.recipes_for or name in self._book.tags:
            return f"{name} has to be made"
        return f"there is no item called {name}"

    def _craft(self, target: str, ingredients: str) -> Outcome:
        counted_items: list[tuple[str, int]] = []
        for part in ingredients.split(","):
            match = _COUNTED.match(part.strip())
            if match is None:
                reason = "every ingredient needs a count and a name"
                return self._refuse((f"Wrong item format: {part.strip()}",), reason)
            counted_items.append((match[2], _number(match[1])))
        counted_target = _COUNTED.match(target)
        amount, item = (
            (_number(counted_target[1]), counted_target[2]) if counted_target else (None, target)
        )
        lacking = self._first_lacking(counted_items)
        if lacking is not None:
            craft = VerbName("craft")
            message = ("Could not find enough items to ", craft, f" {_identifier(item)}")
            return self._refuse(message, f"there is not enough {lacking}")
        for recipe in self._book.recipes_for.get(item, ()):
            if amount in (None, recipe.amount) and self._fits(recipe, counted_items):
                return self._apply(recipe, counted_items)
        answer = f"Could not find a valid recipe for {_identifier(item)}"
        return self._refuse((answer,), "no recipe has these counts of these ingredients")

    def _first_lacking(self, counted_items: list[tuple[str, int]]) -> str | None:
        """Return the first item of which the inventory has less than all its counts together.

        An item that is not there at all is lacking, even if none of it is to be used.
        """
        total: dict[str, int] = {}
        for item, count in counted_items:
            total[item] = total.get(item, 0) + count
            if item not in self._inventory or self._inventory[item] < total[item]:
                return item
        return None

    def _fits(self, recipe: Recipe, counted_items: list[tuple[str, int]]) -> bool:
        """Return whether each part of *recipe* has an ingredient of its own, and none is left."""
        left = list(counted_items)
        for name, needed in recipe.parts:
            members = self._book.members(name)
            fitting = (pair for pair in left if pair[0] in members and pair[1] == needed)
            ingredient = next(fitting, None)
            if ingredient is None:
                return False
            left.remove(ingredient)
        return not left

    def _apply(self, recipe: Recipe, counted_items: list[tuple[str, int]]) -> Outcome:
        """Carry out *recipe* with the ingredients *counted_items*."""
        target = recipe.target
        change = {target: recipe.amount}
        for item, count in counted_items:
            change[item] = change.get(item, 0) - count
        self._change(change)
        # The item counts by itself and as each of its kinds: the plan may have another member.
        for name in (target, *self._book.tags_of.get(target, ())):
            self._crafts[name] = self._crafts.get(name, 0) + 1
        self._score = reward.score(self._plan_crafts, self._crafts)
        end = EndReason.SUCCESS if target == self._goal else None
        scene = Scene((f"Crafted {recipe.amount} {_identifier(target)}",))
        points = reward.reward(target, self._goal)
        score = 1.0 if end else self._score
        return Outcome(scene, reward=points, end=end, score=score)

    def _change(self, difference: Mapping[str, int]) -> None:
        """Add *difference* to the inventory, which has no entry for what it has none of."""
        for item, count in difference.items():
            self._inventory[item] = self._inventory.get(item, 0) + count
            if not self._inventory[item]:
                del self._inventory[item]
        self._admissible.update(self._inventory, difference)

    def _answer(self, message: Message, facts: Mapping[str, object] | None = None) -> Outcome:
        return Outcome(Scene(message, facts or {}), score=self._score)

    def _refuse(self, message: Message, reason: str) -> Outcome:
        return Outcome(Scene(message), valid=False, score=self._score, reason=reason)


def clean_text(text: str) -> str:
    """Return *text* as AgentGym's client sends it on.

    >>> clean_text("craft 4 oak_planks  using 1 oak log.")
    'craft 4 oakplanks using 1 oak log'
    """
    if _CLEAN.fullmatch(text):
        return text
    return " ".join(_DROPPED.sub("", " ".join(text.split())).split())


def _canonical_argument(argument: str) -> str:
    """Return *argument* cleaned, but for numbers that cleaning would change."""
    parts: list[str] = []
    end = 0
    for number in _NOT_WHOLE.finditer(argument):
        parts += (clean_text(argument[end : number.start()]), "".join(number[0].split()))
        end = number.end()
    return " ".join(filter(None, (*parts, clean_text(argument[end:]))))


@lru_cache(maxsize=1 << 10)
def _patterns(craft: str, get: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what `_CRAFT` and `_GET` are for the templates *craft* and *get*."""
    opening, between, _ = map(re.escape, literals(craft))
    start, _ = map(re.escape, literals(get))
    return re.compile(f"{opening}(.*){between}(.*)"), re.compile(f"{start}([0-9]+) (.*)")


def _number(digits: str) -> int:
    """Return the number that *digits* spell, but only its first seven digits.

    Every number above `MAX_GET` is refused, and Python refuses to read one of 5,000 digits.
    """
    return int(digits.lstrip("0")[:7] or "0")


def _identifier(item: str) -> str:
    return f"minecraft:{item.replace(' ', '_')}"


@lru_cache(maxsize=1)
def _nouns() -> tuple[str, ...]:
    """Return every item and kind of item: an action may name any, and then the answer does."""
    return tuple(noun for noun in recipe_book().nouns if noun not in INSTRUCTION_WORDS)


def _distractors(rng: np.random.Generator, amount: int) -> tuple[str, ...]:
    """Return sentences about things that are no items."""
    return sample_evenly(curio_lines(), amount, rng)
