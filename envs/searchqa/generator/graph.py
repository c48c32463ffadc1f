"""The facts that ship: entities and what joins them, under their own names or invented ones."""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from agentgym_gen.errors import DataError, unknown_name
from agentgym_gen.interface.renaming.pseudowords import pseudo_words
from agentgym_gen.seeding import stream

FACTS = ("real", "invented")
"""The facts as they are, and the same facts about entities with invented names."""

PERSON_VALUES = ("born", "died")
"""The values that only people have."""

NUMERIC_VALUES = (
    "born",
    "died",
    "population",
    "area",
    "latitude",
    "longitude",
    "atomic number",
    "discovery year",
)
"""The values that name nothing, and so are kept where names are invented."""

_DATA = resources.files("agentgym_gen.envs.searchqa") / "data"


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing with a name, and what is known about it."""

    title: str
    """The title of its passage; no two entities share one."""
    name: str
    """What it is called in texts."""
    aliases: tuple[str, ...]
    """What else it is called."""
    kind: str
    """What it is, as a noun: ``genus``, ``city``, ``physicist``."""
    gloss: str
    """A definition, or nothing."""
    links: Mapping[str, int]
    """The entities that it is joined with, by relation."""
    neighbours: tuple[int, ...]
    """The entities beside it, such as neighbouring countries."""
    values: Mapping[str, str | int | float]
    """Facts that are no entities, by name."""

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is called."""
        return (self.name, *self.aliases)


class Graph:
    """All entities; an entity's place is its number.

    Args:
        entities: The entities.
    """

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._entities = tuple(entities)

    def __getitem__(self, number: int) -> Entity:
        """Return the entity with *number*."""
        return self._entities[number]

    def __iter__(self) -> Iterator[Entity]:
        """Return the entities in the order of their numbers."""
        return iter(self._entities)

    def __len__(self) -> int:
        """Return how many entities there are."""
        return len(self._entities)

    def follow(self, number: int, relations: Sequence[str]) -> tuple[int, ...] | None:
        """Return the entities on the path of *relations* from *number*, itself first, or None."""
        path = [number]
        for relation in relations:
            after = self._entities[path[-1]].links.get(relation)
            if after is None or after in path:
                return None
            path.append(after)
        return tuple(path)


@functools.cache
def fact_graph(facts: str) -> Graph:
    """Return the graph of *facts*, made once a process.

    Raises:
        UnknownNameError: if there are no such facts.
    """
    if facts not in FACTS:
        raise unknown_name("facts", facts, FACTS, "all")
    entities = [_entity(row) for row in load_data("facts.json.gz")["entities"]]
    return Graph(entities if facts == "real" else _with_invented_names(entities))


def load_data(name: str) -> dict[str, Any]:
    """Return the content of the data file *name*.

    Raises:
        DataError: if it cannot be read.
    """
    try:
        content: dict[str, Any] = json.loads(gzip.decompress((_DATA / name).read_bytes()))
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"Data file {name!r} of SearchQA is unreadable: {error}") from error
    return content


def data_hash(name: str) -> str:
    """Return a hash of the data file *name*."""
    return hashlib.sha256((_DATA / name).read_bytes()).hexdigest()[:32]


def _entity(row: Sequence[Any]) -> Entity:
    title, name, aliases, kind, gloss, links, values = row
    near = tuple(links.pop("neighbours", ()))
    return Entity(title, name, tuple(aliases), kind, gloss, links, near, values)


def _with_invented_names(entities: Sequence[Entity]) -> list[Entity]:
    """Return *entities* under invented names, without all that could tell the true ones.

    People have two words for a name and all others one, so that no word is in two names.
    """
    people = [one.values.keys() >= set(PERSON_VALUES) for one in entities]
    rng = stream("searchqa", "invented names")
    words = _capitalized_words(rng, len(entities) + sum(people))
    made = []
    for one, person in zip(entities, people, strict=True):
        name = f"{next(words)} {next(words)}" if person else next(words)
        values = {key: one.values[key] for key in NUMERIC_VALUES if key in one.values}
        kind = generic_kind(one.kind)
        made.append(Entity(name, name, (), kind, "", one.links, one.neighbours, values))
    return made


def _capitalized_words(rng: np.random.Generator, number: int) -> Iterator[str]:
    return map(str.capitalize, pseudo_words(rng, number, set()))


def generic_kind(kind: str) -> str:
    """Return *kind* without names.

    >>> [nameless(kind) for kind in ("King of England", "American state", "nuclear physicist")]
    ['king', 'state', 'nuclear physicist']
    """
    if not re.search("[A-Z]", kind):
        return kind
    return kind.split(" of ")[0].split()[-1].lower()


__all__ = ["FACTS", "Entity", "Graph", "fact_graph", "load_data", "data_hash"]
