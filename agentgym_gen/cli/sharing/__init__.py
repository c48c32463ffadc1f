"""The commands that let others use the environments and see episodes: ``serve export view``.

What lives here: arguments and printing of these three. What does not: the server, which is in
`agentgym_gen.server`, the writing of files, which is in `agentgym_gen.export`, and the pages, which
are in `agentgym_gen.viewer`.
"""
