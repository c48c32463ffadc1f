"""Questions: what is asked, what counts as the answer, and the searches that find it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hop:
    """One passage that has to be found."""

    title: str
    """Its title."""
    query: str
    """The search that finds it, made of what is known when its turn comes."""


@dataclass(frozen=True)
class Question:
    """The content of a task."""

    text: str
    """The question."""
    answers: tuple[str, ...]
    """What counts as the answer; the first is the usual one."""
    hops: tuple[Hop, ...] = ()
    """The passages to be found, in their order."""
    kind: str = ""
    """``lookup``, ``bridge`` or ``comparison``; a user's questions keep their own types."""
    names: tuple[str, ...] = ()
    """All names of the entities of its chain."""


__all__ = ["Hop", "Question"]
