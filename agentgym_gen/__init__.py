"""Text-agent environments made to measure how far reinforcement fine-tuning generalizes.

Importing this package registers every environment with Gymnasium and imports neither torch nor
any backend.
"""

from importlib.metadata import version

from agentgym_gen.env import TextEnv
from agentgym_gen.env.registration import Registered, env_ids, register, register_all
from agentgym_gen.errors import AgentGymGenError
from agentgym_gen.interface import Interface, Randomized
from agentgym_gen.world import Command, Malformed, Outcome, Scene, Task, TaskId, Tasks, Verb, World

__version__ = version("agentgym-gen")

__all__ = [
    "AgentGymGenError",
    "Command",
    "Interface",
    "Malformed",
    "Outcome",
    "Randomized",
    "Registered",
    "Scene",
    "Task",
    "TaskId",
    "Tasks",
    "TextEnv",
    "Verb",
    "World",
    "env_ids",
    "register",
    "register_all",
]

register_all()
