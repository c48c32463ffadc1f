"""The paper's claims on rows whose verdict is clear by hand."""

from collections.abc import Iterator

import numpy as np
import pytest

from agentgym_gen.study import Arm, Stage
from agentgym_gen.study.analysis.analysis import Results
from agentgym_gen.study.analysis.claims import (
    MARGIN_REASONS,
    MARGINS,
    PAPER,
    SENTENCES,
    Claim,
    bias_share,
    check_claims,
)
from agentgym_gen.study.analysis.descriptors import (
    env_traits,
    explain_transfer,
    held_out_cells,
    is_harder,
)
from agentgym_gen.study.analysis.statistics import Estimate, wilson
from agentgym_gen.study.report.context import ReportContext
from agentgym_gen.study.report.document import Forest, Table
from agentgym_gen.study.report.sections.regression import regression
from agentgym_gen.study.report.sections.sequence import sequence
from agentgym_gen.study.report.sections.summary import answer_sentence, headline_sentences
from agentgym_gen.study.report.sections.transfer import transfer
from agentgym_gen.study.results.rows import Row

EASY, MEDIUM = "rftgen/Sokoban-easy-v0", "rftgen/Sokoban-medium-v0"
HARD = "rftgen/Sokoban-hard-v0"
LISTED, CRAFT = "rftgen/Sokoban-easy-listed-v0", "rftgen/TextCraft-easy-v0"
ALF = "rftgen/ALFWorld-easy-v0"
NUMBER = 100


def make_rows(
    arm: str, column: str, won: int, turns: int = 5, biased: int = NUMBER, seeds: int = 3
) -> Iterator[Row]:
    """Yield rows of 100 tasks of which the first *won* are won, the same for each seed.

    The last *biased* of the tasks show confirmation bias where they fail.
    """
    for seed in range(seeds):
        for task in range(NUMBER):
            mode = "repeats_failed" if task >= NUMBER - biased else "loops"
            yield {
                "arm": arm,
                "column": column,
                "seed": seed,
                "task_id": f"{column} {task}",
                "sample": 0,
                "success": task < won,
                "turns": turns,
                "observation_chars": 100 * turns,
                "failures": [] if task < won else [mode],
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
    ("number", "side", "low", "high", "verdict"),
    [
        ("T9", "above", 0.1, 0.2, "agrees"),
        ("T9", "above", -0.2, -0.1, "disagrees"),
        ("T9", "above", -0.1, 0.1, "cannot tell"),
        ("T7", "above", -0.01, 0.1, "agrees"),
        ("T6", "below", -0.3, -0.1, "agrees"),
        ("T6", "below", -0.05, 0.1, "disagrees"),
        ("T6", "below", -0.2, 0.1, "cannot tell"),
        ("T8", "within", -0.04, 0.04, "agrees"),
        ("T8", "within", 0.06, 0.1, "disagrees"),
        ("T8", "within", 0.0, 0.1, "cannot tell"),
    ],
)
def test_the_verdict_is_where_the_interval_lies(
    number: str, side: str, low: float, high: float, verdict: str
) -> None:
    """The interval is on the claim's side of its margin, on the other, or around it."""
    three, two = (Estimate((low + high) / 2, low, high, 10, seeds) for seeds in (3, 2))

    assert Claim(number, "", "", three, side).verdict == verdict
    assert Claim(number, "", "", two, side).verdict == "cannot tell"


def test_a_claim_on_nothing_is_not_tested() -> None:
    """Every claim is there once, with its sentence and the paper's number."""
    claims = check_claims(results(("base", EASY, 5), ("a", EASY, 5)), [arm("own", ("a", EASY))])

    assert [claim.number for claim in claims] == [f"T{n}" for n in range(1, 11)]
    assert {claim.verdict for claim in claims} == {"not tested"}
    numbers = {claim.number for claim in claims}
    assert set(PAPER) == set(SENTENCES) == set(MARGINS) == set(MARGIN_REASONS) == numbers


@pytest.mark.parametrize(
    ("won", "verdict"), [(60, "agrees"), (25, "disagrees"), (36, "cannot tell")]
)
def test_t1_is_the_gain_on_the_hard_tier(won: int, verdict: str) -> None:
    """From 20 of 100, gains of 40, 5 and 16 points beside the margin of 17.5."""
    numbers = results(
        *((("base", HARD, 20), ("easy", HARD, won))),
        *((("base", MEDIUM, 20), ("easy", MEDIUM, 90))),
    )
    easy = arm("difficulty", ("easy", EASY), columns=(MEDIUM, HARD))

    assert verdicts(numbers, [easy], "T1") == [verdict]


