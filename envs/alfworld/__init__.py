"""ALFWorld: household tasks in text, played by the rules of the original without its planner."""

from agentgym_gen.envs.alfworld.search_policy import SearchPolicy
from agentgym_gen.envs.alfworld.world import ALFWorld

__all__ = ["ALFWorld", "SearchPolicy"]
