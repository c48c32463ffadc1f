"""Stop signals, turned into an exception so that locks and files are released on the way out.

The command line turns on `raise_on_stop_signals`; the library never does by itself, because that
would change the program that imports it. It has no need to: its files are written atomically.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""The signals that ask a program to end: Ctrl-C, a scheduler's SIGTERM, a closed terminal."""


class StopSignal(KeyboardInterrupt):
    """One of `STOP_SIGNALS` has arrived.

    Args:
        number: The number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number
        """The exit code by which shells report it."""


@contextmanager
def raise_on_stop_signals() -> Iterator[None]:
    """Let the first of `STOP_SIGNALS` raise `StopSignal`; the second ends the process at once.

    A signal that is ignored, as under ``nohup``, stays ignored. In a thread other than the main one
    nothing changes, because Python handles signals in the main thread only.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    handled = [number for number in STOP_SIGNALS if before[number] is not signal.SIG_IGN]
    try:
        for number in handled:
            signal.signal(number, _stop)
        yield
    finally:
        for number in handled:
            with suppress(TypeError):  # the handler before was not set from Python
                signal.signal(number, before[number])


def _stop(number: int, _: FrameType | None) -> NoReturn:
    for each in STOP_SIGNALS:
        if signal.getsignal(each) is _stop:
            signal.signal(each, signal.SIG_DFL)
    raise StopSignal(number)


@contextmanager
def block_signals() -> Iterator[None]:
    """Delay `STOP_SIGNALS` until the block has ended; a process started in it has them blocked."""
    if sys.platform == "win32":  # where signals cannot be blocked
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore_interrupts() -> None:
    """Ignore Ctrl-C in a child process, and unblock the others: the parent gets Ctrl-C as well.

    The parent decides then whether this process ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
