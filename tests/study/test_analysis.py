"""From rows to numbers, against numbers worked out by hand."""

import numpy as np
import pytest

from agentgym_gen.errors import DataError
from agentgym_gen.study.analysis import (
    Differences,
    Estimate,
    Row,
    differences,
    gain,
    invalid_rate,
    read_rows,
    success_rate,
    transfer_gap,
    wilson,
)


def rows(arm: str, column: str, successes: dict[int, list[int]]) -> list[Row]:
    """Return rows of *arm* on *column*: for each seed, one success (0 or 1) per task."""
    return [
        {
            "schema": 1,
            "arm": arm,
            "column": column,
            "seed": seed,
            "task_id": f"t{task}",
            "sample": 0,
            "success": bool(success),
            "turns": 4,
            "invalid_turns": 1 - success,
        }
        for seed, values in successes.items()
        for task, success in enumerate(values)
    ]


def test_the_wilson_interval_of_8_of_10() -> None:
    """0.8 has the interval 0.490 to 0.943 (Newcombe 1998, method 3)."""
    rate = success_rate(rows("a", "c", {0: [1] * 8 + [0] * 2}))

    assert (rate.value, rate.tasks) == (0.8, 10)
    assert (rate.low, rate.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


@pytest.mark.parametrize(("rate", "ends"), [(0.0, (0.0, 0.2775)), (1.0, (0.7225, 1.0))])
def test_the_wilson_interval_of_none_and_all_of_10(rate: float, ends: tuple[float, float]) -> None:
    """Z squared / (10 + z squared) = 3.8415 / 13.8415 = 0.2775."""
    assert wilson(rate, 10) == pytest.approx(ends, abs=1e-4)


def test_playing_the_same_tasks_again_narrows_nothing() -> None:
    """A second seed that is a copy of the first adds no task: both intervals stay."""
    base, trained = [0] * 30 + [1] * 30, [1] * 15 + [0] * 15 + [1] * 30
    once = [*rows("base", "c", {0: base}), *rows("a", "c", {0: trained})]
    twice = [*rows("base", "c", {0: base, 1: base}), *rows("a", "c", {0: trained, 1: trained})]

    assert gain(once, "a", "c") == gain(twice, "a", "c")
    assert success_rate(once) == success_rate(twice)


def test_differences_are_paired_by_seed_and_task() -> None:
    """Base 0 1 0 and trained 1 1 0 differ by 1 0 0, whatever the order of rows."""
    base = rows("base", "c", {0: [0, 1, 0], 1: [1, 1, 1]})
    trained = rows("a", "c", {1: [1, 0, 1], 0: [1, 1, 0]})

    got = differences(trained + base, "a", "c")
    assert got.values_ST.tolist() == [[1, 0, 0], [0, -1, 0]]
    assert got.tasks == ("t0", "t1", "t2")


def test_models_that_were_not_tested_alike_are_not_compared() -> None:
    """A seed or a task that one of them lacks is an error, not a smaller mean."""
    base = rows("base", "c", {0: [0, 1], 1: [0, 1]})
    for trained in (rows("a", "c", {0: [1, 1]}), rows("a", "c", {0: [1], 1: [1]}), []):
        with pytest.raises(DataError, match="not tested on the same tasks"):
            gain(base + trained, "a", "c")


def test_the_gain_is_the_mean_difference_with_an_interval_around_it() -> None:
    """Of 100 tasks 30 improved and 10 got worse: +0.2 with about +-0.12."""
    base = rows("base", "c", {0: [0] * 30 + [1] * 10 + [1] * 60})
    trained = rows("a", "c", {0: [1] * 30 + [0] * 10 + [1] * 60})
    gained = gain(base + trained, "a", "c")

    assert gained.value == pytest.approx(0.2)
    # standard error of the mean difference: sqrt((0.4 - 0.2**2) / 100) = 0.06
    assert (gained.low, gained.high) == pytest.approx((0.2 - 0.1176, 0.2 + 0.1176), abs=0.012)
    assert gained.sure


def test_the_same_rows_give_the_same_interval() -> None:
    """The bootstrap draws from a named stream."""
    all_rows = rows("base", "c", {0: [0, 1, 0, 1]}) + rows("a", "c", {0: [1, 1, 0, 0]})

    assert gain(all_rows, "a", "c") == gain(all_rows, "a", "c")


def test_seeds_are_resampled_from_three_on() -> None:
    """Seeds that disagree widen the interval only when there are three."""
    apart = np.repeat([[0.0], [0.5], [1.0]], 50, axis=1)
    tasks = tuple(map(str, range(50)))

    assert Differences(apart[::2], tasks).bootstrap().std() == 0
    assert Differences(apart, tasks).bootstrap().std() > 0.2


def test_the_transfer_gap_is_held_in_minus_held_out() -> None:
    """+1 held in and (0 + 0.5) / 2 held out: 0.75."""
    all_rows = [
        *rows("base", "in", {0: [0, 0]}),
        *rows("a", "in", {0: [1, 1]}),
        *rows("base", "x", {0: [0, 0]}),
        *rows("a", "x", {0: [0, 0]}),
        *rows("base", "y", {0: [0, 1]}),
        *rows("a", "y", {0: [1, 1]}),
    ]

    assert transfer_gap(all_rows, "a", ["in"], ["x", "y"]).value == pytest.approx(0.75)


def test_one_seed_is_one_model_on_all_columns() -> None:
    """Where every seed gains as much held in as held out, the gap is 0 without doubt."""
    good = {0: [0] * 4, 1: [1] * 4, 2: [1] * 4}
    all_rows = [
        row
        for column in ("in", "out")
        for name, successes in (("base", {seed: [0] * 4 for seed in good}), ("a", good))
        for row in rows(name, column, successes)
    ]
    gap = transfer_gap(all_rows, "a", ["in"], ["out"])

    assert (gap.value, gap.low, gap.high) == (0.0, 0.0, 0.0)


def test_the_invalid_rate_counts_turns() -> None:
    """Two of three episodes have 1 invalid turn of 4."""
    assert invalid_rate(rows("a", "c", {0: [0, 1, 0]})) == pytest.approx(2 / 12)


@pytest.mark.parametrize(
    ("low", "high", "sure"), [(0.1, 0.3, True), (-0.3, -0.1, True), (-0.1, 0.2, False)]
)
def test_an_interval_without_zero_is_sure(low: float, high: float, sure: bool) -> None:
    """On either side of zero."""
    assert Estimate(0.0, low, high, 1).sure is sure


def test_a_broken_row_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    """By its file and line; an empty folder says what to do."""
    folder = tmp_path_factory.mktemp("rows")
    with pytest.raises(DataError, match="run the study first"):
        read_rows(folder)
    (folder / "a.jsonl").write_text('{"schema": 1}\n{"arm"\n')
    with pytest.raises(DataError, match=r"Line 2 of .*a.jsonl is not JSON"):
        read_rows(folder)
