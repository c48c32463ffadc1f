"""A limit on the size of a file is no allocation: small files are read with little memory."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from systems import needs

from agentgym_gen.errors import DataError
from agentgym_gen.retrieval import BM25Index
from agentgym_gen.system.array_files import read_array, read_arrays
from agentgym_gen.system.child_process import ChildProcess
from agentgym_gen.system.untrusted_files import read_bytes, read_lines

Maker = Callable[[Path], object]


def save_index(path: Path) -> None:
    """Write the index of three texts."""
    BM25Index.build(["a red mug", "a blue mug", "a lamp"]).save(path)


def claim(path: Path) -> None:
    """Write an array of 8 bytes whose header claims 128 GB."""
    with path.open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (2**34,)}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(8))


@pytest.mark.parametrize(
    ("kind", "name", "make"),
    [
        ("bytes", "a", lambda path: path.write_bytes(b"x" * 3000)),
        ("text", "a.txt", lambda path: path.write_text("x" * 3000)),
        ("corpus", "c.jsonl", lambda path: path.write_text('{"title": "A", "text": "a"}\n' * 99)),
        ("corpus", "c.txt", lambda path: path.write_text("x " * 3000)),
        ("questions", "q.jsonl", lambda path: path.write_text('{"question":"a","answer":"b"}')),
        ("task list", "t.txt", lambda path: path.write_text("sokoban/easy/train/1\n")),
        ("index", "i.npz", save_index),
        ("array", "a.npy", lambda path: np.save(path, np.zeros(300))),
    ],
)
@needs("Linux", "a limit on the address space")
def test_a_small_file_is_read_with_little_memory(
    tmp_path: Path, kind: str, name: str, make: Maker
) -> None:
    """A process that may take 100 MB more than it has reads 3 KB, whatever the limit is."""
    make(tmp_path / name)

    assert read_in_child(kind, tmp_path / name) == "read"


@needs("Linux", "a limit on the address space")
@pytest.mark.parametrize("kind", ["bytes", "text", "corpus"])
def test_a_file_for_which_there_is_no_memory_is_named(tmp_path: Path, kind: str) -> None:
    """A file of 400 MB, below the limit on its size, is one sentence."""
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(400 * 2**20)

    answer = read_in_child(kind, path)
    assert answer.startswith("DataError: ")
    assert "large.txt" in answer


def read_in_child(kind: str, path: Path) -> str:
    """Read *path* in a process whose address space is limited, and return how that went."""
    child = ChildProcess("limited_reader", timeout=60)
    try:
        return str(child.ask({"kind": kind, "path": str(path)}))
    finally:
        child.close()


def test_a_header_that_claims_more_than_the_file_is_refused(tmp_path: Path) -> None:
    """Neither as a file of its own nor in an archive is memory taken for it."""
    claim(tmp_path / "a.npy")
    with pytest.raises(DataError, match=r"a.npy: its header does not fit the bytes behind it"):
        read_array(tmp_path / "a.npy")

    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.write(tmp_path / "a.npy", "x.npy")
    with pytest.raises(DataError, match=r"b.npz: its header does not fit"):
        read_arrays(tmp_path / "b.npz")


def test_a_packed_archive_of_arrays_is_refused(tmp_path: Path) -> None:
    """`numpy.savez` packs nothing; a packed entry may be a thousand times as large as the file."""
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(10**6))
    with pytest.raises(DataError, match="more bytes than the file"):
        read_arrays(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array(["a", "bcd"]),
        np.array(7),
        np.zeros((0, 2), np.float32),
        np.zeros(2, ">i2"),
    ],
)
def test_arrays_are_read_as_by_numpy(tmp_path: Path, array: np.ndarray) -> None:
    """In both kinds of files, with shape, type and values."""
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", x=array, y=array)
    copies = [read_array(tmp_path / "a.npy"), *read_arrays(tmp_path / "a.npz").values()]

    assert len(copies) == 3
    for copy in copies:
        assert (copy.dtype, copy.shape) == (array.dtype, array.shape)
        assert np.array_equal(copy, array)


def test_arrays_of_objects_are_refused(tmp_path: Path) -> None:
    """They are pickles."""
    np.save(tmp_path / "a.npy", np.array([{}], object))
    with pytest.raises(DataError, match=r"a.npy"):
        read_array(tmp_path / "a.npy")


def test_lines_are_those_of_the_whole_text(tmp_path: Path) -> None:
    """Marks of Windows and blank lines are left out, and numbers count every line."""
    path = tmp_path / "a"
    path.write_bytes("\ufeffone\r\n\n \ntw\u2028o\n\rthree".encode())

    assert list(read_lines(path)) == [(1, "one"), (4, "tw\u2028o"), (5, "\rthree")]


def test_a_file_that_grows_is_read_up_to_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is added between the look at its size and its end is read, too, within the limit."""
    path = tmp_path / "a"
    path.write_bytes(b"x")
    real_fstat = os.fstat

    def grow(handle: int) -> object:
        status = real_fstat(handle)
        with path.open("ab") as file:
            file.write(b"y" * 10)
        return status

    monkeypatch.setattr("os.fstat", grow)
    assert read_bytes(path) == b"x" + b"y" * 20
    with pytest.raises(DataError, match="more than 30 bytes"):
        read_bytes(path, max_bytes=30)
