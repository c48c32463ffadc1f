"""How a study is run: its jobs, their order, where they run, and how models are made and trained.

What lives here: everything that writes into a results folder while a study runs, what a study will
cost and how far it is, and the calibration of task lists. What does not: reading results
(`agentgym_gen.study.results`) and computing numbers from them (`agentgym_gen.study.analysis`).
"""
