"""How environments and interfaces differ: measured distances, tables, and episodes side by side.

What lives here: what ``agentgym-gen show`` and ``agentgym-gen envs --describe`` print, and the
distance that the study uses. What does not: results of trained models (`agentgym_gen.study`).
"""
