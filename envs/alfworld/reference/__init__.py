"""The original ALFWorld in a child process, for ``backend="textworld"``.

The default backend uses nothing of this folder. Reading the original's files is in `official`.
"""
