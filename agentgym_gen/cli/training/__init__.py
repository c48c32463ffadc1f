"""The command that trains a model: ``train``.

What lives here: its arguments and printing. What does not: the training plan and its run, which
are in `agentgym_gen.training`, and the trainers, which are in `agentgym_gen.trainers`.
"""
