"""The paper's claims on rows whose verdict is clear by hand."""

from collections.abc import Iterator

import pytest

from agentgym_gen.study import Arm, Stage
from agentgym_gen.study.analysis.analysis import Results
from agentgym_gen.study.analysis.claims import PAPER, SENTENCES, Claim, check_claims
from agentgym_gen.study.analysis.descriptors import (
    env_traits,
    explain_transfer,
    held_out_cells,
    is_harder,
)
from agentgym_gen.study.analysis.statistics import Estimate
from agentgym_gen.study.report.context import ReportContext
from agentgym_gen.study.report.sections.regression import regression
from agentgym_gen.study.results.rows import Row

EASY, MEDIUM = "rftgen/Sokoban-easy-v0", "rftgen/Sokoban-medium-v0"
LISTED, CRAFT = "rftgen/Sokoban-easy-listed-v0", "rftgen/TextCraft-easy-v0"
ALF = "rftgen/ALFWorld-easy-v0"
NUMBER = 100


def make_rows(arm: str, column: str, won: int, turns: int = 5) -> Iterator[Row]:
    """Yield rows of 100 tasks of which the first *won* are won."""
    for task in range(NUMBER):
        yield {
            "arm": arm,
            "column": column,
            "seed": 0,
            "task_id": f"{column} {task}",
            "sample": 0,
            "success": task < won,
            "turns": turns,
            "observation_chars": 100 * turns,
            "failures": [] if task < won else ["repeats_failed"],
        }


def results(*cells: tuple[str, str, int]) -> Results:
    """Return results of arms on columns with so many wins of 100."""
    return Results(row for cell in cells for row in make_rows(*cell))


def arm(family: str, *stages: tuple[str, str], columns: tuple[str, ...] = ()) -> Arm:
    """Return an arm whose stages train on one environment each."""
    trained = tuple(Stage(name, (env_id,)) for name, env_id in stages)
    return Arm(family, trained, columns or tuple(env_id for _, env_id in stages))


def verdicts(numbers: Results, arms: list[Arm], number: str) -> list[str]:
    """Return the verdicts on claim *number*."""
    return [claim.verdict for claim in check_claims(numbers, arms) if claim.number == number]


@pytest.mark.parametrize(
    ("low", "high", "margin", "alike", "verdict"),
    [
        (0.1, 0.2, 0.0, False, "agrees"),
        (-0.2, -0.1, 0.0, False, "disagrees"),
        (-0.1, 0.1, 0.0, False, "cannot tell"),
        (-0.01, 0.1, -0.02, False, "agrees"),
        (-0.04, 0.04, 0.05, True, "agrees"),
        (0.06, 0.1, 0.05, True, "disagrees"),
        (0.0, 0.1, 0.05, True, "cannot tell"),
    ],
)
def test_the_verdict_is_where_the_interval_lies(
    low: float, high: float, margin: float, alike: bool, verdict: str
) -> None:
    """The interval is above the margin, below it, or around it."""
    ours = Estimate((low + high) / 2, low, high, 10)

    assert Claim("T1", "", "", ours, margin, alike).verdict == verdict


def test_a_claim_on_nothing_is_not_tested() -> None:
    """Every claim is there once, with its sentence and the paper's number."""
    claims = check_claims(results(("base", EASY, 5), ("a", EASY, 5)), [arm("own", ("a", EASY))])

    assert [claim.number for claim in claims] == [f"T{n}" for n in range(1, 11)]
    assert {claim.verdict for claim in claims} == {"not tested"}
    assert set(PAPER) == set(SENTENCES) == {claim.number for claim in claims}


@pytest.mark.parametrize(
    ("won", "verdict"), [(60, "agrees"), (1, "disagrees"), (21, "cannot tell")]
)
def test_t1_is_the_gain_on_harder_tiers(won: int, verdict: str) -> None:
    """From 20 of 100 on the same tasks, 60, 1 and 21 decide the three verdicts."""
    numbers = results(("base", MEDIUM, 20), ("easy", MEDIUM, won))

    assert verdicts(numbers, [arm("difficulty", ("easy", EASY), columns=(MEDIUM,))], "T1") == [
        verdict
    ]


