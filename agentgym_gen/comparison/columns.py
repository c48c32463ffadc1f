"""The columns of a comparison, by environment, tier and interface axis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from agentgym_gen.errors import AgentGymGenError
from agentgym_gen.ids import EnvId
from agentgym_gen.interface import Interface
from agentgym_gen.study.analysis.descriptors import env_traits

__all__ = ["Group", "PlayedColumn", "groups"]

SAMPLED, SEVERAL, NATIVE = "sampled", "several axes", "native"


@dataclass(frozen=True)
class PlayedColumn:
    """An environment id with its interface, as the rows name it."""

    name: str
    """The name in the rows."""

    @property
    def label(self) -> str:
        """A readable name."""
        return EnvId.parse(self.name).label

    @property
    def environment(self) -> str:
        """The name of the environment."""
        return env_traits(self.name).name

    @property
    def tier(self) -> str:
        """The tier; empty if the id has none."""
        return env_traits(self.name).tier

    @property
    def bare(self) -> str:
        """The id without its interface: columns that share it have the same tasks."""
        parsed = EnvId.parse(self.name)
        query = tuple(pair for pair in parsed.query if pair[0] != "interface")
        return str(parsed.replace(interface="", query=query))

    @cached_property
    def interface(self) -> Interface | None:
        """The interface; None if it is sampled for every episode."""
        try:
            return Interface.parse(env_traits(self.name).interface)
        except AgentGymGenError:
            return None

    @property
    def axis(self) -> str:
        """The axis that differs from the native interface: ``native`` if none does."""
        if self.interface is None:
            return SAMPLED
        changes = [axis for axis in self.interface.changes() if axis != "vocabulary"]
        return NATIVE if not changes else changes[0] if len(changes) == 1 else SEVERAL


@dataclass(frozen=True)
class Group:
    """Columns that have something in common."""

    kind: str
    """``environment``, ``tier``, ``axis``, or ``training``: held in, or held out."""
    name: str
    """The environment, the tier, the axis, or for example ``held in``."""
    columns: tuple[str, ...]
    """The names of the columns."""


def groups(columns: Iterable[PlayedColumn]) -> Iterator[Group]:
    """Yield the columns by environment, by tier and by interface axis; kinds of one group too."""
    listed = list(columns)
    for kind in ("environment", "tier", "axis"):
        by_name: dict[str, list[str]] = {}
        for column in listed:
            by_name.setdefault(getattr(column, kind) or "all tiers", []).append(column.name)
        for name, names in by_name.items():
            yield Group(kind, name, tuple(names))
