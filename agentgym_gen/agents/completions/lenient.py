"""The lenient reader: reads what any instruct model plainly means, and refuses what is ambiguous.

It takes away what stands around an action (thoughts, a hallucinated observation, decoration) and
reads calls that are not quite in their form. It never chooses between two actions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from agentgym_gen.agents.completions.calls import CLOSING, OPENING, TextWithCall
from agentgym_gen.agents.completions.decoration import is_allowed, plain_action
from agentgym_gen.agents.completions.forms import FORMS
from agentgym_gen.agents.completions.strict import ACT
from agentgym_gen.env import TextEnv
from agentgym_gen.interface import MAX_ACTION_CHARS
from agentgym_gen.interface.syntax.functions import FunctionCall
from agentgym_gen.interface.syntax.lenient import objects_in
from agentgym_gen.world import Malformed

__all__ = ["find_calls", "lenient_call", "read_leniently", "without_thought"]

_THOUGHT = re.compile(r"<(/?)(?:think|thinking)>", re.IGNORECASE)

_ACTION = re.compile(
    r"^[ \t>*_#`]*action[ \t]*\d*[ \t]*[*_`]*:[*_`]*", re.IGNORECASE | re.MULTILINE
)
"""The word before an action, at the start of a line: ``**Action:**``, ``### Action 1:``."""

_INLINE = re.compile(r"\baction[ \t]*\d*[*_`]*:", re.IGNORECASE)

_AFTERWARDS = re.compile(
    r"^[ \t>*_#`]*(?:observation|thought|user|human)[ \t]*\d*[ \t]*[*_`]*:"
    r"|^[ \t]*<(?:tool_response|information|observation)>",
    re.IGNORECASE | re.MULTILINE,
)
"""What a model writes after its action when it goes on in the place of the environment."""

_TAGGED = re.compile(r"<(action|answer)>(.*?)(?:</\1>|\Z)", re.IGNORECASE | re.DOTALL)
"""An action in tags, as models of other frameworks write it; the closing one may be a stop word."""

XML_OPENING, XML_CLOSING = "<function=", "</function>"
"""What stands around a call of Qwen3-Coder."""

_NAMES = ("name", "function_name", "function", "tool", "tool_name")
_ARGUMENTS = ("arguments", "parameters", "args", "input")
"""The fields in which models put the name of a function and its arguments."""


def read_leniently(form: str, completion: str, env: TextEnv) -> str | Malformed:
    """Return the action that *completion* plainly means in the format *form*, or why none."""
    text = without_thought(completion)
    if text is None:
        return Malformed(completion, "its thought has no end")
    if len(text) > MAX_ACTION_CHARS:
        return Malformed(completion, f"it is longer than {MAX_ACTION_CHARS} characters")
    if form in ("react", "action"):
        return _read_text(form, text, completion, env)
    calls = find_calls(text)
    if len(calls) > 1:
        return Malformed(completion, f"it has {len(calls)} calls instead of one")
    if not calls:
        return _without_call(text, completion, env)
    return _act(calls[0], completion) if form == "tool" else _call(calls[0], completion, env)


def without_thought(completion: str) -> str | None:
    """Return what stands after the thoughts of *completion*; None if one has no end.

    The tag that opens a thought may be missing, because some templates end a prompt with it.
    """
    tags = list(_THOUGHT.finditer(completion))
    if not tags:
        return completion
    return completion[tags[-1].end() :] if tags[-1][1] else None


def find_calls(text: str) -> list[FunctionCall]:
    """Return the calls in *text*, from the first; an object without a name has an empty one.

    They are JSON between tags, of which the closing one may be missing, JSON alone, or one of the
    forms of `FORMS`. What follows as an observation does not count.
    """
    text = _until_observation(text, 0)
    others: list[FunctionCall] = []
    for form in FORMS:
        answer = form.read(text)
        if answer is not None and OPENING not in answer.text:
            before = [call for call in _calls_of(answer.text) if call.name]
            after = text.partition(XML_CLOSING)[2].partition(CLOSING)[2]
            return [*before, answer.call, *find_calls(after)]
        others += [] if answer is None or XML_OPENING in text else [answer.call]
    if OPENING in text:
        parts = (part.partition(CLOSING)[0] for part in text.split(OPENING)[1:])
        return [*(call for part in parts for call in _calls_of(part)), *others]
    return list(_calls_of(text))


