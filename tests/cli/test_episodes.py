"""``agentgym-gen show``, ``play`` and ``demo``: episodes in the terminal."""

import io
import json
import re
from pathlib import Path

import pytest
from fake_chat_server import MODEL, fake_chat_server

from agentgym_gen.cli.main import main
from agentgym_gen.cli.terminal import paint_map, wrap
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


def test_demo_refuses_what_it_would_ignore(capsys: pytest.CaptureFixture[str]) -> None:
    """A format that there is not, for the expert too, and a split beside a task."""
    assert main(["demo", "rftgen/Sokoban-easy-v0", "--format", "nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err
    task = ["--task", "sokoban/easy/test/1", "--split", "train"]
    assert main(["demo", "rftgen/Sokoban-easy-v0", *task]) == 2
    assert "sokoban/easy/test/1 is no task of the split 'train'" in capsys.readouterr().err


def test_demo_as_json_has_every_turn(capsys: pytest.CaptureFixture[str]) -> None:
    """The texts and numbers of the episodes, and how many were won."""
    assert main(["demo", "rftgen/Sokoban-easy-v0", "--episodes", "2", "--json"]) == 0
    played = json.loads(capsys.readouterr().out)
    episode = played["episodes"][0]

    assert (played["policy"], played["won"], len(played["episodes"])) == ("expert", 2, 2)
    assert episode["env_id"] == "rftgen/Sokoban-easy-v0"
    assert episode["task_id"].startswith("sokoban/easy/train/")
    assert (episode["success"], episode["end_reason"]) == (True, "success")
    assert set(episode["turns"][0]) == {"observation", "completion", "action", "valid", "reward"}
    assert sum(turn["reward"] for turn in episode["turns"]) == pytest.approx(episode["reward"])


def test_demo_watches_a_model_behind_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    """It is asked until the turn limit; a server that refuses is one sentence."""
    arguments = ["demo", "rftgen/Sokoban-easy-v0", "--policy", MODEL, "--base-url"]
    with fake_chat_server() as server:
        assert main([*arguments, server.url("demo")]) == 0
        out = capsys.readouterr().out
        assert main([*arguments, server.url("demo", "key")]) == 2

    assert "\n=== turn_limit: 15 turns" in out
    assert out.endswith(f"{MODEL} policy: 0 of 1 episodes won\n")
    assert "refuses access (401" in capsys.readouterr().err


@pytest.mark.slow
def test_demo_watches_a_model_in_a_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Any model plays that `eval` measures; one without a chat template needs a plain one."""
    from agentgym_gen.trainers import TinySize, build_tiny

    model, tokenizer = build_tiny(["up down"], 0, TinySize(1, 16, 1, context=4096))
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    arguments = ["demo", "rftgen/Sokoban-easy-v0", "--max-tokens", "3", "--policy"]
    assert main([*arguments, str(tmp_path)]) == 0
    assert "0 of 1 episodes won" in capsys.readouterr().out
    assert main([*arguments, str(tmp_path / "nothing")]) == 2
    assert "nothing" in capsys.readouterr().err


def test_demo_has_colours_on_a_terminal_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Actions and the end are painted; what an observation has of a terminal's codes is not."""
    arguments = ["demo", "rftgen/Sokoban-easy-v0"]
    assert main(arguments) == 0
    plain = capsys.readouterr().out
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    assert main(arguments) == 0
    painted = terminal.getvalue()

    assert "\x1b" not in plain
    assert "\x1b[36m> " in painted
    assert "\x1b[32m=== success" in painted
    assert re.sub(r"\x1b\[\d+m", "", painted) == plain


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


def play(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *lines: str) -> str:
    """Return what ``play`` prints when *lines* are typed in."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    task = ["--task", "sokoban/easy/train/79777"]
    assert main(["play", "rftgen/Sokoban-easy-v0", *task]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("short", [True, False])
def test_a_person_plays_with_list_hint_and_help(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, short: bool
) -> None:
    """Each command has a short form; none of them costs a turn."""
    commands = ("?", "!", "fly", "q") if short else ("/list", "/hint", "fly", "/help", "/quit")
    out = play(monkeypatch, capsys, *commands)

    assert "/hint   what the expert would do" in out
    assert "[turn 1 of 16, reward" in out
    assert "[turn 2 of 16, reward" not in out
    assert out.endswith("You left.\n")


@pytest.mark.parametrize("line", ["help", "HINT", "quit", "exit", "/hlep", "\x1b[A", "right\x1b[D"])
def test_what_was_not_meant_as_an_action_costs_no_turn(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    """A command without its stroke, a mistyped one and an arrow key are not played."""
    out = play(monkeypatch, capsys, line)

    assert "was not played" in out
    assert "[turn" not in out


def test_a_turn_can_be_taken_back(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room is as it was before, and so is the number of the turn."""
    first = play(monkeypatch, capsys, "/undo", "up", "/undo", "up", "/undo", "/undo")

    assert first.count("[turn 1 of 16") == 2
    assert first.count("No turn was taken yet.") == 2
    shown = [part.splitlines() for part in first.split("> ")]
    assert shown[1][1:] == []
    assert shown[3] == shown[5]


def test_the_end_says_how_the_expert_would_have_done_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the last turn the whole plan of the expert is printed, from the first observation."""
    out = play(monkeypatch, capsys, *["nonsense"] * 16)

    assert "The end: turn_limit, score 0.00" in out
    assert "You took 16 turns; the expert takes" in out
    actions = out.split("the expert takes ")[1].splitlines()
    assert len(actions) == int(actions[0].rstrip(":")) + 1 > 2


def test_long_lines_are_wrapped_and_drawings_are_not() -> None:
    """No word is cut; a line with several spaces in a row is a drawing."""
    text = "one two three four five six seven\n#    #     #      #      #"

    assert wrap(text, 20).splitlines() == ["one two three four", "five six seven", text[34:]]


def test_a_map_has_colours_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR and a pipe leave the text as it is; a line of prose is never painted."""
    assert paint_map("#_P", "#_P") == "#_P"
    monkeypatch.setattr("sys.stdout", Terminal())
    assert paint_map("#P\nUp #", "#P") == "\x1b[90m#\x1b[37mP\x1b[0m\nUp #"
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint_map("#_P", "#_P") == "#_P"


class Terminal(io.StringIO):
    """A text stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


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
