"""Episodes through several interfaces, side by side."""

import pytest

from agentgym_gen.describe.side_by_side import Column, format_columns, play_columns

TASK = "sokoban/easy/test/7"


def test_every_column_has_the_same_commands() -> None:
    """Each column shows the first moves of the expert in the words of its interface."""
    columns = play_columns("rftgen/Sokoban-easy-v0", TASK, ["native", "call"], turns=2)
    native, called = (column.texts for column in columns)

    assert [column.title for column in columns] == ["native", "call"]
    assert len(native) == len(called) == 5
    assert called[1] == f"{native[1]}()"
    assert native[::2] == called[::2]


def test_a_randomized_interface_is_sampled_anew_in_every_column() -> None:
    """Columns of the same name differ, and the first is the task's first sample."""
    columns = play_columns("rftgen/Sokoban-easy-v0", TASK, ["random"] * 4, turns=0)
    again = play_columns("rftgen/Sokoban-easy-v0", TASK, ["random"], turns=0)

    assert len({column.title for column in columns}) > 1
    assert columns[0] == again[0]


def test_a_column_ends_with_the_episode() -> None:
    """More turns than the episode has change nothing; the instruction comes first on request."""
    columns = play_columns("rftgen/Sokoban-easy-v0", TASK, ["native"], turns=500, instruction=True)

    assert len(columns[0].texts) < 100
    assert columns[0].texts[0].startswith("You are solving the Sokoban puzzle.")


def test_columns_are_wrapped_and_aligned() -> None:
    """The text of two short columns is the one that was written by hand."""
    columns = [
        Column("one", ("aa bb cc dd ee ff gg hh ii jj", "> x")),
        Column("two", ("1\n2\n", "> y")),
    ]

    assert format_columns(columns, 51) == (
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
    """Columns stand side by side, or one under the other where the terminal is too narrow."""
    interfaces = ["native", "symbols+json+listed", "renamed+data+cluttered"]
    columns = play_columns("rftgen/TextCraft-hard-v0", "textcraft/hard/test/3", interfaces, turns=2)
    text = format_columns(columns, width)

    assert max(map(len, text.split("\n"))) <= width
    assert (" | " in text) == (width >= 80)
    assert ("=== native" in text) == (width < 80)