def test_t1_is_not_tested_on_the_medium_tier() -> None:
    """A gain of 70 points there says nothing of hard tasks; nor does a training on medium ones."""
    numbers = results(
        *(("base", MEDIUM, 20), ("easy", MEDIUM, 90), ("base", HARD, 0), ("medium", HARD, 90))
    )
    arms = [
        arm("difficulty", ("easy", EASY), columns=(MEDIUM,)),
        arm("difficulty", ("medium", MEDIUM), columns=(HARD,)),
    ]

    assert verdicts(numbers, arms, "T1") == ["not tested"]


@pytest.mark.parametrize("seeds", [1, 2])
def test_no_claim_is_told_with_fewer_than_three_seeds(seeds: int) -> None:
    """All ten claims are about training, and one training is not another."""
    arms, order = mixture_and_orders()
    names = ("base", "a", "b", "c", "mixture", order, "a_then_b")
    cells = [(name, column) for name in names for column in (EASY, HARD, LISTED, CRAFT, ALF)]
    arms += [arm("sequence", ("a", EASY), ("b", CRAFT)), arm("interface", ("b", LISTED))]
    rows = [
        row
        for name, column in cells
        for row in make_rows(name, column, 10 if name == "base" else 60, seeds=seeds)
    ]
    claims = check_claims(Results(rows), arms)

    assert {claim.verdict for claim in claims} <= {"cannot tell", "not tested"}
    assert {c.number for c in claims if c.verdict == "cannot tell"} > {"T3", "T4", "T5", "T10"}


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


@pytest.mark.parametrize(
    ("won", "verdicts_of_t2"),
    [
        (60, ["agrees", "disagrees"]),
        (90, ["agrees", "agrees"]),
        (29, ["cannot tell", "disagrees"]),
    ],
)
def test_t2_compares_a_curriculum_with_each_tier_alone(won: int, verdicts_of_t2: list[str]) -> None:
    """The easy arm wins 30 and the hard one 80 on both tiers; 2 points less count as as good."""
    stages = (Stage("easy", (EASY,), 0.5), Stage("hard", (HARD,), 0.5))
    curriculum = Arm("difficulty", stages, (EASY, HARD))
    wins = {"base": 10, "easy": 30, "hard": 80, curriculum.name: won}
    numbers = results(*((n, column, w) for column in (EASY, HARD) for n, w in wins.items()))
    claims = [c for c in check_claims(numbers, [curriculum]) if c.number == "T2"]

    assert [claim.verdict for claim in claims] == verdicts_of_t2
    assert claims[0].sentence.endswith("against easy alone, mean over easy and hard")


@pytest.mark.parametrize(
    ("turns", "share", "verdict"),
    [(3, 0.7, "agrees"), (9, 0.1, "disagrees"), (7, 0.3, "cannot tell")],
)
def test_t3_is_the_share_of_turns_saved(turns: int, share: float, verdict: str) -> None:
    """From 10 turns on every task to 3, 9 and 7, beside the margin of 30 %."""
    rows = [*make_rows("base", EASY, 10, turns=10), *make_rows("a", EASY, 50, turns=turns)]
    (claim,) = [
        c for c in check_claims(Results(rows), [arm("cross", ("a", EASY))]) if c.number == "T3"
    ]

    assert claim.ours is not None
    assert claim.ours.value == pytest.approx(share)
    assert claim.verdict == verdict


@pytest.mark.parametrize(
    ("own", "gap", "verdict"),
    [(80, 0.6, "agrees"), (35, 0.15, "disagrees"), (51, 0.31, "cannot tell")],
)
def test_t4_is_held_in_less_held_out(own: int, gap: float, verdict: str) -> None:
    """From 20: the gain on the own column less the mean of +10 and -10, beside 31 points.

    An arm of another family does not hide it.
    """
    numbers = results(
        *(("base", column, 20) for column in (EASY, CRAFT, ALF)),
        *((("a", EASY, own)), ("a", CRAFT, 30), ("a", ALF, 10)),
    )
    both = [
        arm("difficulty", ("a", EASY), columns=(EASY, MEDIUM)),
        arm("cross", ("a", EASY), columns=(EASY, CRAFT, ALF)),
    ]
    (claim,) = [c for c in check_claims(numbers, both) if c.number == "T4"]

    assert claim.ours is not None
    assert claim.ours.value == pytest.approx(gap)
    assert claim.verdict == verdict


