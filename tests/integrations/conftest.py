"""What the tests against other packages share; they run on the installed wheel."""

import sys
from pathlib import Path

import agentgym_gen


def pytest_configure() -> None:
    """Refuse to test the tree in place of the wheel."""
    assert Path(agentgym_gen.__file__).is_relative_to(sys.prefix), agentgym_gen.__file__
