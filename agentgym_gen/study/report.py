"""From rows to a page: a Markdown table with intervals and n, a figure, and the paper beside it."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentgym_gen.errors import DataError, missing_extra
from agentgym_gen.files import write_text
from agentgym_gen.study.analysis import (
    SEEDS_TO_RESAMPLE,
    Estimate,
    Row,
    gain,
    invalid_rate,
    mean,
    read_cell,
    select,
    success_rate,
    transfer_gap,
)
from agentgym_gen.study.plan import BASE, Arm, Cell, Study, cells
from agentgym_gen.study.run import rows_file
from agentgym_gen.task import TIERS

PAPER = "arXiv 2603.12011"


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper, its number and ours."""

    sentence: str
    paper: str
    """The paper's own number, second-hand: its tables were not readable to us."""
    ours: Estimate

    @property
    def verdict(self) -> str:
        """Whether our interval agrees with the sentence, which says that the number is positive."""
        if self.ours.low > 0:
            return "agrees"
        return "disagrees" if self.ours.high < 0 else "cannot tell"


def report_study(study: Study, out: Path) -> str:
    """Write ``report.md`` and ``report.png`` into *out* and return the Markdown.

    Raises:
        DataError: if a cell of the study is missing or not whole.
    """
    rows = read_study(study, out)
    text = "\n".join(
        [
            f"# Study `{study.name}`",
            "",
            _setting(study, rows),
            "",
            *_table(study, rows),
            "",
            "![Success on the test split before and after training](report.png)",
            "",
            f"## Beside the paper ({PAPER})",
            "",
            *_claims_table(study, rows),
            "",
        ]
    )
    write_text(out / "report.md", text)
    draw_study(study, rows, out / "report.png")
    return text


def read_study(study: Study, out: Path) -> list[Row]:
    """Return the rows of every cell of *study* in *out*.

    Raises:
        DataError: if a cell is missing or not whole.
    """
    rows: list[Row] = []
    lacking = []
    for cell in _all_cells(study):
        path = rows_file(out, cell)
        found = read_cell(path) if path.exists() else []
        if len(found) != study.tasks * study.samples:
            lacking.append(path)
        rows += found
    if lacking:
        raise DataError(
            f"{len(lacking)} of {len(_all_cells(study))} cells of study {study.name!r} are missing "
            f"or not whole, the first is {lacking[0]}; run the study again, it goes on from there"
        )
    return rows


def _all_cells(study: Study) -> list[Cell]:
    arms = [BASE, *(arm.name for arm in study.arms)]
    return [cell for seed in study.seeds for arm in arms for cell in cells(study, arm, seed)]


def _setting(study: Study, rows: Sequence[Row]) -> str:
    few = len(study.seeds) < SEEDS_TO_RESAMPLE
    noise = (
        "With fewer than three training seeds the intervals of the gains cover the noise of the "
        "evaluation only, not that of training."
        if few
        else "The intervals of the gains are bootstrapped over training seeds and tasks."
    )
    return (
        f"Training seeds: {len(study.seeds)}. Test tasks a column: {study.tasks}, the same for "
        f"every model, each played {study.samples} times by the model of each seed; "
        f"{len(rows):,} episodes in all. Success in percent with Wilson's 95 % interval over the "
        f"tasks; gains in points, paired by seed and task, **bold** where the 95 % interval "
        f"excludes zero. {noise}"
    )


