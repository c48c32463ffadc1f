"""The report of a small study, as a page and as Markdown."""

import csv
import html
import html.parser
import io
import re
import urllib.parse
from dataclasses import replace
from pathlib import Path

import pytest
from pretend_study import SMALL, PretendRecipe, small_plan

from agentgym_gen.describe.line_chart import LineChart, LineSeries
from agentgym_gen.errors import DataError
from agentgym_gen.study import Results, Study, parse_plan, run_plan
from agentgym_gen.study.analysis.descriptors import held_out_cells
from agentgym_gen.study.analysis.statistics import Estimate
from agentgym_gen.study.plan.plan import BASE
from agentgym_gen.study.report.context import ReportContext
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
from agentgym_gen.study.report.sections.summary import headlines
from agentgym_gen.study.report.sections.summary import opening as about_size
from agentgym_gen.study.results.rows import read_cells, read_episodes
from agentgym_gen.study.run.status import status_lines


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return the small study with its results and its report."""
    small = Study(small_plan(), tmp_path_factory.mktemp("study"))
    run_plan(small.plan, small.out, log=str, recipe=PretendRecipe())
    small.report()
    return small


@pytest.fixture(scope="module")
def page(study: Study) -> str:
    """Return the page of its report."""
    return (study.out / "report.html").read_text(encoding="utf-8")


class Outline(html.parser.HTMLParser):
    """Collects open tags, anchors, links, and the addresses that are loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open_tags: list[str] = []
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag not in ("meta", "link", "wbr", "br"):
            self.open_tags.append(tag)
        self.anchors |= {attributes["id"]} if attributes.get("id") else set()  # type: ignore[arg-type]
        target = attributes.get("href") or ""
        if target.startswith("#"):
            self.links.add(target[1:])
        self.loads += [
            v for k in ("src", "href") if (v := attributes.get(k)) and v.startswith("http")
        ]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag


def test_the_page_stands_alone(page: str) -> None:
    """Its tags are closed, its links lead to its own anchors, and it loads nothing."""
    outline = Outline()
    outline.feed(page)

    assert outline.open_tags == []
    assert outline.links - outline.anchors == set()
    assert outline.loads == []
    assert not re.search(r"url\(|@import", page)


def test_every_cell_has_two_tasks_before_and_after(page: str, study: Study) -> None:
    """They are of the first seed, and the gain of the cell links to them."""
    cells = [cell for cell in study.plan.all_cells() if cell.model.seed == 0]
    trained = [cell for cell in cells if cell.model.stages]

    assert page.count("<details id=") == len(cells)
    assert page.count('class="talk"') == 2 * len(cells)
    assert page.count("<b>before</b>") == page.count("<b>after</b>") == 2 * len(trained)
    assert 'href="#talk-sokoban-easy-Sokoban-medium"' in page


SECTIONS = ("In short", "Beside the paper", "From one environment to another", "From easy to hard",
            "One environment after another", "From one interface to another", "Learning curves",
            "How episodes fail", "Turns, tokens and valid actions", "Conversations",
            "How to read this")  # fmt: skip


def test_both_forms_have_every_section(page: str, study: Study) -> None:
    """The sections have the same order on the page and in Markdown."""
    text = (study.out / "report.md").read_text(encoding="utf-8")
    titles = [line[3:] for line in text.splitlines() if line.startswith("## ")]

    assert [title for title in titles if title != "What goes with transfer"] == list(SECTIONS)
    assert all(f">{title}</h2>" in page for title in SECTIONS)


def test_figures_lie_beside_the_markdown(study: Study) -> None:
    """Every figure that the Markdown names is a file."""
    text = (study.out / "report.md").read_text(encoding="utf-8")
    names = re.findall(r"\]\((figures/[^)]+)\)", text)

    assert len(names) > 3
    assert all((study.out / name).read_text().startswith("<svg") for name in names)


def test_every_table_can_be_had_as_csv(page: str) -> None:
    """The link has the numbers of the table, the interval in a column of its own."""
    texts = [
        urllib.parse.unquote(text) for text in re.findall(r"data:text/csv[^,]*,([^\"]*)", page)
    ]
    heat_map = list(csv.reader(io.StringIO(html.unescape(texts[0]))))

    assert len(texts) == page.count("<table") + page.count('class="forest"')
    assert heat_map[0][:3] == ["trained on / tested on", "Sokoban-easy", "Sokoban-easy, below"]
    assert heat_map[1][0] == "base, %"
    assert re.fullmatch(r"\[\d+\.\d, \d+\.\d\]", heat_map[1][2])


