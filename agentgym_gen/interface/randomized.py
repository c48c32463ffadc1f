"""Domain randomisation: an interface that is sampled for every episode."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.interface.axes import FIELDS, Interface, check_axis, value_of

__all__ = ["DOMAIN", "WORD", "Randomized", "parse_interface"]

WORD = "random"
"""The first word of the text form of a `Randomized`."""

DOMAIN: Mapping[str, Sequence[object]] = {
    "wording": ("native", "synonyms", "symbols"),
    "syntax": ("native", "json", "call", "menu"),
    "listing": ("native", "always", "first", "never"),
    "form": ("native", "json", "terse"),
    "names": ("native", "renamed"),
    "distractors": (0, 3),
    "feedback": ("native", "silent", "explained"),
}
"""The values that are sampled by default, for every axis."""


@dataclass(frozen=True, init=False)
class Randomized:
    """A set of interfaces, one of which is sampled for every episode.

    Each axis is sampled independently; a value that is listed twice is sampled twice as often.
    A held-out interface is never sampled, and neither is one that contains it: ``menu`` excludes
    the menu everywhere, ``symbols+json`` only the two together.
    Its text form, which `parse_interface` reads back, is for command lines and plain files:
    ``random wording=native|synonyms syntax=native|call without=symbols+json``.

    Args:
        domain: The values of each axis that are sampled; an absent axis stays native. None means
            `DOMAIN`.
        held_out: Interfaces that are kept for the test.

    Raises:
        UnknownNameError: if there is no such axis or value.
        InvalidValueError: if there is no axis, an axis has no values, or all interfaces are held
            out.
    """

    domain: tuple[tuple[str, tuple[object, ...]], ...]
    """The axes with the values that are sampled."""
    held_out: tuple[Interface, ...]
    """The interfaces that are never sampled."""

    def __init__(
        self,
        domain: Mapping[str, Sequence[object]] | None = None,
        held_out: Sequence[Interface | str | Mapping[str, object]] = (),
    ) -> None:
        pairs = (DOMAIN if domain is None else domain).items()
        if not pairs:
            raise InvalidValueError("`domain` names one axis or more; None samples all of them")
        object.__setattr__(
            self, "domain", tuple((axis, _checked(axis, values)) for axis, values in pairs)
        )
        if isinstance(held_out, str):
            raise InvalidValueError(f"`held_out` is a list of interfaces, not {held_out!r}")
        object.__setattr__(self, "held_out", tuple(map(Interface.parse, held_out)))
        if not any(map(self.permits, self._all())):
            raise InvalidValueError(f"Everything that {str(self)!r} could draw is held out")

    def sample(self, rng: np.random.Generator) -> Interface:
        """Return an interface sampled with *rng*; a held-out one is rejected and sampled again."""
        while True:
            places = {axis: int(rng.integers(len(values))) for axis, values in self.domain}
            values = {axis: values[places[axis]] for axis, values in self.domain}
            interface = Interface(**values)  # type: ignore[arg-type]  # checked when made
            if self.permits(interface):
                return interface

    def permits(self, interface: Interface) -> bool:
        """Return whether *interface* may be sampled; a study tests on those that may not."""
        domain = dict(self.domain)
        inside = all(
            getattr(interface, axis) in domain.get(axis, (native,))
            for axis, native in FIELDS.items()
        )
        return inside and not any(_has(interface, held) for held in self.held_out)

    def __str__(self) -> str:
        """Return the text that `parse_interface` reads back."""
        words = [WORD]
        if self.domain != _DEFAULT:
            words += [f"{axis}={'|'.join(map(str, values))}" for axis, values in self.domain]
        if self.held_out:
            words.append(f"without={','.join(map(str, self.held_out))}")
        return " ".join(words)

    def _all(self) -> Iterator[Interface]:
        axes = [axis for axis, _ in self.domain]
        for values in itertools.product(*(values for _, values in self.domain)):
            yield Interface(**dict(zip(axes, values, strict=True)))  # type: ignore[arg-type]  # checked when made


def parse_interface(spec: object) -> Interface | Randomized:
    """Return the interface, or the set of interfaces, that *spec* means.

    Args:
        spec: What `Interface.parse` takes, a `Randomized`, or its text form.

    Raises:
        UnknownNameError: if there is no such preset, axis or value.
        InvalidValueError: if *spec* is none of these.
    """
    if isinstance(spec, Randomized):
        return spec
    if isinstance(spec, str) and spec.split()[:1] == [WORD]:
        return _parse(spec.split()[1:])
    return Interface.parse(spec)  # type: ignore[arg-type]  # raises for anything else


def _parse(words: Sequence[str]) -> Randomized:
    domain: dict[str, Sequence[object]] = {}
    held_out: list[str] = []
    for word in words:
        axis, equals, text = word.partition("=")
        if not equals:
            options = [f"{name}=" for name in ("without", *FIELDS)]
            raise unknown_name(f"word after {WORD!r}:", word, options)
        if axis == "without":
            held_out += text.split(",")
        else:
            domain[axis] = [value_of(axis, value) for value in text.split("|")]
    return Randomized(domain or None, held_out)


def _checked(axis: str, values: Sequence[object]) -> tuple[object, ...]:
    """Return *values*, after a check of *axis* and of each of them."""
    check_axis(axis)
    if isinstance(values, str) or not isinstance(values, Sequence) or not values:
        raise InvalidValueError(f"`{axis}` is drawn from a list of values, not {values!r}")
    for value in values:
        Interface(**{axis: value})  # type: ignore[arg-type]  # this is the check
    return tuple(values)


def _has(interface: Interface, held: Interface) -> bool:
    """Return whether *interface* contains *held*; only the native one contains the native one."""
    changes = held.changes()
    return changes.items() <= interface.changes().items() if changes else interface == held


_DEFAULT = tuple((axis, tuple(values)) for axis, values in DOMAIN.items())
