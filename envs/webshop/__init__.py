"""WebShop: buying in a web shop as text.

The rules of the shop live here, and one task list over all goals. Products of our own are made in
``generator``, the original's files are read in ``official``, and ``matching`` says when two texts
mean the same.
"""

from agentgym_gen.envs.webshop.goals import Goal
from agentgym_gen.envs.webshop.world import WebShop

__all__ = ["Goal", "WebShop"]
