"""How an observation is written: the world's text, JSON, or terse ``key: value`` lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring as quoted

from agentgym_gen.world import Command, Drawing, Piece, Said, VerbName

Say = Callable[[Piece], str]
"""Puts a text, a command, a verb's name or a drawing into words."""


def write_facts(facts: Mapping[str, object], form: str, say: Say) -> str:
    """Return *facts* as text in *form*, ``json`` or ``terse``; a drawing is a list of its rows."""
    if form == "json":
        pairs = [f"{quoted(say(key))}: {_json(value, say)}" for key, value in facts.items()]
        return f"{{{', '.join(pairs)}}}"
    return "\n".join([f"{say(key)}: {_terse(value, say)}" for key, value in facts.items()])


def _json(value: object, say: Say) -> str:
    """Return *value* as JSON; `json.dumps` would need a copy in plain types first."""
    if isinstance(value, list):
        return _numbers(value) or f"[{', '.join([_json(part, say) for part in value])}]"
    if isinstance(value, Drawing):
        rows = quoted(say(value)).replace("\\n", '", "')
        return f"[{rows}]"
    if isinstance(value, str | Command | VerbName | Said):
        return quoted(_text(value, say))
    if isinstance(value, Mapping):
        pairs = (f"{quoted(say(str(key)))}: {_json(part, say)}" for key, part in value.items())
        return f"{{{', '.join(pairs)}}}"
    return _json(list(value), say) if isinstance(value, Sequence) else json.dumps(value)


def _terse(value: object, say: Say) -> str:
    if isinstance(value, list):
        return _terse_list(value, say)
    if isinstance(value, Drawing):
        return f"\n{say(value)}"
    if isinstance(value, str | Command | VerbName | Said):
        return _text(value, say)
    if isinstance(value, Mapping):
        pairs = (f"{say(str(key))} {_terse(part, say)}" for key, part in value.items())
        return ", ".join(pairs) or "-"
    return _terse_list(list(value), say) if isinstance(value, Sequence) else str(value)


def _terse_list(value: list[object], say: Say) -> str:
    numbers = _numbers(value)
    if numbers:
        return numbers.replace("[", "").replace("]", "")
    lines = [_terse(part, say) for part in value]
    if lines and all(isinstance(part, str | Command | VerbName | Said) for part in value):
        return "\n" + "\n".join(lines)
    return ", ".join(lines) or "-"


def _numbers(value: list[object]) -> str:
    """Return *value* as Python and JSON both write it, if it holds natural numbers only."""
    if not value or type(value[0]) not in (int, list):
        return ""
    text = str(value)
    return "" if text.strip("[]0123456789, ") or "[]" in text else text


def _text(value: Piece | Said, say: Say) -> str:
    return "".join(map(say, value.message)) if isinstance(value, Said) else say(value)
