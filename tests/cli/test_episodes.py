"""``agentgym-gen show``, ``play`` and ``demo``: episodes in the terminal."""

import io

import pytest

from agentgym_gen.cli.main import main
from agentgym_gen.envs.sokoban import Sokoban


@pytest.mark.parametrize("interface", ["native", "synonyms+json", "menu"])
def test_demo_shows_the_expert_winning(interface: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The expert wins every episode through any interface."""
    arguments = ["demo", "rftgen/TextCraft-easy-v0", "--interface", interface, "--episodes", "2"]
    assert main(arguments) == 0

    assert "expert policy: 2 of 2 episodes won" in capsys.readouterr().out


def test_demo_of_a_task_is_always_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """The random policy is seeded, so that two runs print the same."""
    arguments = ["demo", "rftgen/Sokoban-easy-v0", "--policy", "random"]
    task = ["--split", "test", "--task", "sokoban/easy/test/7"]
    assert main([*arguments, *task]) == 0
    first = capsys.readouterr().out
    assert main([*arguments, *task]) == 0

    assert capsys.readouterr().out == first
    assert first.startswith("=== sokoban/easy/test/7")


def test_an_id_may_name_its_module(capsys: pytest.CaptureFixture[str]) -> None:
    """An id with a module before it works as in Gymnasium."""
    assert main(["demo", "agentgym_gen:rftgen/Sokoban-easy-v0"]) == 0
    assert "1 of 1 episodes won" in capsys.readouterr().out


def test_show_puts_interfaces_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    """The native interface comes first, and no line is wider than requested."""
    task = ["--task", "sokoban/easy/test/7", "--split", "test"]
    show = ["show", "rftgen/Sokoban-easy-v0", *task, "--turns", "1", "--width", "60"]
    assert main([*show, "--interface", "call"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == "sokoban/easy/test/7"
    assert lines[2].split() == ["native", "|", "call"]
    assert max(map(len, lines)) <= 60


def test_a_person_plays_with_list_hint_and_help(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`?` lists the actions, `!` asks the expert, `q` leaves; none of them costs a turn."""
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
    """The end of the input is no error."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    assert main(["play", "rftgen/TextCraft-easy-v0"]) == 0
    assert "You left." in capsys.readouterr().out


def test_a_hint_without_a_plan_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hint says that the expert has no plan, and not that there is none."""
    monkeypatch.setattr(Sokoban, "expert_plan", lambda _: None)
    monkeypatch.setattr("sys.stdin", io.StringIO("!\n"))
    assert main(["play", "rftgen/Sokoban-easy-v0"]) == 0

    assert "The expert sees no way from here." in capsys.readouterr().out
