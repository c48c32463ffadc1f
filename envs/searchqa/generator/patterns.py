"""Which questions the facts can be asked: paths through the graph, and their words.

A path starts at the entity that the question names. Every entity on it whose passage has to be
read is a hop; those after the first are bridges, which the question does not name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pattern:
    """One kind of question."""

    path: tuple[str, ...]
    """The relations that are followed from the entity that the question names."""
    value: str = ""
    """The value that is asked for or compared; without one, the name of the last entity is."""
    compares: str = ""
    """``given`` compares with an entity whose value the question tells, ``asked`` with one whose
    value has to be found, too; nothing compares nothing."""

    @property
    def hops(self) -> int:
        """How many passages have to be read."""
        return len(self.path) + bool(self.value) + (self.compares == "asked")

    @property
    def kind(self) -> str:
        """``lookup``, ``bridge`` or ``comparison``, after HotpotQA's types."""
        if self.compares:
            return "comparison"
        return "bridge" if self.hops > 1 else "lookup"


PATTERNS = (
    Pattern(("member",)),
    Pattern(("country",)),
    Pattern(("state",)),
    Pattern(("part",)),
    Pattern(("capital",)),
    Pattern(("discoverer",)),
    Pattern((), "born"),
    Pattern((), "died"),
    Pattern((), "population"),
    Pattern((), "area"),
    Pattern((), "discovery year"),
    Pattern(("member", "member")),
    Pattern(("country", "capital")),
    Pattern(("state", "capital")),
    Pattern(("part", "part")),
    Pattern(("part", "capital")),
    Pattern(("country",), "area"),
    Pattern(("country",), "population"),
    Pattern(("capital",), "population"),
    Pattern(("country",), "area", "given"),
    Pattern(("capital",), "population", "given"),
    Pattern(("member", "member", "member")),
    Pattern(("country", "capital"), "population"),
    Pattern(("state", "capital"), "population"),
    Pattern(("part", "part", "capital")),
    Pattern(("part", "capital"), "population"),
    Pattern(("part", "part"), "population"),
    Pattern(("country",), "area", "asked"),
    Pattern(("capital",), "population", "asked"),
)
"""The patterns; the data file names them by their places here, so new ones go to the end."""

DESCRIPTION_TEMPLATES = {
    "member": ("the {kind} that includes {x}", "the {kind} of {x}"),
    "country": ("the country in which {x} lies", "the country where {x} is"),
    "state": ("the state in which {x} lies", "the state where {x} is"),
    "part": ("the {kind} that includes {x}", "the {kind} of {x}"),
    "capital": ("the capital of {x}",),
    "discoverer": ("the discoverer of {x}",),
}
"""How an entity is named by one that it is joined with."""

QUESTION_TEMPLATES = {
    "member": ("To which {kind} does {x} belong?", "Which {kind} includes {x}?"),
    "country": ("In which country does {x} lie?", "Which country is {x} in?"),
    "state": ("In which state does {x} lie?", "Which state is {x} in?"),
    "part": ("Of which {kind} is {x} a part?", "Which {kind} does {x} belong to?"),
    "capital": ("What is the capital of {x}?", "Which city is the capital of {x}?"),
    "discoverer": ("Who discovered {x}?", "By whom was {x} discovered?"),
    "born": ("In which year was {x} born?", "What is the year of birth of {x}?"),
    "died": ("In which year did {x} die?", "What is the year of death of {x}?"),
    "population": ("How many people live in {x}?", "How many inhabitants does {x} have?"),
    "area": (
        "How many square kilometres does {x} cover?",
        "What is the area of {x} in square kilometres?",
    ),
    "discovery year": ("In which year was {x} discovered?", "When was {x} found?"),
}
"""How the last relation or value of a path is asked for."""

COMPARISON_TEMPLATES = {
    "area": (
        "Which of the two is larger, {a} or {b}?",
        "Which covers more ground, {a} or {b}?",
    ),
    "population": (
        "Which of the two has more inhabitants, {a} or {b}?",
        "Do more people live in {a} or in {b}?",
    ),
}
"""How two entities are compared by a value."""

STATEMENT_TEMPLATES = {
    "area": ("{a} covers {v} square kilometres.", "The area of {a} is {v} square kilometres."),
    "population": ("{a} has {v} inhabitants.", "{v} people live in {a}."),
}
"""How a question tells the value of one of them."""

__all__ = ["QUESTION_TEMPLATES", "COMPARISON_TEMPLATES", "STATEMENT_TEMPLATES", "DESCRIPTION_TEMPLATES", "PATTERNS", "Pattern"]
