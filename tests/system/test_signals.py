"""The command line turns stop signals into an exception, and leaves ignored ones ignored."""

import signal
import subprocess
import sys

import pytest
from systems import needs

from agentgym_gen.system.signals import STOP_SIGNALS, StopSignal, raise_on_stop_signals

PROGRAM = """
import os, signal, sys
from agentgym_gen.system.signals import StopSignal, raise_on_stop_signals
number = int(sys.argv[1])
signal.signal(number, signal.SIG_IGN if sys.argv[2] == "ignored" else signal.SIG_DFL)
with raise_on_stop_signals():
    try:
        os.kill(os.getpid(), number)
        print("went on")
    except StopSignal as stop:
        print("stopped", stop.code)
"""


def last_words(number: int, state: str) -> str:
    """Return what a program prints that sends itself a signal."""
    command = [sys.executable, "-c", PROGRAM, str(int(number)), state]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


@needs("POSIX", "signals that a process sends")
@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_an_ignored_signal_stays_ignored(number: int) -> None:
    """A program under ``nohup``, or in the background of a script, goes on."""
    assert last_words(number, "ignored") == "went on"


@needs("POSIX", "signals that a process sends")
@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_stops_the_program_with_its_code(number: int) -> None:
    """The code is 128 more than the number, as shells report it."""
    assert last_words(number, "default") == f"stopped {128 + number}"


def test_the_handlers_are_those_of_before_afterwards() -> None:
    """A caller gets its own handlers back, also after a signal."""
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    with pytest.raises(StopSignal), raise_on_stop_signals():
        signal.raise_signal(signal.SIGTERM)

    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before
