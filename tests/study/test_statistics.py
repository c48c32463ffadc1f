"""Statistics equal numbers worked out by hand or by the cited papers."""

import numpy as np
import pytest

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.study.analysis.statistics import (
    RESAMPLES,
    Estimate,
    bootstrap_p,
    estimate,
    holm,
    interval,
    pass_at_k,
    pass_power_k,
    regression,
    resampled_means,
    student_tail,
    wilson,
)


def test_the_wilson_interval_of_8_of_10() -> None:
    """0.8 has the interval 0.490 to 0.943 (Newcombe 1998, method 3)."""
    assert wilson(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


@pytest.mark.parametrize(("rate", "ends"), [(0.0, (0.0, 0.2775)), (1.0, (0.7225, 1.0))])
def test_the_wilson_interval_of_none_and_all_of_10(rate: float, ends: tuple[float, float]) -> None:
    """The interval is as wide as z squared / (10 + z squared) = 3.8415 / 13.8415 = 0.2775."""
    assert wilson(rate, 10) == pytest.approx(ends, abs=1e-4)


@pytest.mark.parametrize(
    ("samples", "successes", "k", "expected"),
    [(8, 0, 8, 0.0), (8, 2, 1, 0.25), (4, 2, 2, 1 - 1 / 6), (5, 3, 4, 1.0)],
)
def test_pass_at_k_by_hand(samples: int, successes: int, k: int, expected: float) -> None:
    """Of 4 samples with 2 successes, 1 of the 6 pairs has no success."""
    assert pass_at_k(samples, successes, k) == pytest.approx(expected)


def test_pass_power_k_by_hand() -> None:
    """Of 4 samples with 3 successes, 3 of the 6 pairs have two successes."""
    assert pass_power_k(4, 3, 2) == pytest.approx(0.5)


@pytest.mark.parametrize("k", [0, 5])
def test_k_is_no_more_than_the_samples(k: int) -> None:
    """The estimator would need samples that were not played."""
    for function in (pass_at_k, pass_power_k):
        with pytest.raises(InvalidValueError, match="number of samples, 4"):
            function(4, 1, k)


ENOUGH = 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)
"""The least share of 200 intervals: 95 % less three standard errors."""


def names(number: int) -> list[str]:
    """Return the names of *number* tasks."""
    return [f"t{n}" for n in range(number)]


def test_the_resamples_have_the_standard_error_of_the_mean() -> None:
    """30 ones and 10 minus ones of 100 values have sqrt((0.4 - 0.04) / 99) = 0.0603.

    The two coins at the ends of the scale add a variance of 2 / 102 squared.
    """
    values = np.array([[1.0] * 30 + [-1.0] * 10 + [0.0] * 60])
    means = resampled_means(values, names(100), scale=(-1.0, 1.0))

    assert len(means) == RESAMPLES
    assert means.mean() == pytest.approx(0.2, abs=0.003)
    assert means.std() == pytest.approx(np.hypot(0.0603, 0.0139), abs=0.002)
    assert interval(means) == pytest.approx((0.2 - 0.1213, 0.2 + 0.1213), abs=0.012)


def test_the_same_rows_give_the_same_resamples() -> None:
    """The random streams are named by the tasks and by the model and column."""
    values = np.array([[0.0, 1.0, 0.0, 1.0]])

    assert (resampled_means(values, names(4)) == resampled_means(values, names(4))).all()


def test_models_on_the_same_tasks_have_the_same_weights_and_different_coins() -> None:
    """The difference of a model to itself is zero; that of its twin is the coins' difference."""
    values = np.array([[0.0, 1.0, 1.0]])
    mine, again, twin = (resampled_means(values, names(3), name) for name in ("a", "a", "b"))

    assert (mine == again).all()
    assert (mine - twin).mean() == pytest.approx(0.0, abs=0.02)
    # Each of two coins has a weight of 1/5 on average, of at most 1; then 0.2 times the stretch.
    assert 0.1 < (mine - twin).std() < 0.5


def test_seeds_have_students_interval_from_three_on() -> None:
    """Three seeds at 0, 0.5 and 1: a standard error of 0.5 / sqrt(3), 4.303 of them on each side.

    The tasks of a seed are alike, so all that they add is the noise of the coins.
    """
    values = np.repeat([[0.0], [0.5], [1.0]], 200, axis=1)
    few, many = (resampled_means(part, names(200)) for part in (values[::2], values))

    assert few.std() < 0.01
    assert interval(many) == pytest.approx((0.5 - 1.242, 0.5 + 1.242), rel=0.08)


