"""Files that are either whole or not there."""

from pathlib import Path

import pytest

from agentgym_gen.errors import DataError
from agentgym_gen.files import write_json, write_jsonl, write_text


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    """No scratch file stays, folders are made, and everybody may read the file."""
    path = tmp_path / "new" / "a.json"
    write_json(path, {"é": 1})
    write_text(path, "second")

    assert path.read_text() == "second"
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_rows_are_lines(tmp_path: Path) -> None:
    """One JSON object each."""
    write_jsonl(tmp_path / "a.jsonl", [{"a": "é\n"}, {"b": 2}])

    assert (tmp_path / "a.jsonl").read_text(encoding="utf-8") == '{"a": "é\\n"}\n{"b": 2}\n'


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """A text that cannot be encoded changes nothing and leaves no scratch file."""
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With the reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"Cannot write .*file/x"):
        write_text(tmp_path / "file" / "x", "")
