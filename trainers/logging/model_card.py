"""The card of a trained model: a README.md with the settings of its training, and a curve."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from agentgym_gen.trainers.callbacks import LogRow
from agentgym_gen.trainers.checkpoint import recorded_versions
from agentgym_gen.trainers.config import TrainConfig
from agentgym_gen.trainers.logging.curve import draw_curve
from agentgym_gen.trainers.models.types import Model

CURVE = "curve.svg"
"""The file of the curve."""


def write_card(folder: Path, model: Model, config: TrainConfig, history: Sequence[LogRow]) -> None:
    """Write ``README.md`` and, with two logged steps or more, ``curve.svg`` into *folder*."""
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
    change = (
        f"{key} went from {points[0][1]:.3f} to {points[-1][1]:.3f}" if points else "no step yet"
    )
    load = "PeftModel.from_pretrained(base, folder)" if adapter else "load_model(folder)"
    settings = "\n".join(f"| {k} | `{v}` |" for k, v in dataclasses.asdict(config).items())
    packages = "\n".join(f"| {k} | {v} |" for k, v in recorded_versions().items())
    steps = points[-1][0] if points else 0
    return (
        "---\n" + "\n".join(front) + "\n---\n\n"
        f"# {'An adapter' if adapter else 'A model'} trained with agentgym_gen\n\n"
        f"{type(config).__name__.removesuffix('Config')}, {steps} steps: {change}.\n\n"
        + (f"![{key} by step]({CURVE})\n\n" if len(points) > 1 else "")
        + f"Load it with `{load}`.\n\n"
        f"| setting | value |\n| --- | --- |\n{settings}\n\n"
        f"| package | version |\n| --- | --- |\n{packages}\n"
    )