def test_a_copied_seed_narrows_nothing() -> None:
    """Two seeds with equal values have the resampled means of one."""
    values = np.array([[0.0, 1.0, 1.0, 0.0]])

    assert resampled_means(values, names(4)) == pytest.approx(
        resampled_means(np.repeat(values, 2, axis=0), names(4))
    )


def paired_gain(before: list[float], after: list[float]) -> Estimate:
    """Return the estimate of the gain from *before* to *after*, task by task."""
    tasks = names(len(before))
    first, second = (
        resampled_means(np.array([values], dtype=float), tasks, name)
        for name, values in (("base", before), ("mine", after))
    )
    value = float(np.mean(after) - np.mean(before))
    return estimate(value, second - first, len(before), reach=1.0)


@pytest.mark.parametrize("number", [10, 50, 200])
def test_no_change_is_not_surely_no_change(number: int) -> None:
    """With 0 changes in n tasks the interval is near Tango's, z squared / (n + z squared)."""
    gain = paired_gain([0.0] * number, [0.0] * number)

    assert gain.value == 0.0
    assert gain.high == pytest.approx(3.8415 / (number + 3.8415), rel=0.25)
    assert gain.low == pytest.approx(-gain.high, rel=0.1)
    assert gain.p == 1.0


@pytest.mark.parametrize("number", [10, 50, 200])
def test_one_change_is_not_sure_and_all_changes_are(number: int) -> None:
    """One task gained leaves zero in the interval; all gained leave less than all, and not zero."""
    one = paired_gain([0.0] * number, [1.0] + [0.0] * (number - 1))
    every = paired_gain([0.0] * number, [1.0] * number)

    assert (one.low < 0 < one.value < one.high, one.p > 0.05) == (True, True)
    assert (0 < every.low < 1 == every.high, every.p < 0.05) == (True, True)


def coverage(number: int, gained: float, lost: float, columns: int = 1) -> float:
    """Return how often the interval of the mean over *columns* holds the true gain, of 200.

    Each task is gained or lost with these probabilities, won by both with a third of the rest.
    """
    rng, repetitions, hits = np.random.default_rng(7), 200, 0
    all_tasks = [[f"c{c} {name}" for name in names(number)] for c in range(columns)]
    for _ in range(repetitions):
        value, resamples = 0.0, np.zeros(RESAMPLES)
        for column, tasks in enumerate(all_tasks):
            places = rng.random(number)
            both = places > 1 - (1 - gained - lost) / 3
            is_gained, is_lost = (
                places < gained,
                (places >= gained) & (places < gained + lost),
            )
            after, before = (is_gained | both)[None] * 1.0, (is_lost | both)[None] * 1.0
            value += (after.mean() - before.mean()) / columns
            mine, base = (
                resampled_means(values, tasks, f"{name} {column}")
                for name, values in (("mine", after), ("base", before))
            )
            resamples += (mine - base) / columns
        gain = estimate(value, resamples, number, reach=1.0)
        hits += gain.low - 1e-9 <= gained - lost <= gain.high + 1e-9
        assert abs(gain.p - 0.05) < 0.002 or (gain.p < 0.05) == gain.excludes_zero
    return hits / repetitions


@pytest.mark.parametrize("number", [10, 50, 200])
@pytest.mark.parametrize("kind", ["none", "one", "some", "balanced", "all but one", "all"])
def test_the_interval_of_a_gain_covers_what_it_says(number: int, kind: str) -> None:
    """At least 95 % of 200 simulated intervals hold the true gain, less three standard errors."""
    share = 1 / number
    changes = {"none": (0.0, 0.0), "one": (share, 0.0), "some": (0.3, 0.1)}
    changes |= {"balanced": (0.4, 0.4), "all but one": (1 - share, 0.0), "all": (1.0, 0.0)}

    assert coverage(number, *changes[kind]) >= ENOUGH


def test_the_interval_of_a_mean_over_columns_is_not_moved_by_the_pseudo_tasks() -> None:
    """Over 5 columns of 10 tasks, of which half are gained, the coverage is that of one column."""
    assert coverage(10, 0.5, 0.0, columns=5) >= ENOUGH


@pytest.mark.parametrize("number", [50, 200])
def test_columns_that_share_all_tasks_but_one_vary_together(number: int) -> None:
    """95 % of 200 intervals of their mean hold it, where a task is won in both columns or none."""
    rng, tasks, hits = np.random.default_rng(5), names(number), 0
    for _ in range(200):
        won = (rng.random((1, number)) < 0.5) * 1.0
        whole = resampled_means(won, tasks, "whole")
        shorter = resampled_means(won[:, 1:], tasks[1:], "shorter")
        value = (won.mean() + won[:, 1:].mean()) / 2
        got = estimate(float(value), (whole + shorter) / 2, number)
        hits += got.low <= 0.5 <= got.high

    assert hits / 200 >= ENOUGH


