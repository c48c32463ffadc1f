"""Names are standard terms: no coined name that was replaced comes back, and no vague variable."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from architecture_rules import SOURCES, Sources, dotted, parse

ROOT = Path(__file__).parents[1]

COINED_MODULES = frozenset(
    [
        "asides",
        "beside",
        "outside",
        "guard",
        "stopping",
        "laws",
        "preparation",
        "library",
        "handles",
        "trees",
        "rates",
        "reading",
        "reload",
        "details",
        "sections",
        "seat",
        "quick",
        "own",
        "store",
        "workshop",
        "story",
        "telling",
        "referee",
        "oracle",
        "counts",
        "refusals",
        "writing",
        "voice",
        "moment",
        "asking",
        "draws",
        "stock",
        "stored",
        "records",
        "sharing",
        "moody_engine",
        "nursery",
        "clerk",
        "subjects",
        "babble",
        "webshop_shelf",
        "dialect",
        "speech",
    ]
)
"""Names of modules that said nothing to a newcomer; docs/decisions/0030 has the rule."""

COINED_NAMES = frozenset(
    [
        "Guard",
        "Heard",
        "Said",
        "Drawing",
        "Exchange",
        "Dialect",
        "Speech",
        "Library",
        "Seat",
        "_Draft",
        "Lesson",
        "learn_from",
        "naming_the_knob",
        "recomputing",
        "BySteps",
        "BySuccess",
        "solved_once",
        "_is_ill",
        "_healthy",
        "Tell",
        "Book",
        "_Book",
        "Explained",
        "Played",
        "live_by",
        "leash",
        "Hall",
        "quicken",
        "Kept",
        "Deed",
        "Brief",
        "Teller",
        "Scout",
        "Sheet",
        "Guide",
        "clutter",
        "distract",
        "asides",
        "undisturbed",
        "costly",
        "entry_of",
        "draw_task_ids",
        "COMMON_ASIDES",
        "EnvParts",
    ]
)
"""Classes, functions and attributes that have a standard name now."""

VAGUE_VARIABLES = frozenset(["found", "told", "said", "known", "seen", "asked"])
"""Verbs in the past tense: a variable is named by the noun that it holds."""

OTHER_SOURCES: Sources = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for folder in ("tests", "tools", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path != Path(__file__)
}


def names_of(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Yield every identifier of *tree*, and whether it is a variable or parameter set there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, False
        elif isinstance(node, ast.Name):
            yield node.id, isinstance(node.ctx, ast.Store)
        elif isinstance(node, ast.arg):
            yield node.arg, True
        elif isinstance(node, ast.Attribute):
            yield node.attr, False
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.rpartition(".")[2], False


def coined(sources: Sources) -> list[str]:
    """Return the coined names in *sources*, each with its module."""
    return [
        f"{path} {name}"
        for path, text in sources.items()
        for name, _ in names_of(parse(text))
        if name in COINED_NAMES
    ] + [path for path in sources if Path(path).stem in COINED_MODULES]


def vague(sources: Sources) -> list[str]:
    """Return the vague variables in *sources*, each with its module."""
    return [
        f"{path} {name}"
        for path, text in sources.items()
        for name, is_set in names_of(parse(text))
        if is_set and name in VAGUE_VARIABLES
    ]


@pytest.mark.parametrize("sources", [SOURCES, OTHER_SOURCES], ids=["package", "others"])
def test_no_coined_name_comes_back(sources: Sources) -> None:
    """Neither in the package nor in tests, tools and benchmarks."""
    assert coined(sources) == []


@pytest.mark.parametrize("sources", [SOURCES, OTHER_SOURCES], ids=["package", "others"])
def test_variables_are_nouns(sources: Sources) -> None:
    """No variable and no parameter is a verb in the past tense."""
    assert vague(sources) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("agentgym_gen/world/asides.py", ""),
        ("agentgym_gen/world/more.py", "class Guard: ..."),
        ("agentgym_gen/world/more.py", "from agentgym_gen.world import Said"),
        ("agentgym_gen/world/more.py", "world.clutter"),
    ],
)
def test_a_coined_name_is_noticed(path: str, text: str) -> None:
    """Whether it names a module, a class, an import or an attribute."""
    assert coined({path: text}) != []
    assert dotted(path).startswith("agentgym_gen.")


@pytest.mark.parametrize("text", ["found = 1", "def f(said): ...", "for seen in (): ..."])
def test_a_vague_variable_is_noticed(text: str) -> None:
    """Whether it is assigned, a parameter or the variable of a loop."""
    assert vague({"agentgym_gen/world/more.py": text}) != []
