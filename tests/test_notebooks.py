"""The notebooks run from top to bottom, without Jupyter, and their pages show their cells."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import notebooks

NOTEBOOKS = sorted(notebooks.FOLDER.glob("*.ipynb"))
PRINTED = {
    "evaluate_and_compare": "after beside before: ",
    "train_and_transfer": "rftgen/Sokoban-easy-v0: success ",
    "write_a_world": "hard, ExpertPolicy: 20 of 20",
}
"""What each notebook prints near its end."""


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(notebook: Path, tmp_path: Path) -> None:
    """Every cell runs, in order, without a warning; a training has one step instead of its many."""
    text = re.sub(r"^STEPS = \d+$", "STEPS = 1", notebooks.program(notebook), flags=re.MULTILINE)
    text = re.sub(r"max_steps=\d+", "max_steps=20", text)
    program = tmp_path / "notebook.py"
    program.write_text(text, encoding="utf-8")
    environ = {**os.environ, "MPLBACKEND": "Agg", "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert PRINTED[notebook.stem] in done.stdout


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_page_shows_the_cells_of_its_notebook(notebook: Path) -> None:
    """The page has every cell as it is today, in order, and the notebook itself keeps no output."""
    page = notebook.with_suffix(".md").read_text(encoding="utf-8")
    place = 0
    for cell in notebooks.read_cells(notebook):
        place = page.find(cell.source, place)
        assert place >= 0, f"run: python -m tools.notebooks {notebook.stem}; new: {cell.source}"
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]

    assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_installs_what_it_names(notebook: Path) -> None:
    """The cell for Colab and the line at the top have the same extras."""
    cells = notebooks.read_cells(notebook)
    stated = re.search(r"pip install '?(agentgym-gen[^'`]*)", cells[0].source)

    assert stated is not None
    assert f'"{stated[1]}"' in cells[1].source


def test_a_cell_has_its_prints_and_its_last_value_as_output() -> None:
    """As in Jupyter, None is not shown, and names live on in the next cell."""
    names: dict[str, object] = {}

    assert notebooks.run_cell("x = 2\nprint('a')\nx + 1", names) == "a\n3\n"
    assert notebooks.run_cell("x\nNone", names) == ""
    with pytest.raises(ZeroDivisionError):
        notebooks.run_cell("x / 0", names)


def test_a_page_is_written_with_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code is not run again by the tests of pages, so its blocks have another language."""
    cells = [("markdown", "# Title"), ("markdown", "Text."), ("code", "print('``` 1')")]
    notebook = {"cells": [{"cell_type": kind, "source": [text]} for kind, text in cells]}
    (tmp_path / "mine.ipynb").write_text(json.dumps(notebook))
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    monkeypatch.setattr("sys.argv", ["notebooks", "mine"])
    notebooks.main()
    page = (tmp_path / "mine.md").read_text()

    assert page.startswith("# Title\n\n*[The notebook](mine.ipynb). The outputs are those of")
    assert "\n\nText.\n\n````py\nprint('``` 1')\n````\n\n````text\n``` 1\n````\n" in page
    assert ast.parse(notebooks.program(tmp_path / "mine.ipynb"))
