"""Interfaces: how a world is shown and how its actions are written, along seven independent axes.

What lives here: `Interface` (the axes as a value), `Randomized` (a set to sample them from) and
`EpisodeInterface`, which binds one to an episode; `codec` has the words and the syntax, `layout`
what stands around an observation, `format` its form, `renaming` new names. What does not: rules,
which no interface changes, and the prompts of models (`agentgym_gen.agents`).
"""

from agentgym_gen.interface.axes import AXES, MAX_DISTRACTORS, PRESETS, VOCABULARIES, Interface
from agentgym_gen.interface.codec import MAX_ACTION_CHARS
from agentgym_gen.interface.episode import EpisodeInterface
from agentgym_gen.interface.layout import MAX_OBSERVATION_CHARS, clip
from agentgym_gen.interface.randomized import Randomized, parse_interface

__all__ = [
    "AXES",
    "MAX_ACTION_CHARS",
    "MAX_DISTRACTORS",
    "MAX_OBSERVATION_CHARS",
    "PRESETS",
    "VOCABULARIES",
    "EpisodeInterface",
    "Interface",
    "Randomized",
    "clip",
    "parse_interface",
]
