"""Differences between models whose outcomes are made up, against numbers worked out by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from made_evaluations import CRAFT, EASY, MEDIUM, of_tasks, write_evaluation

from agentgym_gen.comparison import ComparedModel, Comparison, compare
from agentgym_gen.errors import InvalidValueError, MissingExtraError, UnknownNameError


def wins(number: int, of: int = 40) -> list[list[float]]:
    """Return the outcomes of a model that wins the first tasks."""
    return of_tasks([1.0] * number + [0.0] * (of - number))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Return a base that wins 10 of 40 everywhere beside a model that wins 30, 20 and 4."""
    out = tmp_path_factory.mktemp("two")
    base = write_evaluation(out / "base", {EASY: wins(10), MEDIUM: wins(10), CRAFT: wins(10)})
    mine = write_evaluation(out / "mine", {EASY: wins(30), MEDIUM: wins(20), CRAFT: wins(4)})
    return compare(base, mine, trained_on=[EASY])


def test_differences_are_paired_by_task(two: Comparison) -> None:
    """20, 10 and -6 of 40 tasks: +50, +25 and -15 points, and +20 on average."""
    values = {column: e.value for (_, column), e in two.differences.items()}

    assert values == pytest.approx({EASY: 0.5, MEDIUM: 0.25, CRAFT: -0.15})
    assert two.overall["mine"].value == pytest.approx(0.2)
    assert two.verdict("mine") == "better"
    assert two.sentence("mine").startswith("mine beside base: better, +20.0 points [")
    assert two.sentence("mine").endswith("over 3 columns, n = 120 tasks")


def test_p_values_are_adjusted_over_all_models_and_columns(two: Comparison) -> None:
    """The smallest of three is multiplied by three."""
    gains = [two.results.gain("mine", column, over="base") for column in (EASY, MEDIUM, CRAFT)]

    assert min(e.p for e in two.differences.values()) == pytest.approx(3 * min(e.p for e in gains))


def test_what_was_trained_on_is_held_in(two: Comparison) -> None:
    """The rest of its environment and the other environments are two parts."""
    parts = {group.name: group.columns for group in two.held("mine")}

    assert parts == {
        "held in": (EASY,),
        "held out, same environment": (MEDIUM,),
        "held out, other environments": (CRAFT,),
    }
    assert two.held("base") == []


def test_a_pattern_may_be_of_one_model(tmp_path: Path) -> None:
    """One that matches nothing is an error that names the columns."""
    names = [write_evaluation(tmp_path / name, {EASY: wins(1), CRAFT: wins(1)}) for name in "abc"]
    three = compare(*names, trained_on=[f"b={EASY}", "c=*TextCraft*"])

    assert three.held("b")[0].columns == (EASY,)
    assert three.held("c")[0].columns == (CRAFT,)
    with pytest.raises(InvalidValueError, match=r"matches 'rftgen/BabyAI-easy-v0'.*Sokoban-easy"):
        compare(*names, trained_on=["rftgen/BabyAI-easy-v0"])


def test_the_models_beside_it_do_not_move_an_interval(tmp_path: Path) -> None:
    """Their order does not, and neither does a third one."""
    base, a, b = (
        write_evaluation(tmp_path / name, {EASY: of_tasks([1] * won + [0] * (20 - won))})
        for name, won in (("base", 5), ("a", 9), ("b", 12))
    )
    intervals = {
        (e.low, e.high)
        for folders in ((base, a, b), (base, b, a), (base, a))
        for e in [compare(*folders).differences["a", EASY]]
    }

    assert len(intervals) == 1


def test_groups_are_environments_tiers_and_axes(tmp_path: Path) -> None:
    """A column with two shifted axes is in a group of its own, one with a sampled interface too."""
    shifts = ["", "?interface=json", "?interface=symbols+json", "?interface=random"]
    outcomes = {f"{EASY}{shift}": wins(1, 2) for shift in shifts} | {MEDIUM: wins(1, 2)}
    both = compare(*(write_evaluation(tmp_path / name, outcomes) for name in "ab"))
    groups = {(g.kind, g.name): len(g.columns) for g in both.groups}

    assert groups == {
        ("environment", "Sokoban"): 5,
        ("tier", "easy"): 4,
        ("tier", "medium"): 1,
        ("axis", "native"): 2,
        ("axis", "syntax"): 1,
        ("axis", "several axes"): 1,
        ("axis", "sampled"): 1,
    }


