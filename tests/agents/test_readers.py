"""Completions are read: strictly, in exactly the form that was asked for, or as plainly meant."""

from __future__ import annotations

import functools
import html
import re
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from agentgym_gen import Episode, PromptStyle, ScriptedPolicy, Session, make_text_env, run
from agentgym_gen.agents.completions.decoration import undecorated
from agentgym_gen.agents.completions.lenient import lenient_call
from agentgym_gen.agents.completions.reader import call_in, read_completion
from agentgym_gen.agents.prompt import FORMATS, READERS, wrap_action
from agentgym_gen.agents.trajectory_files import write_trajectories
from agentgym_gen.env import TextEnv
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.interface import MAX_ACTION_CHARS
from agentgym_gen.world import Malformed

PAGE = Path(__file__).parents[2] / "docs" / "interfaces.md"
ALFWORLD, TASK = "rftgen/ALFWorld-easy-v0", "alfworld/easy/train/1"
WEBSHOP, SEARCHQA = "rftgen/WebShop-easy-v0", "rftgen/SearchQA-easy-v0"


FRAGMENTS = (
    *("<tool_call>", "</tool_call>", "<think>", "</think>", "Action:", "\nAction:", "[", "{", "**"),
    *("`", '"', "\nObservation:", "a\n", "<function=", "<parameter=a>", "to=functions.a", "```"),
    *("<action>", "<answer>a</answer>"),
)
"""What a pattern might look for again and again."""

QUERIES = ("What is Dr. A.?", "u.s.", "tea.", '"tea"', "*", "a. b.", "live action: x")


class Form(NamedTuple):
    """A row of the page's table."""

    style: str
    completion: str
    strict: str
    lenient: str


def forms() -> list[Form]:
    """Return the rows of the table of docs/interfaces.md."""
    table = PAGE.read_text(encoding="utf-8").partition("<!-- forms of completions -->")[2]
    cells = r"^\| [^|]+ \| `(\w+)` \| <code>(.+?)</code> \| (.+?) \| (.+?) \|$"
    rows = re.findall(cells, table.partition("<!-- end -->")[0], re.MULTILINE)
    return [Form(style, _text(shown), strict, lenient) for style, shown, strict, lenient in rows]


def _text(shown: str) -> str:
    return html.unescape(shown.replace("<br>", "\n"))


@functools.cache
def alfworld() -> TextEnv:
    """Return the environment of the table, at the start of its task; it is read from only."""
    env = make_text_env(ALFWORLD, "train")
    env.reset(options={"task_id": TASK})
    return env


def verdict(form: Form, reader: str) -> str:
    """Return what *reader* makes of the completion of *form*, in the words of the table."""
    env = alfworld().clone()
    action = read_completion(PromptStyle(form.style, reader=reader), form.completion, env).action
    if isinstance(action, Malformed):
        return f"refused: {action.reason}"
    return f"`{action}`" if env.step(action)[-1]["valid_action"] else "passed on as it is"


@pytest.mark.parametrize("form", forms(), ids=lambda form: f"{form.style}-{form.completion[:40]!r}")
@pytest.mark.parametrize("reader", READERS)
def test_the_table_of_the_page_is_true(form: Form, reader: str) -> None:
    """Each form of a completion has the verdict that docs/interfaces.md says."""
    assert verdict(form, reader) == getattr(form, reader)


def test_the_table_has_every_format_and_verdict() -> None:
    """No format is left out, and the table has forms that are read, refused and passed on."""
    rows = forms()

    assert len(rows) > 30
    assert {form.style for form in rows} == set(FORMATS)
    assert {form.lenient.partition(":")[0] for form in rows} >= {"refused", "`look`"}


