"""The interface as a value: seven independent axes, and presets with one-word names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

from agentgym_gen.errors import InvalidValueError, unknown_name

AXES: dict[str, tuple[str, ...]] = {
    "wording": ("native", "synonyms", "symbols"),
    "syntax": ("native", "json", "call", "menu"),
    "listing": ("native", "always", "first", "never"),
    "form": ("native", "json", "terse"),
    "names": ("native", "renamed"),
    "feedback": ("native", "silent", "explained"),
}
"""The values of every axis but `distractors`, which is a number."""

MAX_DISTRACTORS = 20


@dataclass(frozen=True)
class Interface:
    """How a world is shown and spoken to; it never changes what happens.

    Every axis composes with every other. ``Interface()`` is the original's own interface.

    Raises:
        InvalidValueError: if an axis has no such value.
    """

    wording: str = "native"
    """The words of the verbs: native, synonyms (drawn per task) or symbols (meaningless)."""
    syntax: str = "native"
    """How an action is written: native, json, call (``go_to("desk 1")``) or menu (a number)."""
    listing: str = "native"
    """When the admissible actions are listed; the menu syntax always lists them."""
    form: str = "native"
    """How an observation is written: native, json or terse."""
    names: str = "native"
    """What things are called: native or renamed (a bijection per task to pseudo-words)."""
    distractors: int = 0
    """How many goal-irrelevant lines follow every observation."""
    feedback: str = "native"
    """The answer to a wrong action: native, silent or explained."""

    def __post_init__(self) -> None:
        """Check every axis."""
        for axis, values in AXES.items():
            value = getattr(self, axis)
            if value not in values:
                raise unknown_name(f"value of interface axis `{axis}`:", value, values, "all")
        number = self.distractors
        if isinstance(number, bool) or not isinstance(number, int):
            raise InvalidValueError(f"`distractors` is a whole number, not {number!r}")
        if not 0 <= number <= MAX_DISTRACTORS:
            raise InvalidValueError(f"`distractors` is 0 to {MAX_DISTRACTORS}, not {number!r}")

    @classmethod
    def parse(cls, spec: Interface | str | Mapping[str, object]) -> Interface:
        """Return the interface that *spec* means.

        Args:
            spec: An interface; preset names joined by ``+``, such as ``"synonyms+json"``; or a
                mapping from axis to value.

        Raises:
            UnknownNameError: if there is no such preset, axis or value.
            InvalidValueError: if two presets set one axis to different values.
        """
        if isinstance(spec, Interface):
            return spec
        if isinstance(spec, str):
            return cls(**_merge(spec))  # type: ignore[arg-type]  # the values are those of PRESETS
        if isinstance(spec, Mapping):
            for axis in spec:
                if axis not in _FIELDS:
                    raise unknown_name("interface axis", axis, _FIELDS, "all")
            return cls(**spec)  # type: ignore[arg-type]  # checked by __post_init__
        raise InvalidValueError(
            f"`interface` is an Interface, a preset name or a mapping, not {spec!r}"
        )

    def __str__(self) -> str:
        """Return the shortest spec that `parse` reads back, or the axes that differ."""
        changed = self.changes()
        if not changed:
            return "native"
        names = [_PRESET_OF.get((axis, value)) for axis, value in changed.items()]
        if all(names):
            return "+".join(name for name in names if name)
        return ",".join(f"{axis}={value}" for axis, value in changed.items())

    def changes(self) -> dict[str, object]:
        """Return the axes that are not as in the original, with their values."""
        native = asdict(Interface())
        return {axis: value for axis, value in asdict(self).items() if value != native[axis]}

    def but(self, **axes: object) -> Interface:
        """Return a copy with some *axes* changed."""
        return replace(self, **axes)  # type: ignore[arg-type]  # checked by __post_init__


PRESETS: dict[str, dict[str, object]] = {
    "synonyms": {"wording": "synonyms"},
    "symbols": {"wording": "symbols"},
    "json": {"syntax": "json"},
    "call": {"syntax": "call"},
    "menu": {"syntax": "menu"},
    "listed": {"listing": "always"},
    "listedonce": {"listing": "first"},
    "unlisted": {"listing": "never"},
    "data": {"form": "json"},
    "terse": {"form": "terse"},
    "renamed": {"names": "renamed"},
    "distracted": {"distractors": 3},
    "silent": {"feedback": "silent"},
    "explained": {"feedback": "explained"},
}
"""The one-word interfaces; each is also a suffix of an environment id."""

_FIELDS = tuple(f.name for f in fields(Interface))
_PRESET_OF = {pair: name for name, axes in PRESETS.items() for pair in axes.items()}


def _merge(spec: str) -> dict[str, object]:
    merged: dict[str, object] = {}
    for name in spec.split("+"):
        if name == "native":
            continue
        if name not in PRESETS:
            known = ["native", *PRESETS]
            raise unknown_name("interface", name, known, "join several with '+'")
        for axis, value in PRESETS[name].items():
            if merged.setdefault(axis, value) != value:
                raise InvalidValueError(
                    f"Interface {spec!r} sets `{axis}` to both {merged[axis]!r} and {value!r}; "
                    "name at most one preset per axis"
                )
    return merged
