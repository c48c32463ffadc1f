"""How an observation is written: the world's text, JSON, or terse ``key: value`` lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring as quoted

from agentgym_gen.world import Command, Drawing, Piece, Said, VerbName

Say = Callable[[Piece], str]
"""Puts a text, a command, a verb's name or a drawing into words."""

_TEXTS = (str, Command, VerbName, Drawing, Said)
"""The types of a fact that is put into words."""


def write_facts(facts: Mapping[str, object], form: str, say: Say) -> str:
    """Return *facts* as text in *form*, ``json`` or ``terse``."""
    if form == "json":
        return _json(facts, say)
    return "\n".join(f"{say(key)}: {_terse(value, say)}" for key, value in facts.items())


def _json(value: object, say: Say) -> str:
    """Return *value* as JSON; `json.dumps` would need a copy in plain types first."""
    kind = type(value)
    if kind is int:
        return str(value)
    if kind is list:
        return f"[{', '.join([_json(part, say) for part in value])}]"  # type: ignore[attr-defined]  # a list
    if isinstance(value, _TEXTS):
        return quoted(_text(value, say))
    if isinstance(value, Mapping):
        pairs = [f"{quoted(say(str(key)))}: {_json(part, say)}" for key, part in value.items()]
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, Sequence):
        return _json(list(value), say)
    return json.dumps(value)


def _terse(value: object, say: Say) -> str:
    if isinstance(value, _TEXTS):
        return _text(value, say)
    if isinstance(value, Mapping):
        pairs = (f"{say(str(key))} {_terse(part, say)}" for key, part in value.items())
        return ", ".join(pairs) or "-"
    if not isinstance(value, Sequence):
        return str(value)
    lines = [_terse(part, say) for part in value]
    if lines and all(isinstance(part, _TEXTS) for part in value):
        return "\n" + "\n".join(lines)
    return ", ".join(lines) or "-"


def _text(value: Piece | Said, say: Say) -> str:
    return "".join(map(say, value.message)) if isinstance(value, Said) else say(value)
