"""From facts to questions: the question, answers and searches of a path through the graph."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from agentgym_gen.envs.searchqa.generator.graph import Entity, Graph, generic_kind
from agentgym_gen.envs.searchqa.generator.passages import noun_phrase, write_value
from agentgym_gen.envs.searchqa.generator.patterns import (
    COMPARISON_TEMPLATES,
    DESCRIPTION_TEMPLATES,
    PATTERNS,
    QUESTION_TEMPLATES,
    STATEMENT_TEMPLATES,
)
from agentgym_gen.envs.searchqa.questions import Hop, Question
from agentgym_gen.envs.searchqa.reward import normalize

QUERY_TERMS = {
    "country": "country capital square kilometres",
    "American state": "American state capital",
}
"""What a search adds to a name where the kind alone would find parts of a place first."""


@dataclass(frozen=True)
class QuestionSpec:
    """A question as numbers, as the data file holds it."""

    pattern: int
    """The index of its pattern in `PATTERNS`."""
    topic: int
    """The entity that the question names."""
    other: int = -1
    """The entity that it compares with; -1 for none."""


def write_question(graph: Graph, spec: QuestionSpec) -> Question | None:
    """Return the question that *spec* means, or None where the facts do not have such a path.

    The words are the same at every call: which of several templates is taken depends on a hash of
    the topic's title.
    """
    pattern = PATTERNS[spec.pattern]
    path = path_of(graph, spec)
    if path is None:
        return None
    if pattern.compares:
        return _comparison(graph, spec, path)
    # The last entity is named by the answer, unless a value of it is the answer.
    if pattern.value:
        target, described = pattern.value, path
        answers: tuple[str, ...] = (write_value(target, graph[path[-1]].values[target]),)
    else:
        target, described = pattern.path[-1], path[:-1]
        answers = graph[path[-1]].names
    text = _choose_template(QUESTION_TEMPLATES[target], graph[path[0]], target).format(
        x=_description(graph, described, pattern.path), kind=generic_kind(graph[path[-1]].kind)
    )
    plain_text = normalize(text)
    hidden = [name for name in answers if (plain := normalize(name)) and plain not in plain_text]
    if not hidden:  # the question would give its answer away
        return None
    hops = _hops(graph, described, pattern.path)
    return Question(text, tuple(hidden), hops, pattern.kind, _names(graph, path))


def path_of(graph: Graph, spec: QuestionSpec) -> tuple[int, ...] | None:
    """Return the entities on the path of *spec*, or None where it ends early."""
    pattern = PATTERNS[spec.pattern]
    path = graph.follow(spec.topic, pattern.path)
    if path is None or (pattern.value and pattern.value not in graph[path[-1]].values):
        return None
    return path


def _comparison(graph: Graph, spec: QuestionSpec, path: tuple[int, ...]) -> Question | None:
    pattern = PATTERNS[spec.pattern]
    last, other = graph[path[-1]], graph[spec.other]
    value = pattern.value
    if spec.other in path or value not in other.values or last.values[value] == other.values[value]:
        return None
    topic = graph[path[0]]
    described, named = _description(graph, path, pattern.path), noun_phrase(other)
    sides = [named, described] if _choose(2, topic, "order") else [described, named]
    text = _choose_template(COMPARISON_TEMPLATES[value], topic, value).format(
        a=sides[0], b=sides[1]
    )
    hops = _hops(graph, path, pattern.path)
    if pattern.compares == "asked":
        hops = (*hops, Hop(other.title, _query(other)))
    else:
        number = write_value(value, other.values[value])
        statement = _choose_template(STATEMENT_TEMPLATES[value], topic, "given")
        text = f"{_capitalize(statement.format(a=named, v=number))} {text}"
    winner = last if float(last.values[value]) > float(other.values[value]) else other
    # Here the question may name the answer: it asks to choose.
    return Question(text, winner.names, hops, pattern.kind, _names(graph, (*path, spec.other)))


def _names(graph: Graph, numbers: Sequence[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for number in numbers for name in graph[number].names))


def _description(graph: Graph, path: Sequence[int], relations: Sequence[str]) -> str:
    """Return the last entity of *path*, described by the first one and *relations*."""
    words = noun_phrase(graph[path[0]])
    for number, relation in zip(path[1:], relations, strict=False):
        template = _choose_template(DESCRIPTION_TEMPLATES[relation], graph[path[0]], relation)
        words = template.format(x=words, kind=generic_kind(graph[number].kind))
    return words


def _hops(graph: Graph, path: Sequence[int], relations: Sequence[str]) -> tuple[Hop, ...]:
    first = graph[path[0]]
    hops = [Hop(first.title, first.name)]
    for before, number, relation in zip(path, path[1:], relations, strict=False):
        context = graph[before].name if relation == "capital" else ""
        hops.append(Hop(graph[number].title, _query(graph[number], context)))
    return tuple(hops)


def _query(entity: Entity, context: str = "") -> str:
    return f"{entity.name} {QUERY_TERMS.get(entity.kind, entity.kind)} {context}".strip()


def _choose_template(templates: Sequence[str], topic: Entity, purpose: str) -> str:
    return templates[_choose(len(templates), topic, purpose)]


def _choose(options: int, topic: Entity, purpose: str) -> int:
    """Return a number below *options* that depends on *topic* and *purpose* alone."""
    return zlib.crc32(f"{purpose} {topic.title}".encode()) // 7 % options


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


__all__ = ["QuestionSpec", "path_of", "write_question"]
