"""What `agentgym_gen` exports, and what importing it does not load."""

import subprocess
import sys

import agentgym_gen


def test_dir_shows_public_names_only() -> None:
    """`dir` lists what `__all__` has, and the version."""
    assert dir(agentgym_gen) == sorted([*agentgym_gen.__all__, "__version__"])


def test_dir_of_the_trainers_shows_what_is_not_loaded_yet() -> None:
    """A notebook completes `RFTTrainer` before torch is loaded, and no private name."""
    code = (
        "import sys, agentgym_gen.trainers as trainers\n"
        "print(dir(trainers) == sorted(trainers.__all__), 'torch' in sys.modules)\n"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert process.stdout == "True False\n"


def test_every_public_name_is_there() -> None:
    """Each name of `__all__` can be taken from the package."""
    assert [name for name in agentgym_gen.__all__ if not hasattr(agentgym_gen, name)] == []


def test_the_packages_resolve_without_torch() -> None:
    """`agentgym_gen.study` and `agentgym_gen.trainers` need no import statement of their own."""
    code = (
        "import sys, agentgym_gen\n"
        "print(agentgym_gen.study.Plan.__name__, agentgym_gen.trainers.__name__)\n"
        "print(agentgym_gen.check_world.__name__, 'torch' in sys.modules)\n"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert process.stdout == "Plan agentgym_gen.trainers\ncheck_world False\n"
