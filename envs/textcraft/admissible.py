"""The admissible commands of TextCraft, kept up to date as the inventory changes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any, Self

from agentgym_gen.envs.textcraft.recipes import ShownRecipes
from agentgym_gen.world import Command, copy_sharing


class AdmissibleCommands:
    """Every get of an item that the recipes shown need, and every craft that is possible now.

    Only the recipes that a changed item can be put into are checked again.

    Args:
        shown_recipes: The recipes that are shown.
    """

    def __init__(self, shown_recipes: ShownRecipes) -> None:
        self._book = shown_recipes.book
        self._crafts: dict[int, tuple[Command, ...]] = dict.fromkeys(shown_recipes.numbers, ())
        gets = [
            shown_recipes.book.get_command(item, count)
            for item, counts in shown_recipes.counts.items()
            for count in counts
        ]
        self._always = (*gets, _INVENTORY)
        self._commands: tuple[Command, ...] | None = self._always

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares the commands, which are replaced and not changed."""
        return copy_sharing(self, memo, "_always", "_commands")

    def update(self, inventory: Mapping[str, int], changed: Iterable[str]) -> None:
        """Update the crafts for *inventory*, of which the items of *changed* have changed."""
        takers, crafts = self._book.takers, self._crafts
        numbers = {n for item in changed for n in takers.get(item, ()) if n in crafts}
        for number in numbers:
            possible = self._possible_crafts(number, inventory)
            if possible != crafts[number]:
                crafts[number] = possible
                self._commands = None

    def commands(self) -> tuple[Command, ...]:
        """Return the commands: the crafts sorted, then the gets, then ``inventory``."""
        if self._commands is None:
            crafts = sorted(itertools.chain(*self._crafts.values()))
            self._commands = (*crafts, *self._always)
        return self._commands

    def _possible_crafts(self, number: int, inventory: Mapping[str, int]) -> tuple[Command, ...]:
        """Return the recipe with each combination of members that the inventory has enough of."""
        choices: list[tuple[str, ...]] = []
        for items, count in self._book.inputs[number]:
            enough = tuple([item for item in items if inventory.get(item, 0) >= count])
            if not enough:
                return ()
            choices.append(enough)
        craft_command = self._book.craft_command
        return tuple([craft_command(number, members) for members in itertools.product(*choices)])


_INVENTORY = Command("inventory")
