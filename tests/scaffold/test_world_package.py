"""``agentgym-gen new world``: a package that is installed, found and passes its own tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentgym_gen.cli.main import main
from agentgym_gen.errors import DataError, InvalidValueError, NameClashError, ResultExistsError
from agentgym_gen.scaffold import write_world_package

ROOT = Path(__file__).parents[2]


def run(folder: Path, site: Path, *arguments: str) -> str:
    """Run Python in *folder* with the packages in *site*; return what it prints."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_new_world_is_installed_and_passes_its_own_tests(tmp_path: Path) -> None:
    """It is installed by pip, its id is found without an import, and the expert plays it."""
    folder = write_world_package("Lamps", tmp_path)
    install = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-cache-dir")
    target = ("--no-build-isolation", "--disable-pip-version-check", "--target", "site")
    run(tmp_path, tmp_path, *install, *target, str(folder))
    site = tmp_path / "site"

    assert "passed" in run(folder, site, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "rftgen/Lamps-hard-v0" in run(tmp_path, site, "-m", "agentgym_gen", "envs")
    arguments = ("demo", "rftgen/Lamps-easy-json-v0")
    assert "1 of 1 episodes won" in run(tmp_path, site, "-m", "agentgym_gen", *arguments)


def test_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder has the files of a world, and every file is Python or text of the new name."""
    assert main(["new", "world", "Kitchens", "--out", str(tmp_path / "deep" / "er")]) == 0
    out = capsys.readouterr().out
    folder = tmp_path / "deep" / "er" / "kitchens-world"
    modules = {path.stem for path in (folder / "kitchens_world").iterdir()}

    assert modules == {"__init__", "tasks", "world", "reward", "expert"}
    for path in filter(Path.is_file, folder.rglob("*")):
        assert str(path) in out
        text = path.read_text()
        assert "$" not in text
        if path.suffix == ".py":
            compile(text, str(path), "exec")
    assert 'Kitchens = "kitchens_world:Kitchens"' in (folder / "pyproject.toml").read_text()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_nothing_is_overwritten(kind: str, tmp_path: Path) -> None:
    """What has the name of the folder stays as it is."""
    path = tmp_path / "lamps-world"
    if kind == "folder":
        path.mkdir()
        (path / "mine.py").write_text("x")
    elif kind == "file":
        path.write_text("mine")
    else:
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ResultExistsError, match="is there already, and is kept"):
        write_world_package("Lamps", tmp_path)

    assert [entry.name for entry in tmp_path.iterdir()] == ["lamps-world"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lamps", "begins with a capital, such as Lamps"),
        ("../Lamps", "letters and digits"),
        ("Lamps\n", "letters and digits"),
        ("L" * 41, "at most 40"),
        ("Json", "means something else"),
        ("World", "means something else"),
        ("None", "means something else"),
        ("COLOURS", "means something else"),
        ("Test", "means something else"),
    ],
)
def test_a_name_that_is_none_for_ids_is_refused(name: str, message: str, tmp_path: Path) -> None:
    """The error says what a name is."""
    with pytest.raises(InvalidValueError, match=message):
        write_world_package(name, tmp_path)


def test_the_name_of_another_environment_is_refused(tmp_path: Path) -> None:
    """Also in other letters: task ids have small ones only."""
    with pytest.raises(NameClashError, match="'TextCraft' is there already"):
        write_world_package("Textcraft", tmp_path)


def test_a_folder_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    """Nothing is left behind."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"Cannot write .*lamps-world"):
        write_world_package("Lamps", tmp_path / "file")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]
