"""Who acts: prompts, policies, and rollouts that play episodes and record them.

What lives here: how an episode becomes chat messages, policies that answer them, and `run`, which
plays many episodes at once. What does not: models (`agentgym_gen.trainers`), and what an
environment is (`agentgym_gen.env`).
"""
