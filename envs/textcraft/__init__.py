"""TextCraft: crafting in Minecraft as text.

`recipes` holds the facts, `tasks` the goals, `world` the rules, `admissible` the commands that can
be carried out, `expert` the solver. Formats of observations and actions are not here.
"""

from agentgym_gen.envs.textcraft.tasks import CraftTask, TextCraftTasks
from agentgym_gen.envs.textcraft.world import TextCraft

__all__ = ["CraftTask", "TextCraft", "TextCraftTasks"]
