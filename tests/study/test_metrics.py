"""Continual-learning metrics on a matrix worked out by hand."""

import numpy as np
import pytest

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.study.analysis import metrics

# Rows: base, after A, after B, after C. Columns: A, B, C.
R = np.array(
    [
        [0.1, 0.2, 0.0],
        [0.7, 0.3, 0.1],
        [0.5, 0.8, 0.3],
        [0.6, 0.4, 0.9],
    ]
)
ORDER = [0, 1, 2]


def test_backward_transfer_by_hand() -> None:
    """A: 0.6 - 0.7 = -0.1; B: 0.4 - 0.8 = -0.4; mean -0.25."""
    assert metrics.backward_transfer(R, ORDER) == pytest.approx(-0.25)


def test_forward_transfer_by_hand() -> None:
    """B after A: 0.3 - 0.2 = 0.1; C after B: 0.3 - 0.0 = 0.3; mean 0.2."""
    assert metrics.forward_transfer(R, ORDER) == pytest.approx(0.2)


def test_forgetting_by_hand() -> None:
    """A: max(0.7, 0.5) - 0.6 = 0.1; B: max(0.3, 0.8) - 0.4 = 0.4; mean 0.25."""
    assert metrics.forgetting(R, ORDER) == pytest.approx(0.25)


def test_forgetting_is_not_the_negative_of_backward_transfer() -> None:
    """Where a later stage had raised A to 0.9 before it fell to 0.6, 0.3 is forgotten, not 0.1."""
    higher = R.copy()
    higher[2, 0] = 0.9

    assert metrics.forgetting(higher, ORDER) == pytest.approx((0.3 + 0.4) / 2)
    assert metrics.backward_transfer(higher, ORDER) == pytest.approx(-0.25)


def test_retention_by_hand() -> None:
    """A: 0.6 / 0.7, B: 0.4 / 0.8."""
    assert metrics.retention(R, ORDER) == pytest.approx((0.6 / 0.7 + 0.5) / 2)


def test_retention_of_nothing_is_not_a_number() -> None:
    """A stage with a score of 0 is left out; if all are, there is no share."""
    nothing = np.array([[0.0, 0.0], [0.0, 0.0], [0.5, 0.5]])

    assert np.isnan(metrics.retention(nothing, [0, 1]))


# Rows: base, after A, after B, after A again. Columns: A, B.
RETURNING = np.array([[0.1, 0.2], [0.7, 0.3], [0.5, 0.8], [0.9, 0.6]])


def test_an_environment_that_returns_counts_from_its_last_training() -> None:
    """A is trained last, so that it cannot be forgotten; and it was no gain of others before."""
    order = [0, 1, 0]

    assert metrics.backward_transfer(RETURNING, order) == pytest.approx(0.6 - 0.8)
    assert metrics.forward_transfer(RETURNING, order) == pytest.approx(0.3 - 0.2)
    assert metrics.forgetting(RETURNING, order) == pytest.approx(0.8 - 0.6)
    assert metrics.retention(RETURNING, order) == pytest.approx(0.6 / 0.8)


@pytest.mark.parametrize("name", metrics.__all__)
def test_one_environment_twice_has_no_other_to_forget(name: str) -> None:
    """None of the metrics is a number, and none is an error."""
    assert np.isnan(getattr(metrics, name)(RETURNING[:3], [0, 0]))


def test_retention_is_of_scores_that_are_possible() -> None:
    """A resample may lie beyond 0 and 1."""
    beyond = np.array([[0.0, 0.0], [0.5, 0.0], [1.3, 0.5]])

    assert metrics.retention(beyond, [0, 1]) == pytest.approx(2.0)


def test_metrics_take_any_leading_axes() -> None:
    """A stack of matrices, as that of resamples, gives a stack of numbers."""
    stack = np.stack([R, R[:, ::-1]])

    assert metrics.backward_transfer(stack, ORDER).shape == (2,)
    assert metrics.backward_transfer(stack, ORDER)[0] == pytest.approx(-0.25)


def test_a_sequence_has_a_row_for_each_stage() -> None:
    """A matrix of two rows cannot be that of three stages."""
    with pytest.raises(InvalidValueError, match="2 rows for 3 stages"):
        metrics.backward_transfer(R[:2], ORDER)
