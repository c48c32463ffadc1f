"""The admissible commands of a game, and the moves that they mean."""

from __future__ import annotations

from typing import Any, Self

from agentgym_gen.envs.alfworld.game import Game, Move
from agentgym_gen.envs.alfworld.wording import Wording
from agentgym_gen.world import Command, copy_sharing, write_template

CommandEntry = tuple[str, Command, Move]
"""A command as native text, by which entries are sorted, as a value, and as a move."""

RECEPTACLE_VERBS = ("go_to", "open", "close", "examine")


class AdmissibleCommands:
    """The commands that can be carried out now, in the order of their native texts.

    Args:
        game: The game.
        wording: The native words.
    """

    def __init__(self, game: Game, wording: Wording) -> None:
        self._game = game
        self._templates = wording.templates
        self._things = [thing.name for thing in game.house.things]
        self._receptacles = [receptacle.name for receptacle in game.house.receptacles]
        self._entries: dict[Move, CommandEntry] = {}
        self._go_to_entries: dict[str, list[CommandEntry]] = {}
        self.refresh()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares the entries, which every copy would make alike."""
        return copy_sharing(self, memo, *vars(self).keys() - {"_game"})

    def refresh(self) -> None:
        """Update the commands after a change of the game."""
        # The places to go to depend on the player's place only: they are sorted once per place,
        # and the list below is mostly in order when it is sorted.
        go_to_entries = self._go_to_entries.get(self._game.place)
        if go_to_entries is None:
            go_to_entries = sorted(map(self._entry, self._game.go_to_moves()))
            self._go_to_entries[self._game.place] = go_to_entries
        moves = [
            move
            for move in self._game.local_moves()
            if move[0] != "help" or "help" in self._templates
        ]
        entries = sorted([*go_to_entries, *map(self._entry, moves)])
        self.moves: dict[Command, Move] = {command: move for _, command, move in entries}
        """The move that every admissible command means."""
        self.commands = tuple(self.moves)
        """The admissible commands."""

    def command(self, move: Move) -> Command:
        """Return the command that means *move*."""
        return self._entry(move)[1]

    def _entry(self, move: Move) -> CommandEntry:
        entry = self._entries.get(move)
        if entry is None:
            command = self._make_command(move)
            text = write_template(self._templates[command.verb], command.args)
            entry = self._entries[move] = (text, command, move)
        return entry

    def _make_command(self, move: Move) -> Command:
        verb, first, second = move
        if verb in ("look", "inventory", "help"):
            return Command(verb)
        if verb in RECEPTACLE_VERBS:
            return Command(verb, (self._receptacles[first],))
        if verb == "examine_held":
            return Command("examine", (self._things[first],))
        if verb == "use":
            return Command(verb, (self._things[first],))
        second_names = self._things if verb == "slice" else self._receptacles
        return Command(verb, (self._things[first], second_names[second]))
