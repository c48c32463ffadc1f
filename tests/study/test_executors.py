"""Processes that do the jobs of a study end with it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from systems import needs

ROOT = Path(__file__).parents[2]

PARENT = """
import sys
from agentgym_gen.study.run.executors import LocalProcesses
from sleeping_job import run_job

if __name__ == "__main__":
    processes = LocalProcesses(1)
    processes.submit(run_job, sys.argv[1])
    processes.wait()
"""

JOB = """
import os, pathlib, time

def run_job(job):
    pathlib.Path(job).write_text(str(os.getpid()))
    time.sleep(300)
"""


def is_alive(pid: int) -> bool:
    """Return whether process *pid* exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> bool:
    """Wait until *condition* is true, and return whether it was in so many *seconds*."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


@needs("Linux", "/proc, where the job is looked for")
def test_no_job_outlives_a_killed_study(tmp_path: Path) -> None:
    """A job that went on would write into the folder of the next run."""
    (tmp_path / "sleeping_job.py").write_text(JOB)
    (tmp_path / "parent.py").write_text(PARENT)
    path = os.pathsep.join([str(tmp_path), str(ROOT), *sys.path])
    pid_file = tmp_path / "pid"
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py"), str(pid_file)],
        env={**os.environ, "PYTHONPATH": path},
    )
    assert wait_until(lambda: pid_file.exists() and pid_file.read_text())
    child = int(pid_file.read_text())
    was_alive = is_alive(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()

    assert was_alive
    assert wait_until(lambda: not is_alive(child), 20)
