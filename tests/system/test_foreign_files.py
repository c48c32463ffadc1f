"""Files of others stay as they are: links, pipes, and files that are called like ours."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from systems import needs

from agentgym_gen.errors import DataError
from agentgym_gen.system.file_lock import is_locked, lock_file, lock_folder
from agentgym_gen.system.files import (
    TEMPORARY_ENDING,
    append_text,
    atomic_write,
    remove_temporary_files,
    write_text,
)

Maker = Callable[[Path], object]

VICTIM = "the work of somebody else\n"


def link(path: Path) -> None:
    """Make *path* a link to a file beside it."""
    (path.parent / "victim").write_text(VICTIM)
    path.symlink_to("victim")


def pipe(path: Path) -> None:
    """Make *path* a named pipe."""
    os.mkfifo(path)


def hard_link(path: Path) -> None:
    """Make *path* a second name of a lock-like file."""
    (path.parent / "victim").write_text("process 1\n")
    path.hardlink_to(path.parent / "victim")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (link, "it is a link, which is not followed"),
        (lambda path: path.symlink_to("nowhere"), "it is a link, which is not followed"),
        (hard_link, "it is a file of another program"),
        pytest.param(pipe, "it is no ordinary file", marks=needs("POSIX", "named pipes")),
        (lambda path: path.write_text(VICTIM), "it is a file of another program"),
        pytest.param(
            Path.mkdir, "Is a directory", marks=needs("POSIX", "this sentence of the system")
        ),
    ],
)
def test_what_is_no_lock_is_refused_and_stays(tmp_path: Path, make: Maker, reason: str) -> None:
    """Nothing is written through a link, nobody waits for a pipe, and nothing is removed."""
    make(tmp_path / ".lock")
    before = {path.name: path.lstat().st_ino for path in tmp_path.iterdir()}
    with pytest.raises(DataError, match=rf"\.lock: .*{reason}"):
        lock_folder(tmp_path, "another one").__enter__()

    assert not is_locked(tmp_path)
    assert {path.name: path.lstat().st_ino for path in tmp_path.iterdir()} == before
    victim = tmp_path / "victim"
    assert not victim.exists() or victim.read_text() in (VICTIM, "process 1\n")


@needs("POSIX", "named pipes")
def test_a_pipe_that_replaces_a_lock_holds_nobody_up(tmp_path: Path) -> None:
    """The name of the holder is read from a file only."""
    with lock_folder(tmp_path, "another one"):
        (tmp_path / ".lock").unlink()
        os.mkfifo(tmp_path / ".lock")
        with pytest.raises(DataError, match="no ordinary file"):
            lock_folder(tmp_path, "another one").__enter__()


def test_a_lock_of_a_killed_process_is_taken(tmp_path: Path) -> None:
    """Its text is that of a lock, and nobody holds it."""
    (tmp_path / ".lock").write_text("process 1 on elsewhere\n")
    with lock_folder(tmp_path, "another one"):
        assert is_locked(tmp_path)


@needs("POSIX", "folders that can be deleted while a file in them is open")
@pytest.mark.parametrize("replaced", [False, True])
def test_a_lock_whose_folder_is_deleted_says_so(tmp_path: Path, replaced: bool) -> None:
    """Deleted, or deleted and made again by another run."""
    folder = tmp_path / "run"
    with lock_folder(folder, "another one") as lock:
        lock.check()
        (folder / ".lock").unlink()
        folder.rmdir()
        if replaced:
            folder.mkdir()
            (folder / ".lock").touch()
        with pytest.raises(DataError, match="run was deleted or replaced while this run wrote"):
            lock.check()


def test_only_our_half_written_files_are_removed(tmp_path: Path) -> None:
    """Not those of others, whatever they are called, and no folder or link."""
    ours = tmp_path / f".a.json.0123456789ab{TEMPORARY_ENDING}"
    other = tmp_path / f".b.json.0123456789ab{TEMPORARY_ENDING}"
    foreign = ["film.part", ".film.part", f"x{TEMPORARY_ENDING}", f".x.1{TEMPORARY_ENDING}"]
    for path in (ours, other, *(tmp_path / name for name in foreign)):
        path.touch()
    (tmp_path / f".c.0123456789ab{TEMPORARY_ENDING}").mkdir()
    (tmp_path / f".d.0123456789ab{TEMPORARY_ENDING}").symlink_to("film.part")
    remove_temporary_files(list(tmp_path.iterdir()), "a.json")
    assert (ours.exists(), other.exists()) == (False, True)

    remove_temporary_files(list(tmp_path.iterdir()))
    assert not other.exists()
    assert len(list(tmp_path.iterdir())) == len(foreign) + 2


@needs("POSIX", "modes for owner, group and others")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_decides_who_may_read(tmp_path: Path, umask: int, mode: int) -> None:
    """As for every file that the user makes; the mode of a file that is replaced does not count."""
    before = os.umask(umask)
    try:
        write_text(tmp_path / "a", "x")
        append_text(tmp_path / "b", "x")
        with lock_file(tmp_path / "c"):
            modes = [path.stat().st_mode & 0o777 for path in sorted(tmp_path.iterdir())]
    finally:
        os.umask(before)

    assert modes == [mode] * 3


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """A file that is written as a whole takes the place of a link."""
    link(tmp_path / "a")
    write_text(tmp_path / "a", "new")

    assert (tmp_path / "victim").read_text() == VICTIM
    assert not (tmp_path / "a").is_symlink()


@pytest.mark.parametrize("make", [link, pytest.param(pipe, marks=needs("POSIX", "named pipes"))])
def test_nothing_is_appended_to_what_is_no_file(tmp_path: Path, make: Maker) -> None:
    """Neither through a link nor to a pipe, whose reader would be waited for."""
    make(tmp_path / "log")
    with pytest.raises(OSError, match=r"link|No such device|ordinary"):
        append_text(tmp_path / "log", "x")

    assert not (tmp_path / "victim").exists() or (tmp_path / "victim").read_text() == VICTIM


def test_threads_write_one_file_at_once(tmp_path: Path) -> None:
    """Each has a half-written file of its own, and the last one stays."""
    texts = [str(number) * 1000 for number in range(8)]
    threads = [threading.Thread(target=write_text, args=(tmp_path / "a", text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (tmp_path / "a").read_text() in texts
    assert len(list(tmp_path.iterdir())) == 1


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    """Also when the interrupt comes while the file is written."""
    with pytest.raises(KeyboardInterrupt), atomic_write(tmp_path / "a"):
        raise KeyboardInterrupt

    assert list(tmp_path.iterdir()) == []
