"""How much of the machine there is for this process: processors, their name, memory, and peers."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from agentgym_gen.errors import InvalidValueError

CGROUP = Path("/sys/fs/cgroup")
"""Where Linux says what a container may use."""


@dataclass(frozen=True)
class Launched:
    """The processes that ``torchrun`` or ``accelerate launch`` has started together."""

    size: int
    """How many there are; 1 where nothing has started several."""
    rank: int
    """The number of this one, from 0."""

    @property
    def is_main(self) -> bool:
        """Whether this process prints, and writes files."""
        return self.rank == 0


def launched_processes() -> Launched:
    """Return the processes of which this is one, as their launcher names them.

    Raises:
        InvalidValueError: if what it names is no number.
    """
    size = _launched("WORLD_SIZE", 1)
    return Launched(size, _launched("RANK", 0) if size > 1 else 0)


def _launched(variable: str, default: int) -> int:
    text = os.environ.get(variable, "")
    if text and not (text.isascii() and text.isdigit()):
        raise InvalidValueError(
            f"The environment variable {variable!r}, which torchrun sets, is a whole number, not "
            f"{text!r}; set it so, or unset it"
        )
    return int(text or default)


def usable_processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_name() -> str:
    """Return the name of the processor, as results record it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def free_memory() -> int | None:
    """Return how many bytes this process may still take, or None where the system does not say.

    What is less of two: what the machine has free, and what a container may still use.
    """
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    sizes = [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")]
    limit = _number(CGROUP / "memory.max")
    if limit is not None:
        sizes.append(max(0, limit - _anonymous_memory()))
    return min(sizes, default=None)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _anonymous_memory() -> int:
    """Return how many bytes the container has in use that are no files, which could be dropped."""
    try:
        lines = (CGROUP / "memory.stat").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("anon "))
