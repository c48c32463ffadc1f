"""The algorithm: rewards, advantages, losses, the objective, and which environments are trained on.

What does not live here: models (`agentgym_gen.trainers.models`), and the trainers, which make the
steps (`agentgym_gen.trainers.rft`, `agentgym_gen.trainers.sft`).
"""
