"""Files of numpy arrays, read within the size of the file.

A header of a hundred bytes can claim an array of any size, for which `numpy.load` takes the memory
before it reads on. Here every array has as many bytes as the file has for it. Nothing is unpacked,
and arrays of objects, which are pickles, are refused.
"""

from __future__ import annotations

import math
import struct
import zipfile
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from agentgym_gen.errors import DataError
from agentgym_gen.system.untrusted_files import ARRAY_ERRORS, check_file, read_error

MAX_BYTES = 2**36
"""The size above which a file of arrays is refused: 64 GB, more than any index that is kept."""


_ERRORS = (*ARRAY_ERRORS, TokenError, SyntaxError, RecursionError, RuntimeError, struct.error)
"""What numpy and zipfile raise for a damaged file: numpy reads a header as a literal of Python, and
zipfile raises plain errors for what is packed by a password or by a method that it lacks."""


def read_array(path: Path) -> NDArray[Any]:
    """Return the array in the file *path*, which `numpy.save` has written.

    Raises:
        DataError: if there is no such file, or it is damaged or no array.
    """
    try:
        check_file(path, max_bytes=MAX_BYTES)
        with path.open("rb") as file:
            return _read(file, path.stat().st_size)
    except _ERRORS as error:
        raise _error(path, error) from error


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays in the file *path*, which `numpy.savez` has written, by name.

    Raises:
        DataError: if there is no such file, or it is damaged or has no arrays.
    """
    try:
        check_file(path, max_bytes=MAX_BYTES)
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            sizes = sum(entry.file_size for entry in entries)
            if sizes > path.stat().st_size or any(entry.compress_type for entry in entries):
                raise ValueError("its arrays have more bytes than the file")
            return {
                entry.filename.removesuffix(".npy"): _read_entry(archive, entry)
                for entry in entries
            }
    except _ERRORS as error:
        raise _error(path, error) from error


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(entry) as file:
        return _read(file, entry.file_size)


def _error(path: Path, error: BaseException) -> DataError:
    return error if isinstance(error, DataError) else read_error(path, "", error)


def _read(file: IO[bytes], size: int) -> NDArray[Any]:
    """Return the array in *file*, which has *size* bytes.

    Raises:
        ValueError: if its header is no header, or claims another size.
    """
    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"its format {version} is not known")
    shape, is_fortran, dtype = readers[version](file)
    wanted = math.prod(shape) * dtype.itemsize
    if dtype.hasobject or min(shape, default=0) < 0 or wanted != size - file.tell():
        raise ValueError("its header does not fit the bytes behind it")
    raw = bytearray(wanted)
    view, start = memoryview(raw), 0
    while start < wanted:
        number = file.readinto(view[start : start + 2**20])  # type: ignore[attr-defined]
        if not number:
            raise ValueError("it ends in the middle")
        start += number
    if not dtype.itemsize:
        return np.empty(shape, dtype)
    return np.frombuffer(raw, dtype).reshape(shape, order="F" if is_fortran else "C")
