"""DeepMind's Boxoban levels: reading their files, and their levels as tasks.

Levels of our own are in `generator`.
"""
