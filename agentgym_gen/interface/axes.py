"""The interface as a value: seven independent axes, and presets with one-word names."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from agentgym_gen.errors import InvalidValueError, unknown_name

__all__ = [
    "AXES",
    "FIELDS",
    "MAX_DISTRACTORS",
    "PRESETS",
    "RECIPE",
    "VOCABULARIES",
    "Interface",
    "check_axis",
    "value_of",
]

AXES: dict[str, tuple[str, ...]] = {
    "wording": ("native", "synonyms", "symbols"),
    "syntax": ("native", "json", "lenientjson", "call", "menu"),
    "listing": ("native", "always", "first", "never"),
    "form": ("native", "json", "terse"),
    "names": ("native", "renamed"),
    "feedback": ("native", "silent", "explained"),
}
"""The values of every axis but `distractors`, which is a number or ``recipe``."""

MAX_DISTRACTORS = 32
"""The most goal-irrelevant lines of an observation."""

RECIPE = "recipe"
"""As many distractors as arXiv 2601.18217 uses in an environment: `Surface.distractor_amount`."""

VOCABULARIES = 3
"""How many fixed vocabularies there are."""


@dataclass(frozen=True)
class Interface:
    """How a world is shown and how actions are written; it never changes what happens.

    Every axis composes with every other. ``Interface()`` is the original's own interface.

    Raises:
        InvalidValueError: if an axis has no such value.
    """

    wording: str = "native"
    """The words of the verbs: native, synonyms (written by a person) or symbols (meaningless)."""
    syntax: str = "native"
    """How an action is written: native, json, lenientjson, call (``go_to("desk 1")``) or menu."""
    listing: str = "native"
    """When the admissible actions are listed; the menu syntax always lists them."""
    form: str = "native"
    """How an observation is written: native, json or terse."""
    names: str = "native"
    """What things are called: native or renamed (a bijection to pseudo-words)."""
    distractors: int | str = 0
    """How many goal-irrelevant lines an observation has; ``recipe`` is the world's own amount."""
    feedback: str = "native"
    """The answer to a wrong action: native, silent or explained."""
    vocabulary: int = 0
    """Which synonyms, symbols and new names: 0 samples them for every task, 1 to 3 are fixed."""
    distractor_chance: float = 1.0
    """The probability that an observation has distractors at all."""

    def __post_init__(self) -> None:
        """Check every axis."""
        for axis, values in AXES.items():
            value = getattr(self, axis)
            if value not in values:
                raise unknown_name(f"value of interface axis `{axis}`:", value, values)
        if self.distractors != RECIPE:
            _check_integer("distractors", self.distractors, MAX_DISTRACTORS, f", or {RECIPE!r}")
        _check_integer("vocabulary", self.vocabulary, VOCABULARIES)
        chance = self.distractor_chance
        if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 <= chance <= 1:
            raise InvalidValueError(f"`distractor_chance` is a number from 0 to 1, not {chance!r}")

    @classmethod
    def parse(cls, spec: Interface | str | Mapping[str, object]) -> Interface:
        """Return the interface that *spec* means.

        Args:
            spec: An interface; preset names and ``axis=value`` joined by ``+``, such as
                ``"synonyms+json"`` or ``"symbols+vocabulary=1"``; or a mapping from axis to value.

        Raises:
            UnknownNameError: if there is no such preset, axis or value.
            InvalidValueError: if two parts set one axis to different values.
        """
        if isinstance(spec, Interface):
            return spec
        if isinstance(spec, str):
            return cls(**_merge(spec))  # type: ignore[arg-type]  # checked by __post_init__
        if isinstance(spec, Mapping):
            for axis in spec:
                check_axis(axis)
            return cls(**spec)  # type: ignore[arg-type]  # checked by __post_init__
        raise InvalidValueError(
            f"`interface` is an Interface, a preset name or a mapping, not {spec!r}"
        )

    def __str__(self) -> str:
        """Return the shortest spec that `parse` reads back."""
        changed = self.changes()
        parts: list[str] = []
        for name, axes in PRESETS.items():
            if axes.items() <= changed.items():
                parts.append(name)
                changed = {axis: value for axis, value in changed.items() if axis not in axes}
        return "+".join(
            [*parts, *(f"{axis}={value}" for axis, value in changed.items())] or ["native"]
        )

    def changes(self) -> dict[str, object]:
        """Return the fields that are not native, with their values."""
        values = {axis: getattr(self, axis) for axis in FIELDS}
        return {axis: value for axis, value in values.items() if value != FIELDS[axis]}

    def replace(self, **axes: object) -> Interface:
        """Return a copy with some *axes* changed."""
        return dataclasses.replace(self, **axes)  # type: ignore[arg-type]  # checked by __post_init__


FIELDS: dict[str, object] = {field.name: field.default for field in fields(Interface)}
"""Every field of `Interface` with its native value."""

PRESETS: dict[str, dict[str, object]] = {
    "synonyms": {"wording": "synonyms"},
    "symbols": {"wording": "symbols"},
    "json": {"syntax": "json"},
    "lenientjson": {"syntax": "lenientjson"},
    "call": {"syntax": "call"},
    "menu": {"syntax": "menu"},
    "listed": {"listing": "always"},
    "listedonce": {"listing": "first"},
    "unlisted": {"listing": "never"},
    "data": {"form": "json"},
    "terse": {"form": "terse"},
    "renamed": {"names": "renamed"},
    "distracted": {"distractors": 3},
    "cluttered": {"distractors": RECIPE, "distractor_chance": 0.5},
    "silent": {"feedback": "silent"},
    "explained": {"feedback": "explained"},
}
"""The one-word interfaces; each is also a suffix of an environment id."""


def check_axis(axis: object) -> None:
    """Raise an `UnknownNameError` if there is no *axis*."""
    if axis not in FIELDS:
        raise unknown_name("interface axis", axis, FIELDS)


def value_of(axis: str, text: str) -> object:
    """Return the value of *axis* that *text* spells.

    Raises:
        UnknownNameError: if there is no such axis.
    """
    check_axis(axis)
    native = FIELDS[axis]
    if isinstance(native, str):
        return text
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _check_integer(axis: str, value: object, most: int, more: str = "") -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValueError(f"`{axis}` is a whole number{more}, not {value!r}")
    if not 0 <= value <= most:
        raise InvalidValueError(f"`{axis}` is 0 to {most}{more}, not {value!r}")


def _merge(spec: str) -> dict[str, object]:
    merged: dict[str, object] = {}
    for axis, value in (pair for part in spec.split("+") for pair in _axes_of(part)):
        if merged.setdefault(axis, value) != value:
            raise InvalidValueError(
                f"Interface {spec!r} sets `{axis}` to both {merged[axis]!r} and {value!r}; "
                "name at most one value per axis"
            )
    return merged


def _axes_of(part: str) -> Iterator[tuple[str, object]]:
    """Yield the axes that *part*, a preset or ``axis=value``, sets."""
    axis, equals, text = part.partition("=")
    if equals:
        yield axis, value_of(axis, text)
    elif part in PRESETS:
        yield from PRESETS[part].items()
    elif part != "native":
        how = "join several with '+', and write others as axis=value"
        raise unknown_name("interface", part, ["native", *PRESETS], how)
