"""Several processes: what each does of a step, and weights that are divided among them.

What is computed from a share lives elsewhere (`agentgym_gen.trainers.learner`).
"""
