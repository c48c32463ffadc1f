"""The sections of a report that are about scores: what was gained where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentgym_gen.study.analysis.analysis import Pair, Results
from agentgym_gen.study.analysis.descriptors import env_parts
from agentgym_gen.study.report.document import (
    Block,
    TableCell,
    Figure,
    Forest,
    Heading,
    Table,
    Text,
    percent_interval,
    points_interval,
)
from agentgym_gen.describe.line_chart import LineChart, LineSeries
from agentgym_gen.study.analysis.metrics import (
    backward_transfer,
    forgetting,
    forward_transfer,
    retention,
)
from agentgym_gen.study.plan.plan import BASE, Arm, arm_name, label, display_name
from agentgym_gen.study.analysis.statistics import Estimate

SHADE_AT = 0.4
"""The gain that has the full colour of a heat map."""


def anchor_of(arm: str, column: str) -> str:
    """Return the anchor of the conversations of *arm* on *column*."""
    return f"talk-{arm}-{label(column)}"


class ReportContext:
    """What the sections of one report share: results, arms, and gains adjusted together.

    Args:
        results: The rows.
        arms: The arms of the plan.
    """

    def __init__(self, results: Results, arms: Sequence[Arm]) -> None:
        self.results = results
        self.arms = arms
        self._trained_on = {
            arm_name(arm.stages[:n]): {i for stage in arm.stages[:n] for i in stage.env_ids}
            for arm in arms
            for n in range(1, len(arm.stages) + 1)
        }
        pairs = [p for p in results.pairs if p[0] != BASE and results.has(p, (BASE, p[1]))]
        self.gains: dict[Pair, Estimate] = results.gains_with_holm(pairs) if pairs else {}

    def of(self, family: str) -> list[Arm]:
        """Return the arms of *family* that have a result, each once."""
        tested = {arm for arm, _ in self.gains}
        found = {a.name: a for a in self.arms if a.family == family and a.name in tested}
        return list(found.values())

    def held_in(self, arm: str, column: str) -> bool:
        """Return whether *arm* was trained on *column*, in any of its stages."""
        return column in self._trained_on.get(arm, ())

    def heat_map(self, arms: Sequence[str], columns: Sequence[str], caption: str) -> Table:
        """Return the gains of *arms* on *columns*, below the base's scores."""
        columns = [c for c in columns if self.results.has((BASE, c))]
        base = [self._base(column) for column in columns]
        rows = [("base, %", base)]
        rows += [(display_name(arm), [self._gain(arm, c) for c in columns]) for arm in arms]
        header = ["trained on / tested on", *(label(column) for column in columns)]
        return Table(header, rows, caption, css_class="heat")

    def _base(self, column: str) -> TableCell:
        rate = self.results.rate(BASE, column)
        return TableCell(f"{100 * rate.value:.1f}", percent_interval(rate), link=anchor_of(BASE, column))

    def _gain(self, arm: str, column: str) -> TableCell:
        found = self.gains.get((arm, column))
        if found is None:
            return TableCell("")
        return TableCell(
            f"{100 * found.value:+.1f}",
            points_interval(found),
            shade=found.value / SHADE_AT,
            bold=found.p < 0.05,
            framed=self.held_in(arm, column),
            link=anchor_of(arm, column),
        )


def sample_sizes(results: Results, pairs: Sequence[Pair]) -> str:
    """Return how much the numbers of *pairs* rest on, in words."""
    found = [results.scores(*pair) for pair in pairs if pair in results.pairs]
    if not found:
        return "n = 0"
    tasks = sorted({len(scores.tasks) for scores in found})
    seeds = sorted({len(scores.seeds) for scores in found})
    spans = ["-".join(map(str, dict.fromkeys((n[0], n[-1])))) for n in (tasks, seeds)]
    several = "" if spans[1] == "1" else "s"
    return f"n = {spans[0]} tasks x {spans[1]} training seed{several} a cell"