@pytest.mark.parametrize("form", ["react", "action", "tool"])
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "action", ["go to desk 1", '{"action": "x", "arguments": {}}', "é", "</tool_call> <tool_call>"]
)
def test_a_wrapped_action_is_read(form: str, reader: str, action: str) -> None:
    """Each reader reads an action that `wrap_action` wrote, whatever it spells."""
    style = PromptStyle(form, reader=reader)

    assert read_completion(style, wrap_action(style, action), alfworld()).action == action


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "fragment",
    FRAGMENTS,
)
def test_reading_is_fast(form: str, reader: str, fragment: str) -> None:
    """A completion of 100,000 characters takes less than a second, whatever it repeats."""
    env, style = alfworld(), PromptStyle(form, reader=reader)
    for beginning in ("", "<tool_call>", "<tool_call><function=a>", "Action: "):
        completion = beginning + fragment * (100_000 // len(fragment))
        start = time.process_time()
        read_completion(style, completion, env)
        assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("env_id", "action"),
    [
        (SEARCHQA, "<answer>Paris</answer>"),
        (SEARCHQA, "<search>tea</search>"),
        ("rftgen/Sokoban-easy-v0", "<action>Left</action>"),
    ],
)
def test_tags_that_are_the_environments_own_stay(env_id: str, action: str) -> None:
    """Where tags are a part of the action, the lenient reader does not take them away."""
    env = make_text_env(env_id, "train")
    env.reset(seed=0)
    reading = read_completion(PromptStyle("react", reader="lenient"), f"Action: {action}", env)

    assert reading.action == action


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("env_id", [SEARCHQA, "rftgen/TextCraft-easy-v0", WEBSHOP])
def test_two_actions_are_refused_everywhere(env_id: str, reader: str) -> None:
    """A ReAct completion with two actions does nothing; SearchQA alone would take the first."""
    env = env_id.split("/")[1].partition("-")[0].lower()
    session = Session(env_id, f"{env}/easy/train/3", style=PromptStyle(reader=reader))
    session.start()
    one, two = {
        SEARCHQA: ("<search>tea</search>", "<search>mugs</search>"),
        WEBSHOP: ("search[tea]", "search[mugs]"),
    }.get(env_id, ("inventory", "inventory"))
    reply = session.reply(f"Thought:\nHm.\n\nAction:\n{one}\n\nAction:\n{two}")

    assert not reply.info["valid_action"]
    assert "Not understood: it has 2 actions instead of one." in reply.message["content"]
    assert session.reply(f"Action:\n{one}").info["valid_action"]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_not_cleaned(query: str) -> None:
    """An open verb takes its text as it stands: no full stop and no quotation mark is lost."""
    cases = [
        (WEBSHOP, f"search[{query}]", "native"),
        (SEARCHQA, f"<search>{query}</search>", "native"),
        (SEARCHQA, f"1 {query}", "menu"),
    ]
    for env_id, text, interface in cases:
        env = make_text_env(env_id, "train", {"interface": interface})
        env.reset(seed=0)
        for form in ("react", "action"):
            style = PromptStyle(form, reader="lenient")
            reading = read_completion(style, wrap_action(style, text), env)

            assert (reading.action, reading.lenient) == (text, False)


def test_what_both_readers_read_alike_is_not_counted() -> None:
    """SearchQA's own form has thoughts in tags, which the original reads as well."""
    env = make_text_env(SEARCHQA, "train")
    env.reset(seed=0)
    style = PromptStyle("action", reader="lenient")
    alike = "<think>I look it up.</think>\n<search>tea</search>"
    apart = "<think>Not <search>mugs</search>.</think>\n<search>tea</search>"

    assert not read_completion(style, alike, env).lenient
    assert read_completion(style, apart, env) == ("<search>tea</search>", True)


@pytest.mark.parametrize("interface", ["native", "json", "call", "menu", "symbols+renamed"])
def test_what_is_written_as_asked_is_not_counted(interface: str) -> None:
    """The lenient reader counts no turn of the expert, in any syntax and format."""
    for form in FORMATS:
        style = PromptStyle(form, reader="lenient")
        options = {"interface": interface}
        session = Session(
            "rftgen/ALFWorld-easy-v0", "alfworld/easy/train/1", style=style, options=options
        )
        session.start()
        while not session.done:
            action = session.env.expert_action() or ""
            call = session.env.functions.call(action)
            session.reply(wrap_action(style, action, call=call))

        assert session.result().success
        assert (session.result().lenient_turns, session.result().invalid_turns) == (0, 0)


def test_lenient_turns_are_counted_apart() -> None:
    """A turn that only the lenient reader could read is marked in the turn and in the sums."""
    style = PromptStyle("action", reader="lenient")
    options = {"max_turns": 3}
    session = Session(
        "rftgen/ALFWorld-easy-v0", "alfworld/easy/train/1", style=style, options=options
    )
    session.start()
    for answer in ("look", "**look**", "nonsense."):
        session.reply(answer)
    trajectory = session.trajectory()

    assert [turn.lenient for turn in trajectory.turns] == [False, True, False]
    assert session.result().lenient_turns == trajectory.lenient_turns == 1
    assert [turn.action for turn in trajectory.turns] == ["look", "look", "nonsense."]