@pytest.mark.parametrize(
    ("worst", "verdict"), [(20, "agrees"), (48, "cannot tell"), (80, "disagrees")]
)
def test_t5_is_decided_by_the_worst_pair(worst: int, verdict: str) -> None:
    """From 50: a change of -30 agrees, one of -2 does not tell, and +30 disagrees."""
    numbers = results(
        ("base", CRAFT, 50), ("base", ALF, 50), ("a", CRAFT, 90), ("a", ALF, worst)
    )  # fmt: skip
    cross = arm("cross", ("a", EASY), columns=(CRAFT, ALF))
    (claim,) = [c for c in check_claims(numbers, [cross]) if c.number == "T5"]

    assert claim.verdict == verdict
    assert claim.ours is not None
    assert claim.ours.value == pytest.approx((worst - 50) / 100)


@pytest.mark.parametrize(
    ("without", "verdict"), [(20, "agrees"), (41, "cannot tell"), (60, "disagrees")]
)
def test_t6_is_about_the_same_tasks_without_the_list(without: int, verdict: str) -> None:
    """From 50: changes of -30, -9 and +10 points beside -9, on the trained tier only."""
    numbers = results(
        *(("base", column, 50) for column in (EASY, MEDIUM, LISTED)),
        *(("a", EASY, without), ("a", MEDIUM, 20), ("a", LISTED, 90)),
    )
    listed = arm("interface", ("a", LISTED), columns=(EASY, MEDIUM, LISTED))
    (claim,) = [c for c in check_claims(numbers, [listed]) if c.number == "T6"]

    assert claim.verdict == verdict
    assert claim.ours is not None
    assert claim.ours.value == pytest.approx((without - 50) / 100)


@pytest.mark.parametrize(
    ("trained", "column", "loses"),
    [
        ("rftgen/BabyAI-easy-v0", "rftgen/BabyAI-easy-unlisted-v0", True),
        (LISTED, EASY, True),
        (LISTED, "rftgen/Sokoban-easy-listedonce-v0", False),
        ("rftgen/BabyAI-easy-v0", "rftgen/BabyAI-easy-v0?wording=balrog", False),
        ("rftgen/BabyAI-easy-v0?wording=balrog", "rftgen/BabyAI-easy-unlisted-v0", False),
        (
            "rftgen/Sokoban-easy-v0?interface=listed+renamed",
            "rftgen/Sokoban-easy-v0?interface=renamed",
            True,
        ),
        ("rftgen/Sokoban-easy-v0?interface=listed+renamed", EASY, False),
    ],
)
def test_t6_knows_which_interface_lists(trained: str, column: str, loses: bool) -> None:
    """BabyAI lists natively; a list at the first turn alone, and other words, are others."""
    numbers = results(("base", column, 50), ("a", column, 20))
    claims = check_claims(numbers, [arm("cross", ("a", trained), columns=(column,))])
    verdict = "agrees" if loses else "not tested"

    assert [claim.verdict for claim in claims if claim.number == "T6"] == [verdict]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (50, 80, ["disagrees", "agrees"]),
        (90, 40, ["agrees", "disagrees"]),
        (78, 58, ["cannot tell", "cannot tell"]),
    ],
)
def test_t7_is_about_both_ends_of_a_pair(first: int, second: int, expected: list[str]) -> None:
    """The first column was at 80 after its stage; alone, the second one reaches 60."""
    pair = arm("sequence", ("a", EASY), ("b", CRAFT))
    numbers = results(
        *(("base", column, 10) for column in (EASY, CRAFT)),
        *(("a", EASY, 80), (pair.name, EASY, first)),
        *(("b", CRAFT, 60), (pair.name, CRAFT, second)),
    )

    assert verdicts(numbers, [pair], "T7") == expected


def mixture_and_orders() -> tuple[list[Arm], str]:
    """Return a mixture, three single arms and a sequence of all, and the name of the sequence."""
    ids = {"a": EASY, "b": CRAFT, "c": ALF}
    columns = tuple(ids.values())
    order = arm("sequence", *ids.items())
    mixture = Arm("mixture", (Stage("mixture", columns),), columns)
    singles = [arm("cross", item, columns=columns) for item in ids.items()]
    return [mixture, order, *singles], order.name


