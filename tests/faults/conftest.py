"""The programs that meet faults, which run undisturbed once a session."""

from collections.abc import Iterator

import pytest
from faults.nursery import Nursery
from faults.scene import Scene, scene_of


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """What starts victims."""
    with Nursery() as made:
        yield made


@pytest.fixture(scope="session")
def scenes() -> dict[str, Scene]:
    """The programs that have run undisturbed so far."""
    return {}


@pytest.fixture
def scene(request: pytest.FixtureRequest, nursery: Nursery, scenes: dict[str, Scene]) -> Scene:
    """A program that has run undisturbed."""
    name = request.param
    if name not in scenes:
        scenes[name] = scene_of(name, nursery)
    return scenes[name]
