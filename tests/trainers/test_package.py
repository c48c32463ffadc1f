"""The public names of the package, and what it needs to be installed."""

import configparser
import subprocess
import sys
from pathlib import Path

import pytest

from agentgym_gen import trainers


def test_every_public_name_is_loaded() -> None:
    """Each name of `__all__` is in the table of homes and resolves to an object of that name."""
    names = trainers.__all__

    assert set(names) == set(trainers._HOMES)
    assert [getattr(trainers, name).__name__ for name in names] == names


def test_an_unknown_name_is_an_attribute_error() -> None:
    """An unknown name raises `AttributeError`, as in any module."""
    with pytest.raises(AttributeError, match="no attribute 'Trainer'"):
        trainers.Trainer  # noqa: B018


def python(program: str) -> subprocess.CompletedProcess[str]:
    """Run *program* in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


def test_importing_it_imports_no_torch() -> None:
    """Importing the package alone does not import torch."""
    done = python("import sys, agentgym_gen.trainers; sys.exit('torch' in sys.modules)")

    assert done.returncode == 0, done.stderr


def test_without_torch_one_sentence_says_what_to_install() -> None:
    """The error names the extra that has to be installed."""
    done = python(
        "import sys; sys.modules['torch'] = None\n"
        "from agentgym_gen import trainers\n"
        "try: trainers.RFTTrainer\n"
        "except ImportError as error: print(type(error).__name__, error)"
    )

    assert done.stdout == (
        "MissingExtraError A model in memory needs 'torch', which is not installed; "
        "run: pip install 'agentgym-gen[train]'\n"
    ), done.stderr


USE_ADAPTER = """
from agentgym_gen.trainers.models import adapters
adapters.make_trainable(object(), 8, 8, 0)
"""


@pytest.mark.parametrize(
    ("package", "use", "sentence"),
    [
        (
            "peft",
            USE_ADAPTER,
            "A LoRA adapter needs 'peft', which is installed but cannot be imported (cannot",
        ),
        (
            "safetensors",
            "from agentgym_gen import trainers\ntrainers.RFTTrainer\n",
            "A model in memory needs 'safetensors', which is installed but cannot be imported",
        ),
    ],
)
def test_a_package_that_cannot_be_imported_is_one_sentence(
    tmp_path: Path, package: str, use: str, sentence: str
) -> None:
    """It is there, and imports a name that the package below it no longer has."""
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("from json import HybridCache\n")
    done = python(f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{use}")
    last = done.stderr.strip().splitlines()[-1]

    assert last.startswith(f"agentgym_gen.errors.MissingExtraError: {sentence}")
    assert last.endswith("; run: pip install --upgrade 'agentgym-gen[train]'")


def test_the_oldest_peft_can_be_imported_with_transformers_5() -> None:
    """0.17 imports `HybridCache`, which transformers 5 no longer has; 0.18 does not."""
    cfg = configparser.ConfigParser()
    cfg.read(Path(__file__).parents[2] / "setup.cfg", encoding="utf-8")
    bounds = dict(
        line.split(">=") for line in cfg["options.extras_require"]["train"].split() if line
    )

    assert int(bounds["transformers"].partition(".")[0]) >= 5
    assert tuple(map(int, bounds["peft"].split("."))) >= (0, 18)
