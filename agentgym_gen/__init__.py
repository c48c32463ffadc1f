"""Text-agent environments made to measure how far reinforcement fine-tuning generalizes.

Importing this package registers every environment with Gymnasium and imports neither torch nor
any backend. The names of ``__all__`` are the stable part of the library; those of `agents`,
`trainers`, `study` and `testing` are loaded when they are first used.
"""

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING

from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env, sample_task_ids, task_rows
from agentgym_gen.env.registration import Registered, env_ids, register, register_all
from agentgym_gen.errors import AgentGymGenError
from agentgym_gen.ids import EnvId
from agentgym_gen.interface import Interface, Randomized
from agentgym_gen.seeding import stream
from agentgym_gen.world import (
    AsciiGrid,
    Command,
    EndReason,
    Malformed,
    Message,
    MessageFact,
    Outcome,
    Scene,
    Surface,
    Task,
    TaskId,
    Tasks,
    Verb,
    VerbName,
    World,
)

if TYPE_CHECKING:
    from agentgym_gen import study, testing, trainers
    from agentgym_gen.agents import (
        ChatPolicy,
        Completion,
        ConcurrentPolicy,
        Episode,
        ExpertPolicy,
        Policy,
        PromptStyle,
        RandomPolicy,
        Request,
        ScriptedPolicy,
        Session,
        Trajectory,
        run,
        run_async,
    )
    from agentgym_gen.testing import check_env, check_world

__version__ = version("agentgym-gen")

__all__ = [
    "AgentGymGenError",
    "AsciiGrid",
    "ChatPolicy",
    "Command",
    "Completion",
    "ConcurrentPolicy",
    "EndReason",
    "EnvId",
    "Episode",
    "ExpertPolicy",
    "Interface",
    "Malformed",
    "Message",
    "MessageFact",
    "Outcome",
    "Policy",
    "PromptStyle",
    "RandomPolicy",
    "Randomized",
    "Registered",
    "Request",
    "Scene",
    "ScriptedPolicy",
    "Session",
    "Surface",
    "Task",
    "TaskId",
    "Tasks",
    "TextEnv",
    "Trajectory",
    "Verb",
    "VerbName",
    "World",
    "check_env",
    "check_world",
    "env_ids",
    "make_text_env",
    "register",
    "register_all",
    "run",
    "run_async",
    "sample_task_ids",
    "stream",
    "study",
    "task_rows",
    "testing",
    "trainers",
]

_PACKAGES = ("agents", "study", "testing", "trainers")
_CHECKS = ("check_env", "check_world")


def __getattr__(name: str) -> object:
    """Return the public *name*, importing its package now."""
    if name in _PACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in __all__:
        package = "testing" if name in _CHECKS else "agents"
        return getattr(importlib.import_module(f"{__name__}.{package}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return [*__all__, "__version__"]


register_all()
