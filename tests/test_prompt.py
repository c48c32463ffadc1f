"""From history to messages, and from completions to actions."""

import time

import pytest

from agentgym_gen.agents.prompt import (
    PastTurn,
    PromptStyle,
    build,
    mixed_style,
    read_action,
    wrap_action,
)
from agentgym_gen.errors import InvalidValueError

PAST = [PastTurn("o0", "a0"), PastTurn("o1", "a1"), PastTurn("o2", "a2")]


def contents(style: PromptStyle) -> list[str]:
    """Return what the messages say."""
    return [message["content"] for message in build(style, "Rules.", PAST, "o3")]


def test_without_a_window_messages_only_grow() -> None:
    """The messages of a turn begin with those of the turn before."""
    style = PromptStyle("action")
    earlier = build(style, "Rules.", PAST[:2], "o2")
    now = build(style, "Rules.", PAST, "o3")

    assert now[: len(earlier)] == earlier
    assert [message["role"] for message in now] == ["user", "assistant"] * 3 + ["user"]


def test_the_first_message_opens_with_the_rules() -> None:
    """Those of the world, then those of the format."""
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
def test_a_window_keeps_the_latest_exchanges(
    window: int | None, keep_first: bool, expected: list[str]
) -> None:
    """And the first observation, which has the goal, unless told otherwise."""
    style = PromptStyle("action", instruction=False, window=window, keep_first=keep_first)

    assert contents(style) == expected


@pytest.mark.parametrize("form", ["react", "action", "tool"])
@pytest.mark.parametrize("action", ["go to desk 1", '{"action": "x", "arguments": {}}', "é"])
def test_a_wrapped_action_reads_back(form: str, action: str) -> None:
    """In every format, whatever the syntax of the action."""
    style = PromptStyle(form)

    assert read_action(style, wrap_action(style, action)) == action


@pytest.mark.parametrize(
    ("form", "completion"),
    [
        ("react", "I just talk"),
        ("react", "Action:\nlook\nAction:\ngo"),
        ("tool", "look"),
        ("tool", "<tool_call>{</tool_call>"),
        ("tool", '<tool_call>{"name": "fly", "arguments": {"action": "look"}}</tool_call>'),
        ("tool", '<tool_call>{"name": "act", "arguments": {"action": 3}}</tool_call>'),
        ("tool", "<tool_call>[]</tool_call>"),
        ("tool", "<tool_call>" + "[" * 5000 + "</tool_call>"),
    ],
)
def test_a_broken_completion_is_passed_on_whole(form: str, completion: str) -> None:
    """The environment then answers it as a text that is no command."""
    assert read_action(PromptStyle(form), completion) == completion


@pytest.mark.parametrize("form", ["react", "action", "tool"])
@pytest.mark.parametrize(
    "fragment", ["<tool_call>", "</tool_call>", "<tool_call></tool_call>", "Action:", "["]
)
def test_reading_takes_no_time(form: str, fragment: str) -> None:
    """A completion of 100,000 characters is read at once, whatever it repeats."""
    for beginning in ("", "<tool_call>"):
        completion = beginning + fragment * (100_000 // len(fragment))
        start = time.process_time()
        assert read_action(PromptStyle(form), completion) == completion
        assert time.process_time() - start < 0.05


def test_a_wrong_style_is_an_error() -> None:
    """Format and window are checked."""
    with pytest.raises(InvalidValueError, match="Unknown prompt format 'reat'; did you mean"):
        PromptStyle("reat")
    with pytest.raises(InvalidValueError, match="`window` is 0 or more, or None, not -1"):
        PromptStyle(window=-1)


def test_a_mixed_style_has_one_for_each_environment() -> None:
    """Those that are alike are one; with a growing sequence among them, there is no window."""
    board, chat = PromptStyle("action", window=0), PromptStyle("action")
    mixed = mixed_style({"a": board, "b": chat})

    assert mixed_style({"a": board, "b": board}) is board
    assert [mixed.for_env(name) for name in ("a", "b", "c")] == [board, chat, chat]
    assert mixed.window is None
