"""What a training plays: the tasks of a step, and the episodes of each.

What lives here: which tasks a step has, how they are played, and playing more of them until groups
differ (DAPO). What does not: sampling of tokens, which is in `agentgym_gen.trainers.sampling`, and
what is learnt from episodes, which is in `agentgym_gen.trainers.algorithm`.
"""
