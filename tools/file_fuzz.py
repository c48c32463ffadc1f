"""Damaged files of every kind that the library reads: it reads them, or raises one of its errors.

    python -m tools.fuzz --files 10000                       # a tenth of it of the slow kinds
    python -m tools.fuzz --files 10000 --only checkpoint     # needs torch

Bytes are changed, removed, inserted and moved; values of JSON are replaced, removed, renamed and
nested. The first promise that a file breaks is printed with its kind and number: an error that is
not the library's, more than `MAX_SECONDS` of processor time, or more memory than `MAX_BYTES`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agentgym_gen.errors import AgentGymGenError
from agentgym_gen.seeding import stream
from tools.file_kinds import FileKind

MAX_SECONDS = 10.0
"""The most processor time of one file."""

MAX_BYTES = 2**30
"""How much more address space than at its start the process may take."""

SLOW_SHARE = 10
"""Of a kind that takes long to read, this share of the files is made."""

SCRAPS = (
    *(b"(", b'"', b"{", b"}", b"[", b"]", b"\\", b"\n", b",", b":", b"=", b"\x00", b"\xff"),
    *(b"null", b"true", b"-1", b"1e999", b"NaN", b"9" * 30, b"9" * 5000, b"[" * 9999, b" " * 9999),
    *(b"\\ud800", "\u2028".encode(), b"../../x", b"PK\x03\x04", b"\x1f\x8b\x08"),
)
"""What is put into a file."""

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 7, 2**31, 2**70, -(2**70), 0.5, -0.0, 1e308),
    *(float("nan"), float("inf"), "", "x", "x" * 9999, "../../x", "\ud800", "\x00", "9" * 400),
    *([], [[]], [5], ["x"], {}, {"x": {}}, [None] * 99),
)
"""What takes the place of a value."""


class FileTally(NamedTuple):
    """The files of one kind, in figures."""

    kind: str
    files: int
    read: int
    slowest_ms: float
    slowest: int


class BrokenFilePromiseError(AssertionError):
    """A file has broken a promise that holds for every file."""


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Return *content* with one to four faults."""
    for _ in range(int(rng.integers(1, 5))):
        is_structural = rng.random() < 0.5
        new = _with_other_value(content, rng) if is_structural else None
        content = _with_other_bytes(content, rng) if new is None else new
    return content


def _with_other_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    start, other = (int(rng.integers(len(content) + 1)) for _ in range(2))
    end = min(len(content), start + int(rng.geometric(0.05)))
    match int(rng.integers(6)):
        case 0:
            return content[:start]
        case 1:
            return content[:start] + content[end:]
        case 2:
            return content[:start] + SCRAPS[int(rng.integers(len(SCRAPS)))] + content[start:]
        case 3:
            return content[:start] + SCRAPS[int(rng.integers(len(SCRAPS)))] + content[end:]
        case 4:
            return content[:start] + rng.bytes(end - start) + content[end:]
        case _:
            return content[:other] + content[start:end] + content[other:]


def _with_other_value(content: bytes, rng: np.random.Generator) -> bytes | None:
    """Return *content*, JSON or lines of it, with one value or key changed; None if it is none."""
    lines = content.split(b"\n")
    number = int(rng.integers(len(lines)))
    for raw, before, after in (
        (content, b"", b""),
        (lines[number], _join(lines[:number], b"", b"\n"), _join(lines[number + 1 :], b"\n", b"")),
    ):
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            continue
        with contextlib.suppress(RecursionError, ValueError):
            places = list(_places(value))
            value = _changed(value, places[int(rng.integers(len(places)))], rng)
            return before + json.dumps(value).encode("utf-8", "surrogatepass") + after
    return None


def _join(lines: Sequence[bytes], start: bytes, end: bytes) -> bytes:
    return start + b"\n".join(lines) + end if lines else b""


