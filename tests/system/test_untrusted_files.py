"""Untrusted files are read within bounds, and every fault is an error that names the file."""

import gzip
import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from systems import needs

from agentgym_gen.errors import DataError
from agentgym_gen.system.untrusted_files import (
    MEGABYTE,
    gunzip,
    numbered_lines,
    parse_json,
    read_bytes,
    read_text,
)

Maker = Callable[[Path], object]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "No such file"),
        (Path.mkdir, "it is a folder, not a file"),
        pytest.param(
            lambda path: os.mkfifo(path),
            "it is a pipe or a device, not a file",
            marks=needs("POSIX", "named pipes"),
        ),
        pytest.param(
            lambda path: path.symlink_to("/dev/zero"),
            "it is a pipe or a device, not a file",
            marks=needs("POSIX", "/dev/zero"),
        ),
        (lambda path: path.symlink_to(path), "[Ss]ymbolic link"),
        (lambda path: path.write_bytes(b"caf\xe9"), "it is not UTF-8"),
        (lambda path: path.write_bytes(b"x" * 11), "it has 11 bytes, and 10 are read"),
    ],
)
def test_what_is_no_text_file_is_named(tmp_path: Path, make: Maker, reason: str) -> None:
    """The reader does not wait for a pipe, and does not read a device without an end."""
    path = tmp_path / "words.txt"
    make(path)

    with pytest.raises(DataError, match=f"Words '.*words.txt' cannot be read: .*{reason}"):
        read_text(path, "Words", 10)


def test_a_name_with_a_nul_is_no_file() -> None:
    """No file can have such a name, and the error says so."""
    with pytest.raises(DataError, match="null"):
        read_text(Path("a\0b"))


def test_a_file_that_claims_a_terabyte_is_not_read(tmp_path: Path) -> None:
    """A sparse file is refused by its size."""
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(2**40)

    with pytest.raises(DataError, match="1,099,511,627,776 bytes"):
        read_bytes(path)


@needs("Linux", "/proc")
def test_a_file_that_reports_no_size_is_bounded() -> None:
    """Files in /proc report 0 bytes and hold more; they are read up to the limit."""
    with pytest.raises(DataError, match="more than 10 bytes"):
        read_bytes(Path("/proc/self/maps"), max_bytes=10)


def test_a_byte_order_mark_and_crlf_are_no_text(tmp_path: Path) -> None:
    """What editors on Windows add is left out."""
    path = tmp_path / "words.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")

    assert read_text(path) == "one\ntwo\n"


def test_only_a_line_feed_ends_a_line() -> None:
    """A Unicode line separator is a part of a line; blank lines count in the line numbers."""
    text = '{"x": "a\u2028b\u0085c\x0bd"}\n\n  \n2'

    assert list(numbered_lines(text)) == [(1, '{"x": "a\u2028b\u0085c\x0bd"}'), (4, "2")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("[1", "delimiter"),
        ("[1] 2", "Extra data"),
        ("[" * 200_000, "nested too deeply"),
        ('{"a": ' * 200_000, "nested too deeply"),
        ("9" * 5000, "digits"),
        ("[NaN]", "NaN is no number of JSON"),
        ("-Infinity", "-Infinity is no number of JSON"),
        ('{"a": 1, "b": 2, "a": 3}', "the key 'a' stands twice in one object"),
        ('["\\ud83d"]', "half a letter"),
        ('{"\\uDEAD": 1}', "half a letter"),
    ],
)
def test_bad_json_is_refused(text: str, reason: str) -> None:
    """The error names the place and the reason."""
    with pytest.raises(DataError, match=f"Bad JSON in line 3 of x: .*{reason}"):
        parse_json(text, "line 3 of x")


def test_a_surrogate_pair_is_one_letter() -> None:
    """JSON in ASCII spells a letter beyond the basic plane as two escapes."""
    assert parse_json('"\\ud83d\\ude00"', "x") == "\U0001f600"


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.floats(allow_nan=False, width=32).filter(lambda number: abs(number) < 1e30),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_json_is_read_as_by_python(value: object) -> None:
    """Any value that Python writes as JSON is read as Python reads it."""
    text = json.dumps(value)

    assert parse_json(text, "x") == json.loads(text)


@pytest.mark.parametrize("text", [b"", b"one", b"one\ntwo" * 10_000])
def test_gzip_is_read_as_by_python(text: bytes) -> None:
    """A file of one member and one of two are unpacked as by the gzip module."""
    packed = gzip.compress(text)

    assert gunzip(packed, Path("x.gz")) == text
    assert gunzip(packed + packed, Path("x.gz")) == text + text


def test_a_gzip_bomb_is_not_unpacked() -> None:
    """A gigabyte packed in a megabyte takes little more memory than the limit."""
    packed = gzip.compress(bytes(2**20)) * 1024
    tracemalloc.start()
    with pytest.raises(DataError, match=r"x.gz: it holds more than 1,048,576 bytes"):
        gunzip(packed, Path("x.gz"), MEGABYTE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 8 * MEGABYTE


@given(st.data())
def test_damaged_gzip_is_read_or_refused(data: st.DataObject) -> None:
    """A file that is cut anywhere, or has a byte changed, is read or refused with its name."""
    packed = bytearray(gzip.compress(b"one two three " * 20))
    place = data.draw(st.integers(0, len(packed) - 1))
    if data.draw(st.booleans()):
        del packed[place:]
    else:
        packed[place] ^= data.draw(st.integers(1, 255))
    try:
        gunzip(bytes(packed), Path("x.gz"))
    except DataError as error:
        assert "Cannot read x.gz: " in str(error)  # noqa: PT017  (some damage does not show)
