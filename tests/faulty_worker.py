"""A child process for tests: it adds, prints, fails, hangs or dies, as the request says."""

import os
import time
from typing import Any

from agentgym_gen.system.child_process import serve


def answer(request: dict[str, Any]) -> object:
    """Return the sum of two numbers, after the fault that *request* names."""
    if "print" in request:
        print(request["print"], flush=True)  # noqa: T201  (the fault)
        os.write(1, b"from C\n")
    if "die" in request:
        os._exit(int(request["die"]))
    if "hang" in request:
        time.sleep(60)
    while "spin" in request:
        pass
    time.sleep(request.get("sleep", 0))
    return request["a"] + request["b"]


if __name__ == "__main__":
    serve(answer)
