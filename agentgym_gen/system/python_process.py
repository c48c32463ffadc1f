"""How new Python processes are started, so that they run nothing that lies in the working folder.

Python looks for modules in the working folder first when it is started with ``-m`` or ``-c``. A
file ``socket.py`` there would be run in the place of the standard library's module, even if the
process that starts the other one does not look there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agentgym_gen.system.fork_safe_lock import ForkSafeLock

SAFE_PATH = "PYTHONSAFEPATH"
"""The environment variable with the effect of ``-P``: the working folder is not looked at."""

MARK = "agentgym_gen"
"""Its value where `safe_path` has set it; any value has the effect."""

PACKAGE_FOLDER = Path(__file__).parents[1]

# The package is loaded from the folder of the parent's, so that both are one version. The path of
# the parent comes last: a script may lie beside a file that is called like a module of Python.
_RUN_MODULE = """
import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from runpy import run_module
folder, module, path, *sys.argv[1:] = sys.argv[1:]
sys.path += [entry for entry in path.split(os.pathsep) if entry not in sys.path]
spec = PathFinder.find_spec("agentgym_gen", [folder])
sys.modules["agentgym_gen"] = package = module_from_spec(spec)
spec.loader.exec_module(package)
run_module(module, run_name="__main__", alter_sys=True)
"""

_VARIABLE_LOCK = ForkSafeLock()


def python_command(*arguments: str) -> list[str]:
    """Return the command of a Python process that does not look into the working folder."""
    return [sys.executable, "-P", *arguments]


def script_command(script: Path) -> list[str]:
    """Return the command of a Python process that runs the file *script*.

    It looks for modules in the folder of the script, as scripts of several files need, and not in
    the working folder.
    """
    return [sys.executable, str(script.absolute())]


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command of a process that runs *module*, which may be one of this package.

    It looks for modules where a new Python does, and then where this process does.
    """
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)  # noqa: PTH109  (a text)
    folder = str(PACKAGE_FOLDER.parent)
    return python_command("-c", _RUN_MODULE, folder, module, path, *arguments)


def child_environment() -> dict[str, str]:
    """Return the environment variables of a child process.

    An empty part of ``PYTHONPATH`` would be the working folder, and is mostly a mistake.
    """
    parts = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = os.pathsep.join(filter(None, parts))
    rest = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**rest, "PYTHONPATH": path} if path else rest


@contextmanager
def safe_path() -> Iterator[None]:
    """Let `multiprocessing` start processes that do not look into the working folder.

    It has no argument for that, so the environment variable is set meanwhile. The process that is
    started takes the path of its parent afterwards; it calls `forget_safe_path`.
    """
    with _VARIABLE_LOCK:
        os.environ.setdefault(SAFE_PATH, MARK)
        try:
            yield
        finally:
            forget_safe_path()


def forget_safe_path() -> None:
    """Remove the variable that `safe_path` has set, in the process that was started.

    Programs which that process starts are as usual then: ``python script.py`` would not find the
    modules beside the script otherwise.
    """
    if os.environ.get(SAFE_PATH) == MARK:
        del os.environ[SAFE_PATH]
