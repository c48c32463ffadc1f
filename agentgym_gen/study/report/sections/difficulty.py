"""The section on transfer from easy tasks to hard ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentgym_gen.study.plan.plan import BASE, Arm, display_name, label
from agentgym_gen.study.report.context import HEAT_MAP_KEY, ReportContext, difference_forest
from agentgym_gen.study.report.document import Block, Forest, Heading


def difficulty(context: ReportContext) -> Iterator[Block]:
    """Yield the gains on every tier, the success of all arms, and the gap between tiers."""
    arms = context.arms_of("difficulty")
    if not arms:
        return
    yield Heading("From easy to hard", "difficulty")
    for columns in dict.fromkeys(arm.columns for arm in arms):
        yield from _group(context, [arm for arm in arms if arm.columns == columns], columns)


def _group(context: ReportContext, arms: Sequence[Arm], columns: Sequence[str]) -> Iterator[Block]:
    """Yield the blocks of the *arms* that were tested on the same *columns*."""
    sizes = context.sample_sizes(arms, columns)
    caption = f"{HEAT_MAP_KEY} All arms have the same number of steps. {sizes}."
    yield context.heat_map(arms, columns, caption)
    for column in columns:
        rows = [("base", context.results.rate(BASE, column))]
        rows += [
            (display_name(arm.name), context.results.rate(arm.name, column))
            for arm in arms
            if (arm.name, column) in context.gains
        ]
        caption = f"Success on **{label(column)}**, percent."
        yield Forest(rows, caption, 0, 1, zero=False, signed=False)
    if len(columns) > 1:
        yield _tier_gap(context, arms, columns)


def _tier_gap(context: ReportContext, arms: Sequence[Arm], columns: Sequence[str]) -> Block:
    """Return how much easier the first tier is than the last, for the base and every arm."""
    first, last = columns[0], columns[-1]
    rows = []
    for name in (BASE, *(arm.name for arm in arms)):
        if context.results.has((name, first), (name, last)):
            gap = context.results.combine([(name, first), (name, last)], lambda m: m[0] - m[1])
            rows.append((display_name(name), gap))
    tiers = f"{label(first)} less {label(last)}"
    return difference_forest(rows, f"The gap between tiers: success on {tiers}, in points.")
