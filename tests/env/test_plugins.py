"""Worlds of installed packages, which an entry point names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORLD = """
from agentgym_gen.envs.sokoban import Sokoban

class Crates(Sokoban):
    "Sokoban under another name."
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages: one with a world, and three that are broken."""
    install(tmp_path, "crates", "Crates = crates:Crates", WORLD)
    install(tmp_path, "bad_name", "Bad-Name = crates:Crates", "")
    install(tmp_path, "thief", "Sokoban = thief:Sokoban", "")
    install(tmp_path, "faulty", "Faulty = faulty:World", "1 / 0")
    return tmp_path


def install(site: Path, package: str, entry_point: str, text: str) -> None:
    """Put a package of one module into *site*, as an installer would."""
    (site / f"{package}.py").write_text(text, encoding="utf-8")
    folder = site / f"{package}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(f"[agentgym_gen.worlds]\n{entry_point}\n")


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the packages in *site*."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True)


def test_a_world_of_an_installed_package_is_played_by_its_id(site: Path) -> None:
    """Gymnasium makes it like a bundled one, and its module is imported then and not before."""
    program = (
        "import sys, gymnasium, agentgym_gen\n"
        "assert 'crates' not in sys.modules\n"
        "env = gymnasium.make('rftgen/Crates-easy-synonyms-v0')\n"
        "assert env.reset(seed=1)[1]['task_id'].startswith('sokoban/easy/train/')\n"
        "print(type(env.unwrapped.world).__name__)\n"
    )

    assert run(site, "-W", "ignore", "-c", program).stdout == "Crates\n"


def test_a_broken_package_is_named_and_left_out(site: Path) -> None:
    """The list has the others, and a sentence for each broken one."""
    result = run(site, "-m", "agentgym_gen", "envs")

    assert "rftgen/Crates-hard-v0" in result.stdout
    assert "rftgen/Sokoban-hard-v0" in result.stdout
    assert "Faulty" in result.stdout
    assert "fails when it is imported: ZeroDivisionError: division by zero" in result.stdout
    for package in ("bad_name", "thief"):
        assert f"of {package} is left out" in result.stderr


def test_an_unknown_id_may_be_that_of_an_installed_package(tmp_path: Path) -> None:
    """A package that needs this library and names no world is offered as the part before the ``:``.

    A misspelt id of an environment that is there gets the nearest one, and no package.
    """
    register = "from agentgym_gen import Registered, register\n"
    world = f'{register}{WORLD}\nregister(Registered("Chess", "own_ids:Crates"))\n'
    install(tmp_path, "own_ids", "", world)
    metadata = tmp_path / "own_ids-1.0.dist-info" / "METADATA"
    metadata.write_text(f"{metadata.read_text()}Requires-Dist: agentgym-gen>=0.1\n")
    program = (
        "import sys\n"
        "from agentgym_gen.cli.main import main\n"
        "assert main(['demo', 'rftgen/Chess-easy-v0']) == 2\n"
        "assert main(['demo', 'rftgen/Sokoban-esy-v0']) == 2\n"
        "assert 'own_ids' not in sys.modules\n"
        "sys.exit(main(['demo', 'own_ids:rftgen/Chess-easy-v0']))\n"
    )
    result = run(tmp_path, "-c", program)
    first, second = result.stderr.splitlines()

    assert first.endswith("; perhaps 'own_ids:rftgen/Chess-easy-v0'")
    assert "did you mean 'rftgen/Sokoban-easy-v0'?" in second
    assert "perhaps" not in second
    assert "1 of 1 episodes won" in result.stdout
