"""What could explain transfer: a regression of held-out gains on differences between ids.

The regressors are those that the paper and related work name: another environment, a harder tier,
the distance between interfaces, the loss of the list of actions (arXiv 2603.12011), the length of
observations and of episodes (arXiv 2601.18217). The distance between interfaces is measured by
`agentgym_gen.describe.distance` when the study runs. A regressor that is constant over the cells of
a study, is a sum of others, or was not measured, is left out and named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agentgym_gen.env.registration import ENVIRONMENTS
from agentgym_gen.ids import EnvId
from agentgym_gen.interface import Interface
from agentgym_gen.study.analysis.analysis import Results
from agentgym_gen.study.analysis.statistics import Floats, regression
from agentgym_gen.study.plan.families import is_random
from agentgym_gen.study.plan.plan import BASE, Arm
from agentgym_gen.study.results.distances import Distances
from agentgym_gen.world import TIERS

__all__ = [
    "BASE_SUCCESS",
    "FEATURES",
    "MIN_CELLS",
    "EnvTraits",
    "HeldOutCell",
    "TransferRegression",
    "env_traits",
    "explain_transfer",
    "held_out_cells",
    "is_harder",
    "lists_actions",
]


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
    parts = EnvId.parse(env_id)
    tier, options = parts.tier, dict(parts.query)
    if "tasks" in options:
        tier = options["tasks"].removesuffix(".txt").rpartition(".")[2]
    interface = options.get("interface", parts.interface or "native")
    return EnvTraits(parts.name, tier, interface)


def lists_actions(env_id: str) -> bool:
    """Return whether *env_id* lists the admissible actions at every turn.

    >>> lists_actions("rftgen/Sokoban-easy-listed-v0"), lists_actions("rftgen/Sokoban-easy-v0")
    (True, False)
    >>> lists_actions("rftgen/BabyAI-easy-v0"), lists_actions("rftgen/BabyAI-easy-unlisted-v0")
    (True, False)
    """
    traits, options = env_traits(env_id), dict(EnvId.parse(env_id).query)
    if is_random(traits.interface):
        return False
    interface = Interface.parse(traits.interface)
    if interface.listing != "native" or interface.syntax == "menu":
        return interface.listing == "always" or interface.syntax == "menu"
    environment = ENVIRONMENTS.get(traits.name)
    # BabyAI has a second wording, which does not list them.
    return environment is not None and environment.lists_actions and "wording" not in options


def is_harder(column: str, env_id: str) -> bool:
    """Return whether *column* is a harder tier of *env_id*, through the same interface."""
    tested, trained = env_traits(column), env_traits(env_id)
    if (tested.name, tested.interface) != (trained.name, trained.interface):
        return False
    have_tiers = {tested.tier, trained.tier} <= set(TIERS)
    return have_tiers and TIERS.index(tested.tier) > TIERS.index(trained.tier)


BASE_SUCCESS = "base success"
"""The feature that is also a part of the gains: the noise of the base is in both."""

FEATURES = (
    "another environment",
    "tiers harder",
    "distance between interfaces",
    "list of actions lost",
    BASE_SUCCESS,
    "log ratio of observation length",
)

MIN_CELLS = 6
"""With fewer cells there is no regression; and each feature needs two cells."""


@dataclass(frozen=True)
class TransferRegression:
    """A least-squares regression of held-out gains."""

    cells: int
    """How many held-out cells it was fitted to."""
    seeds: int
    """The least number of training seeds of a cell."""
    coefficients: dict[str, tuple[float, float, float]]
    """For each feature the coefficient and the ends of its interval, in success per unit."""
    left_out: tuple[str, ...]
    """The features that are constant over the cells, or a sum of others."""
    not_measured: tuple[str, ...]
    """The features that lack a measurement for some cell."""
    r_squared: float
    """The share of the variance between cells that it explains."""


@dataclass(frozen=True)
class HeldOutCell:
    """An arm of one training on one environment, and a column that it was not trained on."""

    arm: str
    """The name of the arm."""
    trained: str
    """The environment id that it was trained on."""
    column: str
    """The environment id that it is tested on."""

    @property
    def interfaces(self) -> tuple[str, str] | None:
        """The column and the trained interface, if the column has another interface."""
        trained, tested = env_traits(self.trained), env_traits(self.column)
        return (self.column, trained.interface) if trained.interface != tested.interface else None


def held_out_cells(arms: Sequence[Arm]) -> list[HeldOutCell]:
    """Return the held-out cells of *arms* with one stage on one environment, each once.

    Left out are environments whose interface is sampled for each episode: it is many interfaces,
    at many distances.
    """
    cells = [
        HeldOutCell(arm.name, arm.stages[0].env_ids[0], column)
        for arm in arms
        if len(arm.stages) == 1 and len(arm.stages[0].env_ids) == 1
        if not _is_sampled(arm.stages[0].env_ids[0])
        for column in arm.columns
        if column not in arm.stages[0].env_ids and not _is_sampled(column)
    ]
    return list(dict.fromkeys(cells))


def _is_sampled(env_id: str) -> bool:
    return is_random(env_traits(env_id).interface)


def explain_transfer(
    results: Results, arms: Sequence[Arm], distances: Distances
) -> TransferRegression | None:
    """Return the regression of held-out gains, or None with too few cells.

    Args:
        results: The rows.
        arms: The arms of the plan.
        distances: The measured distances between interfaces; without one that is needed, the
            regression leaves that feature out.
    """
    cells = [
        cell
        for cell in held_out_cells(arms)
        if results.has((cell.arm, cell.column), (BASE, cell.column), (BASE, cell.trained))
    ]
    if len(cells) < MIN_CELLS:
        return None
    rows = np.array([[1.0, *_features(results, cell, distances)] for cell in cells])
    names = ("constant", *FEATURES)
    not_measured = [k for k in range(len(names)) if np.isnan(rows[:, k]).any()]
    kept, left_out = _independent_columns(rows, not_measured)
    gains = [
        results.resample([(cell.arm, cell.column), (BASE, cell.column)], lambda m: m[0] - m[1])
        for cell in cells
    ]
    values = np.array([value for value, _ in gains])
    resamples = np.stack([values_R for _, values_R in gains])
    coefficients = regression(rows[:, kept], resamples, values)
    predicted = rows[:, kept] @ np.array([coefficient[0] for coefficient in coefficients])
    total = float(((values - values.mean()) ** 2).sum())
    residual = float(((values - predicted) ** 2).sum())
    return TransferRegression(
        cells=len(cells),
        seeds=min(
            results.sample_size([(cell.arm, cell.column), (BASE, cell.column)])[1] for cell in cells
        ),
        coefficients={names[k]: c for k, c in zip(kept, coefficients, strict=True)},
        left_out=tuple(names[k] for k in left_out),
        not_measured=tuple(names[k] for k in not_measured),
        r_squared=1 - residual / total if total else 0.0,
    )


def _features(results: Results, cell: HeldOutCell, distances: Distances) -> list[float]:
    """Return the values of `FEATURES` of *cell*; not a number is one that was not measured."""
    trained, tested = env_traits(cell.trained), env_traits(cell.column)
    same = trained.name == tested.name
    have_tiers = {trained.tier, tested.tier} <= set(TIERS) and same
    listed = [lists_actions(env_id) for env_id in (cell.trained, cell.column)]
    lengths = [_observation_length(results, env_id) for env_id in (cell.trained, cell.column)]
    return [
        float(not same),
        float(TIERS.index(tested.tier) - TIERS.index(trained.tier)) if have_tiers else 0.0,
        distances.get(cell.interfaces, np.nan) if cell.interfaces else 0.0,
        float(listed[0] and not listed[1]),
        results.rate(BASE, cell.column).value,
        float(np.log(lengths[1] / lengths[0])),
    ]


def _observation_length(results: Results, column: str) -> float:
    """Return the mean length of an observation of *column* in characters, played by the base."""
    rows = results.rows(BASE, column)
    chars = sum(int(row["observation_chars"]) for row in rows)
    # One observation before each turn, and the last one.
    return max(1.0, chars / sum(int(row["turns"]) + 1 for row in rows))


def _independent_columns(rows: Floats, ignored: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the columns that are no sum of those before them, and the others.

    A column is left out as well if there would be fewer than two rows for each. Those in *ignored*
    are in neither list.
    """
    kept: list[int] = []
    left_out: list[int] = []
    for column in [column for column in range(rows.shape[1]) if column not in ignored]:
        candidate = rows[:, [*kept, column]]
        is_new = np.linalg.matrix_rank(candidate, tol=1e-8) > len(kept)
        has_rows = len(rows) >= 2 * candidate.shape[1]
        (kept if is_new and has_rows else left_out).append(column)
    return kept, left_out
