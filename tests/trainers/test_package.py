"""The face of the package: its names, and what it asks for."""

import subprocess
import sys

import pytest

from agentgym_gen import trainers


def test_the_names_are_sorted_and_there() -> None:
    """Each of them can be had."""
    names = [name for name in trainers.__all__ if name != "QUICK"]

    assert set(trainers.__all__) == set(trainers._HOMES)
    assert [getattr(trainers, name).__name__ for name in names] == names


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As of any module."""
    with pytest.raises(AttributeError, match="no attribute 'Trainer'"):
        trainers.Trainer  # noqa: B018


def python(program: str) -> subprocess.CompletedProcess[str]:
    """Run *program* in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


def test_importing_it_imports_no_torch() -> None:
    """The names are loaded when they are used."""
    done = python("import sys, agentgym_gen.trainers; sys.exit('torch' in sys.modules)")

    assert done.returncode == 0, done.stderr


def test_without_torch_one_sentence_says_what_to_install() -> None:
    """The name of the extra is in it."""
    done = python(
        "import sys; sys.modules['torch'] = None\n"
        "from agentgym_gen import trainers\n"
        "try: trainers.RFTTrainer\n"
        "except ImportError as error: print(type(error).__name__, error)"
    )

    assert done.stdout == (
        "MissingExtraError Training needs 'torch', which is not installed; "
        "run: pip install 'agentgym-gen[train]'\n"
    ), done.stderr
