"""Statistics equal numbers worked out by hand or by the cited papers."""

import numpy as np
import pytest

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.study.analysis.statistics import (
    RESAMPLES,
    Estimate,
    bootstrap_p,
    holm,
    interval,
    pass_at_k,
    pass_power_k,
    regression,
    resampled_means,
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


def names(number: int) -> list[str]:
    """Return the names of *number* tasks."""
    return [f"t{n}" for n in range(number)]


def test_the_bootstrap_has_the_standard_error_of_the_mean() -> None:
    """30 ones and 10 minus ones of 100 values have sqrt((0.4 - 0.04) / 100) = 0.06."""
    values = np.array([[1.0] * 30 + [-1.0] * 10 + [0.0] * 60])
    means = resampled_means(values, names(100))

    assert len(means) == RESAMPLES
    assert means.std() == pytest.approx(0.06, abs=0.002)
    assert interval(means) == pytest.approx((0.2 - 0.1176, 0.2 + 0.1176), abs=0.012)


def test_the_same_rows_give_the_same_resamples() -> None:
    """The random stream of the bootstrap is named by the tasks."""
    values = np.array([[0.0, 1.0, 0.0, 1.0]])

    assert (resampled_means(values, names(4)) == resampled_means(values, names(4))).all()


def test_matrices_of_the_same_tasks_have_the_same_resamples() -> None:
    """The resampled mean of a difference is the difference of the resampled means."""
    first, second = np.array([[0.0, 1.0, 1.0]]), np.array([[1.0, 1.0, 0.0]])
    difference = resampled_means(first, names(3)) - resampled_means(second, names(3))

    assert difference == pytest.approx(resampled_means(first - second, names(3)))


def test_seeds_are_resampled_from_three_on() -> None:
    """Three seeds at 0, 0.5 and 1 have a standard error of sqrt(1/6) / sqrt(3) = 0.236."""
    values = np.repeat([[0.0], [0.5], [1.0]], 50, axis=1)

    assert resampled_means(values[::2], names(50)).std() == 0
    assert resampled_means(values, names(50)).std() == pytest.approx(0.2357, abs=0.005)


def test_a_copied_seed_narrows_nothing() -> None:
    """Two seeds with equal values have the resampled means of one."""
    values = np.array([[0.0, 1.0, 1.0, 0.0]])

    assert resampled_means(values, names(4)) == pytest.approx(
        resampled_means(np.repeat(values, 2, axis=0), names(4))
    )


def test_a_matrix_without_its_tasks_is_refused() -> None:
    """The error names the shape."""
    with pytest.raises(InvalidValueError, match=r"seeds x 3 tasks, not \(1, 2\)"):
        resampled_means(np.zeros((1, 2)), names(3))


def test_the_bootstrap_p_by_hand() -> None:
    """With 5 of 199 values at or below zero p is 2 * 6 / 200; with all at zero it is 1."""
    values = np.array([-1.0] * 4 + [0.0] + [1.0] * 194)

    assert bootstrap_p(values) == pytest.approx(0.06)
    assert bootstrap_p(np.zeros(50)) == 1.0


def test_the_bootstrap_p_far_from_zero_is_that_of_the_normal_distribution() -> None:
    """At 6 deviations p is 2e-9, which an adjustment over hundreds of cells leaves small."""
    values = np.random.default_rng(0).normal(6.0, 1.0, 10_000)

    assert bootstrap_p(values) == pytest.approx(2.0e-9, rel=0.5)
    assert bootstrap_p(-values) == pytest.approx(bootstrap_p(values))


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
