"""Run the quick study from nothing and keep its report under docs/results/quick.

    python -m tools.quick_results

It copies the report and the plan, and writes a page with the command, the machine, the versions,
the time, and the peak of the memory: the sum over all processes, measured every half second.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

from agentgym_gen.system.processors import usable_processors

ROOT = Path(__file__).resolve().parents[1]
RUN = ROOT / "runs" / "quick"
KEPT = ROOT / "docs" / "results" / "quick"
COMMAND = ("-m", "agentgym_gen.cli.main", "study", "run", "quick", "--yes", "--out", str(RUN))


def main() -> int:
    """Run the study, keep its report, and return the exit code of the study."""
    if RUN.exists():
        print(f"{RUN} is there already; move it away: the time of a part is not that of the whole")
        return 2
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, *COMMAND], cwd=ROOT)
    peak = 0
    while process.poll() is None:
        peak = max(peak, resident(process.pid))
        time.sleep(0.5)
    minutes = (time.monotonic() - started) / 60
    if process.returncode == 0:
        keep(minutes, peak)
    return process.returncode


def resident(root: int) -> int:
    """Return the resident bytes of the process *root* and of all its descendants."""
    parents: dict[int, int] = {}
    pages: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name of the program stands in parentheses and may hold spaces.
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            resident_pages = int((folder / "statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            continue  # the process has ended since
        parents[int(folder.name)], pages[int(folder.name)] = parent, resident_pages
    family = {root}
    while children := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= children
    return sum(pages.get(pid, 0) for pid in family) * os.sysconf("SC_PAGE_SIZE")


def keep(minutes: float, peak: int) -> None:
    """Copy the report into docs, with a page that says how it was made."""
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir(parents=True)
    for name in ("report.html", "report.md", "plan.json"):
        shutil.copy(RUN / name, KEPT / name)
    shutil.copytree(RUN / "figures", KEPT / "figures")
    text = (
        f"# How it was made\n\n```sh\npython -m tools.quick_results\n```\n\n{minutes:.1f} minutes "
        f"on {usable_processors()} cores ({processor()}), {peak / 2**30:.2f} GiB of memory at most "
        f"over all processes, {platform.platform()}, Python {platform.python_version()}. The "
        "versions of everything are in `plan.json`. [The report](report.md), and as [one page with "
        "conversations](report.html).\n"
    )
    (KEPT / "how.md").write_text(text, encoding="utf-8")
    print(f"Kept in {KEPT}: {minutes:.1f} minutes, {peak / 2**30:.2f} GiB")


def processor() -> str:
    """Return the name of the processor."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    sys.exit(main())
