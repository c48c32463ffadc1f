"""What could explain transfer: a regression of held-out gains on distances between ids.

The regressors are those that the paper and its neighbours name: another environment, a harder tier,
the distance between interfaces, the loss of the list of actions (arXiv 2603.12011), the length of
observations and of episodes (arXiv 2601.18217). What is constant over the cells of a study, or the
sum of others, is left out and named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from agentgym_gen.env.registration import split_env_id
from agentgym_gen.interface import Interface
from agentgym_gen.study.analysis.analysis import Results
from agentgym_gen.study.analysis.statistics import Floats, regression
from agentgym_gen.study.plan.plan import BASE, Arm
from agentgym_gen.world.task import TIERS


@dataclass(frozen=True)
class EnvTraits:
    """The parts of an environment id that transfer is explained by."""

    name: str
    """The name of the environment."""
    tier: str
    """The tier; empty if the id has none."""
    interface: str
    """The text form of the interface."""


def env_traits(env_id: str) -> EnvTraits:
    """Return the environment, the tier and the interface of *env_id*; an absent tier is empty.

    >>> env_traits("rftgen/Sokoban-easy-listed-v0")
    EnvTraits(name='Sokoban', tier='easy', interface='listed')
    >>> env_traits("rftgen/TextCraft-v0?tasks=lists/craft.hard.txt&interface=menu")
    EnvTraits(name='TextCraft', tier='hard', interface='menu')
    """
    plain, options = split_env_id(env_id)
    name, *rest = plain.split("/")[-1].rsplit("-v", 1)[0].split("-")
    tier = rest[0] if rest and rest[0] in TIERS else ""
    interface = "-".join(rest[bool(tier) :]) or "native"
    if "tasks" in options:
        tier = options["tasks"].removesuffix(".txt").rpartition(".")[2]
    return EnvTraits(name, tier, options.get("interface", interface))


def is_harder(column: str, env_id: str) -> bool:
    """Return whether *column* is a harder tier of *env_id*, through the same interface."""
    tested, trained = env_traits(column), env_traits(env_id)
    if (tested.name, tested.interface) != (trained.name, trained.interface):
        return False
    have_tiers = {tested.tier, trained.tier} <= set(TIERS)
    return have_tiers and TIERS.index(tested.tier) > TIERS.index(trained.tier)


def interface_distance(spec: str, other_spec: str) -> int:
    """Return how many axes of two interfaces differ.

    >>> interface_distance("native", "synonyms+json")
    2
    """
    axes, other_axes = (asdict(Interface.parse(text)) for text in (spec, other_spec))
    return sum(axes[name] != other_axes[name] for name in axes)


FEATURES = (
    "another environment",
    "tiers harder",
    "interface axes that differ",
    "list of actions lost",
    "base success",
    "log ratio of observation length",
)


MIN_CELLS = 6
"""With fewer cells there is no regression; and each feature needs two cells."""


@dataclass(frozen=True)
class TransferRegression:
    """A least-squares regression of held-out gains."""

    cells: int
    """How many held-out cells it was fitted to."""
    coefficients: dict[str, tuple[float, float, float]]
    """For each feature the coefficient and the ends of its interval, in success per unit."""
    left_out: tuple[str, ...]
    """The features that are constant over the cells, or a sum of others."""
    r_squared: float
    """The share of the variance between cells that it explains."""


def explain_transfer(results: Results, arms: Sequence[Arm]) -> TransferRegression | None:
    """Return the regression of held-out gains of one-stage arms, or None with too few cells."""
    cells = {
        (arm.name, column): arm.stages[0].env_ids[0]
        for arm in arms
        if len(arm.stages) == 1 and len(arm.stages[0].env_ids) == 1
        if env_traits(arm.stages[0].env_ids[0]).interface.split()[0] != "random"
        for column in arm.columns
        if column not in arm.stages[0].env_ids
        and results.has((arm.name, column), (BASE, column), (BASE, arm.stages[0].env_ids[0]))
    }
    if len(cells) < MIN_CELLS:
        return None
    rows = np.array([[1.0, *_features(results, own, pair[1])] for pair, own in cells.items()])
    kept, left_out = _independent_columns(rows)
    gains = [results.resample([pair, (BASE, pair[1])], lambda m: m[0] - m[1]) for pair in cells]
    values = np.array([value for value, _ in gains])
    resamples = np.stack([values_R for _, values_R in gains])
    names = ("constant", *FEATURES)
    coefficients = regression(rows[:, kept], resamples, values)
    predicted = rows[:, kept] @ np.array([coefficient[0] for coefficient in coefficients])
    total = float(((values - values.mean()) ** 2).sum())
    residual = float(((values - predicted) ** 2).sum())
    return TransferRegression(
        cells=len(cells),
        coefficients={names[k]: c for k, c in zip(kept, coefficients, strict=True)},
        left_out=tuple(names[k] for k in left_out),
        r_squared=1 - residual / total if total else 0.0,
    )


def _features(results: Results, trained_id: str, column: str) -> list[float]:
    """Return the values of `FEATURES` for training on *trained_id* and testing on *column*."""
    trained, tested = env_traits(trained_id), env_traits(column)
    same = trained.name == tested.name
    have_tiers = {trained.tier, tested.tier} <= set(TIERS) and same
    lists = [Interface.parse(parts.interface).listing == "always" for parts in (trained, tested)]
    lengths = [_observation_length(results, env_id) for env_id in (trained_id, column)]
    return [
        float(not same),
        float(TIERS.index(tested.tier) - TIERS.index(trained.tier)) if have_tiers else 0.0,
        float(interface_distance(trained.interface, tested.interface)),
        float(lists[0] and not lists[1]),
        results.rate(BASE, column).value,
        float(np.log(lengths[1] / lengths[0])),
    ]


def _observation_length(results: Results, column: str) -> float:
    """Return the mean length of an observation of *column* in characters, played by the base."""
    rows = results.rows(BASE, column)
    chars = sum(int(row["observation_chars"]) for row in rows)
    # One observation before each turn, and the last one.
    return max(1.0, chars / sum(int(row["turns"]) + 1 for row in rows))


def _independent_columns(rows: Floats) -> tuple[list[int], list[int]]:
    """Return the columns that are no sum of those before them, and the others.

    A column is left out as well if there would be fewer than two rows for each.
    """
    kept: list[int] = []
    left_out: list[int] = []
    for column in range(rows.shape[1]):
        candidate = rows[:, [*kept, column]]
        is_new = np.linalg.matrix_rank(candidate, tol=1e-8) > len(kept)
        has_rows = len(rows) >= 2 * candidate.shape[1]
        (kept if is_new and has_rows else left_out).append(column)
    return kept, left_out