@pytest.mark.parametrize(
    ("won", "verdict"), [(60, "agrees"), (90, "disagrees"), (65, "cannot tell")]
)
def test_t8_compares_a_whole_sequence_with_the_mixture(won: int, verdict: str) -> None:
    """They are alike if they differ by less than five points."""
    arms, order = mixture_and_orders()
    numbers = results(
        *((name, column, wins) for column in (EASY, CRAFT, ALF)
          for name, wins in (("base", 10), ("mixture", 60), (order, won)))
    )  # fmt: skip

    assert verdicts(numbers, arms, "T8") == [verdict]


@pytest.mark.parametrize(
    ("won", "verdict"), [(60, "agrees"), (20, "disagrees"), (43, "cannot tell")]
)
def test_t9_compares_the_mixture_with_the_best_single_training(won: int, verdict: str) -> None:
    """Each single training has 90, 20 and 20 points, whose mean is 43.3."""
    arms, _ = mixture_and_orders()
    columns = (EASY, CRAFT, ALF)
    numbers = results(
        *(("mixture", column, won) for column in columns),
        *((name, c, 90 if own == c else 20) for name, own in zip("abc", columns, strict=True)
          for c in columns),
    )  # fmt: skip
    (claim,) = [c for c in check_claims(numbers, arms) if c.number == "T9"]

    assert claim.ours is not None
    assert claim.ours.value == pytest.approx(won / 100 - 1.3 / 3)
    assert claim.verdict == verdict


@pytest.mark.parametrize(
    ("biased", "share", "verdict"),
    [(40, 1.0, "agrees"), (0, 0.0, "disagrees"), (4, 0.1, "cannot tell")],
)
def test_t10_is_the_share_of_failures(biased: int, share: float, verdict: str) -> None:
    """Of 40 failures all, none and 4 repeat an invalid action, beside 10 %."""
    rows = [*make_rows("base", EASY, 10), *make_rows("a", EASY, 60, biased=biased)]
    (claim,) = [
        c for c in check_claims(Results(rows), [arm("cross", ("a", EASY))]) if c.number == "T10"
    ]

    assert claim.ours is not None
    assert (claim.ours.value, claim.ours.tasks, claim.ours.seeds) == (share, 40, 3)
    assert claim.verdict == verdict


def test_seeds_that_fail_in_different_ways_widen_t10() -> None:
    """Shares of 0, 1 and 1 of the failures: Wilson's interval alone would be above 10 %."""
    rows = [*make_rows("base", EASY, 0)]
    for seed, biased in enumerate((0, NUMBER, NUMBER)):
        rows += [{**row, "seed": seed} for row in make_rows("a", EASY, 0, biased=biased, seeds=1)]

    assert verdicts(Results(rows), [arm("cross", ("a", EASY))], "T10") == ["cannot tell"]


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


@pytest.mark.parametrize(
    ("held_in", "held_out", "meaning"),
    [
        (90, 50, "no transfer was detected"),
        (90, 80, "some of what was learned carried over"),
        (90, 20, "what was learned cost success elsewhere"),
        (50, 80, "no significant gain where it was trained, so there is no transfer to measure"),
    ],
)
def test_the_answer_of_a_study_is_that_of_its_means(
    held_in: int, held_out: int, meaning: str
) -> None:
    """The sentence has the mean gains of the arms of one environment, and says what they mean."""
    arms = [
        Arm("cross", (Stage("easy", (EASY,)),), (EASY, CRAFT)),
        Arm("mixture", (Stage("mixture", (EASY, CRAFT)),), (EASY, CRAFT)),
    ]
    of_one, of_both = (arm.name for arm in arms)
    scores = results(
        ("base", EASY, 50), ("base", CRAFT, 50), (of_one, EASY, held_in),
        (of_one, CRAFT, held_out), (of_both, EASY, 100), (of_both, CRAFT, 100),
    )  # fmt: skip
    sentence = answer_sentence(ReportContext(scores, arms))

    assert f"{held_in - 50:+d}.0 [" in sentence
    assert f"{held_out - 50:+d}.0 [" in sentence
    assert "(mean of 1 arm, 3 training seeds)" in sentence
    assert sentence.endswith(f": {meaning}.")


