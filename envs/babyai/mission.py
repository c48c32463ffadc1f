"""Missions as messages: minigrid's sentences, with the verbs in them as values."""

from __future__ import annotations

import re
from collections.abc import Collection

from agentgym_gen.world import Message, Piece, VerbName

_VERBS = {"go to": "go_to", "pick up": "pick_up"}
_PATTERN = re.compile(r"\b(go to|pick up)\b")

COLOURS = ("red", "green", "blue", "purple", "yellow", "grey")
"""minigrid's colours."""

KINDS = ("ball", "box", "key", "door")
"""The kinds of things that missions name."""


def mission_message(mission: str, verbs: Collection[str]) -> Message:
    """Return *mission* with every mention of one of *verbs* as a value.

    ``open`` and ``put ... next to`` stay text: no action has these verbs, they name a goal.
    """
    pieces: list[Piece] = []
    for part in _PATTERN.split(mission):
        verb = _VERBS.get(part, "")
        if verb in verbs:
            pieces.append(VerbName(verb, native=part))
        elif part:
            pieces.append(part)
    return tuple(pieces)
