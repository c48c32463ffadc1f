"""The errors of the library and their messages."""

import pickle

import pytest

from agentgym_gen import errors

ERRORS = [
    error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, errors.AgentGymGenError)
]


@pytest.mark.parametrize("error_type", ERRORS)
def test_every_error_survives_pickling(error_type: type[errors.AgentGymGenError]) -> None:
    """A child process can send any error to its parent."""
    error = pickle.loads(pickle.dumps(error_type("what was wrong")))

    assert type(error) is error_type
    assert str(error) == "what was wrong"


def test_the_docstring_has_every_error() -> None:
    """The tree at the top of the module has every error class."""
    assert errors.__doc__ is not None
    assert [error.__name__ for error in ERRORS if error.__name__ not in errors.__doc__] == []


def test_an_unknown_name_suggests_the_nearest() -> None:
    """The message has the value, the nearest name, all names and how to list them."""
    error = errors.unknown_name("fruit", "aple", ["pear", "apple"], "see the market")

    expected = "Unknown fruit 'aple'; did you mean 'apple'? Known: apple, pear (see the market)"
    assert str(error) == expected


def test_an_unknown_name_with_no_name_near_has_a_full_stop() -> None:
    """Two sentences stand between the value and the list."""
    error = errors.unknown_name("fruit", "xyz", ["pear", "apple"], "see the market")

    assert str(error) == "Unknown fruit 'xyz'. Known: apple, pear (see the market)"


def test_the_nearest_of_very_many_names_stands_alone() -> None:
    """The first of hundreds of names say nothing about the one that was meant."""
    fruits = ["apple", *(f"pear {number}" for number in range(300))]
    near = errors.unknown_name("fruit", "aple", fruits, "see the market")
    far = errors.unknown_name("fruit", "xyz", fruits, "see the market")

    assert str(near) == "Unknown fruit 'aple'; did you mean 'apple'? (see the market)"
    assert str(far).startswith("Unknown fruit 'xyz'. Known: apple, pear 0, ")
    assert str(far).endswith(", ... (see the market)")
    assert str(errors.unknown_name("fruit", "xyz", fruits)).endswith("pear 99")


def test_a_package_that_is_there_and_cannot_be_imported_is_upgraded() -> None:
    """A package that is too old for another one is not called missing, and the reason is shown."""
    absent = ModuleNotFoundError("No module named 'peft'", name="peft")
    broken = ImportError("cannot import name 'HybridCache'\n from 'transformers'")
    without_needs = ModuleNotFoundError("No module named 'psutil'", name="psutil")

    assert "which is not installed; run: pip install 'agentgym-gen[train]'" in str(
        errors.missing_extra("peft", "train", "An adapter", absent)
    )
    assert str(errors.missing_extra("peft", "train", "An adapter", broken)) == (
        "An adapter needs 'peft', which is installed but cannot be imported (cannot import name "
        "'HybridCache' from 'transformers'); run: pip install --upgrade 'agentgym-gen[train]'"
    )
    assert "cannot be imported (No module named 'psutil')" in str(
        errors.missing_extra("peft", "train", "An adapter", without_needs)
    )


def test_a_module_may_be_called_otherwise_than_its_package() -> None:
    """A dash in the name of the package is an underscore in that of the module."""
    absent = ModuleNotFoundError("No module named", name="sentence_transformers")

    assert errors.is_absent("sentence-transformers", absent)
