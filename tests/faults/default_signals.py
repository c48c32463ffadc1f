"""The handlers with which a program of these tests begins, however the tests were started."""

import signal

STOP_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def restore_default_handlers() -> None:
    """Give each stop signal that is ignored its default handler.

    ``nohup`` and a shell's ``&`` have children that ignore some, and the product leaves an ignored
    signal ignored: a test that sends one would wait for ever.
    """
    for number in (signal.Signals[name] for name in STOP_SIGNALS):
        if signal.getsignal(number) is signal.SIG_IGN:
            default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, default)
