"""WebShop: buying in a web shop as text."""

from agentgym_gen.envs.webshop.goals import Goal
from agentgym_gen.envs.webshop.world import WebShop

__all__ = ["Goal", "WebShop"]
