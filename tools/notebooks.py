"""Run the notebooks without Jupyter, and write each as a page with its outputs.

    python -m tools.notebooks [NAME ...]

A notebook in docs/notebooks/ keeps no outputs: they are in the page beside it, ``NAME.md``, with
the figures as SVG. The cells run in order in one namespace, in an empty folder. What a cell prints,
the value of its last expression and its figures are its output.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "notebooks"


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook."""

    kind: str
    """``code`` or ``markdown``."""
    source: str
    """Its text."""


def read_cells(path: Path) -> list[Cell]:
    """Return the cells of the notebook at *path*."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [Cell(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]


def program(path: Path) -> str:
    """Return the code of the notebook at *path* as one program."""
    return "\n\n".join(cell.source for cell in read_cells(path) if cell.kind == "code") + "\n"


def main() -> None:
    """Write the pages of the notebooks that are named, or of all."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    names = sys.argv[1:] or sorted(path.stem for path in FOLDER.glob("*.ipynb"))
    for name in names:
        started, processor = time.perf_counter(), time.process_time()
        parts = list(render(FOLDER / f"{name}.ipynb"))
        wall, cpu = time.perf_counter() - started, time.process_time() - processor
        note = (
            f"*[The notebook]({name}.ipynb). The outputs are those of `python -m tools.notebooks "
            f"{name}`, which took {cpu:.0f} seconds of one core.*"
        )
        page = "\n\n".join([*parts[:1], note, *parts[1:]])
        (FOLDER / f"{name}.md").write_text(f"{page}\n", encoding="utf-8")
        print(f"{name}: {wall:.0f} s, {cpu:.0f} s of one core")


def render(path: Path) -> Iterator[str]:
    """Yield the parts of the page of the notebook at *path*, which runs meanwhile."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    figures = 0
    home = Path.cwd()
    for old in FOLDER.glob(f"{path.stem}-*.svg"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for cell in read_cells(path):
                if cell.kind == "markdown":
                    yield cell.source
                    continue
                yield fenced("py", cell.source)
                output = run_cell(cell.source, namespace)
                if output.strip():
                    yield fenced("text", output.rstrip())
                for figure in take_figures():
                    figures += 1
                    name = f"{path.stem}-{figures}.svg"
                    (FOLDER / name).write_text(figure, encoding="utf-8")
                    yield f"![Figure {figures}]({name})"
        finally:
            os.chdir(home)


def fenced(language: str, text: str) -> str:
    """Return *text* as a block of *language* whose fence it does not contain."""
    ticks = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
    return f"{ticks}{language}\n{text}\n{ticks}"


def run_cell(source: str, namespace: dict[str, Any]) -> str:
    """Run *source* in *namespace* and return what it prints, with the value of its last line."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(tree, "<cell>", "exec"), namespace)  # our own notebook
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), namespace)
            if value is not None:
                print(value)
    return output.getvalue()


def take_figures() -> list[str]:
    """Return the open figures of matplotlib as SVG, and close them.

    The same figure is the same text.
    """
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return []
    texts: list[str] = []
    for number in pyplot.get_fignums():
        image = io.StringIO()
        with pyplot.rc_context({"svg.hashsalt": "figure", "svg.fonttype": "none"}):
            pyplot.figure(number).savefig(image, format="svg", metadata={"Date": None})
        texts.append("\n".join(line.rstrip() for line in image.getvalue().splitlines()) + "\n")
    pyplot.close("all")
    return texts


if __name__ == "__main__":
    main()