KEY = (
    "Gains over the base in points, with 95 % intervals; **bold** where p < 0.05 after Holm's "
    "adjustment over every cell of the study; framed where the arm was trained on the column."
)


def transfer(book: ReportContext) -> Iterator[Block]:
    """Yield the section about one environment against another."""
    arms = [*book.of("cross"), *book.of("mixture")]
    if not arms:
        return
    yield Heading("From one environment to another", "transfer")
    columns = list(dict.fromkeys(column for arm in arms for column in arm.columns))
    names = [arm.name for arm in arms]
    told = sample_sizes(book.results, [(name, c) for name in names for c in columns])
    yield book.heat_map(names, columns, f"{KEY} {told}.")
    rows = []
    for arm in book.of("cross"):
        own = arm.stages[0].env_ids[0]
        others = [c for c in arm.columns if c != own and (arm.name, c) in book.gains]
        if (arm.name, own) in book.gains:
            rows.append((f"{display_name(arm.name)}: held in", book.results.gain(arm.name, own)))
        if others:
            rows.append((f"{display_name(arm.name)}: held out", book.results.mean_gain(arm.name, others)))
        if others and (arm.name, own) in book.gains:
            overall = book.results.mean_gain(arm.name, [own, *others])
            rows.append((f"{display_name(arm.name)}: overall", overall))
    for arm in book.of("mixture"):
        tested = [c for c in arm.columns if (arm.name, c) in book.gains]
        rows.append((f"{display_name(arm.name)}: overall", book.results.mean_gain(arm.name, tested)))
    yield forest(rows, "Held-in, mean held-out and overall gain, in points.")
    yield from _ratios(book)


def _ratios(book: ReportContext) -> Iterator[Block]:
    own = {arm.stages[0].env_ids[0]: arm for arm in book.of("cross")}
    rows = []
    for arm in own.values():
        entries = []
        for column, native in own.items():
            pairs = [(arm.name, column), (native.name, column), (BASE, column)]
            if not book.results.has(*pairs):
                entries.append(TableCell(""))
                continue
            ratio = book.results.transfer_ratio(arm.name, native.name, column)
            raised = book.results.gain(native.name, column).low > 0
            entries.append(_ratio_entry(ratio, raised))
        rows.append((display_name(arm.name), entries))
    if len(rows) > 1:
        yield Table(
            ["trained on / tested on", *map(label, own)],
            rows,
            "Transfer ratio: the share of a column's own gain that training elsewhere gives for "
            "nothing, with 95 % intervals. Blank where the column's own training gained nothing "
            "for sure: a share of noise means nothing.",
        )


def _ratio_entry(ratio: Estimate, raised: bool) -> TableCell:
    if not raised:
        return TableCell("")
    return TableCell(f"{ratio.value:+.2f}", f"[{ratio.low:+.2f}, {ratio.high:+.2f}]", ratio.value)


def difficulty(book: ReportContext) -> Iterator[Block]:
    """Yield the section about tiers."""
    arms = book.of("difficulty")
    if not arms:
        return
    yield Heading("From easy to hard", "difficulty")
    groups = dict.fromkeys(arm.columns for arm in arms)
    for columns in groups:
        of_group = [arm for arm in arms if arm.columns == columns]
        names = [arm.name for arm in of_group]
        told = sample_sizes(book.results, [(name, c) for name in names for c in columns])
        yield book.heat_map(
            names, columns, f"{KEY} All arms have the same number of steps. {told}."
        )
        for column in columns:
            rows = [("base", book.results.rate(BASE, column))]
            rows += [
                (display_name(n), book.results.rate(n, column)) for n in names if (n, column) in book.gains
            ]
            yield Forest(
                rows, f"Success on **{label(column)}**, percent.", 0, 1, zero=False, signed=False
            )
        yield from _gap(book, of_group, columns)


