"""The facts that ship: entities and their relations, with real names or invented ones."""

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
"""The facts as they are, and the same facts with invented names."""

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
"""The values that have no names in them, so they stay where names are invented."""

_DATA = resources.files("agentgym_gen.envs.searchqa") / "data"


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing with a name, and the facts about it."""

    title: str
    """The title of its passage; no two entities share one."""
    name: str
    """Its name in texts."""
    aliases: tuple[str, ...]
    """Its other names."""
    kind: str
    """What it is, as a noun: ``genus``, ``city``, ``physicist``."""
    gloss: str
    """A definition, or an empty text."""
    links: Mapping[str, int]
    """The numbers of the entities that it is linked to, by relation."""
    neighbours: tuple[int, ...]
    """The numbers of the countries that it borders on."""
    values: Mapping[str, str | int | float]
    """Facts that are not entities, by name."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its name and its other names."""
        return (self.name, *self.aliases)


class Graph:
    """All entities; an entity's number is its index.

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
            target = self._entities[path[-1]].links.get(relation)
            if target is None or target in path:
                return None
            path.append(target)
        return tuple(path)


@functools.cache
def fact_graph(facts: str) -> Graph:
    """Return the graph of *facts*, made once a process.

    Raises:
        UnknownNameError: if there are no such facts.
    """
    if facts not in FACTS:
        raise unknown_name("facts", facts, FACTS)
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
    neighbours = tuple(links.pop("neighbours", ()))
    return Entity(title, name, tuple(aliases), kind, gloss, links, neighbours, values)


def _with_invented_names(entities: Sequence[Entity]) -> list[Entity]:
    """Return *entities* with invented names, without anything that could reveal the real ones.

    The name of a person has two words, every other name one. No word is in two names.
    """
    is_person = [entity.values.keys() >= set(PERSON_VALUES) for entity in entities]
    rng = stream("searchqa", "invented names")
    words = _capitalized_words(rng, len(entities) + sum(is_person))
    renamed = []
    for entity, has_two_words in zip(entities, is_person, strict=True):
        name = f"{next(words)} {next(words)}" if has_two_words else next(words)
        values = {key: entity.values[key] for key in NUMERIC_VALUES if key in entity.values}
        kind = generic_kind(entity.kind)
        renamed.append(Entity(name, name, (), kind, "", entity.links, entity.neighbours, values))
    return renamed


def _capitalized_words(rng: np.random.Generator, number: int) -> Iterator[str]:
    return map(str.capitalize, pseudo_words(rng, number, set()))


def generic_kind(kind: str) -> str:
    """Return *kind* without proper names.

    >>> [generic_kind(kind) for kind in ("King of England", "American state", "nuclear physicist")]
    ['king', 'state', 'nuclear physicist']
    """
    if not re.search("[A-Z]", kind):
        return kind
    return kind.split(" of ")[0].split()[-1].lower()


__all__ = ["FACTS", "Entity", "Graph", "data_hash", "fact_graph", "generic_kind", "load_data"]
