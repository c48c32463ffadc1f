"""Environment ids: ``rftgen/TextCraft-easy-menu-v0``, with keyword arguments after a ``?``.

`EnvId` is the only place that parses or writes an id.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from agentgym_gen.errors import InvalidValueError

__all__ = [
    "NAMESPACE",
    "QUERY_KEYS",
    "TIERS",
    "EnvId",
    "split_query",
]

NAMESPACE = "rftgen"

TIERS = ("easy", "medium", "hard")
"""The difficulty tiers, from the easiest."""

QUERY_KEYS = ("tasks", "interface")
"""The keyword arguments that may follow an id after a ``?``."""

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
    """Keyword arguments after the ``?``, as pairs of `QUERY_KEYS` and texts."""

    @classmethod
    def parse(cls, text: str) -> EnvId:
        """Return the parts of the id *text*.

        Raises:
            InvalidValueError: if it has no version, or its query is malformed.
        """
        plain, query = split_query(text)
        match = _ID.fullmatch(plain)
        if match is None:
            raise InvalidValueError(
                f"Malformed environment id {text!r}; an id is {NAMESPACE}/<name>-<tier>-v<number>, "
                "for example 'rftgen/TextCraft-easy-v0'"
            )
        name, *rest = match["parts"].split("-")
        tier = rest[0] if rest and rest[0] in TIERS else ""
        interface = "-".join(rest[bool(tier) :])
        return cls(name, tier, interface, int(match["version"]), tuple(query.items()))

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
    def options(self) -> dict[str, str]:
        """The keyword arguments after the ``?``."""
        return dict(self.query)

    @property
    def label(self) -> str:
        """A readable name without namespace and version, which can be the name of a folder.

        >>> EnvId.parse("rftgen/TextCraft-v0?tasks=lists/craft.hard.txt&interface=menu").label
        'TextCraft-craft.hard-menu'
        """
        parts = [self.name, self.tier, self.interface]
        for key, value in self.query:
            stem = value.split("/")[-1].removesuffix(".txt") if key == "tasks" else value
            parts.append(re.sub(r"[^A-Za-z0-9_.+,=()-]", "_", stem))
        return "-".join(filter(None, parts))

    def replace(self, **parts: object) -> EnvId:
        """Return a copy with some *parts* changed."""
        return dataclasses.replace(self, **parts)  # type: ignore[arg-type]  # typed by the fields


def split_query(text: str) -> tuple[str, dict[str, str]]:
    """Return the id before a ``?`` in *text*, and the keyword arguments after it.

    >>> split_query("rftgen/TextCraft-v0?tasks=lists/easy.txt&interface=menu")
    ('rftgen/TextCraft-v0', {'tasks': 'lists/easy.txt', 'interface': 'menu'})

    Raises:
        InvalidValueError: if what follows the ``?`` is not ``name=value`` joined by ``&``.
    """
    plain, mark, query = text.partition("?")
    options: dict[str, str] = {}
    for pair in query.split("&") if mark else ():
        name, equals, value = pair.partition("=")
        if name not in QUERY_KEYS or not equals or not value:
            raise InvalidValueError(
                f"{pair!r} in {text!r} is no keyword argument of an id; they are "
                f"{', '.join(QUERY_KEYS)}, written as id?name=value&name=value"
            )
        options[name] = value
    return plain, options
