"""The command `compare`."""

import json
from pathlib import Path

import pytest
from made_evaluations import CRAFT, EASY, of_tasks, write_evaluation

from agentgym_gen.cli.main import main


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """Return the folders of a base and of a model that wins more."""
    for name, won in (("base", 2), ("mine", 18)):
        outcomes = {c: of_tasks([1] * won + [0] * (20 - won)) for c in (EASY, CRAFT)}
        write_evaluation(tmp_path / name, outcomes)
    return [str(tmp_path / "base"), str(tmp_path / "mine")]


def test_it_prints_a_table_and_the_verdict(
    folders: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A star marks a difference that is below 0.05 after Holm."""
    assert main(["compare", *folders]) == 0
    output = capsys.readouterr().out

    assert "Sokoban-easy" in output
    assert "+80.0 [" in output
    assert "] *" in output
    assert "mine beside base: better, +80.0 points" in output


def test_it_prints_where_the_model_was_trained_and_its_probes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Held in 16 of 20 tasks more; of the 18 native wins 9 are won with symbols."""
    for name, won in (("base", 2), ("mine", 18)):
        outcomes = {EASY: of_tasks([1] * won + [0] * (20 - won)), CRAFT: of_tasks([0] * 20)}
        outcomes[f"{EASY}?interface=symbols"] = of_tasks([1] * (won // 2) + [0] * (20 - won // 2))
        write_evaluation(tmp_path / name, outcomes)
    folders = [str(tmp_path / "base"), str(tmp_path / "mine")]
    assert main(["compare", *folders, "--trained-on", EASY]) == 0
    output = capsys.readouterr().out

    assert "  held in: +80.0 [" in output
    assert "  held out, same environment: +40.0 [" in output
    assert "  held out, other environments: +0.0 [" in output
    assert "  consistency, symbols: 50.0 % [" in output
    assert "  reliance, with meaningless verbs: +45.0 [" in output


def test_it_prints_json_and_nothing_else(
    folders: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A script reads it."""
    assert main(["compare", *folders, "--json", "--trained-on", EASY]) == 0
    numbers = json.loads(capsys.readouterr().out)

    assert numbers["overall"][0]["verdict"] == "better"
    assert {row["group"] for row in numbers["groups"]} > {"held in"}


def test_it_writes_the_page(
    folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last line says where; a second time it is refused without --replace."""
    out = str(tmp_path / "out")
    assert main(["compare", *folders, "--out", out]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"Written to {tmp_path / 'out/compare.html'}"
    assert main(["compare", *folders, "--out", out]) == 2
    assert "--replace" in capsys.readouterr().err
    assert main(["compare", *folders, "--out", out, "--replace"]) == 0


def test_what_a_model_is_called_moves_no_number(
    folders: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Else a name could be looked for under which a difference is significant."""
    intervals = set()
    for names in ((), ("a", "b"), ("c", "d")):
        named = [word for name in names for word in ("--name", name)]
        assert main(["compare", *folders[:2], *named, "--json"]) == 0
        overall = json.loads(capsys.readouterr().out)["overall"][0]
        intervals.add((overall["low"], overall["high"]))

    assert len(intervals) == 1


def test_options_are_called_as_they_are_written(
    folders: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One name for several models, and a page that would not be written."""
    assert main(["compare", *folders, "--name", "a"]) == 2
    assert "--name are" in capsys.readouterr().err
    assert main(["compare", *folders, "--replace"]) == 2
    assert "--replace is about the page in --out" in capsys.readouterr().err


def test_a_folder_that_is_none_is_one_sentence(
    folders: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It has exit code 2."""
    assert main(["compare", folders[0], "nowhere"]) == 2
    assert capsys.readouterr().err == (
        "agentgym-gen: nowhere holds no evaluation: there is no such folder\n"
    )
