"""From rows to numbers with intervals: rates, gains, sequence metrics, claims and a regression.

What lives here: pure statistics and what reads rows with them. What does not: environments, torch,
and the words and pictures of a report (`agentgym_gen.study.report`).
"""
