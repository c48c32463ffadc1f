"""The section on transfer from one interface to another."""

from __future__ import annotations

from collections.abc import Iterator

from agentgym_gen.study.report.context import HEAT_MAP_KEY, ReportContext
from agentgym_gen.study.report.document import Block, Heading


def interface(context: ReportContext) -> Iterator[Block]:
    """Yield the gains through every interface."""
    arms = context.arms_of("interface")
    if not arms:
        return
    yield Heading("From one interface to another", "interface")
    for columns in dict.fromkeys(arm.columns for arm in arms):
        group = [arm for arm in arms if arm.columns == columns]
        sizes = context.sample_sizes(group, columns)
        caption = f"{HEAT_MAP_KEY} All columns of one environment are the same tasks. {sizes}."
        yield context.heat_map(group, columns, caption)
