"""Episodes side by side."""

import pytest

from agentgym_gen.describe.side_by_side import Column, format_columns, play_columns

TASK = "sokoban/easy/test/7"


def test_the_same_commands_are_said_in_every_column() -> None:
    """The first moves of the expert, each in its own words."""
    told = play_columns("rftgen/Sokoban-easy-v0", TASK, ["native", "call"], turns=2)
    native, called = (column.texts for column in told)

    assert [column.title for column in told] == ["native", "call"]
    assert len(native) == len(called) == 5
    assert called[1] == f"{native[1]}()"
    assert native[::2] == called[::2]


def test_an_interface_that_is_drawn_is_drawn_anew_in_every_column() -> None:
    """Two equal columns would show nothing; the first is the one of the task's first draw."""
    told = play_columns("rftgen/Sokoban-easy-v0", TASK, ["random"] * 4, turns=0)
    again = play_columns("rftgen/Sokoban-easy-v0", TASK, ["random"], turns=0)

    assert len({column.title for column in told}) > 1
    assert told[0] == again[0]


def test_an_episode_ends_where_it_ends() -> None:
    """However many turns are asked for; the instruction may come first."""
    made = play_columns("rftgen/Sokoban-easy-v0", TASK, ["native"], turns=500, instruction=True)

    assert len(made[0].texts) < 100
    assert made[0].texts[0].startswith("You are solving the Sokoban puzzle.")


def test_columns_are_wrapped_and_aligned() -> None:
    """Row by row, by hand."""
    told = [
        Column("one", ("aa bb cc dd ee ff gg hh ii jj", "> x")),
        Column("two", ("1\n2\n", "> y")),
    ]

    assert format_columns(told, 51) == (
        "one                      | two\n"
        "------------------------ | ------------------------\n"
        "aa bb cc dd ee ff gg hh  | 1\n"
        "ii jj                    | 2\n"
        "                         |\n"
        "                         |\n"
        "> x                      | > y"
    )


@pytest.mark.parametrize("width", [20, 50, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """In columns, or one under the other where the terminal is too narrow."""
    interfaces = ["native", "symbols+json+listed", "renamed+data+cluttered"]
    told = play_columns("rftgen/TextCraft-hard-v0", "textcraft/hard/test/3", interfaces, turns=2)
    text = format_columns(told, width)

    assert max(map(len, text.split("\n"))) <= width
    assert (" | " in text) == (width >= 80)
    assert ("=== native" in text) == (width < 80)
