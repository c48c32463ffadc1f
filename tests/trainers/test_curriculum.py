"""Curricula decide which environments a step trains on."""

import numpy as np
import pytest

from agentgym_gen.errors import InvalidValueError, UnknownNameError
from agentgym_gen.trainers.algorithm.curriculum import (
    Curriculum,
    FixedCurriculum,
    StepCurriculum,
    SuccessCurriculum,
    as_curriculum,
    task_counts,
)

EASY, HARD = "rftgen/Sokoban-easy-v0", "rftgen/Sokoban-hard-v0"


def test_task_counts_are_in_proportion_and_add_up() -> None:
    """Of 10 tasks, weights 3 and 1 get 7 or 8 and 2 or 3; on average 7.5 and 2.5."""
    rng = np.random.default_rng(0)
    samples = [task_counts({EASY: 3, HARD: 1}, 10, rng) for _ in range(2000)]

    assert {sum(counts.values()) for counts in samples} == {10}
    assert {counts[EASY] for counts in samples} == {7, 8}
    assert np.mean([counts[EASY] for counts in samples]) == pytest.approx(7.5, abs=0.05)


def test_a_weight_of_0_gets_nothing() -> None:
    """An environment of weight 0 gets no task, whether it is first or last."""
    rng = np.random.default_rng(0)

    assert task_counts({EASY: 0, HARD: 1}, 3, rng) == {EASY: 0, HARD: 3}
    assert task_counts({EASY: 1, HARD: 0}, 3, rng) == {EASY: 3, HARD: 0}


def test_a_list_is_a_mixture_of_equal_weights() -> None:
    """A list has equal weights, a mapping its own, and a curriculum is taken as it is."""
    assert as_curriculum([EASY, HARD]).weights(0, []) == {EASY: 1, HARD: 1}
    assert as_curriculum({EASY: 3, HARD: 1}).weights(9, []) == {EASY: 3, HARD: 1}
    assert isinstance(SuccessCurriculum((EASY, HARD)), Curriculum)


def test_stages_begin_at_their_steps() -> None:
    """The second stage begins at step 5."""
    curriculum = StepCurriculum(((0, {EASY: 1}), (5, {EASY: 1, HARD: 3})))

    assert curriculum.env_ids == (EASY, HARD)
    assert curriculum.weights(4, []) == {EASY: 1}
    assert curriculum.weights(5, []) == {EASY: 1, HARD: 3}


def test_success_opens_the_next_environment() -> None:
    """A mean of 0.8 over two steps opens it; the easy one keeps its rehearsal share."""
    curriculum = SuccessCurriculum((EASY, HARD), threshold=0.8, window=2, rehearsal=0.2)
    rows = [{f"{EASY}/success": value} for value in (0.5, 0.9, 0.6, 1.0)]

    assert curriculum.weights(3, rows[:3]) == {EASY: 1.0}
    assert curriculum.weights(4, rows) == {EASY: 0.2, HARD: 0.8}


def test_an_impossible_curriculum_is_refused() -> None:
    """No or unknown ids, impossible weights, a late first stage, a wrong threshold are errors."""
    for envs in ([], {EASY, HARD}):
        with pytest.raises(InvalidValueError, match="a list of one or more environment ids"):
            as_curriculum(envs)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match=r"each environment once, .* a mapping from id to"):
        as_curriculum([EASY, EASY, HARD])
    with pytest.raises(UnknownNameError, match="Sokoban-easy"):
        FixedCurriculum({"rftgen/Sokoban-esay-v0": 1})
    with pytest.raises(InvalidValueError, match="weights of 0 or more"):
        FixedCurriculum({EASY: 2, HARD: -1})
    with pytest.raises(InvalidValueError, match="finite weights"):
        FixedCurriculum({EASY: float("inf"), HARD: 1})
    with pytest.raises(InvalidValueError, match="begin at 0 and rise"):
        StepCurriculum(((3, {EASY: 1}),))
    with pytest.raises(InvalidValueError, match="`threshold`"):
        SuccessCurriculum((EASY,), threshold=1.5)
