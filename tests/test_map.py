"""docs/architecture.md and the glossary name files and texts that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PLACES = (
    ROOT,
    ROOT / "agentgym_gen",
    ROOT / "agentgym_gen" / "study",
    ROOT / "agentgym_gen" / "interface",
)

EXAMPLES = [
    ("agentgym_gen/interface/episode.py", "Not understood:"),
    ("agentgym_gen/interface/episode.py", "Not done:"),
    ("agentgym_gen/interface/episode.py", "def invalid_reply"),
    ("agentgym_gen/interface/syntax/json.py", "it needs exactly the fields"),
    ("agentgym_gen/interface/axes.py", "AXES:"),
    ("agentgym_gen/interface/axes.py", "PRESETS:"),
    ("agentgym_gen/interface/randomized.py", "DOMAIN:"),
    ("agentgym_gen/interface/codec.py", "class ActionCodec"),
    ("agentgym_gen/interface/layout.py", "class ObservationLayout"),
]


def paths_of(page: Path) -> set[str]:
    """Return the files and folders that *page* names in backquotes, without placeholders."""
    names = re.findall(r"`([\w./]+(?:\.py|/))`", page.read_text(encoding="utf-8"))
    return {name for name in names if "/" in name}


@pytest.mark.parametrize("page", ["architecture.md", "glossary.md"])
def test_named_paths_exist(page: str) -> None:
    """Every file and folder that the page names exists."""
    everywhere = (*PLACES, *(ROOT / "envs").glob("[a-z]*"))
    missing = [
        name for name in paths_of(DOCS / page) if not any((p / name).exists() for p in everywhere)
    ]

    assert missing == []


def test_folders_of_the_map_exist() -> None:
    """Every line of the map of folders names a file or folder that exists."""
    block = (DOCS / "architecture.md").read_text(encoding="utf-8").split("```text\n")[1]
    parent, missing = ROOT, []
    for line in block.split("```")[0].splitlines():
        name = line.split()[0].replace("<name>/", "")
        home = parent if line.startswith(" ") else ROOT
        parent = parent if line.startswith(" ") else ROOT / name
        missing += [] if (home / name).exists() else [name]

    assert missing == []


@pytest.mark.parametrize(("path", "text"), EXAMPLES)
def test_examples_lead_to_a_line(path: str, text: str) -> None:
    """The text that an example tells to search for is in the file that it names."""
    assert text in (ROOT / path).read_text(encoding="utf-8")
