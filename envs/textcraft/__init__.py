"""TextCraft: crafting in Minecraft as text."""

from agentgym_gen.envs.textcraft.tasks import Order, TextCraftTasks
from agentgym_gen.envs.textcraft.world import TextCraft

__all__ = ["Order", "TextCraft", "TextCraftTasks"]
