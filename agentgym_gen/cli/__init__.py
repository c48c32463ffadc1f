"""The command line ``agentgym-gen``: one module a command, and `main`, which chooses.

What lives here: arguments, printing, exit codes. What does not: work; a command calls the library.
"""
