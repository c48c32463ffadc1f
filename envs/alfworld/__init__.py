"""ALFWorld: household tasks in text, by the rules of the original but without its planner.

Here are the world, its rules (`game`), its tasks and its two players. `official` has the original's
game files, `reference` the original itself, `text` what the player reads.
"""

from agentgym_gen.envs.alfworld.world import ALFWorld

__all__ = ["ALFWorld"]