def test_tasks_that_changed_are_listed_with_the_largest_first(two: Comparison) -> None:
    """20 + 10 are better and 6 worse."""
    changed = two.changed_tasks("mine")

    assert len(changed) == 36
    assert sum(task.change < 0 for task in changed) == 6
    assert {abs(task.change) for task in changed} == {1.0}


def test_failure_modes_are_shares_of_all_episodes(two: Comparison) -> None:
    """The base fails 30 of 40 in each column, the model 10, 20 and 36: 75 and 55 %."""
    ((mode, (base, own, more)),) = two.failure_modes("mine").items()

    assert (mode, base, own) == ("loops", pytest.approx(0.75), pytest.approx(0.55))
    assert more.value == pytest.approx(-0.2)


def test_the_score_can_take_the_place_of_success(tmp_path: Path) -> None:
    """Half of a task is half a point of the score, and no success."""
    folders = [
        write_evaluation(tmp_path / name, {EASY: of_tasks([value] * 20)})
        for name, value in (("a", 0.0), ("b", 0.5))
    ]

    assert compare(*folders).overall["b"].value == 0.0
    assert compare(*folders, metric="score").overall["b"].value == 0.5
    assert compare(*folders, metric="score").verdict("b") == "better"


def test_all_numbers_are_plain_data(two: Comparison) -> None:
    """They become JSON, and each list a data frame with its rows."""
    data = json.loads(json.dumps(two.as_dict()))

    assert data["overall"][0]["verdict"] == "better"
    assert len(data["changed_tasks"]) == 36
    pandas = pytest.importorskip("pandas")
    for table in ("overall", "rates", "differences", "groups", "probes", "changed_tasks"):
        assert isinstance(two.frame(table), pandas.DataFrame)
        assert len(two.frame(table)) == len(data[table])
    with pytest.raises(UnknownNameError, match="did you mean 'rates'"):
        two.frame("rate")


def test_frames_need_the_extra(two: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pandas, the error names the command that installs it."""
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'agentgym-gen\[study\]'"):
        two.frame()


def simulated(name: str, rng: np.random.Generator, rates: dict[str, list[float]]) -> ComparedModel:
    """Return a model that wins each task with its rate, in two samples."""
    rows = tuple(
        {
            "arm": name,
            "column": column,
            "seed": 0,
            "task_id": f"{column} {task}",
            "sample": sample,
            "success": bool(rng.random() < rate),
            "failures": [],
        }
        for column, column_rates in rates.items()
        for task, rate in enumerate(column_rates)
        for sample in range(2)
    )
    return ComparedModel(name, (), rows)


def test_two_seeds_of_one_model_are_no_difference() -> None:
    """Of 200 simulated pairs at least 95 in 100 say so, and a model that gained is seen."""
    rng, verdicts, columns_that_differ = np.random.default_rng(11), [], 0
    for number in range(200):
        # Tasks that are nearly always won or lost, as real ones are; some columns near the edges.
        rates = {
            f"rftgen/E{number % 3}-{tier}-v0": rng.beta(0.6, shape, 25).tolist()
            for tier, shape in (("easy", 0.4), ("medium", 1.0), ("hard", 8.0))
        }
        pair = Comparison([simulated("one", rng, rates), simulated("other", rng, rates)])
        verdicts.append(pair.verdict("other"))
        columns_that_differ += any(e.p < 0.05 for e in pair.differences.values())
    better = {column: [min(1.0, rate + 0.3) for rate in rates[column]] for column in rates}
    gained = Comparison([simulated("one", rng, rates), simulated("other", rng, better)])

    assert verdicts.count("no difference") >= 0.95 * 200
    assert columns_that_differ <= 0.05 * 200
    assert gained.verdict("other") == "better"
