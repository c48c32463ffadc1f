"""BabyAI: missions in rooms behind doors, on Farama's minigrid, with the texts of AgentGym.

What lives here: the rules, the tasks, the expert, what a player sees, and AgentGym's macro actions.
What does not: minigrid (`engine`), the texts of AgentGym and BALROG (`wordings`), and AgentGym's
faults (`compat`).
"""

from agentgym_gen.envs.babyai.world import BabyAI

__all__ = ["BabyAI"]
