"""A child process that makes games for TextWorld's cache without textworld."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agentgym_gen.system.child_process import serve


def answer(request: dict[str, Any]) -> int:
    """Write the first candidate into the files of a game, and return its number."""
    for name in ("game.z8", "game.json"):
        text = f"{name} {request['candidates'][0]}".ljust(4000)
        (Path(request["folder"]) / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    serve(answer)
