"""The original's own files: reading them, the goals in them, and the full set on disk.

Nothing here makes products; those of our own shop come from ``generator``.
"""
