"""The original's game files: finding, reading, checking and writing them.

Generated households are in `generator`, the rules in `game`. Nothing here imports the original.
"""
