"""Continual-learning metrics on a matrix worked out by hand, and a published transfer matrix."""

import numpy as np
import pytest

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.study.analysis.analysis import metrics

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


def test_the_means_by_hand() -> None:
    """ACC (0.6 + 0.4 + 0.9) / 3; AIA of 0.7, (0.5 + 0.8) / 2 and 1.9 / 3."""
    assert metrics.final_mean(R) == pytest.approx(1.9 / 3)
    assert metrics.incremental_mean(R, ORDER) == pytest.approx((0.7 + 0.65 + 1.9 / 3) / 3)


def test_retention_by_hand() -> None:
    """A: 0.6 / 0.7, B: 0.4 / 0.8."""
    assert metrics.retention(R, ORDER) == pytest.approx((0.6 / 0.7 + 0.5) / 2)


def test_retention_of_nothing_is_not_a_number() -> None:
    """A stage that reached nothing is left out; when all did, there is no share."""
    nothing = np.array([[0.0, 0.0], [0.0, 0.0], [0.5, 0.5]])

    assert np.isnan(metrics.retention(nothing, [0, 1]))


def test_metrics_take_any_leading_axes() -> None:
    """A stack of matrices, as of resamples, gives the stack of numbers."""
    stack = np.stack([R, R[:, ::-1]])

    assert metrics.backward_transfer(stack, ORDER).shape == (2,)
    assert metrics.backward_transfer(stack, ORDER)[0] == pytest.approx(-0.25)


def test_a_sequence_has_a_row_for_each_stage() -> None:
    """Two rows cannot be three stages."""
    with pytest.raises(InvalidValueError, match="2 rows for 3 stages"):
        metrics.backward_transfer(R[:2], ORDER)


# arXiv 2601.18217, checkpoint V2, plain training (tables 2, 5, 7); success in percent.
# Columns: ALFWorld, WebShop, Sokoban, SciWorld. On the diagonal the table prints gains.
PUBLISHED = np.array(
    [
        [21.9, 38.3, 14.1, 18.0],
        [21.9 + 60.6, 30.5, 9.8, 10.0],
        [17.0, 38.3 + 28.7, 9.0, 13.8],
        [20.0, 34.0, 14.1 + 35.7, 13.0],
        [19.8, 35.8, 12.0, 18.0 + 20.2],
    ]
)


def test_the_published_matrix_has_the_published_held_in_gains() -> None:
    """The diagonal of gains is what the table prints."""
    held_in, _, _ = metrics.held_in_out(PUBLISHED, [0, 1, 2, 3])

    assert held_in == pytest.approx([60.6, 28.7, 35.7, 20.2])


def test_the_published_matrix_loses_everywhere_else() -> None:
    """ALFWorld-trained: (-7.8 - 4.3 - 8.0) / 3 = -6.7, and so on by hand."""
    _, held_out, overall = metrics.held_in_out(PUBLISHED, [0, 1, 2, 3])

    assert held_out == pytest.approx(
        [
            (30.5 - 38.3 + 9.8 - 14.1 + 10.0 - 18.0) / 3,
            (17.0 - 21.9 + 9.0 - 14.1 + 13.8 - 18.0) / 3,
            (20.0 - 21.9 + 34.0 - 38.3 + 13.0 - 18.0) / 3,
            (19.8 - 21.9 + 35.8 - 38.3 + 12.0 - 14.1) / 3,
        ]
    )
    assert held_out[0] == pytest.approx(-6.7)
    assert overall[0] == pytest.approx((60.6 - 20.1) / 4)


def test_the_transfer_ratio_is_the_share_of_a_columns_own_gain() -> None:
    """Sokoban-trained on ALFWorld: (20.0 - 21.9) / 60.6; a training's own ratio is 1."""
    ratios = metrics.transfer_ratios(PUBLISHED, [0, 1, 2, 3])

    assert ratios[2, 0] == pytest.approx(-1.9 / 60.6)
    assert np.diag(ratios) == pytest.approx(1.0)


def test_a_column_that_training_does_not_raise_has_no_ratio() -> None:
    """Nothing can be a share of nothing."""
    flat = np.array([[0.5, 0.2], [0.5, 0.3], [0.6, 0.4]])

    assert np.isnan(metrics.transfer_ratios(flat, [0, 1])[:, 0]).all()


@pytest.mark.parametrize(
    ("before", "after", "printed"),
    [
        ((30.5, 9.8, 10.0), (30.3, 11.0, 12.5), 7.0),
        ((17.0, 9.0, 13.8), (25.8, 11.8, 15.5), 33.4),
        ((20.0, 34.0, 13.0), (20.8, 37.0, 13.0), 5.7),
    ],
)
def test_the_published_changes_by_augmentation(
    before: tuple[float, ...], after: tuple[float, ...], printed: float
) -> None:
    """The pooled change of the V2 rows is what the paper prints: +7.0, +33.4, +5.7 percent."""
    assert round(100 * metrics.pooled_change(before, after), 1) == printed
