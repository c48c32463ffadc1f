"""The original's game files: finding, reading, checking and writing them.

The households of our own are in `generator`, the rules in `game`. Nothing here imports the original.
"""
