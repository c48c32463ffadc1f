"""Sokoban: push every box onto a target, in the text form of RAGEN."""

from agentgym_gen.envs.sokoban.world import Sokoban

__all__ = ["Sokoban"]
