"""Formats of an observation: the world's text, JSON, or terse ``key: value`` lines."""

from __future__ import annotations

import abc
import json
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring as quoted

from agentgym_gen.world import AsciiGrid, Command, MessageFact, Piece, VerbName

RenderPiece = Callable[[Piece], str]
"""Renders a text, a command, a verb's name or a grid."""

_TEXTS = (str, Command, VerbName, MessageFact)
_LISTS = (list, tuple)
_NUMBERED = (int, list, tuple)


class ObservationFormat(abc.ABC):
    """Writes facts as text, through the interface of one episode.

    Args:
        render: Renders every text of the facts.
    """

    def __init__(self, render: RenderPiece) -> None:
        self._render = render
        self._last: dict[str, tuple[object, str]] = {}

    @abc.abstractmethod
    def write(self, facts: Mapping[str, object]) -> str:
        """Return *facts* as text; a grid is a list of its rows."""

    @abc.abstractmethod
    def _fact(self, key: str, value: object) -> str:
        """Return one fact with its *key*."""

    def _facts(self, facts: Mapping[str, object]) -> list[str]:
        """Return every fact with its key; the same object is rendered once."""
        texts = []
        for key, value in facts.items():
            cached = self._last.get(key)
            if cached is None or cached[0] is not value:
                cached = value, self._fact(key, value)
                if _never_changes(value):  # else the same object may hold other values next turn
                    self._last[key] = cached
            texts.append(cached[1])
        return texts

    def _text(self, value: object) -> str:
        if isinstance(value, MessageFact):
            return "".join(map(self._render, value.message))
        return self._render(value)  # type: ignore[arg-type]  # one of `_TEXTS`


class JsonFormat(ObservationFormat):
    """One JSON object."""

    def write(self, facts: Mapping[str, object]) -> str:
        """Return *facts* as one line of JSON."""
        return f"{{{', '.join(self._facts(facts))}}}"

    def _fact(self, key: str, value: object) -> str:
        return f"{quoted(self._render(key))}: {self._value(value)}"

    def _value(self, value: object) -> str:
        """Return *value* as JSON; `json.dumps` would need a copy in plain types first."""
        if type(value) in _LISTS:
            return self._list(value)  # type: ignore[arg-type]  # a list or a tuple
        if isinstance(value, AsciiGrid):
            rows = quoted(self._render(value)).replace("\\n", '", "')
            return f"[{rows}]"
        if isinstance(value, _TEXTS):
            return quoted(self._text(value))
        if isinstance(value, Mapping):
            return f"{{{', '.join([self._fact(str(key), part) for key, part in value.items()])}}}"
        return self._list(value) if isinstance(value, Sequence) else json.dumps(value)

    def _list(self, value: Sequence[object]) -> str:
        return _numbers(value) or f"[{', '.join([self._value(part) for part in value])}]"


class TerseFormat(ObservationFormat):
    """One line a fact, and more where a fact has rows."""

    def write(self, facts: Mapping[str, object]) -> str:
        """Return *facts* as lines."""
        return "\n".join(self._facts(facts))

    def _fact(self, key: str, value: object) -> str:
        return f"{self._render(key)}: {self._value(value)}"

    def _value(self, value: object) -> str:
        if type(value) in _LISTS:
            return self._list(value)  # type: ignore[arg-type]  # a list or a tuple
        if isinstance(value, AsciiGrid):
            return f"\n{self._render(value)}"
        if isinstance(value, _TEXTS):
            return self._text(value)
        if isinstance(value, Mapping):
            pairs = [f"{self._render(str(key))} {self._value(part)}" for key, part in value.items()]
            return ", ".join(pairs) or "-"
        return self._list(value) if isinstance(value, Sequence) else str(value)

    def _list(self, value: Sequence[object]) -> str:
        numbers = _numbers(value)
        if numbers:
            return numbers.replace("[", "").replace("]", "")
        lines = [self._value(part) for part in value]
        if lines and all(isinstance(part, _TEXTS) for part in value):
            return "\n" + "\n".join(lines)
        return ", ".join(lines) or "-"


FORMATS: dict[str, type[ObservationFormat]] = {"json": JsonFormat, "terse": TerseFormat}
"""The formats by the value of the axis ``form``; the native one is the world's own text."""


def _never_changes(value: object) -> bool:
    """Return whether *value* is immutable: a text, or a tuple with nothing mutable in it."""
    if type(value) is not tuple:
        return isinstance(value, str)
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _numbers(value: Sequence[object]) -> str:
    """Return *value* as JSON if it has natural numbers only, or lists of them, else nothing."""
    if not value or type(value[0]) not in _NUMBERED:
        return ""
    text = str(value)
    if text.strip("[()]0123456789, ") or "[]" in text or "()" in text:
        return ""
    return text.replace(",)", "]").replace("(", "[").replace(")", "]")
