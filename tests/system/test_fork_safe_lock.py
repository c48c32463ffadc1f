"""Locks between threads, and what a fork makes of them."""

import os
import subprocess
import sys

from systems import needs

from agentgym_gen.system.fork_safe_lock import ForkSafeLock

FORK = """
import os, threading
from agentgym_gen.system.fork_safe_lock import ForkSafeLock

lock, held, leave = ForkSafeLock(), threading.Event(), threading.Event()

def hold():
    with lock:
        held.set()
        leave.wait()

threading.Thread(target=hold).start()
held.wait()
child = os.fork()
if not child:
    import faulthandler
    faulthandler.dump_traceback_later(30, exit=True)
    with lock:
        os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), lock._lock.locked())
leave.set()
"""


@needs("POSIX", "a fork")
def test_a_lock_that_a_thread_holds_is_free_in_a_fork() -> None:
    """The forked child can take it, and it is still held in the process that was forked."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("7 True\n", "")


def test_a_lock_is_held_for_the_block() -> None:
    """The lock is taken at the start of the block and released at its end."""
    lock = ForkSafeLock()
    with lock:
        assert lock._lock.locked()

    assert not lock._lock.locked()
