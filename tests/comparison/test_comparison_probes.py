"""The probes against numbers worked out by hand."""

from pathlib import Path

import pytest
from made_evaluations import CRAFT, EASY, of_tasks, write_evaluation

from agentgym_gen.comparison import Comparison, Probe, compare
from agentgym_gen.study.analysis.statistics import wilson


def probe(comparison: Comparison, kind: str, name: str, model: str) -> Probe:
    """Return the probe of these names."""
    (match,) = [p for p in comparison.probes if (p.kind, p.name, p.model) == (kind, name, model)]
    return match


def test_the_generalization_gap_is_training_less_test_and_beside_the_base(tmp_path: Path) -> None:
    """The model wins 18 of 20 training tasks and 8 others, the base 6 and 4: 50 and 10 points."""
    folders = []
    for name, wins in (("base", (4, 6)), ("mine", (8, 18))):
        for split, won in zip(("test", "train"), wins, strict=True):
            outcomes = {EASY: of_tasks([1] * won + [0] * (20 - won))}
            model = {"label": name, "hash": name}
            folder = tmp_path / f"{name}-{split}"
            folders.append(write_evaluation(folder, outcomes, split=split, model=model))
    both = compare(*folders)
    base, mine = (
        probe(both, "generalization gap", "all columns", name) for name in ("base", "mine")
    )

    assert (base.value.value, base.beside_base) == (pytest.approx(0.1), None)
    assert mine.value.value == pytest.approx(0.5)
    assert mine.beside_base is not None
    assert mine.beside_base.value == pytest.approx(0.4)
    assert mine.value.tasks == 40
    assert 0 < mine.value.low < 0.5 < mine.value.high


def shifted(tmp_path: Path, **outcomes: list[list[float]]) -> Comparison:
    """Return a model beside its twin, with outcomes by interface."""
    columns = {
        EASY if name == "native" else f"{EASY}?interface={name.replace('__', '+')}": values
        for name, values in outcomes.items()
    }
    return compare(*(write_evaluation(tmp_path / name, columns) for name in ("base", "mine")))


def test_consistency_is_the_share_of_native_wins_that_are_won_again(tmp_path: Path) -> None:
    """Of 4 native wins 3 are won with JSON and 1 with symbols: 75, 25 and together 50 %.

    That 2 tasks are won with JSON only does not count: a mean would say that nothing is lost.
    """
    comparison = shifted(
        tmp_path,
        native=of_tasks([1, 1, 1, 1, 0, 0]),
        json=of_tasks([1, 1, 1, 0, 1, 0]),
        symbols=of_tasks([1, 0, 0, 0, 0, 1]),
    )
    json, symbols, every = (
        probe(comparison, "consistency", name, "mine") for name in ("json", "symbols", "all shifts")
    )

    assert [p.value.value for p in (json, symbols, every)] == [0.75, 0.25, 0.5]
    assert (json.value.low, json.value.high) == pytest.approx(wilson(0.75, 4))
    assert (json.value.tasks, every.columns) == (4, 2)


def test_consistency_weighs_tasks_by_their_native_wins(tmp_path: Path) -> None:
    """Won 2 of 2 and then 2, and 1 of 2 and then 0: (1 x 1 + 1/2 x 0) / (3/2) = 2/3.

    Played natively again, a won episode is followed by a won one in 1 of 1 and 0 of 1 cases.
    """
    comparison = shifted(tmp_path, native=[[1, 1], [1, 0], [0, 0]], json=[[1, 1], [0, 0], [1, 1]])

    assert probe(comparison, "consistency", "json", "mine").value.value == pytest.approx(2 / 3)
    again = probe(comparison, "consistency", "native, played again", "mine")
    assert again.value.value == pytest.approx(2 / 3)


def test_consistency_of_scores_is_a_share(tmp_path: Path) -> None:
    """Of scores 1/2 and 1/2, and 1 and 0: (1/2 x 1/2 + 1/2 x 0) / (1/2 + 1/2) = 1/4."""
    folders = [write_evaluation(tmp_path / n, {EASY: [[0.5, 0.5], [1, 0]]}) for n in "ab"]
    comparison = compare(*folders, metric="score")

    assert probe(comparison, "consistency", "native, played again", "a").value.value == 0.25


def test_a_model_that_never_wins_natively_is_not_called_consistent(tmp_path: Path) -> None:
    """There is no share of nothing."""
    comparison = shifted(tmp_path, native=of_tasks([0, 0]), json=of_tasks([1, 0]))

    assert [p for p in comparison.probes if p.kind == "consistency"] == []


