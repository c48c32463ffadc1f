"""Two runs of one plan with other training seeds beside each other."""

from pathlib import Path

import pytest
from pretend_study import PretendRecipe, small_plan

from agentgym_gen.cli.main import main
from agentgym_gen.errors import DataError
from agentgym_gen.study import Arm, Plan, Results, Stage, run_plan
from agentgym_gen.study.analysis.claims import AGREES, CANNOT_TELL, DISAGREES, NOT_TESTED, Claim
from agentgym_gen.study.analysis.statistics import Estimate
from agentgym_gen.study.report.context import ReportContext
from agentgym_gen.study.report.replication import (
    RepeatedClaim,
    _gain_sentences,
    make_replication,
    repeated_claims,
    repeated_gains,
)

SURE = Estimate(0.4, 0.35, 0.45, 100, 3)
LOSS = Estimate(-0.4, -0.45, -0.35, 100, 3)
OPEN = Estimate(0.3, 0.1, 0.5, 100, 3)

EASY, LISTED = "rftgen/Sokoban-easy-v0", "rftgen/Sokoban-easy-listed-v0"
ARM = Arm("cross", (Stage("sokoban-easy", (EASY,)),), (EASY, LISTED))


def context(won: dict[str, int], seeds: tuple[int, ...]) -> ReportContext:
    """Return results in which the base wins 20 of 100 tasks, and the arm as many as *won* says."""
    rows = [
        {
            "arm": arm,
            "column": column,
            "seed": seed,
            "task_id": f"{column} {task}",
            "sample": 0,
            "success": task < wins,
            "turns": 5,
            "observation_chars": 500,
            "failures": [],
        }
        for seed in seeds
        for column, arm_wins in won.items()
        for arm, wins in (("base", 20), (ARM.name, arm_wins))
        for task in range(100)
    ]
    return ReportContext(Results(rows), [ARM])


@pytest.mark.parametrize(
    ("first", "second", "agreement"),
    [
        (SURE, SURE, "same"),
        (OPEN, OPEN, "same"),
        (SURE, LOSS, "opposite"),
        (LOSS, SURE, "opposite"),
        (SURE, OPEN, "other"),
        (None, SURE, ""),
    ],
)
def test_two_verdicts_are_the_same_or_opposite_or_neither(
    first: Estimate | None, second: Estimate | None, agreement: str
) -> None:
    """A claim that one run could not test is in no count."""
    claims = [Claim("T1", "a raises b", "points", number) for number in (first, second)]

    assert RepeatedClaim(*claims).agreement == agreement


def test_the_four_verdicts_are_those_of_the_estimates() -> None:
    """The estimates above have the verdicts that the test above takes for granted."""
    numbers = (SURE, LOSS, OPEN, None)
    verdicts = [Claim("T1", "", "", number).verdict for number in numbers]

    assert verdicts == [AGREES, DISAGREES, CANNOT_TELL, NOT_TESTED]


def test_gains_of_both_runs_stand_beside_each_other() -> None:
    """The pairs are those of both runs, in their order."""
    first, second = context({EASY: 60, LISTED: 30}, (0, 1, 2)), context({EASY: 50}, (3, 4, 5))
    gains = repeated_gains(first, second)

    assert [pair for pair, _, _ in gains] == [(ARM.name, EASY), (ARM.name, LISTED)]
    assert [round(e.value, 2) for _, e, _ in gains if e is not None] == [0.4, 0.1]
    assert [e if e is None else round(e.value, 2) for _, _, e in gains] == [0.3, None]


def test_gains_beyond_zero_are_counted_again() -> None:
    """Those with the same sign, and those whose interval is beyond zero on the same side."""
    noise = Estimate(0.1, -0.1, 0.3, 100, 3)
    again = [((ARM.name, EASY), SURE, second) for second in (SURE, noise, LOSS)]
    lines = list(_gain_sentences([*again, ((ARM.name, EASY), noise, SURE)]))

    assert lines == [
        (
            "Gains and losses of the first run with an interval beyond zero: 3. In the second run "
            "2 of them have the same sign, 1 with an interval beyond zero, 0 sure after Holm."
        ),
        "Gains and losses of the first run sure after Holm: 0.",
        "1 of 4 gains of the second run lie in the interval of the first.",
    ]


