"""A child process that makes no game: it starts a process of its own and waits for it.

It stands for an engine whose compiler hangs.
"""

import subprocess
from pathlib import Path
from typing import Any

from agentgym_gen.system.child_process import serve


def answer(request: dict[str, Any]) -> int:
    """Start the compiler, write its process id into the folder, and wait for it."""
    compiler = subprocess.Popen(["sleep", "60"])
    (Path(request["folder"]) / "busy").write_text(str(compiler.pid), encoding="utf-8")
    return compiler.wait()


if __name__ == "__main__":
    serve(answer)
