"""What evaluations are refused as a comparison, and what is left out with a sentence."""

import json
from pathlib import Path

import pytest
from made_evaluations import CRAFT, EASY, of_tasks, write_evaluation

from agentgym_gen.comparison import compare
from agentgym_gen.errors import DataError, InvalidValueError, UnknownNameError

FEW = {EASY: of_tasks([1, 0, 1, 0])}


def test_models_that_were_not_played_alike_are_refused(tmp_path: Path) -> None:
    """The error names the setting, both values and how to allow it; allowed, it is a note."""
    a = write_evaluation(tmp_path / "a", FEW)
    b = write_evaluation(tmp_path / "b", FEW, settings={"temperature": 0.4})
    with pytest.raises(DataError, match=r"`temperature` is a 1\.0, b 0\.4; .* --allow temperature"):
        compare(a, b)

    (note,) = compare(a, b, allow=["temperature"]).notes
    assert note == "`temperature` differs, which was allowed: a 1.0, b 0.4."
    with pytest.raises(UnknownNameError, match="did you mean 'temperature'"):
        compare(a, b, allow=["temprature"])


def test_settings_are_compared_column_by_column(tmp_path: Path) -> None:
    """Two models whose evaluations have the same two turn limits, but crosswise, are not alike."""
    crafts = {CRAFT: of_tasks([1, 0, 1, 0])}

    def folders(name: str, easy: int, craft: int) -> list[Path]:
        model = {"label": name, "hash": name}
        return [
            write_evaluation(
                tmp_path / f"{name}{number}{limit}",
                rows,
                model=model,
                settings={"max_turns": limit},
            )
            for number, (rows, limit) in enumerate(((FEW, easy), (crafts, craft)))
        ]

    with pytest.raises(DataError, match="`max_turns` is a 5, b 9"):
        compare(*folders("a", 5, 9), *folders("b", 9, 5))
    assert compare(*folders("c", 5, 9), *folders("d", 5, 9)).notes == ()


def test_other_versions_of_the_package_are_refused_and_of_others_noted(tmp_path: Path) -> None:
    """Texts may differ between versions of the package."""
    a, b, c = (
        write_evaluation(
            tmp_path / name, FEW, version=version, made_with=[{"versions": {"torch": torch}}]
        )
        for name, version, torch in (("a", "0.1", "2.5"), ("b", "0.1", "2.6"), ("c", "0.2", "2.5"))
    )

    assert compare(a, b).notes == ('The version of torch differs: a "2.5", b "2.6".',)
    with pytest.raises(DataError, match=r'`version` is a "0.1", c "0.2"; .*--allow version'):
        compare(a, c)
    assert "`version` differs" in compare(a, c, allow=["version"]).notes[0]


def test_another_prompt_is_refused_unless_a_setting_explains_it(tmp_path: Path) -> None:
    """Shots change the prompt; the same settings with another prompt are two versions of it."""
    a, b = (write_evaluation(tmp_path / name, FEW, prompt_hash=name) for name in "ab")
    with pytest.raises(DataError, match='`prompt_hash` is a "a", b "b"'):
        compare(a, b)

    c = write_evaluation(tmp_path / "c", FEW, prompt_hash="c", settings={"shots": 3})
    assert len(compare(a, c, allow=["shots"]).notes) == 2


def test_tasks_that_opened_otherwise_are_refused(tmp_path: Path) -> None:
    """The hash of the first observation says so; with another version allowed it is a note."""
    a, b = (
        write_evaluation(tmp_path / name, FEW, row_keys={"opening_hash": name}) for name in "ab"
    )
    with pytest.raises(DataError, match="was another task for b than for a: it opened otherwise"):
        compare(a, b)

    number = len(FEW[EASY])
    assert (
        f"{number} tasks opened otherwise for the models." in compare(a, b, allow=["version"]).notes
    )


def test_what_not_all_played_is_left_out_and_counted(tmp_path: Path) -> None:
    """Here one task, one column, and a second sample."""
    a = write_evaluation(tmp_path / "a", {EASY: [[1, 1], [0, 1], [0, 0]], CRAFT: [[1, 1]]})
    b = write_evaluation(tmp_path / "b", {EASY: of_tasks([1, 1])})
    both = compare(a, b)

    assert [column.name for column in both.columns] == [EASY]
    assert both.tasks == 2
    assert both.notes == ("Left out: 6 of 8 episodes of a, which not all models played.",)
    assert both.overall["b"].value == 0.5


