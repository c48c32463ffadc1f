"""What a training watches is decided by the rows of its log, each environment by its own."""

from collections.abc import Sequence

import numpy as np
import pytest

from agentgym_gen.trainers.algorithm.guards import (
    collapsed,
    gap_persists,
    idle_cause,
    suspicious,
)
from agentgym_gen.trainers.callbacks import LogRow

EASY, HARD = "rftgen/Sokoban-easy-v0", "rftgen/TextCraft-hard-v0"


def rows(env_id: str, shares: Sequence[float]) -> list[LogRow]:
    """Return rows with these shares of valid actions."""
    return [{"valid": share, f"{env_id}/valid": share} for share in shares]


def test_another_mixture_is_no_collapse() -> None:
    """A curriculum goes on to an environment in which most actions are still invalid."""
    history = rows(EASY, [0.95, 0.97, 0.96])

    assert collapsed(history, *rows(HARD, [0.2]), 0.4) is None
    assert not suspicious(history, *rows(HARD, [0.2]), 0.4)


def test_a_collapse_in_one_environment_of_a_mixture_is_named() -> None:
    """The pooled share stays high, because the other environment makes up for it."""
    history = [{f"{EASY}/valid": 0.95, f"{HARD}/valid": 0.9} for _ in range(5)]
    row = {"valid": 0.9, f"{EASY}/valid": 1.0, f"{HARD}/valid": 0.1}

    assert collapsed(history, row, 0.4) == HARD


@pytest.mark.parametrize(
    ("before", "steps"), [([0.9], 2), ([0.9, 0.92], 1), ([0.9] * 10, 1), ([0.9] * 40, 1)]
)
def test_a_sudden_collapse_is_noticed(before: list[float], steps: int) -> None:
    """From 0.9 to nothing is one, at once where the share has not varied so far."""
    latest = [
        collapsed(rows(EASY, [*before, *[0.0] * step]), *rows(EASY, [0.0]), 0.4)
        for step in range(steps)
    ]

    assert latest == [None] * (steps - 1) + [EASY]


def test_a_slow_collapse_is_noticed() -> None:
    """The best average counts, not the last one, so that small steps down add up."""
    falling = [0.9 - 0.02 * step for step in range(40)]
    stops = [
        step
        for step in range(1, 40)
        if collapsed(rows(EASY, falling[:step]), *rows(EASY, falling[step : step + 1]), 0.4)
    ]

    assert 25 <= stops[0] <= 34


def noisy(rng: np.random.Generator, number: int, deviation: float) -> list[float]:
    """Return shares around 0.6 that vary, as those of one task a step do."""
    shares: list[float] = np.clip(rng.normal(0.6, deviation, size=number), 0, 1).tolist()
    return shares


def test_hard_tasks_are_no_collapse() -> None:
    """Of 40 trainings of 40 steps whose share varies by 0.15, at most one is stopped."""
    rng = np.random.default_rng(0)
    stopped = 0
    for _ in range(40):
        shares = noisy(rng, 40, 0.15)
        stopped += any(
            collapsed(rows(EASY, shares[:step]), *rows(EASY, [shares[step]]), 0.4)
            for step in range(1, 40)
        )

    assert stopped <= 1


def test_a_collapse_among_noisy_shares_is_noticed() -> None:
    """However much they vary, two steps without a valid action are enough."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        shares = noisy(rng, 40, 0.25)
        assert any(
            collapsed(rows(EASY, [*shares, *[0.0] * zeros]), *rows(EASY, [0.0]), 0.4)
            for zeros in range(2)
        )


def test_a_gap_persists_at_the_third_update_in_a_row() -> None:
    """Steps without an update do not count, and one good update begins anew."""
    high, low, idle = {"sampler_gap": 0.2}, {"sampler_gap": 0.01}, {"valid": 1.0}

    assert gap_persists([high, idle, high], high, 0.05)
    assert not gap_persists([high], high, 0.05)
    assert not gap_persists([high, high, low, high], high, 0.05)


@pytest.mark.parametrize(
    ("truncated", "valid", "success", "cause"),
    [
        (0.9, 0.0, 0.0, "90% of the answers were cut; raise `max_new_tokens`"),
        (0.0, 0.0, 0.0, "no action was valid"),
        (0.0, 1.0, 1.0, "all episodes were won"),
        (0.0, 0.5, 0.0, "all episodes were lost"),
        (0.0, 0.5, 0.5, "equal rewards"),
    ],
)
def test_the_cause_of_steps_without_an_update_is_named(
    truncated: float, valid: float, success: float, cause: str
) -> None:
    """What is cut is named first, because it makes actions invalid."""
    row = {"truncated_turns": truncated, "valid": valid, "success": success}

    assert cause in idle_cause([row] * 3)
