"""Completions: what a model wrote, and the action that it means.

What lives here: how a call of a function is written as text, the strict and the lenient reader of
completions, and the forms in which models write calls. What does not: prompts
(`agentgym_gen.agents.prompt`), and what an action means (the environment decides).
"""
