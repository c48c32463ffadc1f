"""A comparison as one HTML page, as Markdown, and as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from agentgym_gen.comparison.columns import Group, PlayedColumn
from agentgym_gen.comparison.comparison import LEVEL, ChangedTask, Comparison
from agentgym_gen.comparison.probes import Probe
from agentgym_gen.describe.line_chart import LineChart, LineSeries
from agentgym_gen.errors import ResultExistsError
from agentgym_gen.study.analysis.statistics import Estimate
from agentgym_gen.study.report.document import (
    Block,
    Bullets,
    Document,
    Figure,
    Forest,
    Heading,
    Table,
    TableCell,
    Text,
    percent_interval,
    points_interval,
)
from agentgym_gen.study.report.inline import literal
from agentgym_gen.study.report.page import render_page
from agentgym_gen.study.results.rows import Row
from agentgym_gen.system.files import write_json, write_text

__all__ = ["DATA", "MARKDOWN", "PAGE", "make_document", "write_comparison"]

PAGE = "compare.html"
MARKDOWN = "compare.md"
DATA = "compare.json"
FIGURES = "figures"

MAX_TASKS = 6
"""How many tasks of each model are shown side by side."""

MAX_CHARS = 3000
"""How much of an episode the page shows."""

FULL_SHADE = 0.4
"""The difference that has the full colour."""


def write_comparison(comparison: Comparison, out: str | Path, *, replace: bool = False) -> Path:
    """Write the page, its Markdown and the numbers into the folder *out*; return the page's path.

    Raises:
        ResultExistsError: if *out* holds a comparison and *replace* is false.
        DataError: if a transcript cannot be read, or the folder cannot be written.
    """
    folder = Path(out)
    if (folder / DATA).exists() and not replace:
        raise ResultExistsError(
            f"{folder} holds a comparison; choose another folder, or replace it with --replace"
        )
    document = make_document(comparison)
    for figure in [block for block in document.blocks if isinstance(block, Figure)]:
        for number, panel in enumerate(figure.panels, 1):
            write_text(folder / FIGURES / f"{figure.name}-{number}.svg", str(panel))
    write_text(folder / PAGE, render_page(document))
    write_text(folder / MARKDOWN, document.markdown())
    write_json(folder / DATA, comparison.as_dict())
    return folder / PAGE


def make_document(comparison: Comparison) -> Document:
    """Return the page as a document.

    Raises:
        DataError: if a transcript cannot be read.
    """
    blocks: list[Block] = [
        *_opening(comparison),
        *_columns(comparison),
        *_held(comparison),
        *_profile(comparison),
        *_learning(comparison),
        *_probes(comparison),
        *_failures(comparison),
        *_side_by_side(comparison),
        *_methods(comparison),
    ]
    return Document(f"Comparison: {', '.join(comparison.names)}", blocks)


def _opening(comparison: Comparison) -> Iterator[Block]:
    yield Bullets([f"{literal(comparison.sentence(name))}." for name in comparison.others])
    if comparison.notes:
        yield Heading("Know before you read", "notes")
        yield Bullets([literal(note) for note in comparison.notes])


def _columns(comparison: Comparison) -> Iterator[Block]:
    yield Heading("By column", "columns")
    header = ["", comparison.base, *comparison.others]
    rows = [(column.label, _column_cells(comparison, column)) for column in comparison.columns]
    rows.append(("mean", _mean_cells(comparison)))
    yield Table(
        header,
        rows,
        f"{_percent_name(comparison)} of {literal(comparison.base)}, and the differences of the "
        f"others in points, paired by task, with 95 % intervals; **bold** where p < {LEVEL} after "
        f"Holm's adjustment over all of them. n = {_sizes(comparison)} tasks a column.",
        css_class="heat",
    )


def _percent_name(comparison: Comparison) -> str:
    return "Success in percent" if comparison.metric == "success" else "Score in percent"


def _sizes(comparison: Comparison) -> str:
    results, base = comparison.results, comparison.base
    sizes = [len(results.scores(base, column.name).tasks) for column in comparison.columns]
    return "-".join(map(str, dict.fromkeys((min(sizes), max(sizes)))))


def _column_cells(comparison: Comparison, column: PlayedColumn) -> list[TableCell]:
    cells = [_rate_cell(comparison.results.rate(comparison.base, column.name))]
    return cells + [
        _difference_cell(comparison.differences[name, column.name]) for name in comparison.others
    ]


def _mean_cells(comparison: Comparison) -> list[TableCell]:
    names = [column.name for column in comparison.columns]
    cells = [_rate_cell(comparison.rate(comparison.base, names))]
    return cells + [_difference_cell(e) for e in comparison.overall.values()]


def _rate_cell(rate: Estimate) -> TableCell:
    return TableCell(f"{100 * rate.value:.1f}", percent_interval(rate))


def _difference_cell(e: Estimate) -> TableCell:
    is_bold = e.p < LEVEL and e.excludes_zero
    shade = e.value / FULL_SHADE
    return TableCell(f"{100 * e.value:+.1f}", points_interval(e), shade=shade, bold=is_bold)


def _held(comparison: Comparison) -> Iterator[Block]:
    rows = [
        (f"{name}: {group.name}", comparison.difference(name, group.columns))
        for name in comparison.others
        for group in comparison.held(name)
    ]
    if rows:
        yield Heading("Held in and held out", "held")
        yield _differences(rows, "Mean difference over the columns of each part, in points.")


def _differences(rows: Sequence[tuple[str, Estimate]], caption: str) -> Forest:
    """Return differences on a scale around zero that holds all of them."""
    reach = max(0.05, *(abs(end) for _, e in rows for end in (e.low, e.high)))
    return Forest(rows, caption, -reach, reach)


def _profile(comparison: Comparison) -> Iterator[Block]:
    yield Heading("The profile", "profile")
    for kind, title in (
        ("environment", "by environment"),
        ("tier", "by tier"),
        ("axis", "by interface axis that is shifted"),
    ):
        groups = [group for group in comparison.groups if group.kind == kind]
        if len(groups) > 1 or kind == "environment":
            rows = [
                (f"{group.name}: {name}", comparison.rate(name, group.columns))
                for group in groups
                for name in comparison.names
            ]
            sizes = [comparison.rate(comparison.base, group.columns).tasks for group in groups]
            n = "-".join(map(str, dict.fromkeys((min(sizes), max(sizes)))))
            caption = f"{_percent_name(comparison)} {title}, a mean over columns; n = {n} tasks."
            yield Forest(rows, caption, 0, 1, zero=False, signed=False)
            yield _group_differences(comparison, groups, title)


def _group_differences(comparison: Comparison, groups: Sequence[Group], title: str) -> Forest:
    rows = [
        (f"{group.name}: {name}", comparison.difference(name, group.columns))
        for group in groups
        for name in comparison.others
    ]
    return _differences(rows, f"The difference to {literal(comparison.base)} {title}, in points.")


def _learning(comparison: Comparison) -> Iterator[Block]:
    """Yield a chart of the models in their order, if there are three or more."""
    if len(comparison.names) < 3:
        return
    yield Heading("In the order of the models", "learning")
    places = _steps(comparison.names)
    lines = []
    environments = [group for group in comparison.groups if group.kind == "environment"]
    for number, group in enumerate(environments):
        rates = [comparison.rate(name, group.columns) for name in comparison.names]
        values, ends = [e.value for e in rates], [(e.low, e.high) for e in rates]
        lines.append(LineSeries(group.name, places, values, ends, colour=number))
    ticks = list(zip(places, comparison.names, strict=True))
    shown = [ticks[0], ticks[-1]]
    yield Figure(
        "learning",
        [LineChart(_percent_name(comparison), lines, shown).svg()],
        f"{literal(', '.join(comparison.names))}, from left to right, with 95 % intervals.",
    )


def _steps(names: Sequence[str]) -> list[float]:
    """Return the step in each name where all but the base's have a rising one, else 0, 1, 2.

    >>> _steps(["base", "checkpoint-100", "checkpoint-300"])
    [0.0, 100.0, 300.0]
    """
    numbers = [re.search(r"(\d+)\D*$", name) for name in names[1:]]
    steps = [0.0, *(float(number[1]) for number in numbers if number)]
    if len(steps) == len(names) and all(a < b for a, b in pairwise(steps)):
        return steps
    return [float(place) for place in range(len(names))]


def _probes(comparison: Comparison) -> Iterator[Block]:
    if not comparison.probes:
        return
    yield Heading("What a mean hides", "probes")
    for kind, caption in PROBES.items():
        probes = {(p.name, p.model): p for p in comparison.probes if p.kind == kind}
        if not probes:
            continue
        unit = "%" if kind == "consistency" else "points"
        header = [kind, f"{comparison.base}, {unit}"]
        for name in comparison.others:
            header += [f"{name}, {unit}"]
            header += [] if kind == "consistency" else [f"{name} less {comparison.base}, points"]
        rows = [
            (
                name,
                [
                    cell
                    for model in comparison.names
                    for cell in _probe_cells(
                        probes.get((name, model)),
                        has_base=kind != "consistency" and model != comparison.base,
                    )
                ],
            )
            for name in dict.fromkeys(name for name, _ in probes)
        ]
        yield Table(header, rows, caption)


PROBES = {
    "generalization gap": "**generalization gap**: success on training tasks less success on the "
    "other tasks of the same columns. Above zero, the model does better where it was trained.",
    "consistency": "**consistency**: of the tasks that are won natively, the share that is won "
    "through the shifted interface; n tasks won natively. It is to be read beside the share that "
    "is won when the native interface is played again.",
    "reliance": "**reliance**: the success that is lost without the list of actions, with renamed "
    "verbs, with renamed things, on the same tasks.",
}
"""The definition of each probe, in a sentence."""


def _probe_cells(probe: Probe | None, *, has_base: bool) -> list[TableCell]:
    """Return the number of a model, and with *has_base* that number less the base's."""
    if probe is None:
        return [TableCell("-")] * (1 + has_base)
    e, more = probe.value, probe.beside_base
    small = percent_interval(e) if probe.kind == "consistency" else points_interval(e)
    sign = "" if probe.kind == "consistency" else "+"
    cells = [TableCell(f"{100 * e.value:{sign}.1f}", f"{small} n = {e.tasks}")]
    if has_base:
        text = f"{100 * more.value:+.1f}" if more else "-"
        cells.append(TableCell(text, points_interval(more) if more else ""))
    return cells


