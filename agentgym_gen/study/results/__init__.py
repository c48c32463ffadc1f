"""What a study leaves behind: rows, transcripts, failure modes, and where results come from.

What lives here: the files of cells, written and read again. What does not: numbers with intervals
(`agentgym_gen.study.analysis`).
"""
