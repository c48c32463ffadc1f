"""The admissible commands of TextCraft, kept up to date as the inventory changes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from agentgym_gen.envs.textcraft.recipes import Sheet
from agentgym_gen.world import Command


class Menu:
    """Every get that the recipes shown speak of, and the crafts for which all is there.

    Only the recipes that a changed item can be put into are looked at again.

    Args:
        sheet: The recipes that are shown.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._book = sheet.book
        self._crafts: dict[int, tuple[Command, ...]] = dict.fromkeys(sheet.places, ())
        gets = [sheet.book.get(item, n) for item, counts in sheet.counts.items() for n in counts]
        self._always = (*gets, _INVENTORY)
        self._commands: tuple[Command, ...] | None = self._always

    def update(self, inventory: Mapping[str, int], changed: Iterable[str]) -> None:
        """Take note of *inventory*, which differs from before in the items of *changed*."""
        users, crafts = self._book.users, self._crafts
        places = {p for item in changed for p in users.get(item, ()) if p in crafts}
        for place in places:
            now = self._crafts_now(place, inventory)
            if now != crafts[place]:
                crafts[place] = now
                self._commands = None

    def commands(self) -> tuple[Command, ...]:
        """Return the commands in the order of their words."""
        if self._commands is None:
            crafts = sorted(itertools.chain(*self._crafts.values()))
            self._commands = (*crafts, *self._always)
        return self._commands

    def _crafts_now(self, place: int, inventory: Mapping[str, int]) -> tuple[Command, ...]:
        enough: list[tuple[str, ...]] = []
        for items, count in self._book.inputs[place]:
            held = tuple([item for item in items if inventory.get(item, 0) >= count])
            if not held:
                return ()
            enough.append(held)
        craft = self._book.craft
        return tuple([craft(place, members) for members in itertools.product(*enough)])


_INVENTORY = Command("inventory")
