"""What is installed and prepared on this machine: ``data``, ``new``, and the table of extras.

What lives here: arguments and printing of these commands. What does not: the making of data, which
belongs to its environment or model, and the files of a new world (`agentgym_gen.scaffold`).
"""
