"""The rules of TextCraft: what can be got and crafted, and what the world answers.

Rules and answers follow AgentGym's implementation, which follows ADaPT's; where they differ, the
environment's page in the documentation says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from agentgym_gen.envs.textcraft import expert, reward
from agentgym_gen.envs.textcraft.admissible import Menu
from agentgym_gen.envs.textcraft.recipes import Recipe, Sheet, recipe_book
from agentgym_gen.envs.textcraft.tasks import Order, TextCraftTasks
from agentgym_gen.envs.textcraft.wording import INSTRUCTION, SPOKEN, VERBS, curio_lines
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
)
from agentgym_gen.world.distractors import sample_evenly

MAX_GET = 1000
"""The most of an item that one command can get."""

SHORTEST_LIMIT = 20
"""The turn limit of AgentGym, and the shortest here."""

_CRAFT = re.compile(r"craft (.*) using (.*)")
_GET = re.compile(r"get ([0-9]+) (.*)")
_COUNTED = re.compile(r"([0-9]+) (.*)")
_CLEAN = re.compile(r"[A-Za-z0-9,]+(?: [A-Za-z0-9,]+)*+")
_STRIPPED = re.compile(r"[^A-Za-z0-9, ]+")


class TextCraft(World[Order]):
    """Craft an item of Minecraft by the recipes shown, from things that are there for the asking.

    Items without a recipe can be got in any number; the others have to be crafted, step by step.
    An ingredient such as ``planks`` is a kind of item: any member may be put in, by its own name.
    """

    name = "TextCraft"
    verbs = VERBS

    def __init__(self) -> None:
        self.tasks = TextCraftTasks()
        self._book = recipe_book()

    def reset(self, task: Task[Order]) -> Scene:
        """Start *task*: an empty inventory and the recipes."""
        places = self._book.places
        self._sheet = Sheet(self._book, [places[line] for line in task.content.recipes])
        self._goal = task.content.goal
        self._needed = expert.reference(self._goal)[1]
        self._inventory: dict[str, int] = {}
        self._made: dict[str, int] = {}
        self._score = 0.0
        self._plan: tuple[Command, ...] | None = None
        self._menu = Menu(self._sheet)
        return self._opening(tuple(self._book.lines[place] for place in self._sheet.places))

    def step(self, command: Command) -> Outcome:
        """Carry out *command*."""
        args = tuple(map(cleaned, command.args))
        if command.verb == "inventory":
            return self._answer(self._carried(), {"carried": dict(self._inventory)})
        outcome = self._get(*args) if command.verb == "get" else self._craft(*args)
        if outcome.valid:
            follows = self._plan is not None and self._plan[:1] == (command,)
            self._plan = self._plan[1:] if self._plan and follows else None
        return outcome

    def admissible(self) -> tuple[Command, ...]:
        """Return every get of the sheet, the crafts for which all is there, and `inventory`."""
        return self._menu.commands()

    def expert_plan(self) -> tuple[Command, ...]:
        """Return commands to the goal; while they are followed, the rest of the same plan."""
        if self._plan is None:
            self._plan = expert.plan(self._sheet, self._goal, self._inventory)
        return self._plan

    def instruction(self) -> Message:
        """Return AgentGym's instruction."""
        return INSTRUCTION

    def goal(self) -> Message:
        """Return the item to be made."""
        return (VerbName("craft"), f" {self._goal}")

    def turn_limit(self) -> int:
        """Return twice the length of the goal's plan, and at least 20."""
        return max(SHORTEST_LIMIT, 2 * expert.reference(self._goal)[0])

    def invalid_reply(self, malformed: Malformed) -> Message:
        """Return that the text could not be executed, as far as the original reads it."""
        return (f"Could not execute {cleaned(malformed.text)}",)

    def read(self, text: str) -> Command | Malformed:
        """Read *text* as the original does, whose client keeps letters, digits and commas only."""
        said = cleaned(text)
        if found := _CRAFT.match(said):
            return Command("craft", found.groups())
        if found := _GET.match(said):
            return Command("get", (f"{found[1]} {found[2]}",))
        if said.startswith("inventory") or said.lower() == "look":
            return Command("inventory")
        return Malformed(said, "an action starts with one of the known verbs and names a quantity")

    def surface(self) -> Surface:
        """Return what interfaces read of this world."""
        return Surface(nouns=_nouns, canonical_argument=cleaned, distractors=_distractors)

    def _opening(self, lines: tuple[Command, ...]) -> Scene:
        listed: list[Piece] = []
        for line in lines:
            listed += (line, "\n")
        goal = ("\nGoal: ", *self.goal(), ".")
        facts = {"goal": self._goal, "recipes": list(lines)}
        return Scene(("Crafting commands:\n", *listed, *goal), facts)

    def _carried(self) -> Message:
        held = "".join(f"[{item}] ({count}) " for item, count in self._inventory.items())
        header = VerbName("inventory", capital=True)
        return (header, f": {held or 'You are not carrying anything.'}")

    def _get(self, asked: str) -> Outcome:
        found = _COUNTED.match(asked)
        if found is None:
            return self._refused((f"Wrong item format: {asked}",), "a count and a name are needed")
        count, item = _number(found[1]), self._raw(found[2])
        if item is None:
            return self._refused((f"Could not find {found[2]}",), self._why_not_got(found[2]))
        if not 1 <= count <= MAX_GET:
            reason = f"from 1 to {MAX_GET} of an item can be had at once"
            return self._refused((f"Could not find {found[2]}",), reason)
        self._change({item: count})
        return self._answer((f"Got {count} {item}",))

    def _raw(self, name: str) -> str | None:
        """Return the item that is got when *name* is asked for, or None if there is none."""
        known = name in self._book.items or name in self._book.tags
        return self._book.raw(name) if known else None

    def _why_not_got(self, name: str) -> str:
        if name in self._book.ways or name in self._book.tags:
            return f"{name} has to be made"
        return f"there is no item called {name}"

    def _craft(self, target: str, ingredients: str) -> Outcome:
        given: list[tuple[str, int]] = []
        for part in ingredients.split(","):
            found = _COUNTED.match(part.strip())
            if found is None:
                reason = "every ingredient needs a count and a name"
                return self._refused((f"Wrong item format: {part.strip()}",), reason)
            given.append((found[2], _number(found[1])))
        wanted = _COUNTED.match(target)
        amount, item = (_number(wanted[1]), wanted[2]) if wanted else (None, target)
        lacking = self._lacking(given)
        if lacking is not None:
            craft = VerbName("craft")
            told = ("Could not find enough items to ", craft, f" {_identifier(item)}")
            return self._refused(told, f"there is not enough {lacking}")
        for recipe in self._book.ways.get(item, ()):
            if amount in (None, recipe.amount) and self._fits(recipe, given):
                return self._made_by(recipe, given)
        unknown = f"Could not find a valid recipe for {_identifier(item)}"
        return self._refused((unknown,), "no recipe has these counts of these ingredients")

    def _lacking(self, given: list[tuple[str, int]]) -> str | None:
        total: dict[str, int] = {}
        for item, count in given:
            total[item] = total.get(item, 0) + count
            if self._inventory.get(item, 0) < total[item]:
                return item
        return None

    def _fits(self, recipe: Recipe, given: list[tuple[str, int]]) -> bool:
        left = list(given)
        for name, count in recipe.parts:
            members = self._book.members(name)
            fitting = next((one for one in left if one[0] in members and one[1] == count), None)
            if fitting is None:
                return False
            left.remove(fitting)
        return not left

    def _made_by(self, recipe: Recipe, given: list[tuple[str, int]]) -> Outcome:
        made = recipe.target
        change = {made: recipe.amount}
        for item, count in given:
            change[item] = change.get(item, 0) - count
        self._change(change)
        for kind in (made, *self._book.kinds.get(made, ())):
            self._made[kind] = self._made.get(kind, 0) + 1
        self._score = reward.score(self._needed, self._made)
        end = EndReason.SUCCESS if made == self._goal else None
        scene = Scene((f"Crafted {recipe.amount} {_identifier(made)}",))
        earned = reward.reward(made, self._goal)
        score = 1.0 if end else self._score
        return Outcome(scene, reward=earned, end=end, score=score)

    def _change(self, by: Mapping[str, int]) -> None:
        for item, count in by.items():
            self._inventory[item] = self._inventory.get(item, 0) + count
            if not self._inventory[item]:
                del self._inventory[item]
        self._menu.update(self._inventory, by)

    def _answer(self, told: Message, facts: Mapping[str, object] | None = None) -> Outcome:
        return Outcome(Scene(told, facts or {}), score=self._score)

    def _refused(self, told: Message, reason: str) -> Outcome:
        return Outcome(Scene(told), valid=False, score=self._score, reason=reason)


def cleaned(text: str) -> str:
    """Return *text* as AgentGym's client sends it on.

    >>> cleaned("craft 4 oak_planks  using 1 oak log.")
    'craft 4 oakplanks using 1 oak log'
    """
    if _CLEAN.fullmatch(text):
        return text
    return " ".join(_STRIPPED.sub("", " ".join(text.split())).split())


def _number(digits: str) -> int:
    """Return the number that *digits* spell; one of more than six digits is only very large."""
    return int(digits.lstrip("0")[:7] or "0")


def _identifier(item: str) -> str:
    return f"minecraft:{item.replace(' ', '_')}"


@lru_cache(maxsize=1)
def _nouns() -> tuple[str, ...]:
    """Return every item and kind of item there is: any may be asked for and then named."""
    return tuple(noun for noun in recipe_book().nouns if noun not in SPOKEN)


def _distractors(rng: np.random.Generator, amount: int) -> tuple[str, ...]:
    """Return sentences about things that are no items."""
    return sample_evenly(curio_lines(), amount, rng)
