"""Fixtures: the fork server, and the programs after one undisturbed run a session."""

from collections.abc import Iterator

import pytest
from faults.fork_server import ForkServer
from faults.reference_run import Program, run_undisturbed


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """The process that starts programs."""
    with ForkServer() as server:
        yield server


@pytest.fixture(scope="session")
def programs() -> dict[str, Program]:
    """The programs that have run undisturbed so far."""
    return {}


@pytest.fixture
def program(
    request: pytest.FixtureRequest, fork_server: ForkServer, programs: dict[str, Program]
) -> Program:
    """A program that has run undisturbed once."""
    name = request.param
    if name not in programs:
        programs[name] = run_undisturbed(name, fork_server)
    return programs[name]
