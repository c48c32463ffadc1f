"""What a model from elsewhere has to be: its settings, its weights and its chat template.

What does not live here: loading (`agentgym_gen.trainers.models.loading`), and whether a key-value
cache gives the model's own probabilities (`agentgym_gen.trainers.sampling.cache_probe`).
"""
