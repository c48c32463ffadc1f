# The capitals name the axes of an array.
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
from agentgym_gen.study.plan.plan import BASE, Arm
from agentgym_gen.study.analysis.statistics import Floats, regression
from agentgym_gen.world.task import TIERS


@dataclass(frozen=True)
class EnvParts:
    """What an environment id says."""

    name: str
    tier: str
    interface: str


def env_parts(env_id: str) -> EnvParts:
    """Return the environment, the tier and the interface of *env_id*; an absent tier is empty.

    >>> env_parts("rftgen/Sokoban-easy-listed-v0")
    EnvParts(name='Sokoban', tier='easy', interface='listed')
    >>> env_parts("rftgen/TextCraft-v0?tasks=lists/craft.hard.txt&interface=menu")
    EnvParts(name='TextCraft', tier='hard', interface='menu')
    """
    plain, options = split_env_id(env_id)
    name, *rest = plain.split("/")[-1].rsplit("-v", 1)[0].split("-")
    tier = rest[0] if rest and rest[0] in TIERS else ""
    spoken = "-".join(rest[bool(tier) :]) or "native"
    if "tasks" in options:
        tier = options["tasks"].removesuffix(".txt").rpartition(".")[2]
    return EnvParts(name, tier, options.get("interface", spoken))


def is_harder(column: str, env_id: str) -> bool:
    """Return whether *column* is a harder tier of *env_id*, through the same interface."""
    mine, other = env_parts(column), env_parts(env_id)
    if (mine.name, mine.interface) != (other.name, other.interface):
        return False
    known = {mine.tier, other.tier} <= set(TIERS)
    return known and TIERS.index(mine.tier) > TIERS.index(other.tier)


def interface_distance(one: str, other: str) -> int:
    """Return how many axes of two interfaces differ.

    >>> interface_distance("native", "synonyms+json")
    2
    """
    mine, theirs = (asdict(Interface.parse(spec)) for spec in (one, other))
    return sum(mine[axis] != theirs[axis] for axis in mine)


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
    """The regression of transfer."""

    cells: int
    """How many held-out cells it rests on."""
    coefficients: dict[str, tuple[float, float, float]]
    """For each feature the coefficient and the ends of its interval, in success per unit."""
    left_out: tuple[str, ...]
    """The features that these cells cannot tell from others."""
    r_squared: float
    """The share of the variance between cells that it explains."""


def explain_transfer(results: Results, arms: Sequence[Arm]) -> TransferRegression | None:
    """Return the regression of held-out gains of one-stage arms, or None with too few cells."""
    cells = {
        (arm.name, column): arm.stages[0].env_ids[0]
        for arm in arms
        if len(arm.stages) == 1 and len(arm.stages[0].env_ids) == 1
        if env_parts(arm.stages[0].env_ids[0]).interface.split()[0] != "random"
        for column in arm.columns
        if column not in arm.stages[0].env_ids
        and results.has((arm.name, column), (BASE, column), (BASE, arm.stages[0].env_ids[0]))
    }
    if len(cells) < MIN_CELLS:
        return None
    rows = np.array([[1.0, *_features(results, own, pair[1])] for pair, own in cells.items()])
    kept, left_out = _independent_columns(rows)
    found = [results.draws([pair, (BASE, pair[1])], lambda m: m[0] - m[1]) for pair in cells]
    values = np.array([value for value, _ in found])
    draws = np.stack([draw for _, draw in found])
    names = ("constant", *FEATURES)
    fitted = regression(rows[:, kept], draws, values)
    predicted = rows[:, kept] @ np.array([c[0] for c in fitted])
    spread = float(((values - values.mean()) ** 2).sum())
    return TransferRegression(
        cells=len(cells),
        coefficients={names[k]: c for k, c in zip(kept, fitted, strict=True)},
        left_out=tuple(names[k] for k in left_out),
        r_squared=1 - float(((values - predicted) ** 2).sum()) / spread if spread else 0.0,
    )


def _features(results: Results, trained: str, column: str) -> list[float]:
    mine, theirs = env_parts(trained), env_parts(column)
    same = mine.name == theirs.name
    known = {mine.tier, theirs.tier} <= set(TIERS) and same
    lists = [Interface.parse(parts.interface).listing == "always" for parts in (mine, theirs)]
    return [
        float(not same),
        float(TIERS.index(theirs.tier) - TIERS.index(mine.tier)) if known else 0.0,
        float(interface_distance(mine.interface, theirs.interface)),
        float(lists[0] and not lists[1]),
        results.rate(BASE, column).value,
        float(np.log(_observation_length(results, column) / _observation_length(results, trained))),
    ]


def _observation_length(results: Results, column: str) -> float:
    """Return the characters that an observation of *column* has, as the base met them."""
    rows = results.rows(BASE, column)
    letters = sum(int(row["observation_chars"]) for row in rows)
    return max(1.0, letters / sum(int(row["turns"]) + 1 for row in rows))


def _independent_columns(rows: Floats) -> tuple[list[int], list[int]]:
    """Return the columns that add something to those before them, and the others."""
    kept: list[int] = []
    left_out: list[int] = []
    for column in range(rows.shape[1]):
        tried = rows[:, [*kept, column]]
        adds = np.linalg.matrix_rank(tried, tol=1e-8) > len(kept) and len(rows) >= 2 * len(tried.T)
        (kept if adds else left_out).append(column)
    return kept, left_out
