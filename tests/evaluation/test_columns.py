"""What ids, patterns and interfaces mean."""

from __future__ import annotations

import pytest
from toy_world import CorridorTasks

from agentgym_gen import Registered, make_text_env, register
from agentgym_gen.errors import InvalidValueError, MissingExtraError, UnknownNameError
from agentgym_gen.evaluation.columns import merge_columns, select_columns
from agentgym_gen.evaluation.results import Column
from agentgym_gen.ids import TIERS
from agentgym_gen.world import SPLITS


@pytest.fixture(scope="module", autouse=True)
def _worlds() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def names(*patterns: str, **options: object) -> list[str]:
    """Return the names of the columns that *patterns* mean."""
    return [column.name for column in select_columns(patterns, **options).columns]  # type: ignore[arg-type]


def test_a_pattern_means_native_tiers() -> None:
    """It leaves out ids of all tiers and of interfaces, unless it matches nothing else."""
    assert names("rftgen/Corr*") == [f"rftgen/Corridor-{t}-v0" for t in ("easy", "medium", "hard")]
    assert names("rftgen/Corridor-*-menu-v0")[0] == "rftgen/Corridor-easy-v0?interface=menu"
    assert len(names("rftgen/Corridor-*-menu-v0")) == 3


def test_an_id_with_an_interface_is_its_environment_through_it() -> None:
    """The id and the option mean the same column, with the same tasks as the native one."""
    (preset,) = select_columns(["rftgen/Corridor-easy-json-v0"]).columns
    (option,) = select_columns(["rftgen/Corridor-easy-v0"], interfaces=["json"]).columns
    (native,) = select_columns(["rftgen/Corridor-easy-v0"]).columns

    assert preset == option
    assert preset.task_ids == native.task_ids
    assert preset.env_id == "rftgen/Corridor-easy-v0"


def test_interfaces_are_spelt_in_one_way() -> None:
    """Two spellings of an interface are one column."""
    assert names("rftgen/Corridor-easy-v0", interfaces=["json+symbols", "symbols+json"]) == [
        "rftgen/Corridor-easy-v0?interface=symbols+json"
    ]


def test_an_interface_for_an_id_that_has_one_is_an_error() -> None:
    """The error says which of the two to leave out."""
    with pytest.raises(InvalidValueError, match="has an interface; leave it out"):
        names("rftgen/Corridor-easy-json-v0", interfaces=["menu"])


def test_more_tasks_begin_with_fewer() -> None:
    """An id that has fewer tasks than are asked for is played whole, each task once."""
    few, many, all_of_them = (
        select_columns(["rftgen/Corridor-easy-v0"], tasks=n).columns[0].task_ids
        for n in (3, 6, 500)
    )

    assert many[:3] == few
    assert all_of_them[:6] == many
    assert len(set(all_of_them)) == len(all_of_them) == 50


def test_an_id_is_played_whole_however_many_tasks_are_asked_for() -> None:
    """Memory depends on how many there are, also where the tiers have unequal numbers."""
    env_id = "rftgen/TextCraft-v0"
    (column,) = select_columns([env_id], tasks=10**15).columns
    sizes = [make_text_env(env_id, "test").world.tasks.size(t, "test") for t in TIERS]

    assert len(column.task_ids) == len(set(column.task_ids)) == sum(sizes)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("rftgen/Corridr-easy-v0", "Unknown environment id 'rftgen/Corridr-easy-v0'; did you mean"),
        ("rftgen/*-esy-v0", r"'rftgen/\*-esy-v0'; did you mean 'rftgen/\*-easy-v0'\?"),
        ("rftgen/Sokban-*", r"'rftgen/Sokban-\*'; did you mean 'rftgen/Sokoban-\*-v0'\?"),
    ],
)
def test_what_matches_nothing_is_an_error(pattern: str, message: str) -> None:
    """The error names it, and suggests an id in place of an id, a pattern in place of a pattern."""
    with pytest.raises(UnknownNameError, match=message):
        names(pattern)


@pytest.mark.parametrize("pattern", ["easy", "e?sy", "*sy"])
def test_options_may_follow_an_id_or_a_pattern(pattern: str) -> None:
    """A question mark is a wildcard, and before a name with a value it begins the options."""
    column = f"rftgen/Corridor-{pattern}-v0?slow=true&max_turns=5"

    assert names(column) == ["rftgen/Corridor-easy-v0?slow=true&max_turns=5"]
    assert names(f"{column}&interface=json") == [
        "rftgen/Corridor-easy-v0?slow=true&max_turns=5&interface=json"
    ]


def test_an_option_that_no_environment_has_is_an_error() -> None:
    """The error suggests the one that was meant."""
    with pytest.raises(UnknownNameError, match="'slwo'; did you mean 'slow'"):
        names("rftgen/Corridor-*-v0?slwo=true")


def test_a_split_may_be_the_environments_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The splits are those of the environment that is played."""
    monkeypatch.setattr(CorridorTasks, "splits", (*SPLITS, "extra"))
    (column,) = select_columns(["rftgen/Corridor-easy-v0"], split="extra", tasks=1).columns

    assert column.task_ids[0].startswith("corridor/easy/extra/")


def test_an_unknown_split_is_an_error() -> None:
    """The error names the splits."""
    with pytest.raises(UnknownNameError, match="Unknown split 'tset'; did you mean 'test'"):
        names("rftgen/Corridor-easy-v0", split="tset")


def test_an_absent_extra_leaves_out_what_a_pattern_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was named by its id is an error instead."""
    from agentgym_gen.evaluation import columns

    make = columns.make_text_env

    def without_medium(env_id: str, split: str) -> object:
        if "medium" in env_id:
            raise MissingExtraError("needs 'x'; run: pip install x")
        return make(env_id, split)

    monkeypatch.setattr(columns, "make_text_env", without_medium)
    selection = select_columns(["rftgen/Corridor-*-v0"], tasks=1)

    assert selection.left_out == ("rftgen/Corridor-medium-v0",)
    assert len(selection.columns) == 2
    with pytest.raises(MissingExtraError, match="pip install x"):
        select_columns(["rftgen/Corridor-medium-v0"])


def test_columns_merge_whatever_comes_first() -> None:
    """Tasks and samples of both stay, and the order of two extensions does not matter."""
    first = Column("rftgen/Corridor-easy-v0", "native", ("t/e/s/3", "t/e/s/1"), 2)
    longer = Column("rftgen/Corridor-easy-v0", "native", ("t/e/s/3", "t/e/s/1", "t/e/s/2"))
    other = Column("rftgen/Corridor-hard-v0", "json", ("t/h/s/3",))
    merged = merge_columns([first], [longer, other])

    assert merged == merge_columns([other, longer], [first])
    assert merged[0] == Column(first.env_id, "native", longer.task_ids, 2)
