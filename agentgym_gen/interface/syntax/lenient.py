"""JSON as models write it: in a code fence, in single quotes, with text around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from agentgym_gen.interface.syntax.json import JsonSyntax
from agentgym_gen.interface.syntax.quotes import unquoted
from agentgym_gen.world import Command, Malformed

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)

MAX_CHARS = 8192
"""How many characters of a text are searched."""

MAX_TRIES = 16
"""At how many opening braces an object is searched for; this bounds the time."""


class LenientJsonSyntax(JsonSyntax):
    """The same JSON, also in a code fence, with single quotes, or with text around it."""

    def read(self, text: str, admissible: Sequence[Command] = ()) -> Command | Malformed:
        """Return the command that the only JSON object in *text* names."""
        values = objects_in(text)
        if len(values) != 1:
            return Malformed(text, f"it has {len(values) or 'no'} JSON objects instead of one")
        return self._command(text, values[0])

    def rule(self) -> str:
        """Return the rule of this syntax."""
        return 'Write one JSON object an action, with the fields "action" and "arguments".'


def objects_in(text: str) -> list[dict[str, object]]:
    """Return the JSON objects in *text*, in their order; other text is skipped.

    >>> objects_in("Sure! ```json {'action': 'look', 'arguments': {}}```")
    [{'action': 'look', 'arguments': {}}]
    """
    return list(_objects(text[:MAX_CHARS]))


def _objects(text: str) -> Iterator[dict[str, object]]:
    start = text.find("{")
    for _ in range(MAX_TRIES):
        if start < 0:
            return
        for rest in (text[start:], _in_double_quotes(text[start:])):
            parsed = _first(rest)
            if parsed is not None:
                value, end = parsed
                yield value
                text, start = rest, end - 1
                break
        start = text.find("{", start + 1)


def _first(text: str) -> tuple[dict[str, object], int] | None:
    """Return the object at the start of *text* and where it ends, or None."""
    try:
        return _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None


def _in_double_quotes(text: str) -> str:
    """Return *text* with its strings in single quotes put into double ones."""
    return _STRING.sub(_requoted, text)


def _requoted(match: re.Match[str]) -> str:
    literal = match[0]
    return json.dumps(unquoted(literal), ensure_ascii=False) if literal[0] == "'" else literal
