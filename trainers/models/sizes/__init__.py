"""How large a model is, and how much memory its training takes, without its weights.

What lives here: sizes from a config, the memory by part, settings that fit. What does not: memory
while a model runs, which is in `agentgym_gen.trainers.models.memory`.
"""
