"""Signals that ask a program to end: it unwinds, lets go of what it holds, and says one sentence.

The command line is the only user. A library that changed how signals act would surprise the program
that imports it, and needs no such thing: what it writes is whole or not there.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Ctrl-C, the wish of a scheduler, and a terminal that was closed."""


class Stopped(KeyboardInterrupt):
    """A signal that asks to end.

    Args:
        number: Which one.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number
        """The exit code by which shells tell of it."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Let each of `SIGNALS` raise `Stopped`, once: the next one ends the process on the spot.

    One that is ignored, as by ``nohup``, stays so. Only a main thread can be told of signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    heeded = [number for number in SIGNALS if before[number] is not signal.SIG_IGN]
    try:
        for number in heeded:
            signal.signal(number, _stop)
        yield
    finally:
        for number in heeded:
            with suppress(TypeError):  # a handler that was not set from Python
                signal.signal(number, before[number])


def _stop(number: int, _: FrameType | None) -> NoReturn:
    for each in SIGNALS:
        if signal.getsignal(each) is _stop:
            signal.signal(each, signal.SIG_DFL)
    raise Stopped(number)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put `SIGNALS` off until the block has ended; a process started in it begins deaf to them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_to_parent() -> None:
    """Let the parent, which hears Ctrl-C as well, decide what this process makes of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
