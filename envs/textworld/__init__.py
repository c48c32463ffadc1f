"""TextWorld: the original's text games in three tiers, played by the original's engine.

Here are the world, its tasks and tiers, the expert and the texts. `engine` has the processes that
play and build games, `games` the files of games.
"""

from agentgym_gen.envs.textworld.world import TextWorld

__all__ = ["TextWorld"]
