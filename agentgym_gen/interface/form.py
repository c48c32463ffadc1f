"""How an observation is written: the world's text, JSON, or terse ``key: value`` lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from agentgym_gen.world import Command, Said, VerbName

Say = Callable[[object], str]
"""Puts a text, a command or a verb's name into words."""


def write_facts(facts: Mapping[str, object], form: str, say: Say) -> str:
    """Return *facts* as text in *form*, ``json`` or ``terse``."""
    plain = {key: _plain(value, say) for key, value in facts.items()}
    if form == "json":
        return json.dumps(plain, ensure_ascii=False)
    return "\n".join(f"{key}: {_terse(value)}" for key, value in plain.items())


def _plain(value: object, say: Say) -> object:
    if isinstance(value, str | Command | VerbName):
        return say(value)
    if isinstance(value, Said):
        return "".join(map(say, value.message))
    if isinstance(value, Mapping):
        return {say(str(key)): _plain(part, say) for key, part in value.items()}
    if isinstance(value, Sequence):
        return [_plain(part, say) for part in value]
    return value


def _terse(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_terse(part)}" for key, part in value.items()) or "-"
    if isinstance(value, list):
        lines = [_terse(part) for part in value]
        if value and all(isinstance(part, str) for part in value):
            return "\n" + "\n".join(lines)
        return ", ".join(lines) or "-"
    return str(value)
