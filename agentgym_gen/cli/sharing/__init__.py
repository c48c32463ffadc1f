"""The commands that let other programs use the environments: ``serve`` and ``export``.

What lives here: arguments and printing of these two. What does not: the server, which is in
`agentgym_gen.server`, and the writing of files, which is in `agentgym_gen.export`.
"""
