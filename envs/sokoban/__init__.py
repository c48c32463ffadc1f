"""Sokoban: push every box onto a target, in the text form of RAGEN.

Here are the world, its rules (`game`), generated levels and the solver. `official` has DeepMind's
Boxoban levels.
"""

from agentgym_gen.envs.sokoban.world import Sokoban

__all__ = ["Sokoban"]
