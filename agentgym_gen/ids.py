"""Environment ids: ``rftgen/TextCraft-easy-menu-v0``, with keyword arguments after a ``?``.

`EnvId` is the only place that parses or writes an id.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass

from agentgym_gen.errors import InvalidValueError

__all__ = [
    "NAMESPACE",
    "TIERS",
    "EnvId",
    "option_query",
    "split_query",
]

NAMESPACE = "rftgen"

TIERS = ("easy", "medium", "hard")
"""The difficulty tiers, from the easiest."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")  # one spelling each: ``007`` is a text
_ID = re.compile(r"(?:(?P<namespace>[^/]*)/)?(?P<parts>.+)-v(?P<version>\d+)")


@dataclass(frozen=True)
class EnvId:
    """An environment id in its parts.

    >>> EnvId.parse("rftgen/Sokoban-easy-listed-v0")
    EnvId(name='Sokoban', tier='easy', interface='listed', version=0, query=())
    >>> str(EnvId("TextCraft", query=(("tasks", "lists/easy.txt"), ("interface", "menu"))))
    'rftgen/TextCraft-v0?tasks=lists/easy.txt&interface=menu'
    """

    name: str
    """The environment: ``TextCraft``."""
    tier: str = ""
    """Its tier; empty for all of them."""
    interface: str = ""
    """The preset in the id; empty for the native interface, or one that the query names."""
    version: int = 0
    """The version of the environment."""
    query: tuple[tuple[str, str], ...] = ()
    """Keyword arguments after the ``?``, as pairs of a name and a text."""

    @classmethod
    def parse(cls, text: str) -> EnvId:
        """Return the parts of the id *text*.

        Raises:
            InvalidValueError: if it has no version, or its query is malformed.
        """
        plain, pairs = _split_pairs(text)
        match = _ID.fullmatch(plain)
        if match is None:
            raise InvalidValueError(
                f"Malformed environment id {text!r}; an id is {NAMESPACE}/<name>-<tier>-v<number>, "
                "for example 'rftgen/TextCraft-easy-v0'"
            )
        name, *rest = match["parts"].split("-")
        tier = rest[0] if rest and rest[0] in TIERS else ""
        interface = "-".join(rest[bool(tier) :])
        return cls(name, tier, interface, int(match["version"]), pairs)

    def __str__(self) -> str:
        """Return the id as it is written everywhere."""
        pairs = "&".join(f"{key}={value}" for key, value in self.query)
        return self.plain + (f"?{pairs}" if pairs else "")

    @property
    def plain(self) -> str:
        """The id without keyword arguments, as Gymnasium has registered it."""
        parts = "-".join(filter(None, (self.name, self.tier, self.interface)))
        return f"{NAMESPACE}/{parts}-v{self.version}"

    @property
    def options(self) -> dict[str, str | int | bool]:
        """The keyword arguments after the ``?``, as `split_query` reads them."""
        return {name: _value(name, text) for name, text in self.query}

    @property
    def label(self) -> str:
        """A readable name without namespace and version, which can be the name of a folder.

        >>> EnvId.parse("rftgen/TextCraft-v0?tasks=lists/craft.hard.txt&interface=menu").label
        'TextCraft-craft.hard-menu'
        >>> EnvId.parse("rftgen/TextWorld-easy-v0?challenge=cooking&first=100").label
        'TextWorld-easy-cooking-first=100'
        """
        parts = [self.name, self.tier, self.interface]
        for key, value in self.query:
            if key == "tasks":
                part = value.split("/")[-1].removesuffix(".txt")
            else:
                part = value if isinstance(_value(key, value), str) else f"{key}={value}"
            parts.append(re.sub(r"[^A-Za-z0-9_.+,=()-]", "_", part))
        return "-".join(filter(None, parts))

    def replace(self, **parts: object) -> EnvId:
        """Return a copy with some *parts* changed."""
        return dataclasses.replace(self, **parts)  # type: ignore[arg-type]  # typed by the fields


def split_query(text: str) -> tuple[str, dict[str, str | int | bool]]:
    """Return the id before a ``?`` in *text*, and the keyword arguments after it.

    Whole numbers, ``true`` and ``false`` are read as such, but `tasks` and `interface` stay texts.

    >>> split_query("rftgen/TextCraft-v0?tasks=lists/easy.txt&max_turns=20")
    ('rftgen/TextCraft-v0', {'tasks': 'lists/easy.txt', 'max_turns': 20})

    Raises:
        InvalidValueError: if what follows the ``?`` is not ``name=value`` joined by ``&``, or a
            name comes twice.
    """
    plain, pairs = _split_pairs(text)
    return plain, {name: _value(name, value) for name, value in pairs}


def option_query(options: Mapping[str, str | int | bool]) -> tuple[tuple[str, str], ...]:
    """Return keyword arguments as `EnvId.query` has them, so that `split_query` returns *options*.

    >>> option_query({"facts": "invented", "first": 100})
    (('facts', 'invented'), ('first', '100'))
    """
    return tuple(
        (name, str(value).lower() if isinstance(value, bool) else str(value))
        for name, value in options.items()
    )


def _split_pairs(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the id in *text*, and the names and texts of its keyword arguments."""
    plain, mark, query = text.partition("?")
    pairs: dict[str, str] = {}
    for pair in query.split("&") if mark else ():
        name, _, value = pair.partition("=")
        if not _NAME.fullmatch(name) or not value:
            raise InvalidValueError(
                f"{pair!r} in {text!r} is no keyword argument of an id; they are written as "
                "id?name=value&name=value, such as 'rftgen/ALFWorld-easy-v0?task_type=pick'"
            )
        if name in pairs:
            raise InvalidValueError(f"{text!r} has the keyword argument {name!r} twice; leave one")
        pairs[name] = value
    return plain, tuple(pairs.items())


def _value(name: str, text: str) -> str | int | bool:
    """Return the value that *text* means for the keyword argument *name*."""
    if name in ("tasks", "interface"):
        return text
    if text in ("true", "false"):
        return text == "true"
    return int(text) if _NUMBER.fullmatch(text) else text
