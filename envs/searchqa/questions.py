"""Questions: what is asked, what counts as the answer, and the searches that find it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from agentgym_gen.envs.searchqa.generator.graph import Entity, Graph, generic_kind
from agentgym_gen.envs.searchqa.generator.passages import noun_phrase, write_value
from agentgym_gen.envs.searchqa.generator.patterns import QUESTION_TEMPLATES, COMPARISON_TEMPLATES, STATEMENT_TEMPLATES, DESCRIPTION_TEMPLATES, PATTERNS
from agentgym_gen.envs.searchqa.reward import normalize


@dataclass(frozen=True)
class Hop:
    """One passage that has to be found."""

    title: str
    """Its title."""
    query: str
    """What finds it, made of what is known when its turn comes."""


@dataclass(frozen=True)
class Question:
    """The content of a task."""

    text: str
    """What is asked."""
    answers: tuple[str, ...]
    """What counts as the answer; the first is the usual one."""
    hops: tuple[Hop, ...] = ()
    """The passages to be found, in their order."""
    kind: str = ""
    """``lookup``, ``bridge`` or ``comparison``; own questions keep their own types."""
    names: tuple[str, ...] = ()
    """What the entities of its chain are called."""


@dataclass(frozen=True)
class QuestionSpec:
    """A question as numbers: what the data file holds."""

    pattern: int
    """Its pattern's place in `PATTERNS`."""
    topic: int
    """The entity that the question names."""
    other: int = -1
    """The entity that it compares with; -1 for none."""


def write_question(graph: Graph, draft: QuestionSpec) -> Question | None:
    """Return the question that *draft* means, or None where the facts do not have such a path.

    The words are the same at every call: which of several wordings is taken is drawn from the
    name of the entity.
    """
    pattern = PATTERNS[draft.pattern]
    path = path_of(graph, draft)
    if path is None:
        return None
    if pattern.compares:
        return _comparison(graph, draft, path)
    if pattern.value:
        asked, before = pattern.value, path
        answers: tuple[str, ...] = (write_value(asked, graph[path[-1]].values[asked]),)
    else:
        asked, before = pattern.path[-1], path[:-1]
        answers = graph[path[-1]].names
    text = _wording(QUESTION_TEMPLATES[asked], graph[path[0]], asked).format(
        x=_description(graph, before, pattern.path), kind=generic_kind(graph[path[-1]].kind)
    )
    hidden = [one for one in answers if normalize(one) and normalize(one) not in normalize(text)]
    if not hidden:
        return None
    hops = _hops(graph, before, pattern.path)
    return Question(text, tuple(hidden), hops, pattern.kind, _names(graph, path))


def path_of(graph: Graph, draft: QuestionSpec) -> tuple[int, ...] | None:
    """Return the entities on the path of *draft*, or None where it ends early."""
    pattern = PATTERNS[draft.pattern]
    path = graph.follow(draft.topic, pattern.path)
    if path is None or (pattern.value and pattern.value not in graph[path[-1]].values):
        return None
    return path


def _comparison(graph: Graph, draft: QuestionSpec, path: tuple[int, ...]) -> Question | None:
    pattern = PATTERNS[draft.pattern]
    one, other = graph[path[-1]], graph[draft.other]
    value = pattern.value
    if draft.other in path or value not in other.values or one.values[value] == other.values[value]:
        return None
    topic = graph[path[0]]
    described, named = _description(graph, path, pattern.path), noun_phrase(other)
    sides = [named, described] if _draw(2, topic, "order") else [described, named]
    text = _wording(COMPARISON_TEMPLATES[value], topic, value).format(a=sides[0], b=sides[1])
    hops = _hops(graph, path, pattern.path)
    if pattern.compares == "asked":
        hops = (*hops, Hop(other.title, _query(other)))
    else:
        told = write_value(value, other.values[value])
        text = f"{_upper(_wording(STATEMENT_TEMPLATES[value], topic, 'given').format(a=named, v=told))} {text}"
    winner = one if float(one.values[value]) > float(other.values[value]) else other
    # Here the question may name the answer: it asks to choose.
    return Question(text, winner.names, hops, pattern.kind, _names(graph, (*path, draft.other)))


def _names(graph: Graph, numbers: Sequence[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for number in numbers for name in graph[number].names))


def _description(graph: Graph, path: Sequence[int], relations: Sequence[str]) -> str:
    """Return the last entity of *path*, described by the first one and *relations*."""
    words = noun_phrase(graph[path[0]])
    for number, relation in zip(path[1:], relations, strict=False):
        template = _wording(DESCRIPTION_TEMPLATES[relation], graph[path[0]], relation)
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


QUERY_TERMS = {
    "country": "country capital square kilometres",
    "American state": "American state capital",
}
"""What is looked for, where the kind alone would find the parts of a place before the whole."""


def _wording(templates: Sequence[str], topic: Entity, purpose: str) -> str:
    return templates[_draw(len(templates), topic, purpose)]


def _draw(number: int, topic: Entity, purpose: str) -> int:
    return zlib.crc32(f"{purpose} {topic.title}".encode()) // 7 % number


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


__all__ = ["QuestionSpec", "Hop", "Question", "path_of", "write_question"]
