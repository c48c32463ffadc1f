"""The command line, as a user types it."""

import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from agentgym_gen.cli.main import main
from agentgym_gen.env.registration import ENVIRONMENTS, Registered
from agentgym_gen.envs.sokoban import Sokoban
from agentgym_gen.errors import missing_extra


def test_envs_is_a_table_with_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a tier, with the size of every split."""
    assert main(["envs"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert lines[0].split() == [
        "environment", "tier", "train", "tasks", "valid", "tasks", "test", "tasks", "id",
    ]  # fmt: skip
    assert sum("rftgen/TextCraft-" in line for line in lines) == 3


def test_envs_lists_what_needs_an_extra(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra there are no counts, and the last line says what to install."""

    class Bare(Sokoban):
        def __init__(self) -> None:
            raise missing_extra("a-backend", "bare", "Bare")

    bare = Registered("Sokoban", "agentgym_gen.envs.sokoban:Sokoban", extra="bare")
    monkeypatch.setitem(ENVIRONMENTS, "Sokoban", bare)
    monkeypatch.setattr("agentgym_gen.envs.sokoban.Sokoban", Bare)

    assert main(["envs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2:5] for line in lines if "rftgen/Sokoban-" in line] == [["extra"] * 3] * 3
    assert lines[-1].startswith("extra: not installed; run: pip install 'agentgym-gen[")
    assert "bare" in lines[-1]


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


def test_show_puts_interfaces_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    """In the width of the terminal, or the one that is asked for; native comes first."""
    task = ["--task", "sokoban/easy/test/7", "--split", "test"]
    show = ["show", "rftgen/Sokoban-easy-v0", *task, "--turns", "1", "--width", "60"]
    assert main([*show, "--interface", "call"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == "sokoban/easy/test/7"
    assert lines[2].split() == ["native", "|", "call"]
    assert max(map(len, lines)) <= 60


def test_envs_describes_what_it_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """Descriptors of every tier, and the distances."""
    assert main(["envs", "--describe", "--tasks", "1"]) == 0
    out = capsys.readouterr().out

    assert "Experts on 1 training task\n" in out
    assert "Distance between environments" in out
    assert "\nlenientjson " in out


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
        (["demo", "CartPole-v1"], "'CartPole-v1' is not a text environment of this library"),
        (["demo", "nomod:rftgen/X-v0"], "Module 'nomod' in 'nomod:rftgen/X-v0' cannot be"),
        (["play", "rftgen/\udcff"], "The argument 'rftgen/\\udcff' is not UTF-8"),
        (["study", "run", "quik"], "Unknown study 'quik'; did you mean 'quick'?"),
        (["study", "show", "quik"], "Unknown study 'quik'; did you mean 'quick'?"),
        (["study", "run", "mine.toml"], "Cannot read mine.toml: No such file"),
        (["study", "report", "quick", "--out", "nowhere"], "No results in nowhere; run the study"),
        (["calibrate", "rftgen/Chess-v0", "--model", "random"], "Unknown environment id"),
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seed", "-1"], "'-1' is not a whole number from 0"),
        (["--seed", "1.5"], "'1.5' is not a whole number from 0"),
        (["--episodes", "0"], "'0' is not a whole number from 1"),
    ],
)
def test_a_number_that_cannot_be_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the parser."""
    with pytest.raises(SystemExit, match="2"):
        main(["demo", "rftgen/Sokoban-easy-v0", *arguments])

    assert message in capsys.readouterr().err


def test_an_id_may_name_its_module(capsys: pytest.CaptureFixture[str]) -> None:
    """As for Gymnasium."""
    assert main(["demo", "agentgym_gen:rftgen/Sokoban-easy-v0"]) == 0
    assert "1 of 1 episodes won" in capsys.readouterr().out


def test_an_expert_without_a_way_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not claim that there is none."""
    monkeypatch.setattr(Sokoban, "plan", lambda _: None)
    monkeypatch.setattr("sys.stdin", io.StringIO("!\n"))
    assert main(["play", "rftgen/Sokoban-easy-v0"]) == 0

    assert "The expert sees no way from here." in capsys.readouterr().out


def shell(command: str, **variables: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a shell *command* in which `$cli` is the command line."""
    cli = f"{shlex.quote(sys.executable)} -m agentgym_gen.cli.main"
    environ = {**os.environ, **variables}
    return subprocess.run(
        command.replace("$cli", cli), shell=True, capture_output=True, env=environ, check=False
    )


@pytest.mark.skipif(os.name != "posix", reason="the shell is POSIX's")
@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("$cli play rftgen/Sokoban-easy-v0 <&-", 0, b"You left."),
        ("printf '\\377\\nq\\n' | $cli play rftgen/Sokoban-easy-v0", 0, b"You left."),
        ("PYTHONIOENCODING=ascii $cli demo rftgen/Sokoban-easy-v0", 0, b"1 of 1 episodes won"),
        ("$cli envs --ids | head -n 1", 0, b"rftgen/"),
        ("$cli envs >&-", 0, b""),
        ("$cli play rftgen/Sokoban-easy-v0 >&- </dev/null", 0, b""),
        ("$cli demo rftgen/Sokoban-easy-v0 2>&-", 0, b"1 of 1 episodes won"),
        ("$cli demo nowhere 2>&-", 2, b""),
        ("$cli demo nowhere >&- 2>&-", 2, b""),
        ("$cli demo nowhere 2>/dev/full", 2, b""),
        ("env -u HOME -u TERM $cli demo rftgen/Sokoban-easy-v0", 0, b"1 of 1 episodes won"),
        ("COLUMNS=1 $cli show rftgen/Sokoban-easy-v0", 0, b"native"),
        (
            "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 $cli demo rftgen/Sokoban-easy-v0",
            0,
            b"1 of",
        ),
        ("cd $TMP/gone && rmdir ../gone && $cli demo rftgen/Sokoban-easy-v0", 0, b"1 of 1"),
    ],
)
def test_any_surroundings_will_do(command: str, code: int, said: bytes, tmp_path: Path) -> None:
    """Streams that are closed, full or no text; no home, terminal, locale or folder."""
    (tmp_path / "gone").mkdir()
    done = shell(command, TMP=str(tmp_path))

    assert (done.returncode, done.stderr) == (code, b"")
    assert said in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="the shell is POSIX's")
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("cd $TMP/gone && rmdir ../gone && $cli study run quick --yes", b"working folder is gone"),
        ("$cli study run quick --yes --executor mars", b"Unknown executor 'mars'"),
        ("PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 LC_ALL=C $cli study run é.toml", b"set the variable"),
        ("$cli calibrate rftgen/Sokoban-easy-v0 --model random --out /", b"begin with a name"),
        (
            "$cli calibrate rftgen/Sokoban-easy-v0 --model random --out /dev/null/x",
            b"a part of it is a file",
        ),
    ],
)
def test_surroundings_that_will_not_do_are_one_sentence(
    command: str, said: bytes, tmp_path: Path
) -> None:
    """Said at once, before anything is imported, timed or written."""
    (tmp_path / "gone").mkdir()
    done = shell(command, TMP=str(tmp_path))

    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1
    assert said in done.stderr


def test_an_empty_path_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """It would be the working folder."""
    with pytest.raises(SystemExit, match="2"):
        main(["study", "run", "quick", "--yes", "--out", ""])

    assert "it is empty, and should be a path" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device is Linux's")
def test_a_full_disk_is_one_sentence() -> None:
    """Without a file name that nobody knows."""
    done = shell("$cli envs > /dev/full")

    assert done.returncode == 2
    assert done.stderr == b"agentgym-gen: No space left on device\n"


@pytest.mark.parametrize(
    "arguments", [["demo", "rftgen/Sokoban-easy-v0"], ["study", "run", "quick"]]
)
def test_only_a_stopped_study_goes_on(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other commands begin anew."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("agentgym_gen.cli.main.run", stop)
    monkeypatch.setattr("agentgym_gen.study.Study", stop)
    assert main(arguments) == 130

    goes_on = "the same command goes on from here" in capsys.readouterr().err
    assert goes_on == (arguments[0] == "study")


def test_a_folder_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the file."""
    monkeypatch.setattr("agentgym_gen.study.cost.estimate", lambda *_: "nothing")
    (tmp_path / "file").write_text("")
    assert main(["study", "run", "quick", "--yes", "--out", str(tmp_path / "file" / "x")]) == 2
    err = capsys.readouterr().err

    assert "Cannot write" in err
    assert len(err.splitlines()) == 1


def small_study(folder: Path) -> Path:
    """Write a plan whose training fails at once, as its model is none, and return its path."""
    path = folder / "mine.toml"
    path.write_text(
        'name = "mine"\nseeds = [0]\n[model]\nname = "no/such-model"\n'
        "[environments.Sokoban]\n[test]\ntasks = 2\n"
        '[cross]\nenvironments = ["Sokoban"]\n'
    )
    return path


def test_a_study_is_not_begun_without_a_yes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cost is said first; where nobody can be asked, the way out is."""
    monkeypatch.setattr("agentgym_gen.study.cost.estimate", lambda *_: "4 hours")
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert main(["study", "run", str(small_study(tmp_path)), "--out", str(tmp_path / "x")]) == 2
    told = capsys.readouterr()

    assert "To do: 4 hours" in told.out
    assert "add --yes to start at once" in told.err
    assert not (tmp_path / "x").exists()


def test_a_broken_plan_is_named_by_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On one line, with the key."""
    path = small_study(tmp_path)
    path.write_text(path.read_text().replace("tasks = 2", "taks = 2"))
    assert main(["study", "run", str(path)]) == 2

    assert "mine.toml, line 7: Unknown key 'test.taks'; did you mean 'tasks'?" in (
        capsys.readouterr().err
    )


def test_a_preset_is_printed_to_begin_with(capsys: pytest.CaptureFixture[str]) -> None:
    """As the TOML that it is."""
    assert main(["study", "show", "quick"]) == 0

    assert 'name = "quick"' in capsys.readouterr().out


def test_the_status_of_a_study_that_has_not_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything waits."""
    path = small_study(tmp_path)
    assert main(["study", "status", str(path), "--out", str(tmp_path / "x")]) == 0
    out = capsys.readouterr().out

    assert "0 % mine in" in out
    assert "(not running)" in out
    assert "waits" in out


def test_data_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """In a sentence, with the nearest name."""
    assert main(["data", "smolm2"]) == 2

    assert "did you mean 'smollm2'?" in capsys.readouterr().err
