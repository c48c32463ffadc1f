"""The commands of docs/view.md do what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from agentgym_gen.cli.main import build_parser, main

PAGE = Path(__file__).parents[2] / "docs" / "view.md"


def commands() -> list[list[str]]:
    """Return the words of every `agentgym-gen` command of the page."""
    text = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    lines = text.replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("agentgym-gen")]


def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the one that serves until it is stopped, whose arguments are read."""
    monkeypatch.chdir(tmp_path)
    code = PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    exec(compile(code, str(PAGE), "exec"), {})
    for words in commands():
        if words[0] == "view" and "--export" not in words:
            assert build_parser().parse_args(words).export is None
        else:
            assert main(words) == 0, words

    assert (tmp_path / "page" / "index.html").exists()
    assert '"episodes":20' in (tmp_path / "page" / "data" / "index-0.js").read_text()
    assert '"episodes":3' in (tmp_path / "episodes" / "data" / "index-0.js").read_text()
