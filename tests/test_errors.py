"""The tree of errors."""

import pickle

import pytest

from agentgym_gen import errors

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.AgentGymGenError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_survives_pickling(kind: type[errors.AgentGymGenError]) -> None:
    """A worker process can send any error back."""
    error = pickle.loads(pickle.dumps(kind("what was wrong")))

    assert type(error) is kind
    assert str(error) == "what was wrong"


def test_the_docstring_draws_every_error() -> None:
    """The tree at the top of the module is complete."""
    assert errors.__doc__ is not None
    assert [k.__name__ for k in KINDS if k.__name__ not in errors.__doc__] == []


def test_an_unknown_name_suggests_the_nearest() -> None:
    """The message has the value, the nearest name, all names and how to list them."""
    error = errors.unknown_name("fruit", "aple", ["pear", "apple"], "see the market")

    expected = "Unknown fruit 'aple'; did you mean 'apple'? Known: apple, pear (see the market)"
    assert str(error) == expected


def test_an_unknown_name_with_no_name_near_has_a_full_stop() -> None:
    """Two sentences stand between the value and the list."""
    error = errors.unknown_name("fruit", "xyz", ["pear", "apple"], "see the market")

    assert str(error) == "Unknown fruit 'xyz'. Known: apple, pear (see the market)"
