"""What stands around an observation: the axes distractors and listing of one episode."""

from __future__ import annotations

import numpy as np

from agentgym_gen.interface.axes import RECIPE, Interface
from agentgym_gen.interface.speech import Speech
from agentgym_gen.world import LIST_HEADER, Command, World, bulleted
from agentgym_gen.world.task import TaskId

TURNS_DRAWN = 4
"""For how many turns distractors are drawn at once."""


class Page:
    """Lays out the observations of one episode.

    Args:
        interface: The axes.
        world: The world of the episode.
        speech: Puts commands into words.
        task_id: The task, whose stream draws the distractors, turn after turn.
    """

    def __init__(
        self, interface: Interface, world: World[object], speech: Speech, task_id: TaskId
    ) -> None:
        self._world = world
        self._speech = speech
        amount = interface.distractors
        self._amount = world.clutter if amount == RECIPE else int(amount)
        self._chance = interface.distractor_chance
        self._ready: list[list[str]] = []
        self._all_differ = True
        self._rng = task_id.stream("distractors") if self._amount else None
        self._listing = world.listing if interface.listing == "native" else interface.listing
        self._plain = interface.syntax == "native"
        self._numbered = interface.syntax == "menu"

    def laid_out(self, text: str, menu: tuple[Command, ...], turn: int) -> str:
        """Return *text* with what belongs to it at *turn*, when *menu* is admissible."""
        parts = [text] if text else []
        if self._rng is not None:
            parts = self._distracted(parts, self._rng)
        if menu and self._lists(turn):
            parts.append(self._list(self._speech.mentions(menu)))
        return "\n".join(parts)

    def _list(self, actions: list[str]) -> str:
        if self._numbered:
            numbered = (f"{number}. {action}" for number, action in enumerate(actions, 1))
            return "\n".join((LIST_HEADER, *numbered))
        # Quotes and commas of a sentence's list would not set off JSON objects or calls.
        return self._world.list_actions(actions) if self._plain else bulleted(actions)

    def _lists(self, turn: int) -> bool:
        if self._numbered or self._listing == "always":
            return True
        return self._listing == "first" and turn == 0

    def _distracted(self, parts: list[str], rng: np.random.Generator) -> list[str]:
        """Return *parts* with lines before and after; where they stand among them is drawn."""
        if self._chance < 1 and rng.random() >= self._chance:
            return parts
        lines = self._next_lines(rng)
        before = int(rng.random() * (len(lines) + 1))
        return [*lines[:before], *parts, *lines[before:]]

    def _next_lines(self, rng: np.random.Generator) -> list[str]:
        """Return the lines of one observation, all different while the world has enough."""
        if not self._ready:
            self._draw(rng)
        lines = self._ready.pop()
        if self._all_differ or len(set(lines)) == self._amount:
            return lines
        return self._speech.told(self._world.distract(rng, self._amount))

    def _draw(self, rng: np.random.Generator) -> None:
        """Draw for several turns at once: a draw takes half as long as a step of Sokoban."""
        amount = self._amount
        drawn = self._speech.told(self._world.distract(rng, TURNS_DRAWN * amount))
        self._all_differ = len(set(drawn)) == TURNS_DRAWN * amount
        self._ready = [drawn[turn * amount : (turn + 1) * amount] for turn in range(TURNS_DRAWN)]
