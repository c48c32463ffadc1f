"""The report of a small study, as a page and as Markdown."""

import html.parser
import re
from pathlib import Path

import pytest
from agentgym_gen.study.sections import ReportContext
from pretend_study import PretendRecipe, small_plan

from agentgym_gen.describe.line_chart import LineChart, LineSeries
from agentgym_gen.errors import DataError
from agentgym_gen.study import Study, run_plan
from agentgym_gen.study.analysis.statistics import Estimate
from agentgym_gen.study.report.document import (
    Document,
    Forest,
    Heading,
    Table,
    TableCell,
    Text,
    colour,
)
from agentgym_gen.study.report.report import make_report


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return the small study, run and reported."""
    made = Study(small_plan(), tmp_path_factory.mktemp("study"))
    run_plan(made.plan, made.out, log=str, recipe=PretendRecipe())
    made.report()
    return made


@pytest.fixture(scope="module")
def page(study: Study) -> str:
    """Return its page."""
    return (study.out / "report.html").read_text(encoding="utf-8")


class Outline(html.parser.HTMLParser):
    """Collects tags that are open, anchors, links, and what is loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in ("meta", "link", "wbr", "br"):
            self.open.append(tag)
        self.anchors |= {found["id"]} if found.get("id") else set()  # type: ignore[arg-type]
        target = found.get("href") or ""
        if target.startswith("#"):
            self.links.add(target[1:])
        self.loads += [v for k in ("src", "href") if (v := found.get(k)) and v.startswith("http")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone(page: str) -> None:
    """Its tags close, its links lead somewhere in it, and it loads nothing."""
    outline = Outline()
    outline.feed(page)

    assert outline.open == []
    assert outline.links - outline.anchors == set()
    assert outline.loads == []
    assert not re.search(r"url\(|@import", page)


def test_every_cell_has_two_conversations(page: str, study: Study) -> None:
    """Of the first seed, and a gain leads to them."""
    cells = [cell for cell in study.plan.all_cells() if cell.model.seed == 0]

    assert page.count("<details id=") == len(cells)
    assert page.count('class="talk"') == 2 * len(cells)
    assert 'href="#talk-sokoban-easy-Sokoban-medium"' in page


SECTIONS = ("In short", "Beside the paper", "From one environment to another", "From easy to hard",
            "One environment after another", "From one interface to another", "Learning curves",
            "How episodes fail", "Turns, tokens and valid actions", "Conversations",
            "How to read this")  # fmt: skip


def test_both_forms_have_every_section(page: str, study: Study) -> None:
    """In one order."""
    text = (study.out / "report.md").read_text(encoding="utf-8")
    found = [line[3:] for line in text.splitlines() if line.startswith("## ")]

    assert [title for title in found if title != "What goes with transfer"] == list(SECTIONS)
    assert all(f">{title}</h2>" in page for title in SECTIONS)


def test_figures_lie_beside_the_markdown(study: Study) -> None:
    """Each that it names."""
    text = (study.out / "report.md").read_text(encoding="utf-8")
    named = re.findall(r"\]\((figures/[^)]+)\)", text)

    assert len(named) > 3
    assert all((study.out / name).read_text().startswith("<svg") for name in named)


def test_the_paper_is_beside_every_claim_and_marked(page: str) -> None:
    """Second-hand, all ten."""
    assert len(re.findall(r"The paper, second-hand: ", page)) == 10
    assert "WebShop hard, 7B: 17.4 to 77.5 (+60.1)" in page


def test_few_seeds_are_said_plainly(page: str) -> None:
    """Before any number."""
    place = page.index("the intervals cover the noise of the evaluation only")

    assert place < page.index(">In short<", page.index("</nav>"))


def test_intervals_and_n_stand_with_the_numbers(page: str) -> None:
    """In the caption of every heat map."""
    assert page.count("n = 6 tasks x 2 training seeds a cell") >= 4
    assert re.search(r"<td[^>]*>.*?[+-]\d+\.\d.*?<small>\[[+-]\d+\.\d, [+-]\d+\.\d\]</small>", page)


def test_the_same_rows_give_the_same_report(page: str, study: Study) -> None:
    """To the letter."""
    study.report()

    assert (study.out / "report.html").read_text(encoding="utf-8") == page


def test_an_unfinished_study_has_a_report_that_says_so(tmp_path: Path) -> None:
    """With what failed and why."""
    study = Study(small_plan(seeds=(0,)), tmp_path)
    run_plan(study.plan, tmp_path, log=str, recipe=PretendRecipe(fail_at="mixture.s0"))
    text = make_report(study.plan, tmp_path).markdown()

    assert "**2 of 17 cells have no result yet.**" in text
    assert "- train mixture.s0: the graphics card is on fire" in text


def test_without_a_base_there_is_no_report(tmp_path: Path) -> None:
    """Nor without rows."""
    with pytest.raises(DataError, match="run the study first"):
        make_report(small_plan(), tmp_path)


def test_a_document_is_the_same_in_both_forms() -> None:
    """A heading, a sentence with a strong word, a table whose entry is held in."""
    rows = [("a|b", [TableCell("+1.0", "[0, 2]", 0.5, bold=True, framed=True)])]
    blocks = [Heading("H", "h"), Text("some **strong** words"), Table(["x", "y"], rows, "n = 3")]

    assert Document("T", blocks).markdown() == (  # type: ignore[arg-type]
        "# T\n\n## H\n\nsome **strong** words\n\n| x | y |\n|---|---|\n"
        "| a\\|b | **+1.0 [0, 2]** (held in) |\n\nn = 3\n"
    )
    assert blocks[1].to_html() == "<p>some <b>strong</b> words</p>"
    assert '<td class="sure own" style="background:rgba(' in blocks[2].to_html()


def test_what_a_model_says_cannot_become_markup() -> None:
    """Its text is escaped wherever it is shown."""
    assert "<script>" not in TableCell("<script>").to_html()
    assert "<script>" not in Text("<script>").to_html()


def test_a_forest_places_estimates_on_its_scale() -> None:
    """From -1 to 1, 0.5 [0, 1] is at 75 % with a span of 50 %."""
    shown = Forest([("a", Estimate(0.5, 0.0, 1.0, 9))], "c", -1, 1).to_html()

    assert 'class="dot" style="left:75.0%"' in shown
    assert 'class="span" style="left:50.0%;width:50.0%"' in shown
    assert "+50.0 [+0.0, +100.0]" in shown


def test_losses_and_gains_have_different_colours() -> None:
    """Of a strength that grows with the number."""
    assert colour(0.5).startswith("rgba(37,110,220")
    assert colour(-0.5).startswith("rgba(226,110,20")
    assert colour(2) == colour(1) != colour(0.1)


def test_a_chart_draws_every_line_with_its_intervals() -> None:
    """And escapes names."""
    lines = [
        LineSeries("a<b", [0, 1], [0.0, 1.0], [(0.0, 0.1), (0.9, 1.0)]),
        LineSeries("c", [0, 1], [0, 0]),
    ]
    picture = LineChart("t", lines, [(0, "start")]).svg()

    assert picture.count("<polyline") == 2
    assert picture.count("<circle") == 2 + 2
    assert "a&lt;b" in picture


def test_what_an_arm_was_trained_on_is_held_in(study: Study) -> None:
    """In any of its stages, or as a part of a mixture; the headlines count it so."""
    book = ReportContext(study.results(), study.plan.arms)
    mixed = next(arm for arm in study.plan.arms if arm.family == "mixture")
    sequence = next(arm for arm in study.plan.arms if arm.family == "sequence")
    trained = [*mixed.stages[0].env_ids, *(i for stage in sequence.stages for i in stage.env_ids)]

    assert all(book.held_in(mixed.name, env_id) for env_id in mixed.stages[0].env_ids)
    assert {i for i in sequence.columns if book.held_in(sequence.name, i)} <= set(trained)
    number = sum(book.held_in(*pair) for pair in book.gains)
    assert f" of {number} held-in gains" in (study.out / "report.md").read_text(encoding="utf-8")