def test_models_without_a_common_episode_are_refused(tmp_path: Path) -> None:
    """The error says what each played."""
    a = write_evaluation(tmp_path / "a", FEW)
    b = write_evaluation(tmp_path / "b", {CRAFT: of_tasks([1])})
    with pytest.raises(DataError, match=r"share no episode.* a 4 episodes of .*Sokoban.* b 1 ep"):
        compare(a, b)


def test_an_evaluation_that_is_not_finished_is_noted(tmp_path: Path) -> None:
    """The episodes that were played are compared."""
    a, b = (write_evaluation(tmp_path / name, FEW) for name in "ab")
    lines = (b / "episodes.jsonl").read_text().splitlines(keepends=True)
    (b / "episodes.jsonl").write_text("".join(lines[:3]))
    notes = compare(a, b).notes

    assert notes[0] == "b is not finished: 3 of 4 episodes were played."
    assert notes[1] == "Left out: 1 of 4 episodes of a, which not all models played."


def test_an_error_of_a_server_counts_as_lost_and_is_noted(tmp_path: Path) -> None:
    """The reader is told how many."""
    a, b = (write_evaluation(tmp_path / name, FEW) for name in "ab")
    text = (b / "episodes.jsonl").read_text().replace("turn_limit", "policy_error")
    (b / "episodes.jsonl").write_text(text)

    (note,) = compare(a, b).notes
    assert note.startswith("2 episodes of b ended by an error of the environment")


def test_an_error_on_a_training_task_is_noted_as_well(tmp_path: Path) -> None:
    """It lowers the generalization gap."""
    folders = [
        write_evaluation(tmp_path / f"{name}-{split}", FEW, split=split, model=model)
        for name, model in (("a", {"label": "a", "hash": "a"}), ("b", {"label": "b", "hash": "b"}))
        for split in ("test", "train")
    ]
    rows = tmp_path / "b-train" / "episodes.jsonl"
    rows.write_text(rows.read_text().replace("turn_limit", "policy_error"))

    assert compare(*folders).notes[-1].startswith("2 episodes of b ended by an error")


def test_two_splits_of_one_model_are_one_model(tmp_path: Path) -> None:
    """The training tasks are not compared; two evaluations of the same column are two models."""
    folders = []
    for name in ("base", "mine"):
        for split in ("test", "train"):
            model = {"label": name, "name": name, "hash": f"hash of {name}"}
            folders.append(
                write_evaluation(tmp_path / f"{name}-{split}", FEW, split=split, model=model)
            )
    both = compare(*folders)

    assert both.names == ("base", "mine")
    assert both.tasks == 4
    assert len(both.models[1].training_rows) == 4
    again = write_evaluation(tmp_path / "again", FEW, model={"label": "base", "hash": "x"})
    third = write_evaluation(tmp_path / "third", FEW, model={"label": "base", "hash": "x"})
    assert compare(again, third).names == ("again", "third")
    model = {"label": "base", "hash": "x"}
    craft = write_evaluation(tmp_path / "craft", {CRAFT: of_tasks([1])}, model=model)
    assert len(compare(again, craft, folders[2]).models[0].evaluations) == 2


def test_a_comparison_on_training_tasks_alone_says_so(tmp_path: Path) -> None:
    """Nothing of it is held out."""
    folders = [write_evaluation(tmp_path / name, FEW, split="train") for name in "ab"]

    assert compare(*folders).notes == (
        "All tasks are of the training split: nothing here is held out.",
    )


@pytest.mark.parametrize(
    ("folders", "names", "message"),
    [
        (["a"], (), "of two models or more, the base first, not of 1"),
        (["a", "a"], (), "a is named twice"),
        (["a", "b"], ("x",), r"2 different names, one for each model, not \['x'\]"),
        (["a", "b"], ("x", "x"), "2 different names"),
    ],
)
def test_a_comparison_needs_two_models(
    tmp_path: Path, folders: list[str], names: tuple[str, ...], message: str
) -> None:
    """The error says what is needed."""
    for name in "ab":
        write_evaluation(tmp_path / name, FEW)
    with pytest.raises(InvalidValueError, match=message):
        compare(*(tmp_path / name for name in folders), names=names)


def test_a_folder_without_an_evaluation_is_named(tmp_path: Path) -> None:
    """So is one whose record is of another program."""
    a = write_evaluation(tmp_path / "a", FEW)
    with pytest.raises(DataError, match=r"nothing holds no evaluation"):
        compare(a, tmp_path / "nothing")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "eval.json").write_text(json.dumps({"schema": 1, "model": 3}))
    with pytest.raises(DataError, match="not the record of an evaluation"):
        compare(a, tmp_path / "b")