def _places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of keys to every value in *value*."""
    yield path
    pairs: Iterable[tuple[Any, object]] = value.items() if isinstance(value, dict) else ()
    for key, inner in enumerate(value) if isinstance(value, list) else pairs:
        yield from _places(inner, (*path, key))


def _changed(value: Any, path: tuple[Any, ...], rng: np.random.Generator) -> Any:  # noqa: ANN401
    """Return *value* with what is at *path* replaced, removed, renamed, nested or doubled."""
    if not path:
        return VALUES[int(rng.integers(len(VALUES)))]
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    key, action = path[-1], int(rng.integers(6))
    if action == 0:
        del holder[key]
    elif action == 1:
        holder[key] = [holder[key]]
    elif action == 2 and isinstance(holder, dict):
        holder[f"{key}x"] = holder.pop(key)
    elif action == 2:
        holder.append(holder[key])
    else:
        holder[key] = VALUES[int(rng.integers(len(VALUES)))]
    return value


def fuzz_files(kind: FileKind, number: int) -> FileTally:
    """Damage the file of *kind* in so many ways, and return the figures.

    Raises:
        BrokenFilePromiseError: if a file breaks a promise.
    """
    rng = stream("fuzz files", kind.name)
    sound, slowest, slowest_number = 0, 0.0, 0
    with tempfile.TemporaryDirectory() as base:
        kind.read(_write(kind, Path(base) / "sound", kind.content))
        for count in range(number):
            content = damaged(kind.content, rng)
            folder = _write(kind, Path(base) / str(count), content)
            started = time.process_time()
            sound += _is_read(kind, folder, f"{kind.name}, file {count}")
            spent = time.process_time() - started
            if spent > slowest:
                slowest, slowest_number = spent, count
            shutil.rmtree(folder)
    return FileTally(kind.name, number, sound, 1000 * slowest, slowest_number)


def _write(kind: FileKind, folder: Path, content: bytes) -> Path:
    """Write the file and those beside it into *folder*, a new one: readers keep what they read."""
    for name, raw in {**kind.beside, kind.path: content}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    return folder


def _is_read(kind: FileKind, folder: Path, where: str) -> bool:
    """Read the file; return whether that went without an error.

    Raises:
        BrokenFilePromiseError: if it raises what is no error of the library, or takes too long.
    """
    signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
    try:
        kind.read(folder)
    except AgentGymGenError as error:
        if not str(error):
            raise BrokenFilePromiseError(
                f"Not kept: an error says what is wrong ({where})"
            ) from error
        return False
    except Exception as error:
        target = Path(tempfile.gettempdir()) / "file_fuzz.broken"
        shutil.copy(folder / kind.path, target)
        raise BrokenFilePromiseError(
            f"Not kept: only errors of the library ({where}, kept as {target}): {error!r:.300}"
        ) from error
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return True


def _stop(_: int, __: object) -> None:
    raise TimeoutError(f"more than {MAX_SECONDS:g} s of processor time")


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Bound the time of each file and the memory of this process, and let caches be temporary."""
    import resource  # here, so that Windows can import the rest

    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[0])
    handler = signal.signal(signal.SIGPROF, _stop)
    cache = os.environ.get("AGENTGYM_GEN_CACHE")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.environ["AGENTGYM_GEN_CACHE"] = folder
        resource.setrlimit(
            resource.RLIMIT_AS, (pages * resource.getpagesize() + MAX_BYTES, before[1])
        )
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)
            signal.signal(signal.SIGPROF, handler)
            if cache is None:
                del os.environ["AGENTGYM_GEN_CACHE"]
            else:
                os.environ["AGENTGYM_GEN_CACHE"] = cache


def fuzz_all_files(number: int, only: str) -> None:
    """Fuzz every kind whose name contains *only*, and print the table."""
    from tools.file_kinds import data_kinds, study_kinds

    kinds = [*study_kinds(), *data_kinds()]
    if "checkpoint" in only:
        from tools.checkpoint_kinds import checkpoint_kinds

        kinds += checkpoint_kinds()
    print("| kind | files | read | slowest, ms |\n| --- | ---: | ---: | ---: |")
    broken = []
    with bounded():
        for kind in (kind for kind in kinds if only in kind.name):
            try:
                tally = fuzz_files(kind, number // SLOW_SHARE if kind.is_slow else number)
            except BrokenFilePromiseError as error:
                broken.append(str(error))
                continue
            print(
                f"| {kind.name} | {tally.files:,} | {tally.read:,} | {tally.slowest_ms:.0f} |",
                flush=True,
            )
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nThe process took {peak:.0f} MB of memory at most.")
    if broken:
        raise SystemExit("\n".join(broken))
