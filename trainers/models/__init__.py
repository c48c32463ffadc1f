"""Models: loading them, building a tiny one, adapters, devices, memory, and chats as tokens.

What does not live here: sampling (`agentgym_gen.trainers.sampling`) and what a loss is computed
from (`agentgym_gen.trainers.packing`, `agentgym_gen.trainers.algorithm`).
"""
