"""Missions as messages: what minigrid says, with its verbs as values."""

from __future__ import annotations

import re
from collections.abc import Collection

from agentgym_gen.world import Message, Piece, VerbName

_VERBS = {"go to": "go_to", "pick up": "pick_up"}
_PATTERN = re.compile(r"\b(go to|pick up)\b")

COLOURS = ("red", "green", "blue", "purple", "yellow", "grey")
"""minigrid's colours."""

KINDS = ("ball", "box", "key", "door")
"""The kinds of things that BabyAI speaks of."""


def mission_message(mission: str, verbs: Collection[str]) -> Message:
    """Return *mission* with every mention of one of *verbs* as a value.

    ``open`` and ``put ... next to`` are no verbs of any action: they say what shall be.
    """
    pieces: list[Piece] = []
    for part in _PATTERN.split(mission):
        verb = _VERBS.get(part, "")
        if verb in verbs:
            pieces.append(VerbName(verb, native=part))
        elif part:
            pieces.append(part)
    return tuple(pieces)


def as_agentgym(mission: str) -> str:
    """Return *mission* as AgentGym gives it, which forgets in which order things are to be done.

    >>> as_agentgym("go to the box after you pick up the ball")
    'go to the box and pick up the ball'
    """
    return mission.replace("then", "and").replace("after you", "and")