def test_statistical_words_have_a_definition(page: str) -> None:
    """The first caption explains the adjustment and the intervals where they are named."""
    caption = page.partition("<figcaption>")[2].partition("</figcaption>")[0]

    assert '(Holm 1979)">Holm&#39;s adjustment</abbr>' in caption
    assert ">95 % intervals</abbr>" in caption


def test_a_forest_has_round_numbers_on_its_scale() -> None:
    """From two to seven of them, with the unit."""
    forest = Forest([("a", Estimate(0.1, -0.2, 0.3, 10))], "", -0.3, 0.3)
    markup = str(forest.to_html())

    assert forest.ticks() == [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3]
    assert re.findall(r"<text [^>]*>([^<]*)</text>", markup) == [
        "-30", "-20", "-10", "0", "+10", "+20", "+30",
    ]  # fmt: skip
    assert "points" in markup


def test_a_learning_curve_has_its_own_scale_and_the_level_of_the_base(study: Study) -> None:
    """The base is a dashed line of its own, and a long title is whole."""
    pictures = [p.read_text() for p in sorted((study.out / "figures").glob("curves-*.svg"))]
    title = "a name of many parts " * 6
    chart = LineChart(title, [LineSeries("a", [0, 1], [0, 1])], []).svg()

    assert any("stroke-dasharray" in picture and ">base<" in picture for picture in pictures)
    assert " ".join(re.findall(r'class="title">([^<]*)<', chart)) == title.strip()


def test_every_claim_has_the_papers_number(page: str) -> None:
    """All ten numbers are marked as second-hand."""
    assert len(re.findall(r"The paper, second-hand: ", page)) == 10
    assert "WebShop hard, 7B: 17.4 to 77.5 (+60.1)" in page


def test_a_report_of_few_seeds_says_so(page: str) -> None:
    """The sentence stands before any number."""
    place = page.index("the intervals cover the noise of the evaluation only")

    assert place < page.index(">In short<", page.index("</nav>"))


def test_intervals_and_n_stand_with_the_numbers(page: str) -> None:
    """Every cell has an interval, and every heat map the sizes of its sample."""
    assert re.sub(r"</?abbr[^>]*>", "", page).count("n = 6 tasks x 2 training seeds a cell") >= 4
    assert re.search(r"<td[^>]*>.*?[+-]\d+\.\d.*?<small>\[[+-]\d+\.\d, [+-]\d+\.\d\]</small>", page)


def test_the_same_rows_give_the_same_report(page: str, study: Study) -> None:
    """Both pages are the same text."""
    study.report()

    assert (study.out / "report.html").read_text(encoding="utf-8") == page


def test_an_unfinished_study_has_a_report_that_says_so(tmp_path: Path) -> None:
    """It names what failed and why."""
    study = Study(small_plan(seeds=(0,)), tmp_path)
    run_plan(study.plan, tmp_path, log=str, recipe=PretendRecipe(fail_at="mixture.s0"))
    text = make_report(study.plan, tmp_path).markdown()

    assert "**2 of 17 cells have no result yet.**" in text
    assert "- train mixture.s0: the graphics card is on fire" in text


def test_without_a_base_there_is_no_report(tmp_path: Path) -> None:
    """The error says to run the study first."""
    with pytest.raises(DataError, match="run the study first"):
        make_report(small_plan(), tmp_path)


def test_a_document_is_the_same_in_both_forms() -> None:
    """A heading, a sentence with a bold word and a table become both HTML and Markdown."""
    rows = [("a|b", [TableCell("+1.0", "[0, 2]", 0.5, bold=True, framed=True)])]
    blocks = [Heading("H", "h"), Text("some **strong** words"), Table(["x", "y"], rows, "n = 3")]

    assert Document("T", blocks).markdown() == (  # type: ignore[arg-type]
        "# T\n\n## H\n\nsome **strong** words\n\n| x | y |\n|---|---|\n"
        "| a\\|b | **+1.0 [0, 2]** (held in) |\n\nn = 3\n"
    )
    assert str(blocks[1].to_html()) == "<p>some <b>strong</b> words</p>"
    assert '<td class="sure own up10">' in str(blocks[2].to_html())