def _gap(book: ReportContext, arms: Sequence[Arm], columns: Sequence[str]) -> Iterator[Block]:
    """Yield how much easier the easiest tier is than the hardest, before and after."""
    first, last = columns[0], columns[-1]
    rows = []
    for name in (BASE, *(arm.name for arm in arms)):
        if book.results.has((name, first), (name, last)):
            gap = book.results.combine([(name, first), (name, last)], lambda m: m[0] - m[1])
            rows.append((display_name(name), gap))
    tiers = f"{label(first)} less {label(last)}"
    yield forest(rows, f"The gap between tiers: success on {tiers}, in points.")


def sequence(book: ReportContext) -> Iterator[Block]:
    """Yield the section about one environment after another."""
    arms = book.of("sequence")
    if not arms:
        return
    yield Heading("One environment after another", "sequence")
    charts, rows = [], []
    for arm in arms:
        stages = [arm_name(arm.stages[:n]) for n in range(1, len(arm.stages) + 1)]
        columns = [stage.env_ids[0] for stage in arm.stages]
        if not book.results.has(*((s, c) for s in (BASE, *stages) for c in columns)):
            continue
        charts.append(_stages_chart(book.results, arm, stages))
        numbers = [
            book.results.sequence(stages, columns, metric)
            for metric in (backward_transfer, forward_transfer, forgetting)
        ]
        entries = [TableCell(f"{100 * e.value:+.1f}", points_interval(e), bold=e.excludes_zero) for e in numbers]
        kept = book.results.sequence(stages, columns, retention)
        entries.append(TableCell(f"{100 * kept.value:.0f}%", percent_interval(kept)))
        rows.append((display_name(arm.name), entries))
    told = sample_sizes(book.results, [(arm.name, c) for arm in arms for c in arm.columns])
    yield Figure(
        "sequence",
        charts,
        "Success on each environment before training and after every stage, percent, with 95 % "
        f"intervals. {told}.",
    )
    yield Table(
        ["sequence", "BWT", "FWT", "forgetting", "retention"],
        rows,
        "Points, with 95 % intervals, **bold** where they exclude zero. BWT: the end less what "
        "each stage had reached (Lopez-Paz & Ranzato 2017). FWT: what earlier stages gave before "
        "an environment was trained on, over the base. Forgetting: the best of earlier stages "
        "less the end (Chaudhry et al. 2018). Retention: the share of what was reached that is "
        "left.",
    )


def _stages_chart(results: Results, arm: Arm, stages: Sequence[str]) -> str:
    names = [BASE, *stages]
    lines = []
    for number, column in enumerate(arm.columns):
        if not results.has(*((name, column) for name in names)):
            continue
        rates = [results.rate(name, column) for name in names]
        lines.append(
            LineSeries(
                env_parts(column).name,
                range(len(names)),
                [rate.value for rate in rates],
                [(rate.low, rate.high) for rate in rates],
                number,
            )
        )
    ticks = [(0.0, BASE), *((n, _tick(s.label)) for n, s in enumerate(arm.stages, 1))]
    title = " → ".join(env_parts(stage.env_ids[0]).name for stage in arm.stages)
    return LineChart(title, lines, ticks).svg()


def _tick(name: str) -> str:
    return f"+ {name.split('-')[0]}"


def interface(book: ReportContext) -> Iterator[Block]:
    """Yield the section about interfaces."""
    arms = book.of("interface")
    if not arms:
        return
    yield Heading("From one interface to another", "interface")
    for columns in dict.fromkeys(arm.columns for arm in arms):
        names = [arm.name for arm in arms if arm.columns == columns]
        told = sample_sizes(book.results, [(name, c) for name in names for c in columns])
        yield book.heat_map(
            names, columns, f"{KEY} All columns of one environment are the same tasks. {told}."
        )


def forest(rows: Sequence[tuple[str, Estimate]], caption: str) -> Block:
    """Return differences below each other on a scale that holds all of them."""
    if not rows:
        return Text("")
    reach = max(0.05, *(abs(x) for _, e in rows for x in (e.low, e.high)))
    return Forest(rows, caption, -reach, reach)
