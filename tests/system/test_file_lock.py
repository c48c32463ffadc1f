"""Locks between processes: who holds them, and when they are released."""

import contextlib
import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from systems import needs
from windows_stand_in import FakeMsvcrt

from agentgym_gen.errors import DataError, ResultExistsError
from agentgym_gen.system import file_lock
from agentgym_gen.system.file_lock import is_locked, lock_file, lock_folder


def test_a_lock_names_its_holder_and_leaves_nothing(tmp_path: Path) -> None:
    """The folder is created, a second lock is refused, and after the block nothing is left."""
    folder = tmp_path / "new"
    with lock_folder(folder, "another one"):
        assert is_locked(folder)
        with (
            pytest.raises(ResultExistsError, match=rf"process {os.getpid()} on .*another one"),
            lock_folder(folder, "another one"),
        ):
            pass
        assert is_locked(folder)

    assert not is_locked(folder)
    assert list(folder.iterdir()) == []


def test_a_lock_that_is_removed_meanwhile_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder removes the file after we have opened it and before we lock it."""
    real_open, holder = file_lock._open, contextlib.ExitStack()

    def open_slowly(path: Path) -> int:
        handle = real_open(path)
        holder.close()
        return handle

    holder.enter_context(lock_folder(tmp_path, "another one"))
    monkeypatch.setattr(file_lock, "_open", open_slowly)
    with lock_file(tmp_path / ".lock"):
        assert is_locked(tmp_path)


@needs("POSIX", "flock")
def test_looking_at_a_lock_does_not_take_it(tmp_path: Path) -> None:
    """A run that begins while another process looks is not refused."""
    import fcntl

    (tmp_path / ".lock").touch()
    observer = os.open(tmp_path / ".lock", os.O_RDONLY)
    fcntl.flock(observer, fcntl.LOCK_SH)
    threading.Timer(file_lock.PAUSE_SECONDS / 2, os.close, [observer]).start()
    with lock_folder(tmp_path, "another one"):
        assert is_locked(tmp_path)


FORK = """
import os, signal, sys
from pathlib import Path
from agentgym_gen.system.file_lock import lock_folder
with lock_folder(Path(sys.argv[1]), "another one"):
    child = os.fork()
    if not child:
        os.close(1)
        signal.pause()
    print(child, flush=True)
    signal.pause()
"""


@needs("POSIX", "a fork")
def test_a_fork_does_not_hold_the_lock_of_its_parent(tmp_path: Path) -> None:
    """When the parent is killed, its lock is free, although the fork lives on."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", FORK, str(tmp_path)]
    parent = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    held = is_locked(tmp_path)
    parent.kill()
    parent.communicate()
    free = not is_locked(tmp_path)
    os.kill(child, 9)

    assert (held, free) == (True, True)


def test_a_disk_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of a disk without locks is not taken for a lock that is held."""

    def unsupported(_: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(file_lock, "_lock", unsupported)
    with pytest.raises(DataError, match="choose a folder on a disk that has locks") as caught:
        lock_folder(tmp_path, "another one").__enter__()

    assert not isinstance(caught.value, ResultExistsError)


@needs("Linux", "the locks of which the stand-in is made")
def test_windows_locks_a_byte_that_nobody_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The locked byte is outside the text, so that the name of the holder can be read."""
    monkeypatch.setattr(
        file_lock, "_lock", lambda handle, **_: file_lock._lock_on_windows(FakeMsvcrt(), handle)
    )
    with lock_folder(tmp_path, "another one"):
        assert is_locked(tmp_path)
        with (
            pytest.raises(ResultExistsError, match=rf"process {os.getpid()} on"),
            lock_folder(tmp_path, "another one"),
        ):
            pass

    assert not is_locked(tmp_path)
