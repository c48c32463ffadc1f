"""Sampling: policies that answer with a language model, and the key-value caches behind them.

What does not live here: the model itself and its chat format (`agentgym_gen.trainers.models`), and
the loop that plays episodes (`agentgym_gen.agents`).
"""
