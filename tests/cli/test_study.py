"""``agentgym-gen study``: starting a study, its status and its presets."""

import dataclasses
import io
import json
from pathlib import Path

import pytest
from pretend_study import PretendRecipe

from agentgym_gen.cli.main import main
from agentgym_gen.cli.study import PRESETS
from agentgym_gen.study import load_plan, run_plan
from agentgym_gen.study.plan.parser import preset_names


def small_study(folder: Path) -> Path:
    """Write a plan whose model does not exist, so that training fails at once; return its path."""
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
    """The cost is printed first; where nobody can be asked, the error names the option."""
    monkeypatch.setattr("agentgym_gen.study.run.cost.estimate_cost", lambda *_: "4 hours")
    monkeypatch.setattr("agentgym_gen.study.run.memory.plan_memory", lambda *_: [])
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert main(["study", "run", str(small_study(tmp_path)), "--out", str(tmp_path / "x")]) == 2
    printed = capsys.readouterr()

    assert "To do: 4 hours" in printed.out
    assert "add --yes to start at once" in printed.err
    assert not (tmp_path / "x").exists()


def test_the_end_of_the_input_is_no_yes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The study is not begun."""
    monkeypatch.setattr("agentgym_gen.study.run.cost.estimate_cost", lambda *_: "4 hours")
    monkeypatch.setattr("agentgym_gen.study.run.memory.plan_memory", lambda *_: [])
    terminal = io.StringIO("")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)

    assert main(["study", "run", str(small_study(tmp_path)), "--out", str(tmp_path / "x")]) == 130
    assert "stopped" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_broken_plan_is_named_by_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the file, the line and the key."""
    path = small_study(tmp_path)
    path.write_text(path.read_text().replace("tasks = 2", "taks = 2"))
    assert main(["study", "run", str(path)]) == 2

    assert "mine.toml, line 7: Unknown key 'test.taks'; did you mean 'tasks'?" in (
        capsys.readouterr().err
    )


def test_the_help_names_every_preset() -> None:
    """Those that the package has."""
    assert sorted(PRESETS) == sorted(preset_names())


def test_a_preset_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """A preset is printed as TOML, to begin a plan of your own."""
    assert main(["study", "show", "quick"]) == 0

    assert 'name = "quick"' in capsys.readouterr().out


def test_the_status_of_a_study_that_has_not_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The status says that nothing runs and everything waits."""
    path = small_study(tmp_path)
    assert main(["study", "status", str(path), "--out", str(tmp_path / "x")]) == 0
    out = capsys.readouterr().out

    assert "0 % mine in" in out
    assert "(not running)" in out
    assert "waits" in out


def test_the_seeds_of_a_plan_can_be_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The models have these seeds; the plan's own are another plan, which is refused by its key."""
    monkeypatch.setattr("agentgym_gen.study.run.cost.estimate_cost", lambda *_: "nothing")
    monkeypatch.setattr("agentgym_gen.study.run.memory.plan_memory", lambda *_: [])
    plan, out = str(small_study(tmp_path)), tmp_path / "x"
    arguments = ["study", "run", plan, "--yes", "--out", str(out)]
    assert main([*arguments, "--seeds", "3", "5"]) == 2
    assert "jobs failed" in capsys.readouterr().err
    seeds = {path.name.partition(".")[2] for path in (out / "models").iterdir()}
    assert seeds == {"s3", "s5"}
    assert main(arguments) == 2

    assert "there `seeds` is [3, 5], and here it is [0]" in capsys.readouterr().err


def test_the_status_is_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has the same numbers as the lines: here two models of one arm family, nothing done."""
    path = small_study(tmp_path)
    assert main(["study", "status", str(path), "--out", str(tmp_path / "x"), "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    models = status.pop("models")

    assert status == {
        "study": "mine",
        "out": str(tmp_path / "x"),
        "running": False,
        "share": 0.0,
        "failures": [],
        "notes": [],
    }
    assert models[-1] == {
        "name": "sokoban-easy.s0",
        "training": "waits",
        "cells": 1,
        "complete": 0,
        "failed": [],
    }


def test_a_folder_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence says that the file cannot be written."""
    monkeypatch.setattr("agentgym_gen.study.run.cost.estimate_cost", lambda *_: "nothing")
    monkeypatch.setattr("agentgym_gen.study.run.memory.plan_memory", lambda *_: [])
    (tmp_path / "file").write_text("")
    assert main(["study", "run", "quick", "--yes", "--out", str(tmp_path / "file" / "x")]) == 2
    err = capsys.readouterr().err

    assert "Cannot write" in err
    assert len(err.splitlines()) == 1


def test_an_empty_path_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty path, which would be the working folder, is an error."""
    with pytest.raises(SystemExit, match="2"):
        main(["study", "run", "quick", "--yes", "--out", ""])

    assert "it is empty, and should be a path" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["status", "report"])
def test_results_keep_their_seeds_whatever_the_plan_says_now(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """A preset was run with more seeds; another plan is refused."""
    path, out = small_study(tmp_path), tmp_path / "out"
    plan = dataclasses.replace(load_plan(path), seeds=(0, 1))
    run_plan(plan, out, log=str, recipe=PretendRecipe())
    assert main(["study", command, str(path), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    report = out / "report.md"
    assert "2 training seeds" in report.read_text() if command == "report" else "s1 " in printed

    path.write_text(path.read_text().replace("tasks = 2", "tasks = 3"))
    assert main(["study", command, str(path), "--out", str(out)]) == 2
    assert "another plan: there `test.tasks` is 2, and here it is 3" in capsys.readouterr().err


def test_a_folder_of_results_has_no_other_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--out is where the results of a plan are; it would be ignored here."""
    run_plan(load_plan(small_study(tmp_path)), tmp_path / "x", log=str, recipe=PretendRecipe())

    assert main(["study", "status", str(tmp_path / "x"), "--out", str(tmp_path / "y")]) == 2
    assert "holds results already" in capsys.readouterr().err
    assert main(["study", "status", str(tmp_path / "x")]) == 0
