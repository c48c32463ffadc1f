"""Where the files of games come from: the cache of generated games, or a folder of the user's.

Building a game is the task of `engine.builder`, and playing it that of `engine.server`.
"""
