"""The score of an evaluation against numbers worked out by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from agentgym_gen.evaluation.results import Column
from agentgym_gen.evaluation.score import ColumnScore, mean_score
from agentgym_gen.study.analysis.statistics import Estimate, wilson

EASY, CRAFT = "rftgen/Sokoban-easy-v0", "rftgen/TextCraft-easy-v0"


def scored(
    env_id: str, outcomes: Sequence[float], interface: str = "native", first: int = 0, of: str = ""
) -> ColumnScore:
    """Return the score of a column whose tasks, numbered from *first*, have these outcomes."""
    tasks = tuple(f"{of or env_id} {first + n}" for n in range(len(outcomes)))
    rate = float(np.mean(outcomes))
    success = Estimate(rate, *wilson(rate, len(tasks)), len(tasks))
    column = Column(env_id, interface, tasks, 1)
    return ColumnScore(column, success, rate, 1.0, 0.0, len(tasks), 0, frozenset(tasks))


def won(number: int, of: int) -> list[float]:
    """Return the outcomes of tasks of which the first *number* are won."""
    return [1.0] * number + [0.0] * (of - number)


@pytest.mark.parametrize("number", [0, 7, 20])
def test_the_interval_of_one_column_is_wilsons(number: int) -> None:
    """Also where none or all of the tasks are won."""
    mean = mean_score([scored(EASY, won(number, 20))])

    assert (mean.low, mean.high) == pytest.approx(wilson(number / 20, 20))
    assert mean.tasks == 20


def test_columns_with_other_tasks_of_one_size_are_worth_their_sum() -> None:
    """Two columns of 20 tasks are worth 40, and no more where one is easy and the other hard."""
    alike = mean_score([scored(EASY, won(5, 20)), scored(CRAFT, won(5, 20))])
    apart = mean_score([scored(EASY, won(10, 20)), scored(CRAFT, won(0, 20))])

    assert (alike.low, alike.high) == pytest.approx(wilson(0.25, 40))
    assert (apart.low, apart.high) == pytest.approx(wilson(0.25, 40))


def test_a_column_of_few_tasks_widens_the_interval() -> None:
    """10 tasks at one half beside 1,000 at zero: half of what the 10 say is in the mean.

    The variance is that of a half times 1/12 + ..., by hand: rates of 6/12 and 1/1002.
    """
    few, many = scored(EASY, won(5, 10)), scored(CRAFT, won(0, 1000))
    rates = 6 / 12, 1 / 1002
    variance = (rates[0] * (1 - rates[0]) / 10 + rates[1] * (1 - rates[1]) / 1000) / 4
    middle = sum(rates) / 2
    mean = mean_score([few, many])

    assert mean.value == 0.25
    assert (mean.low, mean.high) == pytest.approx(wilson(0.25, middle * (1 - middle) / variance))
    assert mean.tasks == 1010


def test_the_same_tasks_under_two_ids_or_interfaces_are_one_sample() -> None:
    """Their mean is worth the tasks of one column."""
    first = scored(EASY, won(5, 20))
    interfaces = mean_score([first, scored(EASY, won(5, 20), interface="json")])
    ids = mean_score([first, scored("rftgen/Sokoban-easy-listed-v0", won(5, 20), of=EASY)])

    for mean in (interfaces, ids):
        assert (mean.low, mean.high) == pytest.approx(wilson(0.25, 20))
        assert mean.tasks == 20


def test_an_interface_played_on_few_tasks_widens_the_interval() -> None:
    """Of 100 tasks 10 were played through another interface, which is half of the mean."""
    whole = mean_score([scored(EASY, won(50, 100)), scored(EASY, won(50, 100), "json")])
    partly = mean_score([scored(EASY, won(50, 100)), scored(EASY, won(5, 10), "json")])

    assert partly.high - partly.low > 1.5 * (whole.high - whole.low)
    assert partly.tasks == 100
