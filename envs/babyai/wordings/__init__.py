"""The two wordings of BabyAI: AgentGym's (the native one) and BALROG's.

What lives here: the verbs, instructions, observations and answers of each, and how each reads a
text. What does not: AgentGym's macro actions (`agentgym_gen.envs.babyai.admissible`) and its faults
(`agentgym_gen.envs.babyai.compat`).
"""