def test_the_text_of_a_model_cannot_become_markup() -> None:
    """The text is escaped wherever it is shown."""
    assert "<script>" not in str(TableCell("<script>").to_html())
    assert "<script>" not in str(Text("<script>").to_html())


def test_a_forest_places_estimates_on_its_scale() -> None:
    """On a scale from -1 to 1, 0.5 [0, 1] is at 75 % with a width of 50 %."""
    markup = str(Forest([("a", Estimate(0.5, 0.0, 1.0, 9))], "c", -1, 1).to_html())

    assert 'class="dot" cx="75.0%"' in markup
    assert 'class="span" x="50.0%" width="50.0%"' in markup
    assert "+50.0 [+0.0, +100.0]" in markup


def test_losses_and_gains_have_different_colours() -> None:
    """The colour is stronger for a larger number."""
    assert colour(0.5).startswith("rgba(37,110,220")
    assert colour(-0.5).startswith("rgba(226,110,20")
    assert colour(2) == colour(1) != colour(0.1)


def test_a_chart_draws_every_line_with_its_intervals() -> None:
    """It escapes names as well."""
    lines = [
        LineSeries("a<b", [0, 1], [0.0, 1.0], [(0.0, 0.1), (0.9, 1.0)]),
        LineSeries("c", [0, 1], [0, 0]),
    ]
    picture = LineChart("t", lines, [(0, "start")]).svg()

    assert picture.count("<polyline") == 2
    assert picture.count("<circle") == 2 + 2
    assert "a&lt;b" in picture


def test_a_column_that_an_arm_was_trained_on_is_held_in(study: Study) -> None:
    """Any stage counts, and any part of a mixture; the headlines use the same rule."""
    context = ReportContext(study.results(), study.plan.arms)
    mixture = next(arm for arm in study.plan.arms if arm.family == "mixture")
    sequence = next(arm for arm in study.plan.arms if arm.family == "sequence")
    trained = [*mixture.stages[0].env_ids, *(i for stage in sequence.stages for i in stage.env_ids)]

    assert all(context.is_held_in(mixture.name, env_id) for env_id in mixture.stages[0].env_ids)
    assert {i for i in sequence.columns if context.is_held_in(sequence.name, i)} <= set(trained)


def section(report: str, title: str) -> str:
    """Return the text of *report* below the heading *title*."""
    return report.partition(f"## {title}\n")[2].partition("\n## ")[0]


def opening(report: str) -> str:
    """Return the text of *report* above its first section: the answer and its heat map."""
    return report.partition("\n## ")[0]


def test_a_report_opens_with_the_answer_and_its_heat_map(study: Study) -> None:
    """The sentence has both means and n; with few seeds it answers for no other training."""
    document = make_report(study.plan, study.out)
    text = opening(document.markdown())
    answer = next(line for line in text.splitlines() if line.startswith("Success changed by "))

    assert re.search(r"\(mean of \d arms, 2 training seeds\): with fewer than 3", answer)
    assert "| trained on / tested on | Sokoban-easy |" in text
    assert document.summary[0] == answer
    assert not any("*" in sentence for sentence in document.summary)


def test_a_report_of_few_seeds_says_nothing_is_sure(study: Study) -> None:
    """No number is bold, no headline is sure, and no claim agrees or disagrees."""
    report = (study.out / "report.md").read_text(encoding="utf-8")
    bold = [words for words in re.findall(r"\*\*(.*?)\*\*", report) if words[0] in "+-0123456789"]

    assert bold == []
    assert "sure after Holm" not in report
    assert "With fewer than 3 training seeds none of these is sure." in section(report, "In short")
    assert not re.search(r"\| (agrees|disagrees) \|", report)
    assert 'class="row sure' not in (study.out / "report.html").read_text(encoding="utf-8")


def test_a_report_warns_by_the_seeds_of_its_gains(tmp_path: Path) -> None:
    """The base may have more seeds than its arms, and some arms more than others."""
    plan = small_plan(seeds=(0, 1, 2))
    run_plan(plan, tmp_path, log=str, recipe=PretendRecipe())
    cells, rows = read_cells(tmp_path, plan), read_episodes(tmp_path, plan)
    arms = list(dict.fromkeys(row["arm"] for row in rows if row["arm"] != BASE))

    def opened(*lacking: str) -> str:
        kept = [row for row in rows if row["arm"] not in lacking or row["seed"] == 0]
        context = ReportContext(Results(kept), plan.arms)
        return "\n".join(b.to_markdown() for b in about_size(context, plan, kept, cells, tmp_path))

    assert "cover the noise of" not in opened()
    assert "**With 1 training seed the intervals cover" in opened(*arms)
    assert re.search(r"\*\*The intervals of \d+ of \d+ gains do not cover", opened(arms[0]))


