"""Exported demonstrations load with `datasets`, without a warning.

Run by tools/test_integrations, in an environment that has datasets.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from datasets import DatasetDict, load_dataset

from agentgym_gen.export import DemoPlan, export_demos

PLAN = DemoPlan(("rftgen/TextCraft-easy-v0", "rftgen/ALFWorld-easy-v0"), 5, ("train", "valid"))


def load(folder: Path) -> DatasetDict:
    """Load the folder by its name alone, as a user does; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load_dataset(str(folder), cache_dir=str(folder.parent / "cache"))


@pytest.mark.parametrize("format", ["messages", "sharegpt", "parquet"])
def test_a_folder_loads_with_its_splits(format: str, tmp_path: Path) -> None:
    """`load_dataset(folder)` has both splits and all rows, and no row of the manifest."""
    export_demos(PLAN, tmp_path / "demos", format=format)
    data = load(tmp_path / "demos")
    column = "conversations" if format == "sharegpt" else "messages"

    assert {name: len(rows) for name, rows in data.items()} == {"train": 10, "validation": 10}
    assert set(data["train"].column_names) == {column, "env_id", "task_id", "interface"}


def test_parquet_and_json_lines_have_the_same_rows(tmp_path: Path) -> None:
    """The formats `messages` and `parquet` differ in their bytes only."""
    export_demos(PLAN, tmp_path / "lines", format="messages")
    export_demos(PLAN, tmp_path / "parquet", format="parquet")
    lines = (tmp_path / "lines" / "train.jsonl").read_text(encoding="utf-8").splitlines()

    assert load(tmp_path / "parquet")["train"].to_list() == list(map(json.loads, lines))


def test_the_script_of_the_documentation_runs(tmp_path: Path) -> None:
    """The script of docs/export.md prints the last action of an episode."""
    page = (Path(__file__).parents[3] / "docs" / "export.md").read_text(encoding="utf-8")
    script = page.split('```python title="load.py"\n')[1].split("```")[0]
    export_demos(PLAN, tmp_path / "demos")
    environment = {**os.environ, "HF_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
    )

    assert done.returncode == 0, done.stderr
    assert "'role': 'assistant'" in done.stdout
