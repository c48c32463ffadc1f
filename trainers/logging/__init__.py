"""Where a training is reported: progress bar, tracking services, episodes, and a model's card.

What does not live here: the log file itself, which `agentgym_gen.trainers.learner` writes, and the
events that callbacks get (`agentgym_gen.trainers.callbacks`).
"""
