"""The sections of a report, one module a section, each a function that yields blocks.

What lives here: the numbers and sentences of each section. What does not: how a block becomes HTML
or Markdown (`agentgym_gen.study.report.document`), and what sections share
(`agentgym_gen.study.report.context`).
"""
