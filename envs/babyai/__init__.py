"""BabyAI: missions in rooms behind doors, on Farama's minigrid, in the words of AgentGym."""

from agentgym_gen.envs.babyai.world import BabyAI

__all__ = ["BabyAI"]
