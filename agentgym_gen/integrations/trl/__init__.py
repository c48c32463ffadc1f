"""Adapters to TRL's `GRPOTrainer` and `AsyncGRPOTrainer`.

What lives here: `environment_factory` for models that call tools, `rollout_func` and
`episode_reward` for agents that think and act in text, and `dataset`, whose rows serve both. What
does not: TRL itself, which nothing here imports.
"""

from agentgym_gen.integrations.trl.dataset import dataset
from agentgym_gen.integrations.trl.text import RolloutFunc, episode_reward, rollout_func
from agentgym_gen.integrations.trl.tools import ToolEnvironment, environment_factory

__all__ = [
    "RolloutFunc",
    "ToolEnvironment",
    "dataset",
    "environment_factory",
    "episode_reward",
    "rollout_func",
]