def _failures(comparison: Comparison) -> Iterator[Block]:
    rows = [
        (
            f"{mode.replace('_', ' ')}: {name}",
            [
                TableCell(f"{100 * base:.1f}"),
                TableCell(f"{100 * own:.1f}"),
                TableCell(f"{100 * more.value:+.1f}", points_interval(more)),
            ],
        )
        for name in comparison.others
        for mode, (base, own, more) in comparison.failure_modes(name).items()
    ]
    yield Heading("How episodes fail", "failures")
    if rows:
        caption = "Percent of all episodes that show a failure mode, as a mean over columns."
        yield Table(["", comparison.base, "the model", "difference"], rows, caption)
    else:
        yield Text("No episode shows a failure mode.")


@dataclass(frozen=True)
class EpisodeCell(TableCell):
    """A cell with an episode in lines; in Markdown it is on the page only."""

    def to_markdown(self) -> str:
        """Return where it can be read."""
        return f"see `{PAGE}`"


def _side_by_side(comparison: Comparison) -> Iterator[Block]:
    yield Heading("Where they differ", "episodes")
    texts = {model.name: model.transcripts() for model in comparison.models}
    for name in comparison.others:
        changed = comparison.changed_tasks(name)
        gained = [task for task in changed if task.change > 0]
        lost = [task for task in changed if task.change < 0]
        counts = f"{len(gained)} tasks better and {len(lost)} worse"
        yield Bullets([f"{literal(name)}: {counts} than {literal(comparison.base)}."])
        # as many of each as there are places, the largest changes first
        half = MAX_TASKS // 2
        picked = [*gained[: MAX_TASKS - min(half, len(lost))], *lost[:half]][:MAX_TASKS]
        rows = [
            (_title(task), [_episode(texts[arm], task) for arm in (comparison.base, name)])
            for task in picked
        ]
        if rows:
            caption = "The first sample of each task. `compare.json` names all tasks that differ."
            yield Table(["task", comparison.base, name], rows, caption, css_class="episodes")


