"""Packing: token sequences as micro batches, whose rows compute a shared prefix once.

What does not live here: what a model says of a micro batch, and losses
(`agentgym_gen.trainers.algorithm`).
"""