def _calls_of(text: str) -> Iterator[FunctionCall]:
    if XML_OPENING in text:  # a call beside others, so that it need not be read
        yield FunctionCall("", {})
    for fields in objects_in(text):
        call = _call_of(fields)
        if call is not None:
            yield call


def _call_of(fields: Mapping[str, Any]) -> FunctionCall | None:
    """Return the call that a JSON object describes; one without a name if it has no such field."""
    inner = fields.get("function")
    if isinstance(inner, dict):
        return _call_of(inner)
    name = next((fields[key] for key in _NAMES if isinstance(fields.get(key), str)), "")
    if not name:
        return FunctionCall("", fields)
    arguments: object = next((fields[key] for key in _ARGUMENTS if key in fields), {})
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments, strict=False)
        except (ValueError, RecursionError):
            return None
    return FunctionCall(name, arguments) if isinstance(arguments, dict) else None


def _act(call: FunctionCall, completion: str) -> str | Malformed:
    action = call.arguments.get("action")
    if call.name not in ("", ACT) or not isinstance(action, str):
        return Malformed(completion, f"it is not one call of {ACT!r}")
    return action


def _call(call: FunctionCall, completion: str, env: TextEnv) -> str | Malformed:
    if not call.name:
        return Malformed(completion, "its JSON names no function")
    functions = env.functions
    first = functions.action(call, completion)
    if isinstance(first, str):
        return first
    as_texts = {name: _as_text(value) for name, value in call.arguments.items()}
    as_numbers = {name: _as_number(value) for name, value in call.arguments.items()}
    for arguments in (as_texts, as_numbers):
        action = functions.action(FunctionCall(call.name, arguments), completion)
        if isinstance(action, str):
            return action
    return first


def _as_text(value: object) -> object:
    """Return a number as text: ``3`` for ``"3"``."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


def _as_number(value: object) -> object:
    """Return the digits of a text as a number, for the number of a menu."""
    is_number = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10
    return int(str(value)) if is_number else value


def _without_call(text: str, completion: str, env: TextEnv) -> str | Malformed:
    """Return the action that *text* spells in words, where a call was asked for."""
    if OPENING in text:
        return Malformed(completion, "it is not one function call")
    action = _read_text("action", text, completion, env)
    if isinstance(action, Malformed):
        return action
    return action if is_allowed(action, env) else Malformed(completion, "it has no function call")


def _read_text(form: str, text: str, completion: str, env: TextEnv) -> str | Malformed:
    marks = list(_ACTION.finditer(text))
    if not marks and form == "react":
        marks = list(_INLINE.finditer(text))
    rest = text
    if marks:
        end = len(_until_observation(text, marks[0].end()))
        marks = [mark for mark in marks if mark.end() <= end]
        rest = text[marks[0].end() : end]
        number = len(marks) + (len(_INLINE.findall(rest)) if len(marks) == 1 else 0)
        # a query may have the word in it
        if number > 1 and not (len(marks) == 1 and is_allowed(rest.strip(), env)):
            return Malformed(completion, f"it has {number} actions instead of one")
    elif form == "action":
        rest = _until_observation(text, 0)
    tagged = _tagged_actions(rest, env)
    if len(tagged) > 1:
        return Malformed(completion, f"it has {len(tagged)} actions instead of one")
    return plain_action(tagged[0] if tagged else rest, completion, env)


def _tagged_actions(text: str, env: TextEnv) -> list[str]:
    """Return the actions between tags in *text*, but for tags that are the environment's own."""
    return [
        match[2] for match in _TAGGED.finditer(text) if isinstance(env.read(match[0]), Malformed)
    ]


def _until_observation(text: str, start: int) -> str:
    """Return *text* up to where an observation begins after *start*, if something stands before."""
    for match in _AFTERWARDS.finditer(text, start):
        if text[start : match.start()].strip():
            return text[: match.start()]
    return text


def lenient_call(completion: str) -> TextWithCall | None:
    """Return the only call that *completion* plainly has, or None."""
    text = without_thought(completion)
    if text is None or len(text) > MAX_ACTION_CHARS:
        return None
    calls = find_calls(text)
    if len(calls) != 1 or not calls[0].name:
        return None
    before = completion[: len(completion) - len(text)] + text.partition("{")[0]
    return TextWithCall(before.partition(OPENING)[0].strip(), calls[0])