def _table(study: Study, rows: Sequence[Row]) -> list[str]:
    lines = [
        "| trained on | tested on | base | trained | gain | turns | invalid turns | episodes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for arm in study.arms:
        for column in study.columns:
            lines.append(_line(rows, arm, column))
    return lines


def _line(rows: Sequence[Row], arm: Arm, column: str) -> str:
    base, trained = select(rows, BASE, column), select(rows, arm.name, column)
    held_in = " (held in)" if column in arm.env_ids else ""
    gained = gain(rows, arm.name, column)
    cells = [
        arm.name,
        short(column) + held_in,
        percent(success_rate(base)),
        percent(success_rate(trained)),
        f"**{points(gained)}**" if gained.sure else points(gained),
        f"{mean(base, 'turns'):.1f} to {mean(trained, 'turns'):.1f}",
        f"{invalid_rate(base):.0%} to {invalid_rate(trained):.0%}",
        f"{len(base)} + {len(trained)}",
    ]
    return "| " + " | ".join(cells) + " |"


def _claims_table(study: Study, rows: Sequence[Row]) -> list[str]:
    lines = [
        "| claim | paper (second-hand) | here, points | verdict |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {claim.sentence} | {claim.paper} | {points(claim.ours)} | {claim.verdict} |"
        for arm in study.arms
        for claim in claims(study, rows, arm)
    ]
    return lines


def claims(study: Study, rows: Sequence[Row], arm: Arm) -> list[Claim]:
    """Return the claims of the paper that *arm* can speak to."""
    held_in = [column for column in study.columns if column in arm.env_ids]
    held_out = [column for column in study.columns if column not in arm.env_ids]
    found = [
        Claim(
            f"T1: training on {arm.name} raises harder tasks ({short(column)})",
            "WebShop hard +60.1, AlfWorld hard +34.9",
            gain(rows, arm.name, column),
        )
        for column in held_out
        if all(_harder(column, env_id) for env_id in arm.env_ids)
    ]
    found += [
        Claim(
            f"T6: what {arm.name} learnt with a list costs it points without ({short(column)})",
            "trained on BabyAI, which lists: 18.3 lost on WebShop, which does not",
            _negated(gain(rows, arm.name, column)),
        )
        for column in held_out
        if all(_unlisted(column, env_id) for env_id in arm.env_ids)
    ]
    trained = {_parts(env_id)[0] for env_id in arm.env_ids}
    others = [column for column in held_out if _parts(column)[0] not in trained]
    if held_in and others:
        found.append(
            Claim(
                f"T4: {arm.name} gains more held in than on other environments",
                "AlfWorld held in +78.6, others +3.3 on average",
                transfer_gap(rows, arm.name, held_in, others),
            )
        )
    return found


def _parts(env_id: str) -> tuple[str, str, str]:
    """Return the environment, the tier and the interface of *env_id*; what is absent is empty."""
    name, tier, interface, *_ = [*short(env_id).split("-", 2), "", ""]
    return name, tier, interface


def _unlisted(column: str, env_id: str) -> bool:
    """Return whether *column* is *env_id* without its list of actions at every turn."""
    return _parts(env_id)[2] == "listed" and _parts(column) == (*_parts(env_id)[:2], "")


def _negated(found: Estimate) -> Estimate:
    return Estimate(-found.value, -found.high, -found.low, found.tasks)


def _harder(column: str, env_id: str) -> bool:
    """Return whether *column* is a harder tier of *env_id*, through the same interface."""
    name, tier, interface = _parts(column)
    trained_name, trained_tier, trained_interface = _parts(env_id)
    if (name, interface) != (trained_name, trained_interface):
        return False
    return {tier, trained_tier} <= set(TIERS) and TIERS.index(tier) > TIERS.index(trained_tier)


def short(env_id: str) -> str:
    """Return *env_id* without namespace and version."""
    return env_id.split("/")[-1].rsplit("-v", 1)[0]


def percent(rate: Estimate) -> str:
    """Return a rate as ``41.0 [34.4, 47.9]``."""
    return f"{100 * rate.value:.1f} [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"


def points(difference: Estimate) -> str:
    """Return a difference of rates as ``+12.5 [+4.0, +21.0]``."""
    value, low, high = (100 * x for x in (difference.value, difference.low, difference.high))
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def require_report_extras() -> None:
    """Raise `MissingExtraError` now rather than after hours of training."""
    if importlib.util.find_spec("matplotlib") is None:
        raise missing_extra("matplotlib", "study", "The report")


def draw_study(study: Study, rows: Sequence[Row], path: Path) -> None:
    """Draw success before and after training into the PNG *path*, a panel an arm."""
    require_report_extras()
    from matplotlib.figure import Figure

    width = 2.0 + 1.5 * len(study.columns)
    figure = Figure(figsize=(width, 0.6 + 3.2 * len(study.arms)), layout="constrained")
    panels = figure.subplots(len(study.arms), 1, squeeze=False)
    for arm, axes in zip(study.arms, panels[:, 0], strict=True):
        _draw_arm(axes, study, rows, arm)
    scratch = path.with_name(f".{path.name}.part")
    figure.savefig(scratch, dpi=150, format="png")
    scratch.replace(path)


def _draw_arm(axes: Any, study: Study, rows: Sequence[Row], arm: Arm) -> None:  # noqa: ANN401
    colours = {BASE: "#b8b8b8", arm.name: "#2b6cb0"}
    for offset, name in ((-0.2, BASE), (0.2, arm.name)):
        rates = [success_rate(select(rows, name, column)) for column in study.columns]
        heights = [100 * rate.value for rate in rates]
        errors = [
            [100 * (rate.value - rate.low) for rate in rates],
            [100 * (rate.high - rate.value) for rate in rates],
        ]
        places = [number + offset for number in range(len(study.columns))]
        label = "before" if name == BASE else "after"
        axes.bar(places, heights, 0.38, yerr=errors, capsize=3, color=colours[name], label=label)
    ticks = [
        short(column) + ("\n(held in)" if column in arm.env_ids else "") for column in study.columns
    ]
    axes.set_xticks(range(len(ticks)), ticks, fontsize=8)
    axes.set_ylim(0, 100)
    axes.set_ylabel("success, %")
    episodes = f"{study.tasks} tasks x {study.samples} samples x {len(study.seeds)} seeds a bar"
    axes.set_title(f"Trained on {arm.name} ({episodes}, 95 % intervals)", fontsize=9)
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
