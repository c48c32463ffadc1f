"""Interfaces: how a world is shown and spoken to, along seven independent axes."""

from agentgym_gen.interface.axes import AXES, MAX_DISTRACTORS, PRESETS, Interface
from agentgym_gen.interface.dialect import MAX_ACTION_CHARS, Dialect

__all__ = ["AXES", "MAX_ACTION_CHARS", "MAX_DISTRACTORS", "PRESETS", "Dialect", "Interface"]
