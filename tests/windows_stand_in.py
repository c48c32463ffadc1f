"""A process that looks like Windows to the code of this repository, and to nobody else.

    python -m windows_stand_in modules               # imports every module of the package
    python -m windows_stand_in tests --collect-only  # the rest are arguments for pytest

The modules and names that Python has on POSIX alone are missing, `sys.platform` and `os.name` are
those of Windows, and `msvcrt` locks by the means of Linux. Installed packages, paths and processes
stay as they are: what is tried is our code, not Windows.
"""

from __future__ import annotations

import asyncio  # noqa: F401  (what is imported here sees the real modules)
import builtins
import errno
import importlib
import multiprocessing.resource_tracker  # noqa: F401
import os
import pkgutil
import struct
import subprocess  # noqa: F401
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

MISSING_MODULES = frozenset(
    [
        *("crypt", "curses", "fcntl", "grp", "nis", "posix", "pty", "pwd", "readline"),
        *("resource", "spwd", "syslog", "termios", "tty"),
    ]
)
"""The modules of the standard library that Windows has not."""

MISSING_NAMES = {
    "os": """
        O_ASYNC O_CLOEXEC O_DIRECT O_DIRECTORY O_DSYNC O_NDELAY O_NOATIME O_NOCTTY O_NOFOLLOW
        O_NONBLOCK O_PATH O_SYNC O_TMPFILE WCOREDUMP WEXITSTATUS WIFCONTINUED WIFEXITED WIFSIGNALED
        WIFSTOPPED WNOHANG WSTOPSIG WTERMSIG WUNTRACED chown chroot confstr ctermid fchdir fchmod
        fchown fdatasync fork forkpty fpathconf fstatvfs getegid geteuid getgid getgroups getloadavg
        getpgid getpgrp getpriority getsid getuid getxattr killpg lchown listxattr lockf makedev
        memfd_create mkfifo mknod nice openpty pathconf pipe2 posix_fadvise posix_fallocate
        posix_spawn pread preadv pwrite pwritev readv register_at_fork sched_getaffinity
        sched_setaffinity sched_yield sendfile setgid setpgid setpriority setsid setuid setxattr
        statvfs sync sysconf tcgetpgrp tcsetpgrp ttyname uname wait wait3 wait4 waitid writev
    """,
    "select": "epoll kqueue poll",
    "signal": """
        ITIMER_PROF ITIMER_REAL ITIMER_VIRTUAL SIGALRM SIGBUS SIGCHLD SIGCONT SIGHUP SIGIO SIGKILL
        SIGPIPE SIGPROF SIGQUIT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1 SIGUSR2 SIGVTALRM
        SIGWINCH SIGXCPU SIGXFSZ SIG_BLOCK SIG_SETMASK SIG_UNBLOCK alarm getitimer pause
        pthread_kill pthread_sigmask setitimer siginterrupt sigpending sigtimedwait sigwait
        sigwaitinfo
    """,
    "socket": "AF_UNIX SO_REUSEPORT MSG_DONTWAIT MSG_NOSIGNAL",
    "time": "clock_gettime clock_gettime_ns pthread_getcpuclockid tzset",
}
"""For each module, names that it has on POSIX alone, with spaces between them."""

REPLACED_NAMES: dict[str, dict[str, object]] = {
    "os": {"name": "nt", "O_BINARY": 0, "O_NOINHERIT": 0},
    "sys": {"platform": "win32"},
}
"""For each module, the values of Windows. (Python's own path classes look at the real ones.)"""