def test_the_answer_is_of_what_the_heat_map_shows() -> None:
    """Another tier of an arm's own environment, of another family, says nothing of others."""
    arms = [
        Arm("cross", (Stage("easy", (EASY,)),), (EASY, CRAFT)),
        Arm("difficulty", (Stage("easy", (EASY,)),), (EASY, MEDIUM)),
    ]
    name = arms[0].name
    scores = results(
        ("base", EASY, 50), ("base", CRAFT, 50), ("base", MEDIUM, 50),
        (name, EASY, 90), (name, CRAFT, 50), (name, MEDIUM, 90),
    )  # fmt: skip
    sentence = answer_sentence(ReportContext(scores, arms))

    assert "+40.0 [" in sentence
    assert "by +0.0 [" in sentence
    assert sentence.endswith(": no transfer was detected.")


def test_a_model_of_one_training_is_left_out_of_the_answer_of_three() -> None:
    """It would make the answer and the count of gains those of a single training; it is named."""
    arms = [Arm("cross", (Stage(name, (EASY,)),), (EASY, CRAFT)) for name in ("easy", "given")]
    (easy, given), both = (arm.name for arm in arms), (EASY, CRAFT)
    cells = [("base", EASY, 50), ("base", CRAFT, 50), (easy, EASY, 90), (easy, CRAFT, 50)]
    rows = [row for cell in cells for row in make_rows(*cell)]
    rows += [row for column in both for row in make_rows(given, column, 100, seeds=1)]
    context = ReportContext(Results(rows), arms)

    assert "(mean of 1 arm, 3 training seeds; without cells of given" in answer_sentence(context)
    assert headline_sentences(context)[-1] == "1 of 1 held-in gains have an interval above zero."


def test_without_what_was_not_trained_on_there_is_no_answer() -> None:
    """The sentence is empty, since nothing could have carried over."""
    arms = [Arm("cross", (Stage("easy", (EASY,)),), (EASY,))]
    scores = results(("base", EASY, 50), (arms[0].name, EASY, 90))

    assert answer_sentence(ReportContext(scores, arms)) == ""


@pytest.mark.parametrize("stages", [2, 3])
def test_forgetting_has_an_interval_only_where_no_best_stage_is_chosen(stages: int) -> None:
    """The best of several measured scores lies above the best true one by chance."""
    ids = [("a", EASY), ("b", CRAFT), ("c", ALF)][:stages]
    order = arm("sequence", *ids)
    names = [arm("sequence", *ids[:n]).name for n in range(1, stages + 1)]
    numbers = results(
        *(("base", column, 50) for _, column in ids),
        *((name, column, 95) for name in names[:-1] for _, column in ids),
        *((names[-1], column, 10) for _, column in ids),
    )
    (table,) = [b for b in sequence(ReportContext(numbers, [order])) if isinstance(b, Table)]
    ((_, cells),) = table.rows
    backward, _, forgotten, _ = cells

    assert (backward.text, forgotten.text) == ("-85.0", "+85.0")
    assert (backward.bold, bool(backward.small)) == (True, True)
    assert (forgotten.bold, bool(forgotten.small)) == (stages == 2, stages == 2)


def test_a_retention_of_nothing_is_a_dash() -> None:
    """A stage that reached nothing has no share that is left."""
    order = arm("sequence", ("a", EASY), ("b", CRAFT))
    names = ("base", "a", order.name)
    numbers = results(*((name, column, 0) for name in names for column in (EASY, CRAFT)))
    (table,) = [b for b in sequence(ReportContext(numbers, [order])) if isinstance(b, Table)]

    assert table.rows[0][1][-1].text == "-"


def test_t3_saves_no_more_turns_than_there_are() -> None:
    """From 3 turns to 1, which is the least, on tasks so few that resamples reach beyond it."""
    rows = [
        {**row, "turns": turns + 5 * (row["task_id"].endswith(" 1"))}
        for name, turns in (("base", 3), ("a", 1))
        for row in make_rows(name, EASY, 50)
        if int(row["task_id"].split()[-1]) < 3
    ]
    (claim,) = [
        claim
        for claim in check_claims(Results(rows), [arm("cross", ("a", EASY))])
        if claim.number == "T3"
    ]

    assert claim.ours is not None
    assert claim.ours.high <= 1


