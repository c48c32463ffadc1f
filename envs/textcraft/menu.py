"""The admissible commands of TextCraft, kept up to date as the inventory changes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from agentgym_gen.envs.textcraft.recipes import Sheet
from agentgym_gen.world import Command

Members = tuple[str, ...]
"""One item for every part of a recipe."""


class Menu:
    """Every get that the recipes shown speak of, and the crafts for which all is there.

    Only the recipes that use a changed item are looked at again.

    Args:
        sheet: The recipes that are shown.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._recipes = sheet.recipes
        members = sheet.book.members
        self._parts = [
            [(members(name), count) for name, count in recipe.parts] for recipe in sheet.recipes
        ]
        self._users: dict[str, list[int]] = {}
        for number, parts in enumerate(self._parts):
            for item in dict.fromkeys(itertools.chain(*(items for items, _ in parts))):
                self._users.setdefault(item, []).append(number)
        self._crafts: list[tuple[Command, ...]] = [()] * len(self._recipes)
        self._lines: dict[tuple[int, Members], Command] = {}
        self._always = _gets(sheet)
        self._commands: tuple[Command, ...] | None = self._always

    def update(self, inventory: Mapping[str, int], changed: Iterable[str]) -> None:
        """Take note of *inventory*, which differs from before in the items of *changed*."""
        for number in {number for item in changed for number in self._users.get(item, ())}:
            crafts = self._crafts_now(number, inventory)
            if crafts != self._crafts[number]:
                self._crafts[number] = crafts
                self._commands = None

    def commands(self) -> tuple[Command, ...]:
        """Return the commands in the order of their words."""
        if self._commands is None:
            self._commands = (*sorted(itertools.chain(*self._crafts)), *self._always)
        return self._commands

    def _crafts_now(self, number: int, inventory: Mapping[str, int]) -> tuple[Command, ...]:
        enough: list[Members] = []
        for items, count in self._parts[number]:
            held = tuple([item for item in items if inventory.get(item, 0) >= count])
            if not held:
                return ()
            enough.append(held)
        return tuple([self._line(number, members) for members in itertools.product(*enough)])

    def _line(self, number: int, members: Members) -> Command:
        line = self._lines.get((number, members))
        if line is None:
            line = self._lines[number, members] = self._recipes[number].line(members)
        return line


def _gets(sheet: Sheet) -> tuple[Command, ...]:
    gets = [
        Command("get", (f"{count} {item}",))
        for item, counts in sheet.counts.items()
        for count in counts
    ]
    return (*gets, Command("inventory"))
