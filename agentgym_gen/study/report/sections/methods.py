"""The section on methods: how to read the numbers, and what they were made with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentgym_gen.study.analysis.statistics import RESAMPLES
from agentgym_gen.study.plan.plan import Plan
from agentgym_gen.study.report.document import Block, Bullets, Heading
from agentgym_gen.study.report.inline import literal
from agentgym_gen.study.results.rows import Row


def methods(plan: Plan, cells: Sequence[Row]) -> Iterator[Block]:
    """Yield the rules of scores, intervals and verdicts, and the versions."""
    yield Heading("How to read this", "methods")
    cell = cells[0]
    versions = ", ".join(f"{k} {v}" for k, v in cell["versions"].items() if v)
    decoding = cell["decoding"]
    commits = sorted({str(cell.get("commit")) for cell in cells})
    yield Bullets(
        [
            (
                f"**Tasks.** {plan.test.tasks} of the {plan.test.split} split for each column, the "
                f"same for every model and through every interface, each played "
                f"{plan.test.samples} times "
                f"at temperature {decoding['temperature']:g}."
            ),
            (
                "**A score** is the mean over samples, tasks and seeds (avg@k). Its interval is "
                "Wilson's over the tasks, not over episodes; with three seeds or more, the wider "
                "one of that and the resamples."
            ),
            (
                f"**A difference** is paired by seed and task. Its interval is from {RESAMPLES:,} "
                "resamples: a Bayesian bootstrap over tasks and two pseudo-tasks with the outcome "
                "of a fair coin, so that it has a width where nothing changed, and with three "
                "seeds or more Student's distribution over them; a mean over columns is "
                "stratified by them."
            ),
            (
                "**Many cells.** Bold gains have p < 0.05 after Holm's adjustment over all cells, "
                "and three training seeds or more."
            ),
            (
                "**Verdicts.** Agrees if the whole 95 % interval is where the claim says, "
                "disagrees if none of it is, else cannot tell; with fewer than three training "
                "seeds always cannot tell. The margin of each claim stands beside it. T5 and T9 "
                "are about the least of several numbers: the lower end is the lowest of all their "
                "intervals, the upper end the lowest with Bonferroni's adjustment."
            ),
            (
                f"**Made with** {literal(versions)}; Python {literal(cell['python'])}; "
                f"{literal(cell['platform'])}; commit {literal(', '.join(commits))}; plan "
                f"{literal(cell['plan'])}."
            ),
        ]
    )