def test_a_claim_about_the_worst_arm_is_one_claim_whichever_arm_it_is() -> None:
    """T5 names the arm that lost most, which may be another in the second run."""
    craft, baby = "rftgen/TextCraft-easy-v0", "rftgen/BabyAI-easy-v0"
    arm = Arm("cross", ARM.stages, (EASY, craft, baby))
    runs = [
        ReportContext(context(won, seeds).results, [arm])
        for won, seeds in (
            ({EASY: 60, craft: 0, baby: 20}, (0, 1, 2)),
            ({EASY: 60, craft: 20, baby: 0}, (3, 4, 5)),
        )
    ]
    (worst,) = [claim for claim in repeated_claims(*runs) if claim.first.number == "T5"]

    assert worst.name == (
        "T5: the worst of 2: sokoban-easy on TextCraft-easy (Bonferroni); "
        "again: the worst of 2: sokoban-easy on BabyAI-easy (Bonferroni)"
    )
    assert worst.agreement == "same"


def _run(folder: Path, **changes: object) -> tuple[Plan, Path]:
    plan = small_plan(**changes)
    run_plan(plan, folder, log=str, recipe=PretendRecipe())
    return plan, folder


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    """Return the small study, trained with the seeds 0 and 1."""
    return _run(tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    """Return the small study, trained with the seeds 2 and 3."""
    return _run(tmp_path_factory.mktemp("second"), seeds=(2, 3))


def test_the_command_writes_a_page_and_says_what_holds_again(
    first: tuple[Plan, Path],
    second: tuple[Plan, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With two seeds no gain is sure and no claim is judged, so that all verdicts are the same."""
    folders = [str(folder) for _, folder in (first, second)]
    assert main(["study", "replication", *folders, "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    text = (tmp_path / "replication.md").read_text(encoding="utf-8")
    claims = text.count("| same |")

    assert claims > 5
    assert f"- {claims} of {claims} verdicts are the same, and 0 are opposite." in printed
    assert "- The first run agrees or disagrees with 0 claims;" in printed
    assert "- Gains and losses of the first run sure after Holm: 0.\n" in printed
    assert text.count("| cannot tell ") >= 2 * claims
    assert "agrees |" not in text
    assert "the seeds 0, 1 and 2, 3, on the same tasks" in text
    assert (tmp_path / "replication.html").read_text(encoding="utf-8").count("<table") == 2


def test_a_run_with_a_seed_of_the_first_is_refused(first: tuple[Plan, Path]) -> None:
    """It would count one training twice."""
    with pytest.raises(DataError, match="have the training seed 0; a second run tests the first"):
        make_replication(first, first)


def test_a_run_of_another_plan_is_refused_by_its_key(first: tuple[Plan, Path]) -> None:
    """The key that differs is named, with both values."""
    other = small_plan(samples=1, seeds=(2, 3)), Path("other")
    with pytest.raises(
        DataError, match=r"there `test\.samples` is 2, here it is 1; only the seeds"
    ):
        make_replication(first, other)


def test_a_run_on_other_tasks_is_refused(
    first: tuple[Plan, Path], second: tuple[Plan, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tasks that an older version sampled are other tasks, and their noise is not shared."""
    from agentgym_gen.study.report import replication

    def other_tasks(out: Path, plan: Plan) -> list[dict[str, object]]:
        rows = real(out, plan)
        return [{**row, "task_id": f"{row['task_id']}{plan.seeds[0]}"} for row in rows]

    real = replication.read_episodes
    monkeypatch.setattr(replication, "read_episodes", other_tasks)
    with pytest.raises(DataError, match="The runs played other tasks of Sokoban-easy"):
        make_replication(first, second)
