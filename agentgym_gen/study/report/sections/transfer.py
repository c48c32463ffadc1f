"""The section on transfer from one environment to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentgym_gen.study.analysis.statistics import Estimate
from agentgym_gen.study.plan.plan import BASE, Arm, display_name, label
from agentgym_gen.study.report.context import ReportContext, difference_forest
from agentgym_gen.study.report.document import Block, Heading, Table, TableCell, Text


def transfer(context: ReportContext) -> Iterator[Block]:
    """Yield the mean gains held in and held out, and transfer ratios; `answer` has the heat map."""
    cross, mixtures = context.arms_of("cross"), context.arms_of("mixture")
    if not (cross or mixtures):
        return
    yield Heading("From one environment to another", "transfer")
    yield Text("The gains of every arm on every environment are at the top of this report.")
    rows = [row for arm in cross for row in _mean_gains(context, arm)]
    for arm in mixtures:
        tested = [c for c in arm.columns if (arm.name, c) in context.gains]
        if tested:
            rows.append(_mean_gain(context, arm, "overall", tested))
    yield difference_forest(rows, "Held-in, mean held-out and overall gain, in points.")
    yield from _ratio_table(context, cross)


def _mean_gains(context: ReportContext, arm: Arm) -> Iterator[tuple[str, Estimate]]:
    """Yield the gain of *arm* on its own column, on the others, and on all."""
    name, results = display_name(arm.name), context.results
    own = arm.stages[0].env_ids[0]
    others = [c for c in arm.columns if c != own and (arm.name, c) in context.gains]
    has_own = (arm.name, own) in context.gains
    if has_own:
        yield f"{name}: held in", results.gain(arm.name, own)
    if others:
        yield _mean_gain(context, arm, "held out", others)
    if others and has_own:
        yield _mean_gain(context, arm, "overall", [own, *others])


def _mean_gain(
    context: ReportContext, arm: Arm, kind: str, columns: Sequence[str]
) -> tuple[str, Estimate]:
    """Return the mean gain of *arm* over those of *columns* whose seeds allow it, with its name."""
    pairs = [(arm.name, column) for column in columns]
    kept = context.results.with_common_seeds(pairs)
    number = "" if kept == pairs else f" ({len(kept)} of {len(pairs)} columns)"
    return f"{display_name(arm.name)}: {kind}{number}", context.results.mean_gain_of(kept)


def _ratio_table(context: ReportContext, arms: list[Arm]) -> Iterator[Block]:
    own_arms = {arm.stages[0].env_ids[0]: arm for arm in arms}
    rows = [
        (
            display_name(arm.name),
            [_ratio_cell(context, arm, own_arm, column) for column, own_arm in own_arms.items()],
        )
        for arm in own_arms.values()
    ]
    if any(cell.text for _, cells in rows for cell in cells):
        yield Table(
            ["trained on / tested on", *map(label, own_arms)],
            rows,
            "Transfer ratio: the share of a column's own gain that training elsewhere gives for "
            "nothing, with 95 % intervals. Blank where the column's own training gained nothing "
            "for sure, which needs three training seeds: a share of noise means nothing.",
        )


def _ratio_cell(context: ReportContext, arm: Arm, own_arm: Arm, column: str) -> TableCell:
    results = context.results
    if not results.has((arm.name, column), (own_arm.name, column), (BASE, column)):
        return TableCell("")
    own_gain = results.gain(own_arm.name, column)
    if arm == own_arm or not own_gain.is_sure or own_gain.value < 0:
        return TableCell("")
    ratio = results.transfer_ratio(arm.name, own_arm.name, column)
    return TableCell(f"{ratio.value:+.2f}", f"[{ratio.low:+.2f}, {ratio.high:+.2f}]", ratio.value)
