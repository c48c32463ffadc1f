"""Atomic writes, and the cache folder."""

from pathlib import Path

import pytest

from agentgym_gen.errors import DataError
from agentgym_gen.system.files import (
    atomic_path,
    atomic_write,
    cache_folder,
    is_temporary,
    write_json,
    write_jsonl,
    write_text,
)


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    """No temporary file stays, folders are created, and everybody may read the file."""
    path = tmp_path / "new" / "a.json"
    write_json(path, {"é": 1})
    write_text(path, "second")

    assert path.read_text() == "second"
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_rows_are_lines(tmp_path: Path) -> None:
    """Each row is one line with a JSON object."""
    write_jsonl(tmp_path / "a.jsonl", [{"a": "é\n"}, {"b": 2}])

    assert (tmp_path / "a.jsonl").read_text(encoding="utf-8") == '{"a": "é\\n"}\n{"b": 2}\n'


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """A text that cannot be encoded changes nothing and leaves no temporary file."""
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_of_what_is_written_keeps_its_sentence(tmp_path: Path) -> None:
    """That the source of the text cannot be read does not become that the file cannot be."""
    with pytest.raises(DataError, match=r"^No folder$"), atomic_write(tmp_path / "a"):
        raise DataError("No folder")

    assert not list(tmp_path.iterdir())


def test_a_file_of_another_program_is_replaced_in_one_step(tmp_path: Path) -> None:
    """It has another name meanwhile; after an error, or without a file, the old one is there."""
    path = tmp_path / "new" / "a.bin"
    with atomic_path(path) as draft:
        draft.write_text("first")
        assert is_temporary(draft, "a.bin")
        assert not path.exists()
    with pytest.raises(UnicodeEncodeError), atomic_path(path) as draft:
        draft.write_text("second \ud800")
    with pytest.raises(DataError, match=r"Cannot write .*a\.bin"), atomic_path(path):
        pass

    assert path.read_text() == "first"
    assert list(path.parent.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error names the path that cannot be written."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"Cannot write .*file/x"):
        write_text(tmp_path / "file" / "x", "")


def test_the_cache_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is chosen by our own variable, else by the desktop's, else it is the usual one."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    monkeypatch.setenv("AGENTGYM_GEN_CACHE", "/mine")
    assert cache_folder() == Path("/mine")

    monkeypatch.delenv("AGENTGYM_GEN_CACHE")
    assert cache_folder() == Path("/somewhere/agentgym_gen")

    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "agentgym_gen"
