"""The layout of an observation: the axes distractors and listing of one episode."""

from __future__ import annotations

import numpy as np

from agentgym_gen.interface.axes import RECIPE, Interface
from agentgym_gen.interface.codec import ActionCodec
from agentgym_gen.world import LIST_HEADER, Command, Surface, TaskId, bulleted

TURNS_AHEAD = 4
"""For how many turns distractors are sampled at once."""

MAX_OBSERVATION_CHARS = 16384
"""The longest observation; a longer one is cut."""

CUT_MARK = "... [cut]"
"""The end of a text that was cut."""


class ObservationLayout:
    """Puts distractors and the list of admissible actions around the observations of one episode.

    Args:
        interface: The axes.
        surface: The surface of the episode's world.
        codec: Writes commands as text.
        task_id: The task, whose stream samples the distractors, turn after turn.
    """

    def __init__(
        self, interface: Interface, surface: Surface, codec: ActionCodec, task_id: TaskId
    ) -> None:
        self._surface = surface
        self._codec = codec
        amount = interface.distractors
        is_recipe = amount == RECIPE
        self._amount = surface.distractor_amount if is_recipe else int(amount)
        self._chance = interface.distractor_chance
        self._ready: list[list[str]] = []
        self._all_differ = True
        self._rng = task_id.stream("distractors") if self._amount else None
        self._listing = surface.listing if interface.listing == "native" else interface.listing
        self._plain = interface.syntax == "native"
        self._numbered = interface.syntax == "menu"

    def lay_out(self, text: str, admissible: tuple[Command, ...], turn: int) -> str:
        """Return *text* with the distractors and the list of actions of *turn*."""
        parts = [text] if text else []
        if self._rng is not None:
            parts = self._with_distractors(parts, self._rng)
        if admissible and self._lists(turn):
            listed = self._list(self._codec.mention_all(admissible))
            # the list is whole: without it some actions cannot be written
            before = clip("\n".join(parts), MAX_OBSERVATION_CHARS - len(listed) - 1)
            return f"{before}\n{listed}" if before else listed
        return "\n".join(parts)

    def _list(self, actions: list[str]) -> str:
        if self._numbered:
            numbered = (f"{number}. {action}" for number, action in enumerate(actions, 1))
            return "\n".join((LIST_HEADER, *numbered))
        # A native list may have quotes and commas, which do not set off JSON objects or calls.
        return self._surface.list_actions(actions) if self._plain else bulleted(actions)

    def _lists(self, turn: int) -> bool:
        if self._numbered or self._listing == "always":
            return True
        return self._listing == "first" and turn == 0

    def _with_distractors(self, parts: list[str], rng: np.random.Generator) -> list[str]:
        """Return *parts* with distractors around them; how many come before is random."""
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
        return self._codec.render_all(self._surface.distractors(rng, self._amount))

    def _draw(self, rng: np.random.Generator) -> None:
        """Sample for several turns at once: one call takes half as long as a step of Sokoban."""
        amount, number = self._amount, TURNS_AHEAD * self._amount
        lines = self._codec.render_all(self._surface.distractors(rng, number))
        self._all_differ = len(set(lines)) == number
        self._ready = [lines[start : start + amount] for start in range(0, number, amount)]


def clip(text: str, longest: int) -> str:
    """Return *text*, cut with a visible mark if it has more than *longest* characters."""
    if len(text) <= longest:
        return text
    return text[: max(0, longest - len(CUT_MARK))] + CUT_MARK
