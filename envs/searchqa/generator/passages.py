"""From facts to texts: one titled passage for each entity, the same at every call.

A hash of the title chooses among several templates of a sentence, so that passages of one kind do
not all read alike.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterator

from agentgym_gen.envs.searchqa.corpus import Corpus, Passage
from agentgym_gen.envs.searchqa.generator.graph import Entity, Graph, data_hash, fact_graph

PASSAGE_VERSION = 1
"""Rises when the same facts make other passages; a test compares them with those of before."""

RELATION_TEMPLATES = {
    "member": (
        "{x} belongs to the {kind} {y}.",
        "{x} is a member of the {kind} {y}.",
        "It is placed in the {kind} {y}.",
        "Biologists count {x} among the members of the {kind} {y}.",
    ),
    "country": (
        "{x} lies in {y}.",
        "{x} is a city in {y}.",
        "It is one of the cities of {y}.",
        "The city is in {y}.",
    ),
    "state": (
        "It is in the state of {y}.",
        "{x} belongs to the state of {y}.",
        "The state is {y}.",
    ),
    "part": (
        "{x} is a part of {y}.",
        "It is a part of the {kind} {y}.",
        "{x} lies in the {kind} {y}.",
    ),
    "capital": (
        "Its capital is {y}.",
        "The capital of {x} is {y}.",
        "{x} is governed from its capital {y}.",
    ),
    "discoverer": (
        "It was discovered by {y}.",
        "{x} was discovered by {y}.",
    ),
}
"""The sentences of the relations: *x* is the entity, *y* the one that it is linked to."""

VALUE_TEMPLATES = {
    "born": ("{x} was born in {v}.", "The year of birth is {v}.", "Born in {v}."),
    "died": ("{x} died in {v}.", "Death came in {v}.", "{x} lived until {v}."),
    "population": (
        "{v} people live there.",
        "{x} has {v} inhabitants.",
        "The number of inhabitants is {v}.",
    ),
    "area": (
        "{x} covers {v} square kilometres.",
        "Its area is {v} square kilometres.",
        "The area of {x} comes to {v} square kilometres.",
    ),
    "latitude": ("The latitude is {v}.", "It is at latitude {v}."),
    "longitude": ("The longitude is {v}.", "It is at longitude {v}."),
    "time zone": ("Clocks there follow {v}.", "The time zone is {v}."),
    "continent": ("It is a country in {v}.", "{x} belongs to the continent of {v}."),
    "calling code": ("Telephone numbers start with +{v}.", "The calling code is {v}."),
    "domain": ("Its internet domain is {v}.", "Web sites of {x} end with {v}."),
    "currency": ("People pay in {v}.", "The currency is called {v}."),
    "demonym": ("Its people are called {v}.", "An inhabitant is called {v}."),
    "symbol": ("Its symbol is {v}.", "Chemists write {x} as {v}."),
    "atomic number": ("Its atomic number is {v}.", "{x} has the atomic number {v}."),
    "discovery year": ("It was found in {v}.", "The year of its discovery is {v}."),
    "discovery place": ("The place of its discovery is {v}.", "It was first found in {v}."),
    "discoverers": ("It was discovered by {v}.", "{x} was discovered by {v}."),
    "name origin": ("The name comes from {v}", "On its name: {v}"),
    "uses": ("Uses: {v}", "How it is used: {v}"),
}
"""The sentences of the values: *x* is the entity, *v* its value."""

WITH_THOUSANDS_COMMAS = frozenset({"population", "area"})
"""Values that are written with commas between thousands."""

WITH_ARTICLE = frozenset(
    {
        "Bahamas", "Central African Republic", "Comoros", "Democratic Republic of the Congo",
        "Dominican Republic", "Gambia", "Maldives", "Marshall Islands", "Philippines",
        "Republic of the Congo", "Seychelles", "Solomon Islands", "United Arab Emirates",
        "United Kingdom", "United States",
    }
)  # fmt: skip
"""Names that have an article in a sentence."""


def fact_corpus(facts: str) -> Corpus:
    """Return the corpus that ships, with real or invented names; a passage is written when read.

    Raises:
        UnknownNameError: if there are no such *facts*.
    """
    graph = fact_graph(facts)
    fingerprint = f"{facts} {data_hash('facts.json.gz')} {PASSAGE_VERSION}"
    return Corpus(functools.partial(write_passage, graph), len(graph), fingerprint)


def write_passage(graph: Graph, number: int) -> Passage:
    """Return the passage about the entity with *number*."""
    entity = graph[number]
    return Passage(entity.title, " ".join(map(_sentence, _sentences(graph, entity))))


def noun_phrase(entity: Entity) -> str:
    """Return the name of *entity* as a sentence has it: with its article, if it has one."""
    is_common_noun = entity.name[0].islower()
    return f"the {entity.name}" if is_common_noun or entity.name in WITH_ARTICLE else entity.name


def write_value(name: str, value: str | int | float) -> str:
    """Return *value* as texts have it: numbers of people with commas, years without."""
    return f"{value:,}" if name in WITH_THOUSANDS_COMMAS else str(value)


def _sentences(graph: Graph, entity: Entity) -> Iterator[str]:
    yield _first_sentence(entity)
    for relation, number in entity.links.items():
        other = graph[number]
        template = _choose_template(RELATION_TEMPLATES[relation], entity.title, relation)
        yield template.format(x=noun_phrase(entity), y=noun_phrase(other), kind=other.kind)
    for name, value in entity.values.items():
        template = _choose_template(VALUE_TEMPLATES[name], entity.title, name)
        yield template.format(x=noun_phrase(entity), v=write_value(name, value))
    if entity.neighbours:
        neighbours = ", ".join(noun_phrase(graph[number]) for number in entity.neighbours)
        yield f"It borders on {neighbours}."


def _first_sentence(entity: Entity) -> str:
    verb = "was" if "died" in entity.values else "is"
    aliases = f", also called {' or '.join(_other_names(entity))}," if _other_names(entity) else ""
    article = "an" if entity.kind[0] in "aeiouAEIO" else "a"
    sentence = f"{noun_phrase(entity)}{aliases} {verb} {article} {entity.kind}"
    return f"{sentence}: {entity.gloss}" if entity.gloss else sentence


def _other_names(entity: Entity) -> tuple[str, ...]:
    """Return up to two other names that are not only the name with its kind."""
    return tuple(name for name in entity.aliases if entity.name not in name)[:2]


def _choose_template(templates: tuple[str, ...], *key: str) -> str:
    # A checksum of the key, not `hash`, which differs between processes.
    return templates[zlib.crc32(" ".join(key).encode()) % len(templates)]


def _sentence(text: str) -> str:
    """Return *text* with a capital letter at its beginning and a full stop at its end."""
    bare = text.rstrip(" ,;")
    return bare[:1].upper() + bare[1:] + ("" if bare.endswith((".", "!", "?")) else ".")


__all__ = ["PASSAGE_VERSION", "fact_corpus", "noun_phrase", "write_passage", "write_value"]
