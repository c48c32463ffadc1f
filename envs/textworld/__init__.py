"""TextWorld: the original's text games in three tiers, played by the original's engine."""

from agentgym_gen.envs.textworld.world import TextWorld

__all__ = ["TextWorld"]
