"""The card of a trained model: a README.md with what it was trained by, and a curve beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from agentgym_gen.trainers.callbacks import LogRow
from agentgym_gen.trainers.checkpoint import versions
from agentgym_gen.trainers.config import TrainConfig
from agentgym_gen.trainers.models.types import Model

CURVE = "curve.svg"
"""The file of the curve."""

WIDTH, HEIGHT, MARGIN = 640, 240, 36


def write_card(folder: Path, model: Model, config: TrainConfig, history: Sequence[LogRow]) -> None:
    """Write ``README.md`` and, where there is something to draw, ``curve.svg`` into *folder*."""
    key = "success" if any("success" in row for row in history) else "loss"
    points = [(int(row["step"]), float(row[key])) for row in history if key in row]
    if len(points) > 1:
        (folder / CURVE).write_text(draw_curve(points, key), encoding="utf-8")
    (folder / "README.md").write_text(_card(model, config, points, key), encoding="utf-8")


def _card(model: Model, config: TrainConfig, points: list[tuple[int, float]], key: str) -> str:
    base = str(getattr(model.config, "_name_or_path", "") or "")
    adapter = hasattr(model, "peft_config")
    front = ["library_name: " + ("peft" if adapter else "transformers"), "tags: [agentgym-gen]"]
    front += [f"base_model: {base}"] if base else []
    last = f"{key} went from {points[0][1]:.3f} to {points[-1][1]:.3f}" if points else "no step yet"
    load = "PeftModel.from_pretrained(base, folder)" if adapter else "load_model(folder)"
    settings = "\n".join(f"| {k} | `{v}` |" for k, v in dataclasses.asdict(config).items())
    made = "\n".join(f"| {k} | {v} |" for k, v in versions().items())
    steps = points[-1][0] if points else 0
    return (
        "---\n" + "\n".join(front) + "\n---\n\n"
        f"# {'An adapter' if adapter else 'A model'} trained with agentgym_gen\n\n"
        f"{type(config).__name__.removesuffix('Config')}, {steps} steps: {last}.\n\n"
        + (f"![{key} by step]({CURVE})\n\n" if len(points) > 1 else "")
        + f"Load it with `{load}`.\n\n"
        f"| setting | value |\n| --- | --- |\n{settings}\n\n"
        f"| package | version |\n| --- | --- |\n{made}\n"
    )


def draw_curve(points: Sequence[tuple[int, float]], name: str) -> str:
    """Return an SVG of *points*, with a moving average over a tenth of them.

    Args:
        points: Steps and values, two or more.
        name: What the values are.
    """
    steps = [step for step, _ in points]
    values = [value for _, value in points]
    low, high = min(0.0, *values), max(values)
    if high - low < 1e-9:
        high = low + 1.0

    def place(step: float, value: float) -> str:
        x = MARGIN + (step - steps[0]) / max(1, steps[-1] - steps[0]) * (WIDTH - 2 * MARGIN)
        y = HEIGHT - MARGIN - (value - low) / (high - low) * (HEIGHT - 2 * MARGIN)
        return f"{x:.1f},{y:.1f}"

    span = max(1, len(values) // 10)
    means = [sum(part) / len(part) for part in _windows(values, span)]
    raw = " ".join(place(*point) for point in points)
    smooth = " ".join(place(*point) for point in zip(steps, means, strict=True))
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


def _windows(values: Sequence[float], span: int) -> list[Sequence[float]]:
    return [values[max(0, end - span) : end] for end in range(1, len(values) + 1)]
