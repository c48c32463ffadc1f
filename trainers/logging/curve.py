"""The curve of one measurement by step, as an SVG file."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT, MARGIN = 640, 240, 36


def draw_curve(points: Sequence[tuple[int, float]], name: str) -> str:
    """Return an SVG of *points*, with a moving average over a tenth of them.

    Args:
        points: Steps and values, two or more.
        name: The name of the measurement.
    """
    steps = [step for step, _ in points]
    values = [value for _, value in points]
    low, high = min(0.0, *values), max(values)
    if high - low < 1e-9:
        high = low + 1.0

    def to_pixels(step: float, value: float) -> str:
        x = MARGIN + (step - steps[0]) / max(1, steps[-1] - steps[0]) * (WIDTH - 2 * MARGIN)
        y = HEIGHT - MARGIN - (value - low) / (high - low) * (HEIGHT - 2 * MARGIN)
        return f"{x:.1f},{y:.1f}"

    window = max(1, len(values) // 10)
    means = [sum(part) / len(part) for part in _moving_windows(values, window)]
    raw = " ".join(to_pixels(*point) for point in points)
    smooth = " ".join(to_pixels(*point) for point in zip(steps, means, strict=True))
    left, bottom = MARGIN, HEIGHT - MARGIN
    line = 'fill="none" stroke'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n'
        f'<path d="M{left},{MARGIN} V{bottom} H{WIDTH - MARGIN}" {line}="black"/>\n'
        f'<polyline points="{raw}" {line}="#bbb"/>\n'
        f'<polyline points="{smooth}" {line}="#06c" stroke-width="2"/>\n'
        f'<text x="{left}" y="{MARGIN - 8}">{name}: {low:.2f} to {high:.2f}</text>\n'
        f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 12}" text-anchor="end">'
        f"step {steps[0]} to {steps[-1]}</text>\n</svg>\n"
    )


def _moving_windows(values: Sequence[float], size: int) -> list[Sequence[float]]:
    """Return the window that ends at each value, shorter at the beginning."""
    return [values[max(0, end - size) : end] for end in range(1, len(values) + 1)]
