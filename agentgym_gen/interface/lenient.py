"""JSON as models write it: in a code fence, in single quotes, with text around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from agentgym_gen.interface.quotes import unquoted

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)

MAX_TRIES = 32
"""At how many opening braces an object is looked for, so that no text takes long."""


def objects_in(text: str) -> list[dict[str, object]]:
    """Return the JSON objects in *text*, from the first; what is no JSON is left out.

    >>> objects_in("Sure! ```json {'action': 'look', 'arguments': {}}```")
    [{'action': 'look', 'arguments': {}}]
    """
    return list(_objects(text))


def _objects(text: str) -> Iterator[dict[str, object]]:
    start = text.find("{")
    for _ in range(MAX_TRIES):
        if start < 0:
            return
        for rest in (text[start:], _in_double_quotes(text[start:])):
            try:
                found, end = _DECODER.raw_decode(rest)
            except (ValueError, RecursionError):
                continue
            yield found
            text, start = rest, end - 1
            break
        start = text.find("{", start + 1)


def _in_double_quotes(text: str) -> str:
    """Return *text* with its strings in single quotes put into double ones."""
    return _STRING.sub(_requoted, text)


def _requoted(found: re.Match[str]) -> str:
    literal = found[0]
    return json.dumps(unquoted(literal), ensure_ascii=False) if literal[0] == "'" else literal
