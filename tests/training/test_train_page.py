"""The page on `agentgym-gen train` shows a file that trains."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agentgym_gen.cli.main import main

PAGE = Path(__file__).parents[2] / "docs" / "train.md"


def test_the_file_of_the_page_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands there, with the default folder."""
    block = re.search(r'```toml title="textcraft.toml"\n(.*?)```', PAGE.read_text("utf-8"), re.S)
    assert block is not None
    monkeypatch.chdir(tmp_path)
    Path("textcraft.toml").write_text(block[1], encoding="utf-8")

    assert main(["train", "textcraft.toml"]) == 0
    result = json.loads(Path("runs/train-textcraft/result.json").read_text("utf-8"))
    assert result["last_row"]["step"] == 2