def _title(task: ChangedTask) -> str:
    change = f"{100 * task.base:.0f} to {100 * task.model:.0f} %"
    return f"{task.task_id}, {PlayedColumn(task.column).label}: {change}"


def _episode(texts: dict[tuple[str, str, int], Row], task: ChangedTask) -> TableCell:
    transcript = texts.get((task.column, task.task_id, 0))
    if transcript is None:
        return EpisodeCell("no transcript")
    lines = [str(transcript.get("end_reason", ""))]
    for turn in transcript.get("turns", ()):
        lines += [str(turn.get("observation", "")), f"> {turn.get('completion', '')}"]
    lines.append(str(transcript.get("last_observation", "")))
    text = "\n".join(lines)
    return EpisodeCell(text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]} …")


def _methods(comparison: Comparison) -> Iterator[Block]:
    yield Heading("How to read this", "methods")
    folders = [
        f"{literal(model.name)}: `{evaluation.path}`"
        for model in comparison.models
        for evaluation in model.evaluations
    ]
    yield Bullets(
        [
            (
                "**A difference** is a model less the base on the same tasks, a mean over columns. "
                "Its interval is a Bayesian bootstrap over tasks and two pseudo-tasks. It says "
                "that these two models differ, not that the way of training does: that takes "
                "several seeds."
            ),
            (
                "**No difference** means that p is 0.05 or more after Holm's adjustment over the "
                "models: the tasks are too few to show one, or there is none. With three models or "
                "more the interval of a difference may be beyond zero nevertheless."
            ),
            "**A score** of one column has Wilson's interval over tasks.",
            *folders,
        ]
    )
