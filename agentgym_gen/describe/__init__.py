"""How environments and interfaces differ: measured distances, tables, and episodes as text.

What lives here: what ``agentgym-gen show``, ``demo`` and ``envs --describe`` print, and the
distance that the study uses. What does not: results of trained models (`agentgym_gen.study`).
"""
