"""Interfaces: how a world is shown and spoken to, along seven independent axes."""

from agentgym_gen.interface.axes import AXES, MAX_DISTRACTORS, PRESETS, VOCABULARIES, Interface
from agentgym_gen.interface.dialect import Dialect
from agentgym_gen.interface.randomized import Randomized, parse_interface
from agentgym_gen.interface.speech import MAX_ACTION_CHARS

__all__ = [
    "AXES",
    "MAX_ACTION_CHARS",
    "MAX_DISTRACTORS",
    "PRESETS",
    "VOCABULARIES",
    "Dialect",
    "Interface",
    "Randomized",
    "parse_interface",
]
