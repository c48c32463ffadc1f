"""The shell completes commands, ids, interfaces and names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from systems import needs

pytest.importorskip("argcomplete")


def complete(line: str, tmp_path: Path) -> list[str]:
    """Return how the shell would go on after *line*."""
    answer = tmp_path / "answer"
    variables = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    command = [sys.executable, "-m", "agentgym_gen"]
    subprocess.run(command, env={**os.environ, **variables}, check=False, timeout=60)
    return [word.strip() for word in answer.read_text().split("\n") if word.strip()]


@needs("POSIX", "a shell of POSIX")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("agentgym-gen ca", ["calibrate"]),
        ("agentgym-gen demo rftgen/Sokoban-easy-m", ["rftgen/Sokoban-easy-menu-v0"]),
        ("agentgym-gen show x --interface ren", ["renamed"]),
        ("agentgym-gen eval rando", ["random"]),
        ("agentgym-gen eval random --panel core", ["core-v1"]),
        ("agentgym-gen calibrate rftgen/Sokoban-v", ["rftgen/Sokoban-v0"]),
    ],
)
def test_a_word_is_completed(line: str, words: list[str], tmp_path: Path) -> None:
    """The answer has the words that begin so, and no others."""
    assert complete(line, tmp_path) == words
