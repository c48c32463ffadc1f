"""From rows to numbers, against numbers worked out by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.study.analysis.analysis import Results
from agentgym_gen.study.analysis.metrics import (
    backward_transfer,
    forgetting,
    forward_transfer,
    retention,
)
from agentgym_gen.study.analysis.statistics import Floats
from agentgym_gen.study.results.rows import Row


def rows(arm: str, column: str, successes: dict[int, list[int]]) -> list[Row]:
    """Return rows of *arm* on *column*: for each seed, one success (0 or 1) per task."""
    return [
        {
            "arm": arm,
            "column": column,
            "seed": seed,
            "task_id": f"t{task}",
            "sample": 0,
            "success": bool(success),
            "score": success / 2,
            "turns": 4,
            "invalid_turns": 1 - success,
            "failures": [] if success else ["loops"],
        }
        for seed, values in successes.items()
        for task, success in enumerate(values)
    ]


def test_a_rate_counts_tasks_not_samples() -> None:
    """8 of 10 tasks: Wilson's interval 0.490 to 0.943, also with every sample twice."""
    once = rows("a", "c", {0: [1] * 8 + [0] * 2})
    twice = [*once, *({**row, "sample": 1} for row in once)]

    for rate in (Results(once).rate("a", "c"), Results(twice).rate("a", "c")):
        assert (rate.value, rate.tasks) == (0.8, 10)
        assert (rate.low, rate.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_seeds_that_disagree_widen_a_rate_from_three_on() -> None:
    """Three seeds win 0, 0.5 and 1 of 40 tasks: Wilson's interval is the narrower one."""
    successes = {0: [0] * 40, 1: [0, 1] * 20, 2: [1] * 40}
    rate = Results(rows("a", "c", successes)).rate("a", "c")

    assert rate.value == 0.5
    assert rate.low < 0.1


def test_the_score_can_take_the_place_of_success() -> None:
    """The score counts tasks that were done in part."""
    episodes = rows("a", "c", {0: [1, 1, 0, 0]})

    assert Results(episodes, metric="score").rate("a", "c").value == 0.25
    with pytest.raises(InvalidValueError, match="'success' or 'score', not 'reward'"):
        Results(episodes, metric="reward")


def test_gains_are_paired_by_seed_and_task() -> None:
    """With base 0 1 0 / 1 1 1 and trained 1 1 0 / 1 0 1, the order of rows does not matter."""
    base = rows("base", "c", {0: [0, 1, 0], 1: [1, 1, 1]})
    trained = rows("a", "c", {1: [1, 0, 1], 0: [1, 1, 0]})

    assert Results(trained + base).gain("a", "c").value == 0.0
    assert Results(base + trained).gain("a", "c") == Results(trained + base).gain("a", "c")


def test_the_gain_is_the_mean_difference_with_an_interval_around_it() -> None:
    """Of 100 tasks 30 improved and 10 got worse: +0.2 with about +-0.12."""
    base = rows("base", "c", {0: [0] * 30 + [1] * 10 + [1] * 60})
    trained = rows("a", "c", {0: [1] * 30 + [0] * 10 + [1] * 60})
    gain = Results(base + trained).gain("a", "c")

    assert gain.value == pytest.approx(0.2)
    # standard error of the mean difference: sqrt((0.4 - 0.2**2) / 100) = 0.06
    assert (gain.low, gain.high) == pytest.approx((0.2 - 0.1176, 0.2 + 0.1176), abs=0.012)
    assert gain.excludes_zero
    assert gain.p < 0.01


def test_pairing_makes_the_interval_narrow() -> None:
    """The same 10 tasks of 100 improved, and the intervals of the two rates overlap."""
    base = rows("base", "c", {0: [0] * 50 + [1] * 50})
    trained = rows("a", "c", {0: [1] * 10 + [0] * 40 + [1] * 50})
    results = Results(base + trained)

    assert results.gain("a", "c").low > 0
    assert results.rate("a", "c").low < results.rate("base", "c").high


def test_a_seed_that_only_one_arm_has_is_left_out() -> None:
    """The gain names the number of seeds that both arms have."""
    base = rows("base", "c", {0: [0, 0], 1: [1, 1]})
    gain = Results([*base, *rows("a", "c", {0: [1, 1]})]).gain("a", "c")

    assert (gain.value, gain.seeds) == (1.0, 1)


def test_models_without_a_common_seed_are_not_compared() -> None:
    """A model is not compared with one that was not tested either."""
    results = Results([*rows("base", "c", {0: [0]}), *rows("a", "c", {1: [1]})])

    assert not results.has(("base", "c"), ("a", "c"))
    with pytest.raises(DataError, match="no training seed in common"):
        results.gain("a", "c")
    with pytest.raises(DataError, match="'a' was not tested on 'd'"):
        results.gain("a", "d")


def test_seeds_that_were_tested_on_different_tasks_are_an_error() -> None:
    """Their mean would not be that of the same tasks."""
    uneven = rows("a", "c", {0: [1, 1], 1: [1]})
    with pytest.raises(DataError, match="not tested on the same tasks"):
        Results(uneven).rate("a", "c")


def test_no_rows_are_an_error() -> None:
    """The error says what to do."""
    with pytest.raises(DataError, match="run the study first"):
        Results([])


def columns(**successes: tuple[list[int], list[int]]) -> Results:
    """Return results of base and arm `a` on some columns."""
    episodes: list[Row] = []
    for column, (before, after) in successes.items():
        episodes += rows("base", column, {0: before}) + rows("a", column, {0: after})
    return Results(episodes)


def test_the_transfer_gap_is_held_in_minus_held_out() -> None:
    """+1 held in and (0 + 0.5) / 2 held out: 0.75; the mean gain over all is 0.5."""
    results = columns(own=([0, 0], [1, 1]), x=([0, 0], [0, 0]), y=([0, 1], [1, 1]))

    assert results.transfer_gap("a", ["own"], ["x", "y"]).value == pytest.approx(0.75)
    assert results.mean_gain("a", ["own", "x", "y"]).value == pytest.approx(0.5)


def test_seeds_are_resampled_together_on_all_columns() -> None:
    """If every seed gains as much held in as held out, the gap has no noise of the seeds."""
    trained = {0: [0] * 40, 1: [1] * 40, 2: [1] * 40}
    episodes = [
        row
        for column in ("in", "out")
        for name, successes in (("base", {seed: [0] * 40 for seed in trained}), ("a", trained))
        for row in rows(name, column, successes)
    ]
    results = Results(episodes)
    gap, gain = results.transfer_gap("a", ["in"], ["out"]), results.gain("a", "in")

    assert gap.value == 0.0
    assert -0.2 < gap.low < 0 < gap.high < 0.2
    assert (gain.low, gain.high) == (pytest.approx(-0.77, abs=0.15), 1.0)


def test_a_gain_of_nothing_has_an_interval() -> None:
    """Two models that win none of ten tasks may still differ; so may their scores and turns."""
    none = rows("base", "c", {0: [0] * 10}) + rows("a", "c", {0: [0] * 10})
    turns = [{**row, "success": 30} for row in none]

    for gain in (
        Results(none).gain("a", "c"),
        Results(none, metric="score").gain("a", "c"),
        Results(turns, scale=(1, 30)).gain("a", "c"),
    ):
        assert gain.value == 0.0
        assert gain.low < -0.2 < 0.2 < gain.high


def test_results_without_an_arm_have_no_row_of_it() -> None:
    """The other arms keep theirs."""
    results = columns(x=([0, 0], [1, 1])).without(["a"])

    assert results.pairs == [("base", "x")]
    with pytest.raises(DataError, match="not one row"):
        results.without(["base"])


def test_the_metrics_of_a_sequence_are_those_of_its_matrix() -> None:
    """A wins 1 of 4, then 4, then 3; B 0, 1, 2: BWT -0.25, FWT +0.25, retention 0.75."""
    episodes: list[Row] = []
    for arm, a, b in (("base", 1, 0), ("A", 4, 1), ("A_then_B", 3, 2)):
        episodes += rows(arm, "a", {0: [1] * a + [0] * (4 - a)})
        episodes += rows(arm, "b", {0: [1] * b + [0] * (4 - b)})
    results = Results(episodes)

    def value(metric: Callable[..., Floats]) -> float:
        return results.sequence(["A", "A_then_B"], ["a", "b"], metric).value

    assert value(backward_transfer) == pytest.approx(-0.25)
    assert value(forward_transfer) == pytest.approx(0.25)
    assert value(forgetting) == pytest.approx(0.25)
    assert value(retention) == pytest.approx(0.75)


def test_the_transfer_ratio_of_a_column_without_a_gain_is_not_a_number() -> None:
    """The ratio is half of the own gain, and not a number where the own gain is 0."""
    episodes = [
        *rows("base", "c", {0: [0, 0, 0, 0]}),
        *rows("own", "c", {0: [1, 1, 1, 1]}),
        *rows("a", "c", {0: [1, 1, 0, 0]}),
    ]

    assert Results(episodes).transfer_ratio("a", "own", "c").value == pytest.approx(0.5)
    assert np.isnan(Results(episodes).transfer_ratio("a", "base", "c").value)


def test_gains_are_adjusted_together() -> None:
    """With two cells, the smaller p is doubled."""
    results = columns(x=([0] * 20, [1] * 20), y=([0, 1] * 10, [0, 1] * 10))
    p = results.gain("a", "x").p
    gains = results.gains_with_holm([("a", "x"), ("a", "y")])

    assert gains["a", "x"].p == pytest.approx(2 * p)
    assert gains["a", "y"].p == 1.0


def test_pass_rates_by_hand() -> None:
    """Two tasks are won 1 of 2 and 2 of 2 times: pass@2 is 1, pass^2 is 0.5, avg 0.75."""
    episodes = [
        {**row, "sample": sample, "success": success}
        for sample, wins in enumerate(([1, 1], [0, 1]))
        for row, success in zip(rows("a", "c", {0: [0, 0]}), wins, strict=True)
    ]
    results = Results(episodes)

    assert results.pass_rate("a", "c", 2) == 1.0
    assert results.pass_rate("a", "c", 2, every=True) == 0.5
    assert results.rate("a", "c").value == 0.75


def test_an_average_of_turns_has_an_interval() -> None:
    """Half the tasks take 4 turns, half 8: 6 with a standard error of 2 / sqrt(100) = 0.2."""
    episodes = [
        {**row, "turns": 4 + 4 * (n % 2)} for n, row in enumerate(rows("a", "c", {0: [0] * 100}))
    ]
    average = Results(episodes).average("a", "c", "turns")

    assert average.value == 6.0
    assert (average.low, average.high) == pytest.approx((6 - 0.392, 6 + 0.392), abs=0.05)


def test_the_invalid_rate_counts_turns() -> None:
    """Two of three episodes have 1 invalid turn of 4."""
    assert Results(rows("a", "c", {0: [0, 1, 0]})).invalid_rate("a", "c") == pytest.approx(2 / 12)


def test_failure_modes_are_counted_by_cell() -> None:
    """The count is over all seeds."""
    results = Results(rows("a", "c", {0: [0, 1], 1: [0, 0]}))

    assert results.failure_counts("a", "c") == {"loops": 3}
