"""Settings that were measured to learn. None is settled yet."""

QUICK = None
"""The recipe of the quick study."""
