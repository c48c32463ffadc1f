"""Damaged files of every kind are read or refused, and the fuzzer sees when they are not."""

import json
from pathlib import Path

import numpy as np
import pytest
from systems import needs

from agentgym_gen.errors import DataError
from agentgym_gen.seeding import stream
from agentgym_gen.system.untrusted_files import read_text
from tools import file_fuzz
from tools.file_fuzz import BrokenFilePromiseError, bounded, damaged, fuzz_files
from tools.file_kinds import FileKind, data_kinds, study_kinds

KINDS = [*study_kinds(), *data_kinds()]

linux_only = needs("Linux", "such bounds on time and memory")


@linux_only
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_damaged_files_are_read_or_refused(kind: FileKind) -> None:
    """Within bounded time and memory, and with errors of the library only."""
    with bounded():
        tally = fuzz_files(kind, 8 if kind.is_slow else 25)

    assert tally.files in (8, 25)


@linux_only
def test_damaged_checkpoints_are_read_or_refused() -> None:
    """Every file of a checkpoint, to go on from or as a model."""
    pytest.importorskip("torch")
    from tools.checkpoint_kinds import checkpoint_kinds

    kinds = checkpoint_kinds()
    with bounded():
        assert [fuzz_files(kind, 12).files for kind in kinds] == [12] * 7


def a_kind(read: object) -> FileKind:
    """Return a kind of JSON files that *read* reads."""
    return FileKind("sample", "a.json", b'{"x": [1, 2]}', read)  # type: ignore[arg-type]


@linux_only
def test_an_error_of_python_breaks_the_promise() -> None:
    """A KeyError that no reader catches is found, with the number of the file."""

    def read(folder: Path) -> object:
        value = json.loads(read_text(folder / "a.json"))
        return value["x"]

    with bounded(), pytest.raises(BrokenFilePromiseError, match="only errors of the library"):
        fuzz_files(a_kind(read), 200)


@linux_only
def test_a_reader_that_does_not_end_breaks_the_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stopped after some processor time."""
    monkeypatch.setattr(file_fuzz, "MAX_SECONDS", 0.05)

    def read(folder: Path) -> object:
        while folder.name != "sound":
            pass
        return folder

    with bounded(), pytest.raises(BrokenFilePromiseError, match="processor time"):
        fuzz_files(a_kind(read), 1)


@linux_only
def test_a_reader_that_takes_much_memory_breaks_the_promise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More than its bound of address space is not there."""
    monkeypatch.setattr(file_fuzz, "MAX_BYTES", 2**27)

    def read(folder: Path) -> object:
        return folder if folder.name == "sound" else bytes(2**28)

    with bounded(), pytest.raises(BrokenFilePromiseError, match="MemoryError"):
        fuzz_files(a_kind(read), 1)


def test_an_error_of_the_library_keeps_the_promise() -> None:
    """It counts as refused, and the sound file has to be read."""

    def read(folder: Path) -> object:
        if folder.name != "sound":
            raise DataError("It is damaged")
        return folder

    assert fuzz_files(a_kind(read), 5).read == 0


def test_the_same_files_are_made_each_time() -> None:
    """A broken promise can be looked at again; the faults are of many sorts."""
    content = b'{"x": [1, 2], "y": {"z": "text"}}'
    first, second = ([damaged(content, rng) for _ in range(200)] for rng in two_streams())

    assert first == second
    assert len(set(first)) > 150
    assert any(len(raw) < len(content) // 2 for raw in first)


def two_streams() -> list[np.random.Generator]:
    """Return two equal random streams."""
    return [stream("fuzz files", "test") for _ in range(2)]
