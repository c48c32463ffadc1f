"""Packing: token sequences as micro batches, whose rows compute a shared prefix once.

What does not live here: the log-probabilities of a micro batch under a model, and losses
(`agentgym_gen.trainers.algorithm`).
"""
