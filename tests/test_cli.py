"""The command line, as a user types it."""

import io
from pathlib import Path

import pytest

from agentgym_gen.cli import main


def test_envs_is_a_table_with_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a tier, with the size of every split."""
    assert main(["envs"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert lines[0].split() == [
        "environment", "tier", "train", "tasks", "valid", "tasks", "test", "tasks", "id",
    ]  # fmt: skip
    assert sum("rftgen/TextCraft-" in line for line in lines) == 3


def test_envs_lists_every_id(capsys: pytest.CaptureFixture[str]) -> None:
    """One a line, ready for a script."""
    assert main(["envs", "--ids"]) == 0

    assert "rftgen/Sokoban-hard-menu-v0" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("interface", ["native", "synonyms+json", "menu"])
def test_demo_shows_the_expert_winning(interface: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Through any interface."""
    arguments = ["demo", "rftgen/TextCraft-easy-v0", "--interface", interface, "--episodes", "2"]
    assert main(arguments) == 0

    assert "expert policy: 2 of 2 episodes won" in capsys.readouterr().out


def test_demo_of_a_task_is_always_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """The random policy is seeded."""
    arguments = ["demo", "rftgen/Sokoban-easy-v0", "--policy", "random"]
    task = ["--split", "test", "--task", "sokoban/easy/test/7"]
    assert main([*arguments, *task]) == 0
    first = capsys.readouterr().out
    assert main([*arguments, *task]) == 0

    assert capsys.readouterr().out == first
    assert first.startswith("=== sokoban/easy/test/7")


def test_a_person_plays_with_list_hint_and_help(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`?` lists, `!` asks the expert, `q` leaves; nothing of it costs a turn."""
    monkeypatch.setattr("sys.stdin", io.StringIO("?\n!\nfly\nq\n"))
    assert main(["play", "rftgen/Sokoban-easy-v0"]) == 0
    out = capsys.readouterr().out

    assert "? lists what can be done, ! asks the expert, q ends" in out
    assert "[turn 1, reward" in out
    assert "[turn 2, reward" not in out
    assert out.endswith("You left.\n")


def test_playing_ends_with_the_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed terminal is no error."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    assert main(["play", "rftgen/TextCraft-easy-v0"]) == 0
    assert "You left." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["play", "rftgen/TextCraft-eazy-v0"], "did you mean 'rftgen/TextCraft-easy-v0'?"),
        (["demo", "rftgen/TextCraft-easy-v0", "--interface", "jsn"], "did you mean 'json'?"),
        (["demo", "rftgen/TextCraft-easy-v0", "--split", "tst"], "did you mean 'test'?"),
        (["demo", "rftgen/TextCraft-easy-v0", "--task", "7"], "Malformed task id '7'"),
        (["demo", "rftgen/TextCraft-easy-v0", "--task", "textcraft/hard/train/1"], "plays the"),
        (["study", "quik"], "Unknown study 'quik'; did you mean 'quick'?"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never a traceback."""
    assert main(arguments) == 2
    err = capsys.readouterr().err

    assert message in err
    assert len(err.splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the file."""
    (tmp_path / "file").write_text("")
    assert main(["study", "quick", "--out", str(tmp_path / "file" / "x")]) == 2
    err = capsys.readouterr().err

    assert "Cannot write" in err
    assert len(err.splitlines()) == 1
