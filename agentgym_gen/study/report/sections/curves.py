"""The section on learning curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agentgym_gen.describe.line_chart import COLOURS, LineChart, LineSeries, Svg
from agentgym_gen.study.plan.plan import BASE, display_name
from agentgym_gen.study.report.context import ReportContext
from agentgym_gen.study.report.document import Block, Figure, Heading
from agentgym_gen.study.results.rows import Row

SMOOTHING_STEPS = 5
"""Over how many steps a curve is averaged."""


BASE_COLOUR = len(COLOURS) + 5
"""The colour of the base's level, which is dashed."""

TOPS = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Where the scale of a chart may end."""


def curves(context: ReportContext, logs: Mapping[str, Sequence[Row]]) -> Iterator[Block]:
    """Yield the success on training tasks by step, a chart for each arm.

    Args:
        context: The results and the arms.
        logs: The training log of every model, by the model's name.
    """
    by_arm: dict[str, list[tuple[str, Sequence[Row]]]] = {}
    for name, rows in logs.items():
        arm, _, seed = name.rpartition(".s")
        if rows and all("success" in row for row in rows) and len(rows) > 1:
            by_arm.setdefault(arm, []).append((seed, rows))
    if not by_arm:
        return
    yield Heading("Learning curves", "curves")
    episodes = sorted({rows[0].get("episodes", 0) for arm in by_arm.values() for _, rows in arm})
    span = " to ".join(str(n) for n in dict.fromkeys((episodes[0], episodes[-1])))
    yield Figure(
        "curves",
        [_chart(arm, logs, _base_level(context, arm)) for arm, logs in by_arm.items()],
        "Success on the tasks of each training step, percent, as a mean over five steps; one line "
        f"a training seed, n = {span} episodes a step. Every chart has its own scale. Dashed: the "
        "base on the test tasks of the environment that the last stage trains on.",
    )


def _base_level(context: ReportContext, arm_name: str) -> float | None:
    """Return the score of the base where the last stage of an arm trains, if it is one column."""
    arm = next((arm for arm in context.arms if arm.name == arm_name), None)
    columns = arm.stages[-1].env_ids if arm else ()
    if len(columns) != 1 or not context.results.has((BASE, columns[0])):
        return None
    return context.results.rate(BASE, columns[0]).value


def _chart(arm: str, seed_logs: Sequence[tuple[str, Sequence[Row]]], base: float | None) -> Svg:
    lines = [
        LineSeries(
            f"seed {seed}",
            [row["step"] for row in rows],
            _smooth([row["success"] for row in rows]),
            colour=number,
        )
        for number, (seed, rows) in enumerate(sorted(seed_logs))
    ]
    last = max(row["step"] for _, rows in seed_logs for row in rows)
    if base is not None:
        lines.append(LineSeries("base", [1, last], [base, base], colour=BASE_COLOUR))
    highest = max(y for line in lines for y in line.ys)
    top = next((top for top in TOPS if highest <= top), TOPS[-1])
    return LineChart(display_name(arm), lines, [(1, "step 1"), (last, f"{last}")], top=top).svg()


def _smooth(values: Sequence[float]) -> list[float]:
    """Return the mean of each value and those just before it."""
    windows = [values[max(0, end - SMOOTHING_STEPS) : end] for end in range(1, len(values) + 1)]
    return [sum(window) / len(window) for window in windows]