@pytest.mark.parametrize(
    ("column", "env_id", "expected"),
    [
        (MEDIUM, EASY, True),
        (EASY, MEDIUM, False),
        ("rftgen/Sokoban-medium-listed-v0", EASY, False),
        ("rftgen/TextCraft-hard-v0", EASY, False),
        ("rftgen/Sokoban-v0", EASY, False),
        ("rftgen/X-v0?tasks=l/x.hard.txt", "rftgen/X-v0?tasks=l/x.easy.txt", True),
    ],
)
def test_harder_is_a_tier_of_the_same_environment(column: str, env_id: str, expected: bool) -> None:
    """Another interface or another environment is not a harder tier."""
    assert is_harder(column, env_id) is expected


def test_t2_compares_a_curriculum_with_each_tier_alone() -> None:
    """The mean is over the tiers that all three arms were tested on."""
    curriculum = Arm(
        "difficulty",
        (Stage("easy", (EASY,), 0.5), Stage("medium", (MEDIUM,), 0.5)),
        (EASY, MEDIUM),
    )
    name = curriculum.name
    numbers = results(
        *((who, column, won) for column in (EASY, MEDIUM)
          for who, won in (("base", 10), ("easy", 30), ("medium", 80), (name, 60)))
    )  # fmt: skip

    assert verdicts(numbers, [curriculum], "T2") == ["agrees", "disagrees"]


def test_t3_counts_turns() -> None:
    """From 9 turns to 5 on every task, 4 turns are saved."""
    rows = [*make_rows("base", EASY, 10, turns=9), *make_rows("a", EASY, 50, turns=5)]
    (claim,) = [
        c for c in check_claims(Results(rows), [arm("cross", ("a", EASY))]) if c.number == "T3"
    ]

    assert claim.verdict == "agrees"
    assert claim.ours is not None
    assert claim.ours.value == pytest.approx(4.0)


def test_t4_is_held_in_less_held_out() -> None:
    """+60 less the mean of +10 and -10 is 60; an arm of another family does not hide it."""
    numbers = results(
        *(("base", column, 20) for column in (EASY, CRAFT, ALF)),
        *((("a", EASY, 80)), ("a", CRAFT, 30), ("a", ALF, 10)),
    )
    both = [
        arm("difficulty", ("a", EASY), columns=(EASY, MEDIUM)),
        arm("cross", ("a", EASY), columns=(EASY, CRAFT, ALF)),
    ]
    (claim,) = [c for c in check_claims(numbers, both) if c.number == "T4"]

    assert claim.ours is not None
    assert claim.ours.value == pytest.approx(0.6)
    assert claim.verdict == "agrees"


@pytest.mark.parametrize(
    ("worst", "verdict"), [(20, "agrees"), (48, "cannot tell"), (80, "disagrees")]
)
def test_t5_is_decided_by_the_worst_pair(worst: int, verdict: str) -> None:
    """From 50, a sure loss agrees, one within the noise does not tell, a gain disagrees."""
    numbers = results(
        ("base", CRAFT, 50), ("base", ALF, 50), ("a", CRAFT, 90), ("a", ALF, worst)
    )  # fmt: skip

    assert verdicts(numbers, [arm("cross", ("a", EASY), columns=(CRAFT, ALF))], "T5") == [verdict]


def test_t6_is_about_the_same_tasks_without_the_list() -> None:
    """Models trained with the list are tested without it, on the same tier only."""
    numbers = results(
        *(("base", column, 50) for column in (EASY, MEDIUM, LISTED)),
        *(("a", EASY, 20), ("a", MEDIUM, 20), ("a", LISTED, 90)),
    )
    listed = arm("interface", ("a", LISTED), columns=(EASY, MEDIUM, LISTED))

    assert verdicts(numbers, [listed], "T6") == ["agrees"]


def test_t7_is_about_both_ends_of_a_pair() -> None:
    """The first column lost 30 points; the second is 20 above its own training."""
    pair = arm("sequence", ("a", EASY), ("b", CRAFT))
    numbers = results(
        *(("base", column, 10) for column in (EASY, CRAFT)),
        *(("a", EASY, 80), (pair.name, EASY, 50), ("b", CRAFT, 60), (pair.name, CRAFT, 80)),
    )

    assert verdicts(numbers, [pair], "T7") == ["disagrees", "agrees"]


