"""Makes no game, but starts a process of its own and waits: an engine whose compiler hangs."""

import subprocess
from pathlib import Path
from typing import Any

from agentgym_gen.system.child_process import serve


def answer(request: dict[str, Any]) -> int:
    """Leave a trace when the compiler runs, and wait for it."""
    compiler = subprocess.Popen(["sleep", "600"])
    (Path(request["folder"]) / "busy").write_text(str(compiler.pid), encoding="utf-8")
    return compiler.wait()


if __name__ == "__main__":
    serve(answer)
