"""The page on `agentgym-gen train` shows a file that trains."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agentgym_gen.cli.main import main
from agentgym_gen.study import load_plan
from agentgym_gen.training import parse_training_plan

PAGE = Path(__file__).parents[2] / "docs" / "train.md"


def test_the_file_of_the_page_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands there, with the default folder."""
    monkeypatch.chdir(tmp_path)
    Path("textcraft.toml").write_text(file_of_page("textcraft.toml"), encoding="utf-8")

    assert main(["train", "textcraft.toml"]) == 0
    result = json.loads(Path("runs/train-textcraft/result.json").read_text("utf-8"))
    assert result["last_row"]["step"] == 2


def test_all_weights_of_the_page_have_the_settings_of_the_preset() -> None:
    """But for those of an adapter, and the ten times lower learning rate."""
    rft = parse_training_plan(file_of_page("all-weights.toml")).rft
    assert rft is not None
    assert rft.fsdp
    preset = load_plan("paper-3b").rft
    apart = {"learning_rate", "lora_rank", "lora_alpha", "save_steps"}
    for name in preset.keys() - apart:
        assert getattr(rft, name) == preset[name], name
    assert rft.learning_rate == pytest.approx(preset["learning_rate"] / 10)


def file_of_page(name: str) -> str:
    """Return the file *name* that the page shows."""
    block = re.search(rf'```toml title="{name}"\n(.*?)```', PAGE.read_text("utf-8"), re.S)
    assert block is not None
    return block[1]