def test_reliance_is_what_is_lost_on_the_same_tasks(tmp_path: Path) -> None:
    """80 % with the list, 20 % without, 50 % natively, 40 % renamed, 10 % with symbols."""

    def won(number: int) -> list[list[float]]:
        return of_tasks([1] * number + [0] * (10 - number))

    comparison = shifted(
        tmp_path,
        native=won(5), listed=won(8), unlisted=won(2), renamed=won(4), symbols=won(1),
        json=won(0),
    )  # fmt: skip
    lost = {
        p.name: p.value.value
        for p in comparison.probes
        if (p.kind, p.model) == ("reliance", "mine")
    }

    assert lost == pytest.approx(
        {"without the list": 0.6, "with meaningless verbs": 0.4, "with renamed things": 0.1}
    )
    more = probe(comparison, "reliance", "without the list", "mine").beside_base
    assert more is not None
    assert more.low < more.value == 0.0 < more.high


BABY = "rftgen/BabyAI-easy-v0"


def test_the_native_interface_is_the_reference_where_it_lists_the_actions(tmp_path: Path) -> None:
    """BabyAI lists them natively, TextCraft does not: there nothing was taken away."""
    outcomes = {
        BABY: of_tasks([1] * 10),
        f"{BABY}?interface=unlisted": of_tasks([1] * 4 + [0] * 6),
        CRAFT: of_tasks([1] * 10),
        f"{CRAFT}?interface=unlisted": of_tasks([1] * 10),
    }
    both = compare(*(write_evaluation(tmp_path / name, outcomes) for name in ("base", "mine")))
    lost = probe(both, "reliance", "without the list", "mine")

    assert lost.value.value == pytest.approx(0.6)
    assert lost.columns == 1


def test_reliance_counts_every_vocabulary_with_its_own_reference(tmp_path: Path) -> None:
    """Renamed once and twice, each beside JSON: 60 and 20 points are lost, 40 on average."""
    comparison = shifted(
        tmp_path,
        json=of_tasks([1] * 10),
        **{
            "renamed__vocabulary=1__json": of_tasks([1] * 4 + [0] * 6),
            "renamed__vocabulary=2__json": of_tasks([1] * 8 + [0] * 2),
        },
    )
    things = probe(comparison, "reliance", "with renamed things", "mine")

    assert things.value.value == pytest.approx(0.4)
    assert things.columns == 2


def test_reliance_compares_interfaces_that_differ_by_one_axis(tmp_path: Path) -> None:
    """Symbols with JSON are compared with JSON, not with the native interface."""
    comparison = shifted(
        tmp_path,
        native=of_tasks([1] * 10), json=of_tasks([1] * 6 + [0] * 4),
        symbols__json=of_tasks([1] * 4 + [0] * 6),
    )  # fmt: skip
    verbs = probe(comparison, "reliance", "with meaningless verbs", "mine")

    assert verbs.value.value == pytest.approx(0.2)
    assert verbs.columns == 1


def test_probes_are_of_what_was_played_only(tmp_path: Path) -> None:
    """Two environments through their native interface, one sample, have no probe."""
    columns = {EASY: of_tasks([1, 0]), CRAFT: of_tasks([1, 0])}
    both = compare(*(write_evaluation(tmp_path / name, columns) for name in "ab"))

    assert both.probes == ()


def test_reliance_counts_the_tasks_that_both_interfaces_have(tmp_path: Path) -> None:
    """Two of ten tasks are played with synonyms, too, and lost in both: nothing is lost by them."""
    comparison = shifted(tmp_path, native=of_tasks([0, 0] + [1] * 8), synonyms=of_tasks([0, 0]))
    verbs = probe(comparison, "reliance", "with synonyms of the verbs", "mine")

    assert (verbs.value.value, verbs.value.tasks) == (0.0, 2)


def test_the_generalization_gaps_of_two_models_are_of_the_same_training_tasks(
    tmp_path: Path,
) -> None:
    """The base has the first two of eight, which both win: the model has no smaller gap."""
    folders = []
    for name, number in (("base", 2), ("mine", 8)):
        model = {"label": name, "hash": name}
        for split, outcomes in (("test", [1, 0]), ("train", ([1, 1] + [0] * 6)[:number])):
            folder = tmp_path / f"{name}-{split}"
            folders.append(
                write_evaluation(folder, {EASY: of_tasks(outcomes)}, split=split, model=model)
            )
    both = compare(*folders)
    gap = probe(both, "generalization gap", "all columns", "mine")

    assert gap.value.value == pytest.approx(0.5)
    assert gap.beside_base is not None
    assert gap.beside_base.value == pytest.approx(0.0)
    assert both.notes == (
        "Left out: 6 of 8 episodes on training tasks of mine, which not all models played.",
    )
