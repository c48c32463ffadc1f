"""What of Windows can be tried elsewhere: our code in a process that looks like it."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from systems import needs

ROOT = Path(__file__).parents[2]


def on_windows(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `windows_stand_in` and return what it printed."""
    path = os.pathsep.join(map(str, (ROOT, ROOT / "tests")))
    command = [sys.executable, "-m", "windows_stand_in", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_every_module_can_be_imported_on_windows() -> None:
    """Without the modules and names of POSIX; an adapter may lack its package."""
    done = on_windows("modules")
    count, _, errors = done.stdout.partition(" modules\n")

    assert (errors, done.stderr, done.returncode) == ("", "", 0)
    assert int(count) > 400


@pytest.mark.slow
def test_the_tests_can_be_collected_on_windows() -> None:
    """A test that needs POSIX says so by a mark, and not by an error of its module."""
    done = on_windows("tests", "--collect-only", "-q", "-n", "0", "-p", "no:cacheprovider")

    assert done.returncode == 0, done.stdout[-3000:]


@needs("Linux", "the locks of which the stand-in is made")
@pytest.mark.slow
def test_locks_and_files_work_on_windows() -> None:
    """The tests of them pass; those that need POSIX are skipped with a reason."""
    names = ("file_lock", "files", "foreign_files", "untrusted_files", "signals", "child_process")
    paths = [f"tests/system/test_{name}.py" for name in names]
    done = on_windows("-q", "-n", "0", "-p", "no:cacheprovider", *paths)

    assert done.returncode == 0, done.stdout[-3000:]
    assert "which only POSIX has" in done.stdout


def test_the_system_is_looked_at_in_one_place() -> None:
    """Elsewhere no test compares `sys.platform` or `os.name`; it has a mark of `systems.needs`."""
    names = {("sys", "platform"), ("os", "name")}
    places = [
        path.name
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in names
    ]

    assert set(places) == {"systems.py"}
