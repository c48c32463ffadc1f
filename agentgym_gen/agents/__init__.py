"""Who acts: prompts, policies, and rollouts that play episodes and record them.

What lives here: how an episode becomes chat messages, policies that answer them, and `run`, which
plays many episodes at once. What does not: models (`agentgym_gen.trainers`), and what an
environment is (`agentgym_gen.env`).
"""

from agentgym_gen.agents.chat_policy import ChatPolicy, Usage
from agentgym_gen.agents.policy import (
    POLICIES,
    Completion,
    ConcurrentPolicy,
    ExpertPolicy,
    Policy,
    RandomPolicy,
    Request,
    ScriptedPolicy,
)
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, group_by_task, run, run_async
from agentgym_gen.agents.session import Reply, Session, SessionResult
from agentgym_gen.agents.trajectory import Trajectory, Turn

__all__ = [
    "POLICIES",
    "ChatPolicy",
    "Completion",
    "ConcurrentPolicy",
    "Episode",
    "ExpertPolicy",
    "Policy",
    "PromptStyle",
    "RandomPolicy",
    "Reply",
    "Request",
    "ScriptedPolicy",
    "Session",
    "SessionResult",
    "Trajectory",
    "Turn",
    "Usage",
    "group_by_task",
    "run",
    "run_async",
]