def test_t9_is_not_tested_while_the_cells_of_one_training_are_missing() -> None:
    """Better than every other cannot be told of those that happen to be there."""
    arms, _ = mixture_and_orders()
    cells = [(name, column, 40) for name in "abc" for column in (EASY, CRAFT, ALF)]
    mixture = [("mixture", column, 90) for column in (EASY, CRAFT, ALF)]

    assert verdicts(results(*mixture, *cells), arms, "T9") == ["agrees"]
    assert verdicts(results(*mixture, *cells[:-1]), arms, "T9") == ["not tested"]


def drawn(*names: str, seed: int, number: int = 40) -> Results:
    """Return results of equally good arms, in which each seed of an arm is a little better."""
    rng = np.random.default_rng([26, 3, 12, seed])
    return Results(
        {
            **{"arm": name, "column": EASY, "seed": training, "task_id": f"{task}", "sample": 0},
            "success": bool(rng.random() < chance),
        }
        for name in names
        for training, chance in enumerate(0.5 + 0.05 * rng.standard_normal(3))
        for task in range(number)
    )


def test_the_least_of_equal_gains_is_not_found_below_zero() -> None:
    """The best of seven equal arms is above another by chance: that is in the interval.

    Of 40 draws a right interval misses one on each side; that of the least resampled difference
    missed 7 above.
    """
    singles = [f"single {number}" for number in range(7)]
    intervals = [
        drawn("mixture", *singles, seed=seed).least_mean_gain(
            [("mixture", [EASY], name) for name in singles]
        )
        for seed in range(40)
    ]

    assert sum(gain.high < 0 for gain in intervals) <= 2
    assert sum(gain.low > 0 for gain in intervals) <= 2


def test_cells_whose_seeds_differ_do_not_end_the_report() -> None:
    """Where one arm lacks a seed and another a second one, no seed is common to all of them."""
    arms, _ = mixture_and_orders()
    columns = (EASY, CRAFT, ALF)
    lacking = {"a": {0, 1}, "b": {0, 1}, "c": {2}}
    rows = [
        row
        for name in ("base", "a", "b", "c")
        for column in columns
        for row in make_rows(name, column, 10 if name == "base" else 60)
        if row["seed"] not in lacking.get(name, {})
    ]
    context = ReportContext(Results(rows), arms)

    pairs = context.results.with_common_seeds(list(context.gains))
    assert {name for name, _ in pairs} == {"a", "b"}
    assert "2 arms" in answer_sentence(context)
    assert "without cells of c" in answer_sentence(context)
    check_claims(context.results, arms)


def test_a_mean_that_leaves_columns_out_says_so() -> None:
    """Two of an arm's columns have three seeds, the third has one."""
    arms, _ = mixture_and_orders()
    rows = [
        row
        for name in ("base", "a")
        for column in (EASY, CRAFT, ALF)
        for row in make_rows(name, column, 10 if name == "base" else 60)
        if (name, column) != ("a", ALF) or row["seed"] == 0
    ]
    (forest,) = [b for b in transfer(ReportContext(Results(rows), arms)) if isinstance(b, Forest)]
    names = [name for name, _ in forest.rows]

    assert names == ["a: held in", "a: held out (1 of 2 columns)", "a: overall (2 of 3 columns)"]


def test_a_mean_over_cells_takes_all_of_them_where_three_seeds_are_common() -> None:
    """A fourth seed that one cell lacks does not leave the cell out."""
    rows = [
        row
        for name, seeds in (("base", 4), ("a", 4), ("b", 3))
        for row in make_rows(name, EASY, 50, seeds=seeds)
    ]
    pairs = [("a", EASY), ("b", EASY)]
    numbers = Results(rows)

    assert numbers.with_common_seeds(pairs) == pairs
    assert numbers.mean_gain_of(pairs).seeds == 3


def test_confirmation_bias_of_one_task_that_fails_often_is_that_of_few_tasks() -> None:
    """Nine failures of one task and one of another are worth 1.2 tasks, not 2."""
    failed = [
        {"seed": 0, "task_id": task, "failures": ["repeats_failed"] if task == "x" else []}
        for task in ["x"] * 9 + ["y"]
    ]
    share = bias_share(failed)

    assert share.value == pytest.approx(0.9)
    assert share.low == pytest.approx(wilson(0.9, 100 / 82)[0])
