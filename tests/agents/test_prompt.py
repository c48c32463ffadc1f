"""Prompts: from the history of an episode to messages."""

import pytest

from agentgym_gen.agents.prompt import (
    PastTurn,
    PromptStyle,
    build,
    mixed_style,
)
from agentgym_gen.errors import InvalidValueError

PAST = [PastTurn("o0", "a0"), PastTurn("o1", "a1"), PastTurn("o2", "a2")]


def contents(style: PromptStyle) -> list[str]:
    """Return the contents of the messages of the fourth turn."""
    return [message["content"] for message in build(style, "Rules.", PAST, "o3")]


def test_without_a_window_messages_only_grow() -> None:
    """The messages of a turn begin with those of the turn before."""
    style = PromptStyle("action")
    previous = build(style, "Rules.", PAST[:2], "o2")
    current = build(style, "Rules.", PAST, "o3")

    assert current[: len(previous)] == previous
    assert [message["role"] for message in current] == ["user", "assistant"] * 3 + ["user"]


def test_the_first_message_opens_with_the_rules() -> None:
    """The first message has the rules of the world, those of the format and the observation."""
    first = contents(PromptStyle("action"))[0]

    assert first == "Rules.\n\nAnswer with your next action and nothing else.\n\no0"


@pytest.mark.parametrize(
    ("window", "keep_first", "expected"),
    [
        (None, True, ["o0", "a0", "o1", "a1", "o2", "a2", "o3"]),
        (9, True, ["o0", "a0", "o1", "a1", "o2", "a2", "o3"]),
        (3, True, ["o0", "a0", "o1", "a1", "o2", "a2", "o3"]),
        (1, True, ["o0\n\no2", "a2", "o3"]),
        (1, False, ["o2", "a2", "o3"]),
        (0, True, ["o0\n\no3"]),
        (0, False, ["o3"]),
    ],
)
def test_a_window_keeps_the_latest_turns(
    window: int | None, keep_first: bool, expected: list[str]
) -> None:
    """A window keeps the latest turns, and with *keep_first* the first observation."""
    style = PromptStyle("action", instruction=False, window=window, keep_first=keep_first)

    assert contents(style) == expected


def test_a_wrong_style_is_an_error() -> None:
    """An unknown format and a negative window are errors that name the value."""
    with pytest.raises(InvalidValueError, match="Unknown prompt format 'reat'; did you mean"):
        PromptStyle("reat")
    with pytest.raises(InvalidValueError, match="`window` is 0 or more, or None, not -1"):
        PromptStyle(window=-1)


def test_a_mixed_style_has_one_for_each_environment() -> None:
    """A mixed style has each environment's own, and no window if one of them has none."""
    board, chat = PromptStyle("action", window=0), PromptStyle("action")
    mixed = mixed_style({"a": board, "b": chat})

    assert mixed_style({"a": board, "b": board}) is board
    assert [mixed.for_env(name) for name in ("a", "b", "c")] == [board, chat, chat]
    assert mixed.window is None