class StandIn(ModuleType):
    """A module of the standard library as Windows has it; the rest is passed on to the real one.

    Args:
        real: The module.
        missing: The names that it has not.
        replaced: The values of names that differ.
    """

    def __init__(
        self, real: ModuleType, missing: Sequence[str], replaced: Mapping[str, object]
    ) -> None:
        super().__init__(real.__name__)
        for name, value in replaced.items():
            super().__setattr__(name, value)
        vars(self).update(_real=real, _missing=frozenset(missing))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (anything that a module has)
        """Return what the real module has by that name, if Windows has it."""
        if name in vars(self)["_missing"]:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} on Windows")
        return getattr(vars(self)["_real"], name)

    def __setattr__(self, name: str, value: object) -> None:
        """Set it in the real module, where a test replaces a function."""
        setattr(vars(self)["_real"], name, value)

    def __delattr__(self, name: str) -> None:
        """Delete it in the real module."""
        delattr(vars(self)["_real"], name)


class FakeMsvcrt(ModuleType):
    """A stand-in for the module ``msvcrt``: it locks a byte of an open file, as Linux can."""

    LK_UNLCK, LK_NBLCK = 0, 2

    def __init__(self) -> None:
        super().__init__("msvcrt")

    @classmethod
    def locking(cls, handle: int, mode: int, length: int) -> None:
        """Lock or unlock *length* bytes from the current position of the file."""
        fcntl: Any = importlib.import_module("fcntl")  # which `import` would not find
        kinds = {cls.LK_UNLCK: fcntl.F_UNLCK, cls.LK_NBLCK: fcntl.F_WRLCK}
        place = os.lseek(handle, 0, os.SEEK_CUR)
        # struct flock: type, whence, start, length, pid
        request = struct.pack("hhqqi4x", kinds[mode], 0, place, length, 0)
        try:
            fcntl.fcntl(handle, fcntl.F_OFD_SETLK, request)
        except OSError as error:
            raise PermissionError(errno.EACCES, "Permission denied") from error


def install() -> None:
    """Let the modules of this repository that are imported from now on see Windows."""
    names = {*MISSING_NAMES, *REPLACED_NAMES}
    stand_ins = {
        name: StandIn(
            importlib.import_module(name),
            MISSING_NAMES.get(name, "").split(),
            REPLACED_NAMES.get(name, {}),
        )
        for name in names
    }
    real_import = builtins.__import__

    def import_as_on_windows(
        name: str,
        variables: Mapping[str, object] | None = None,
        local_variables: Mapping[str, object] | None = None,
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> ModuleType:
        if level == 0 and _is_ours(variables):
            top = name.partition(".")[0]
            if top in MISSING_MODULES:
                raise ModuleNotFoundError(f"No module named {name!r} on Windows", name=name)
            if name in stand_ins or (top in stand_ins and not fromlist):
                return stand_ins[top]
        return real_import(name, variables, local_variables, fromlist, level)

    builtins.__import__ = import_as_on_windows  # type: ignore[assignment]
    sys.modules["msvcrt"] = FakeMsvcrt()


def _is_ours(variables: Mapping[str, object] | None) -> bool:
    """Return whether the module with these *variables* is one of this repository."""
    file = str((variables or {}).get("__file__"))
    return file.startswith(f"{ROOT}{os.sep}") and "site-packages" not in file


def import_all() -> None:
    """Import every module of the package; print how many, and those that cannot be imported.

    An adapter whose package is not installed counts as imported.
    """
    import agentgym_gen

    count, errors = 0, []
    for module in pkgutil.walk_packages(agentgym_gen.__path__, "agentgym_gen."):
        if module.name.endswith("__main__"):
            continue
        try:
            importlib.import_module(module.name)
        except Exception as error:  # noqa: BLE001  (all are reported)
            if not isinstance(error, ImportError) or "pip install" not in str(error):
                errors.append(f"{module.name}: {type(error).__name__}: {error}")
        count += 1
    print(f"{count} modules", *errors, sep="\n")  # noqa: T201  (a program of its own)
    sys.exit(bool(errors))


if __name__ == "__main__":
    install()
    if sys.argv[1] == "modules":
        import_all()
    sys.exit(pytest.main(sys.argv[2:]))
