"""The command line as a whole: errors, exit codes, streams and signals."""

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from systems import needs

import agentgym_gen
from agentgym_gen.cli.main import build_parser, main


def test_arguments_are_called_like_options(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The library says `base_url`, and the command line --base-url; a file keeps its own names."""
    sokoban = "rftgen/Sokoban-easy-v0"
    assert main(["eval", "mine", "--base-url", "here", sokoban]) == 2
    assert ": --base-url is an address such as" in capsys.readouterr().err
    plan = tmp_path / "plan.toml"
    plan.write_text('name = "x"\nseeds = -1\n')
    assert main(["study", "run", str(plan)]) == 2
    assert "line 2: `seeds` is" in capsys.readouterr().err


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
        (["calibrate", "rftgen/Sokoban-v0", "--model", "smolm2"], "did you mean 'smollm2'?"),
        (["compare", "nowhere", "here"], "nowhere holds no evaluation: there is no such folder"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence names the value, and there is no traceback."""
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
def test_a_number_out_of_range_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The parser names the number and the least one that it accepts."""
    with pytest.raises(SystemExit, match="2"):
        main(["demo", "rftgen/Sokoban-easy-v0", *arguments])

    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evla"], "agentgym-gen: argument COMMAND: invalid choice: 'evla'; did you mean 'eval'?"),
        (["study", "rnu"], "agentgym-gen study: argument COMMAND: invalid choice: 'rnu'; did you"),
        (
            ["eval", "random", "--taks", "3"],
            "unrecognized arguments: --taks; did you mean '--tasks'?",
        ),
        (["eval", "random", "--shto=3"], "did you mean '--shots'? (see agentgym-gen eval --help)"),
        (["eval"], "required: MODEL (see agentgym-gen eval --help)"),
        (["serve", "--host", "localhost:80"], "'localhost:80' is more than a host; --port takes"),
        (["serve", "--host", "http://localhost"], "'http://localhost' is more than a host"),
        (["demo", "x", "\x1b[2J"], "unrecognized arguments: \\x1b[2J"),
    ],
)
def test_a_mistyped_word_is_one_sentence(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence has the nearest name, and where all of them are; the usage is not in its way."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    err = capsys.readouterr().err

    assert message in err
    assert len(err.splitlines()) == 1


def test_every_help_begins_with_what_the_command_does() -> None:
    """No command leaves its reader with a list of arguments alone."""
    parsers = [build_parser()]
    for parser in parsers:
        actions = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        parsers += [each for action in actions for each in action.choices.values()]

    assert len(parsers) > 18
    assert [parser.prog for parser in parsers if not parser.description] == []
    assert [
        f"{parser.prog} {action.dest}"
        for parser in parsers
        for action in parser._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ] == []


def test_unknown_data_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The error suggests the nearest name."""
    assert main(["data", "smolm2"]) == 2

    assert "did you mean 'smollm2'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["demo", "rftgen/Sokoban-easy-v0"], ["study", "run", "quick"]]
)
def test_only_a_stopped_study_can_be_resumed(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C a study says that it can be resumed, and a demo does not."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("agentgym_gen.cli.demo.run", stop)
    monkeypatch.setattr("agentgym_gen.study.Study", stop)
    assert main(arguments) == 130

    resumable = "the same command goes on from here" in capsys.readouterr().err
    assert resumable == (arguments[0] == "study")


def shell(command: str, **variables: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a shell *command* in which `$cli` is the command line."""
    cli = f"{shlex.quote(sys.executable)} -m agentgym_gen"
    environ = {**os.environ, **variables}
    return subprocess.run(
        command.replace("$cli", cli), shell=True, capture_output=True, env=environ, check=False
    )


@needs("POSIX", "this shell")
@pytest.mark.parametrize(
    ("command", "code", "output"),
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
def test_a_command_works_in_any_environment(
    command: str, code: int, output: bytes, tmp_path: Path
) -> None:
    """Streams may be closed, full or no text; home, terminal, locale and folder may be missing."""
    (tmp_path / "gone").mkdir()
    done = shell(command, TMP=str(tmp_path))

    assert (done.returncode, done.stderr) == (code, b"")
    assert output in done.stdout


@needs("POSIX", "this shell")
@pytest.mark.parametrize(
    ("command", "message"),
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
def test_an_environment_that_does_not_serve_is_one_sentence(
    command: str, message: bytes, tmp_path: Path
) -> None:
    """The error comes before anything is imported, measured or written."""
    (tmp_path / "gone").mkdir()
    done = shell(command, TMP=str(tmp_path))

    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1
    assert message in done.stderr


@needs("Linux", "/dev/full")
def test_a_full_disk_is_one_sentence() -> None:
    """The sentence names no file where the system names none."""
    done = shell("$cli envs > /dev/full")

    assert done.returncode == 2
    assert done.stderr == b"agentgym-gen: No space left on device\n"


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the name and the version, and ends without an error."""
    with pytest.raises(SystemExit) as end:
        main(["--version"])

    assert capsys.readouterr().out == f"agentgym-gen {agentgym_gen.__version__}\n"
    assert end.value.code == 0


def test_the_package_runs_as_a_module() -> None:
    """``python -m agentgym_gen`` is the command line."""
    process = subprocess.run(
        [sys.executable, "-m", "agentgym_gen", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert process.stdout == f"agentgym-gen {agentgym_gen.__version__}\n"