def test_a_report_of_three_seeds_says_what_is_sure(tmp_path: Path) -> None:
    """It counts the held-in gains above zero, and some claims have a verdict."""
    plan = small_plan(seeds=(0, 1, 2), tasks=20)
    run_plan(plan, tmp_path, log=str, recipe=PretendRecipe())
    report = make_report(plan, tmp_path).markdown()
    context = ReportContext(Study(plan, tmp_path).results(), plan.arms)
    number = sum(context.is_held_in(*pair) for pair in context.gains)

    assert f" of {number} held-in gains have an interval above zero" in report
    assert "**+" in opening(report)
    assert re.search(r"\| (agrees|disagrees) \|", section(report, "Beside the paper"))


def test_an_arm_without_an_update_is_no_trained_model(tmp_path: Path) -> None:
    """It is grey in the tables, in no claim and no headline, and the report says why."""
    plan = small_plan(seeds=(0,))
    run_plan(plan, tmp_path, log=str, recipe=PretendRecipe(idle_at="sokoban-easy"))
    document = make_report(plan, tmp_path)
    report = document.markdown()
    summary, claims = section(report, "In short"), section(report, "Beside the paper")

    reason = "no update: no group held both a success and a failure"
    assert f"- sokoban-easy.s0: {reason}" in summary
    assert "points, sokoban-easy on" not in summary
    assert "changed the model: sokoban-easy" in claims
    assert not re.search(r"\| sokoban-easy (on|raises|against)", claims)
    assert re.search(r"\| sokoban-easy (\| no update )+\|", report)
    assert "sokoban-easy" not in set(Study(plan, tmp_path).gains()["arm"])
    assert f"sokoban-easy.s0: {reason}" in status_lines(plan, tmp_path)
    assert f"Grey: {reason}, so that the arm is its base." in report
    assert '<td class="none">no update</td>' in "".join(b.to_html() for b in document.blocks)


def test_a_study_of_which_nothing_was_trained_has_a_report(tmp_path: Path) -> None:
    """It has the base's scores, and no gain."""
    plan = small_plan(seeds=(0,))
    recipe = PretendRecipe()
    run_plan(plan, tmp_path, log=str, recipe=recipe)
    for path in tmp_path.glob("models/*/log.jsonl"):
        path.write_text('{"step": 1, "success": 0.0, "groups": 2, "episodes": 8}\n')
    report = make_report(plan, tmp_path).markdown()

    assert "No trained model" in section(report, "In short")
    assert "(held in)" not in report


def test_no_gain_is_called_largest_that_is_not_above_zero() -> None:
    """Where nothing rises, the sentence says so."""
    rows = [
        {"arm": name, "column": "rftgen/Sokoban-easy-v0", "seed": seed, "task_id": f"t{task}",
         "success": False, "score": 0.0}
        for name in ("base", "sokoban-easy") for seed in range(3) for task in range(5)
    ]  # fmt: skip
    arms = [arm for arm in small_plan().arms if arm.name == "sokoban-easy"]
    _, bullets = headlines(ReportContext(Results(rows), arms))

    assert bullets.to_markdown().splitlines() == [
        "- No gain held in is above zero.",
        "- 0 of 1 held-in gains have an interval above zero.",
    ]


def test_a_column_whose_interface_is_sampled_has_a_report(tmp_path: Path) -> None:
    """The cells of such a column are in the tables; the regression of transfer leaves them out."""
    text = SMALL.replace(
        'test = ["native", "listed"]',
        'test = ["native", "listed", "menu", "symbols", "random without=json"]',
    )
    study = Study(replace(parse_plan(text), seeds=(0,)), tmp_path)
    run_plan(study.plan, study.out, log=str, recipe=PretendRecipe())
    report = study.report().read_text(encoding="utf-8")

    assert "random_without=json" in report
    cells = {cell.column for cell in held_out_cells(study.plan.arms)}
    assert not [column for column in cells if "random" in column]
