"""The curve of one measurement by step, as an SVG file."""

from __future__ import annotations

from collections.abc import Sequence

from agentgym_gen.describe.line_chart import LineChart, LineSeries


def draw_curve(points: Sequence[tuple[int, float]], name: str) -> str:
    """Return an SVG of *points*, with a moving average over a tenth of them.

    Args:
        points: Steps and values, two or more.
        name: The name of the measurement.
    """
    steps = [step for step, _ in points]
    values = [value for _, value in points]
    low, high = min(0.0, *values), max(values)
    window = max(1, len(values) // 10)
    lines = [LineSeries(name, steps, values, colour=0)]
    if window > 1:
        means = moving_average(values, window)
        lines.append(LineSeries(f"mean of {window} steps", steps, means, colour=1))
    ticks = [(steps[0], f"step {steps[0]}"), (steps[-1], f"step {steps[-1]}")]
    top = high if high - low > 1e-9 else low + 1.0
    chart = LineChart(name, lines, ticks, top=top, bottom=low, percent=False)
    return f"{chart.svg()}\n"


def moving_average(values: Sequence[float], window: int) -> list[float]:
    """Return the mean of the last *window* values at each value, of fewer at the beginning.

    >>> moving_average([1.0, 3.0, 5.0], 2)
    [1.0, 2.0, 4.0]
    """
    parts = [values[max(0, end - window) : end] for end in range(1, len(values) + 1)]
    return [sum(part) / len(part) for part in parts]
