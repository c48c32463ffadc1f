"""The kinds of questions about the facts: paths through the graph, and templates of their words.

A path starts at the entity that the question names. Every entity on it whose passage has to be
read is a hop. The entities after the first are bridges: the question does not name them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pattern:
    """One kind of question."""

    path: tuple[str, ...]
    """The relations that are followed from the entity that the question names."""
    value: str = ""
    """The value that is asked for or compared; if empty, the last entity's name is asked for."""
    compares: str = ""
    """What the last entity is compared with; if empty, nothing is compared.

    ``given``: an entity whose value the question states. ``asked``: one whose value has to be
    found, too.
    """

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
"""The patterns; the data file has their indexes in this tuple, so new ones go to its end."""

DESCRIPTION_TEMPLATES = {
    "member": ("the {kind} that includes {x}", "the {kind} of {x}"),
    "country": ("the country in which {x} lies", "the country where {x} is"),
    "state": ("the state in which {x} lies", "the state where {x} is"),
    "part": ("the {kind} that includes {x}", "the {kind} of {x}"),
    "capital": ("the capital of {x}",),
    "discoverer": ("the discoverer of {x}",),
}
"""How an entity is described by one that is linked to it."""

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
"""How a question asks for the last relation or value of a path."""

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
"""How a question compares two entities by a value."""

STATEMENT_TEMPLATES = {
    "area": ("{a} covers {v} square kilometres.", "The area of {a} is {v} square kilometres."),
    "population": ("{a} has {v} inhabitants.", "{v} people live in {a}."),
}
"""How a question states the value of one of them."""

__all__ = [
    "COMPARISON_TEMPLATES",
    "DESCRIPTION_TEMPLATES",
    "PATTERNS",
    "QUESTION_TEMPLATES",
    "STATEMENT_TEMPLATES",
    "Pattern",
]
