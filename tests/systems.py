"""The one way in which a test says which system it needs; elsewhere it is skipped.

For example: ``@needs("POSIX", "named pipes")``.
"""

import sys

import pytest

HAS = {
    "POSIX": sys.platform != "win32",
    "Linux": sys.platform == "linux",
}
"""Whether this system is one of that name; Linux and macOS are POSIX."""


def needs(system: str, what: str) -> pytest.MarkDecorator:
    """Return a mark that skips a test unless this is *system*, because only that has *what*."""
    return pytest.mark.skipif(not HAS[system], reason=f"needs {what}, which only {system} has")