def test_a_completion_that_is_refused_says_why() -> None:
    """The reason stands in the observation even where the world answers in its native words."""
    session = Session(ALFWORLD, TASK, style=PromptStyle("tool"))
    session.start()
    reply = session.reply("look")

    assert reply.message["content"].endswith("(Not understood: it is not one call of 'act'.)")


def test_a_text_that_is_too_long_is_refused() -> None:
    """A thought may be as long as it likes; what stands after it may not."""
    style, thought = PromptStyle("action", reader="lenient"), "<think>" + "a " * 20_000 + "</think>"
    long = read_completion(style, f"{thought}{'look ' * 5_000}", alfworld()).action

    assert read_completion(style, f"{thought}look.", alfworld()) == ("look", True)
    assert isinstance(long, Malformed)
    assert long.reason == "it is longer than 8192 characters"
    assert len(long.text) < 100


def test_an_unknown_reader_is_an_error() -> None:
    """The error suggests the nearest name."""
    with pytest.raises(InvalidValueError, match="Unknown reader 'lenent'; did you mean 'lenient'"):
        PromptStyle(reader="lenent")


def test_decoration_is_taken_off_in_any_order() -> None:
    """Signs are taken off in pairs only, and an ellipsis stays."""
    assert undecorated(" **`look`**.\n") == undecorated('"look."') == "look"
    assert undecorated("```text\nlook\n```") == undecorated("> - 'look'") == "look"
    assert undecorated("look...") == "look..."
    assert undecorated("it's John's") == "it's John's"


HALF = "1 \\ud83d"
"""Half of a surrogate pair as an escape of JSON."""


@pytest.mark.parametrize(
    ("form", "reader", "completion"),
    [
        ("tool", "strict", f'<tool_call>{{"name": "act", "arguments": {{"action": "{HALF}"}}}}'),
        ("functions", "strict", f'<tool_call>{{"name": "get", "arguments": {{"item": "{HALF}"}}}}'),
        (
            *("functions", "lenient"),
            f'[TOOL_CALLS] [{{"name": "get", "arguments": {{"item": "{HALF}"}}}}]',
        ),
        (
            *("function_calling", "strict"),
            f'{{"thought": "", "function_name": "get", "arguments": {{"item": "{HALF}"}}}}',
        ),
    ],
)
def test_half_of_a_surrogate_pair_is_refused(
    form: str, reader: str, completion: str, tmp_path: Path
) -> None:
    """A call that spells one as an escape is a refused turn, and the episode can be written."""
    if "<tool_call>" in completion:
        completion += "</tool_call>"
    style = PromptStyle(form, reader=reader)
    craft = Episode("rftgen/TextCraft-easy-v0", "textcraft/easy/test/3", options={"max_turns": 2})
    (trajectory,) = run([craft], ScriptedPolicy([completion]), style=style)
    write_trajectories(tmp_path / "episodes.jsonl", [trajectory])

    assert not trajectory.turns[0].valid
    assert "half of a surrogate pair" in trajectory.turns[1].observation
    assert call_in(style, completion) is None


HERMES = '<tool_call>\n{"name": "inventory", "arguments": {}}\n</tool_call>'
QWEN = "<tool_call>\n<function=look>\n</function>\n</tool_call>"
MISTRAL = "[TOOL_CALLS] look[ARGS]{}"
BARE = '{"name": "inventory", "arguments": {}}'


@pytest.mark.parametrize(
    "completion",
    [
        f"{first}\n{second}"
        for first, second in [
            (HERMES, HERMES),
            (HERMES, QWEN),
            (QWEN, HERMES),
            (QWEN, QWEN),
            (QWEN, BARE),
            (BARE, QWEN),
            (HERMES, MISTRAL),
            (BARE, MISTRAL),
        ]
    ],
)
def test_the_lenient_reader_never_chooses_between_two_calls(completion: str) -> None:
    """Whatever their forms are, and whichever comes first."""
    env = make_text_env(ALFWORLD, "train")
    env.reset(options={"task_id": TASK})
    style = PromptStyle("functions", reader="lenient")

    assert isinstance(read_completion(style, completion, env).action, Malformed)


def test_a_long_answer_has_no_call_and_costs_no_time() -> None:
    """The forms of calls are searched for in no more text than an action may have."""
    spaces = "\n" * MAX_ACTION_CHARS
    call = "<tool_call>\n<function=look>\n{}</function>\n</tool_call>"

    assert lenient_call(call.format("")) is not None
    assert lenient_call(call.format(spaces)) is None
