"""The page of a comparison, its Markdown and its numbers."""

import json
from pathlib import Path

import pytest
from made_evaluations import CRAFT, EASY, MEDIUM, of_tasks, write_evaluation

from agentgym_gen.comparison import compare, write_comparison
from agentgym_gen.errors import DataError, ResultExistsError


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the page of a base and two checkpoints of one training."""
    folder = tmp_path_factory.mktemp("page")
    evaluations = []
    for name, won in (("base", 4), ("step-100", 8), ("step-200", 18)):
        outcomes = {
            column: of_tasks([0] * (20 - won) + [1] * won)
            for column in (EASY, MEDIUM, CRAFT, f"{EASY}?interface=symbols")
        }
        outcomes[CRAFT] = of_tasks([1] * (20 - won) + [0] * won)
        evaluations.append(write_evaluation(folder / name, outcomes))
    comparison = compare(*evaluations, trained_on=[EASY])
    assert write_comparison(comparison, folder / "out") == folder / "out" / "compare.html"
    return folder / "out"


def test_the_page_and_the_markdown_have_every_section(out: Path) -> None:
    """Both have them in the same order."""
    text = (out / "compare.md").read_text(encoding="utf-8")
    titles = [line[3:] for line in text.splitlines() if line.startswith("## ")]

    assert titles == [
        "By column", "Held in and held out", "The profile", "In the order of the models",
        "What a mean hides", "How episodes fail", "Where they differ", "How to read this",
    ]  # fmt: skip
    page = (out / "compare.html").read_text(encoding="utf-8")
    assert all(f">{title}</h2>" in page for title in titles)


def test_the_first_lines_are_the_verdicts(out: Path) -> None:
    """Each has its number, its interval and its n."""
    lines = (out / "compare.md").read_text(encoding="utf-8").splitlines()

    assert lines[2].startswith("- step-100 beside base: ")
    assert lines[3].startswith("- step-200 beside base: better, +35.0 points [")
    assert lines[3].endswith("over 4 columns, n = 60 tasks.")


def test_a_task_that_changed_is_shown_side_by_side(out: Path) -> None:
    """What the models wrote is escaped, and a gain and a loss are among the tasks."""
    page = (out / "compare.html").read_text(encoding="utf-8")

    assert "push by base" in page
    assert "push by step-200" in page
    assert "a &lt;box&gt;" in page
    assert "<box>" not in page
    assert "0 to 100 %" in page
    assert "100 to 0 %" in page


def test_the_numbers_are_beside_the_page(out: Path) -> None:
    """The JSON is what `as_dict` returns, and the figure is a file."""
    numbers = json.loads((out / "compare.json").read_text(encoding="utf-8"))

    assert numbers["models"] == ["base", "step-100", "step-200"]
    assert (out / "figures" / "learning-1.svg").read_text().startswith("<svg")


def test_a_comparison_is_not_overwritten(out: Path) -> None:
    """Unless that is asked for."""
    comparison = compare(out.parent / "base", out.parent / "step-100")
    with pytest.raises(ResultExistsError, match="--replace"):
        write_comparison(comparison, out)
    write_comparison(comparison, out.parent / "other")
    write_comparison(comparison, out.parent / "other", replace=True)


def test_a_transcript_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Nothing is written then."""
    folders = [write_evaluation(tmp_path / n, {EASY: of_tasks([n == "b"])}) for n in "ab"]
    (tmp_path / "b" / "transcripts.jsonl.gz").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"transcripts\.jsonl\.gz"):
        write_comparison(compare(*folders), tmp_path / "out")

    assert not (tmp_path / "out").exists()
