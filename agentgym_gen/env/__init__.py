"""The Gymnasium environment `TextEnv`, its space of texts, and the registry of environment ids.

What lives here: the environment that plays a world through an interface, the table of registered
environments, and how an id becomes an environment. What does not: rules (`agentgym_gen.world`),
texts (`agentgym_gen.interface`), and who acts (`agentgym_gen.agents`).
"""

from agentgym_gen.env.text_env import INFO_KEYS, TextEnv
from agentgym_gen.env.world_loading import load_world
from agentgym_gen.interface import MAX_OBSERVATION_CHARS

__all__ = ["INFO_KEYS", "MAX_OBSERVATION_CHARS", "TextEnv", "load_world"]