def test_the_interval_over_three_seeds_covers_the_noise_of_training() -> None:
    """Seeds whose true gains scatter by ten points: 95 % of 200 intervals hold their mean."""
    rng, tasks, hits = np.random.default_rng(3), names(60), 0
    for _ in range(200):
        rates = 0.4 + 0.1 * rng.standard_normal((3, 1))
        values = (rng.random((3, 60)) < rates) * 1.0
        got = estimate(float(values.mean()), resampled_means(values, tasks), 60, 3)
        hits += got.low <= 0.4 <= got.high

    assert hits / 200 >= ENOUGH


def test_a_matrix_without_its_tasks_is_refused() -> None:
    """The error names the shape."""
    with pytest.raises(InvalidValueError, match=r"seeds x 3 tasks, not \(1, 2\)"):
        resampled_means(np.zeros((1, 2)), names(3))


def test_the_bootstrap_p_by_hand() -> None:
    """With 5 of 199 values at or below zero p is 2 * 6 / 200; of a value of zero it is 1."""
    values = np.array([-1.0] * 4 + [0.0] + [1.0] * 194)

    assert bootstrap_p(0.9, values, 198) == pytest.approx(0.06)
    assert bootstrap_p(-0.9, values, 198) == 1.0
    assert bootstrap_p(0.0, values, 198) == 1.0


def test_the_bootstrap_p_far_from_zero_is_that_of_students_distribution() -> None:
    """At 6 deviations p is 3e-8 with 100 tasks, which an adjustment leaves small; 2e-4 with 10."""
    values = np.random.default_rng(0).normal(6.0, 1.0, 10_000)

    assert bootstrap_p(6.0, values, 99) == pytest.approx(3.3e-8, rel=0.5)
    assert bootstrap_p(-6.0, -values, 99) == pytest.approx(3.3e-8, rel=0.5)
    assert bootstrap_p(6.0, values, 9) == pytest.approx(2e-4, rel=0.1)


@pytest.mark.parametrize(
    ("t", "freedom", "tail"),
    [(1.0, 1, 0.25), (12.706, 1, 0.025), (4.3027, 2, 0.025), (2.2622, 9, 0.025), (6.0, 9, 1.0e-4)],
)
def test_students_tail_is_that_of_the_tables(t: float, freedom: int, tail: float) -> None:
    """With one degree of freedom it is Cauchy's: a quarter is above 1."""
    assert student_tail(t, freedom) == pytest.approx(tail, rel=0.02)


def test_holm_by_hand() -> None:
    """Sorted, 0.01 x 4, 0.02 x 3, 0.03 x 2 and 0.9 x 1 give 0.04, 0.06, 0.06 and 0.9."""
    assert holm([0.03, 0.9, 0.01, 0.02]) == pytest.approx([0.06, 0.9, 0.04, 0.06])


def test_holm_never_passes_one() -> None:
    """An adjusted p is still a probability."""
    assert holm([0.6, 0.7]) == [1.0, 1.0]


def test_the_regression_of_a_straight_line() -> None:
    """Resamples that move every value of y = 1 + 2 x by the same change the constant only."""
    features = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    values = np.array([1.0, 3.0, 5.0])
    resamples = values[:, None] + np.linspace(-1, 1, 101)
    constant, slope = regression(features, resamples, values)

    assert constant == pytest.approx((1.0, 0.05, 1.95))
    assert slope == pytest.approx((2.0, 2.0, 2.0))


def test_a_regression_without_enough_rows_is_refused() -> None:
    """Two equal features cannot be told apart."""
    with pytest.raises(InvalidValueError, match="cannot tell 2 features apart"):
        regression(np.ones((3, 2)), np.ones((3, 5)), np.ones(3))


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.1, 0.3, True), (-0.3, -0.1, True), (-0.1, 0.2, False)]
)
def test_an_interval_excludes_zero(low: float, high: float, expected: bool) -> None:
    """An interval on either side of zero excludes it; one around zero does not."""
    assert Estimate(0.0, low, high, 1).excludes_zero is expected


@pytest.mark.parametrize(("seeds", "expected"), [(1, False), (2, False), (3, True)])
def test_nothing_is_sure_with_fewer_than_three_seeds(seeds: int, expected: bool) -> None:
    """The interval of one training does not cover another one."""
    assert Estimate(0.2, 0.1, 0.3, 100, seeds).is_sure is expected
    assert Estimate(0.2, -0.1, 0.3, 100, seeds).is_sure is False