def mixture_and_orders() -> tuple[list[Arm], str]:
    """Return a mixture, three single arms and a sequence of all, and the name of the sequence."""
    ids = {"a": EASY, "b": CRAFT, "c": ALF}
    columns = tuple(ids.values())
    order = arm("sequence", *ids.items())
    mixture = Arm("mixture", (Stage("mixture", columns),), columns)
    singles = [arm("cross", item, columns=columns) for item in ids.items()]
    return [mixture, order, *singles], order.name


@pytest.mark.parametrize(("won", "verdict"), [(60, "agrees"), (90, "disagrees")])
def test_t8_compares_a_whole_sequence_with_the_mixture(won: int, verdict: str) -> None:
    """They are alike if they differ by less than five points."""
    arms, order = mixture_and_orders()
    numbers = results(
        *((name, column, wins) for column in (EASY, CRAFT, ALF)
          for name, wins in (("base", 10), ("mixture", 60), (order, won)))
    )  # fmt: skip

    assert verdicts(numbers, arms, "T8") == [verdict]


def test_t9_compares_the_mixture_with_the_best_single_training() -> None:
    """60 everywhere is better than 90, 20 and 20, whose mean is 43."""
    arms, _ = mixture_and_orders()
    columns = (EASY, CRAFT, ALF)
    numbers = results(
        *(("mixture", column, 60) for column in columns),
        *((name, c, 90 if own == c else 20) for name, own in zip("abc", columns, strict=True)
          for c in columns),
    )  # fmt: skip
    (claim,) = [c for c in check_claims(numbers, arms) if c.number == "T9"]

    assert claim.ours is not None
    assert claim.ours.value == pytest.approx(0.6 - 1.3 / 3)
    assert claim.verdict == "agrees"


def test_t10_is_the_share_of_failures() -> None:
    """All of 40 failures repeat an invalid action."""
    numbers = results(("base", EASY, 10), ("a", EASY, 60))
    (claim,) = [c for c in check_claims(numbers, [arm("cross", ("a", EASY))]) if c.number == "T10"]

    assert claim.ours is not None
    assert (claim.ours.value, claim.ours.tasks) == (1.0, 40)
    assert claim.verdict == "agrees"


def test_the_regression_names_what_it_cannot_tell_apart() -> None:
    """By construction, another environment costs 40 points and the loss of the list 20."""
    columns = (EASY, LISTED, MEDIUM, CRAFT, ALF)
    rows = [row for column in columns for row in make_rows("base", column, 40)]
    arms = []
    for name, own in (("e", EASY), ("l", LISTED), ("c", CRAFT)):
        arms.append(arm("cross", (name, own), columns=columns))
        for column in columns:
            is_other = env_traits(column).name != env_traits(own).name
            lost = own == LISTED and column != LISTED
            rows += make_rows(name, column, 80 - 40 * is_other - 20 * lost)
    pairs = [cell.interfaces for cell in held_out_cells(arms) if cell.interfaces]
    fit = explain_transfer(Results(rows), arms, dict.fromkeys(pairs, 0.3))

    assert fit is not None
    assert fit.cells == 12
    assert fit.coefficients["another environment"][0] == pytest.approx(-0.4)
    assert fit.coefficients["list of actions lost"][0] == pytest.approx(-0.2)
    assert "base success" in fit.left_out
    assert fit.not_measured == ()
    assert fit.r_squared == pytest.approx(1.0)


def test_the_regression_leaves_out_a_distance_that_was_not_measured() -> None:
    """If one cell lacks it, there is no coefficient, and the report says so."""
    columns = (EASY, LISTED, MEDIUM, CRAFT, ALF)
    arms = [
        arm("cross", (name, own), columns=columns) for name, own in (("e", EASY), ("l", LISTED))
    ]
    rows = [row for name in ("base", "e", "l") for c in columns for row in make_rows(name, c, 40)]
    pairs = [cell.interfaces for cell in held_out_cells(arms) if cell.interfaces]
    distances = dict.fromkeys(pairs[1:], 0.3)
    fit = explain_transfer(Results(rows), arms, distances)
    _, table = regression(ReportContext(Results(rows), arms), distances)

    assert fit is not None
    assert fit.not_measured == ("distance between interfaces",)
    assert "distance between interfaces" not in {*fit.coefficients, *fit.left_out}
    assert "Left out, because it was not measured: distance between" in table.to_markdown()
