"""Run a preset of the study with three training seeds, and keep its report under docs/results.

    python -m tools.study_results quick                      seeds 0, 1 and 2, kept as `quick`
    python -m tools.study_results quick --as quick-again --seeds 3 4 5
    python -m tools.study_results seven --workers 2          two jobs side by side

It copies the report and the plan, and writes a page with the command, the machine, the versions,
the time, and the peak of the memory: the sum over all processes, measured every half second. A run
that was stopped goes on, and its times are added up. The report of `quick` is drawn for the README,
where there is a browser. Once both runs of `quick` are there, it keeps what the second repeats of
the first.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from agentgym_gen.study import Study
from agentgym_gen.study.report.replication import make_replication
from agentgym_gen.study.report.report import save_report
from agentgym_gen.system.files import write_text
from agentgym_gen.system.processors import usable_processors
from tools.browser import BROWSER, Browser

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"
PICTURE = ROOT / "docs" / "images" / "report.png"

FIRST, SECOND = "quick", "quick-again"
"""The names of the two runs of the quick study."""


@dataclass
class Usage:
    """What a run has taken so far, over all of its sittings."""

    seconds: float = 0.0
    sittings: int = 0
    peak_bytes: int = 0


def main() -> int:
    """Run the study, keep its report, and return the exit code of the study."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("preset")
    parser.add_argument("--as", dest="name", help="the name that it is kept under")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    name = options.name or options.preset
    out = ROOT / "runs" / name
    usage_file = out.with_suffix(".usage.json")
    if out.exists() and not usage_file.exists():
        print(f"{out} is there, but not {usage_file.name}: what it took is not known; move it away")
        return 2
    numbers = ["--seeds", *map(str, options.seeds), "--workers", str(options.workers)]
    command = ["study", "run", options.preset, "--yes", *numbers, "--out", str(out)]
    exit_code, usage = watch(command, usage_file)
    if exit_code == 0:
        arguments = [options.preset, *(["--as", name] if options.name else []), *numbers]
        keep(out, RESULTS / name, " ".join(arguments), usage)
        keep_replication(out.parent)
    return exit_code


def watch(command: Sequence[str], usage_file: Path) -> tuple[int, Usage]:
    """Run *command* of agentgym-gen; return its exit code and what it took, earlier runs too."""
    usage = Usage(**json.loads(usage_file.read_text())) if usage_file.exists() else Usage()
    usage.sittings += 1
    before, started, saved = usage.seconds, time.monotonic(), 0.0
    process = subprocess.Popen([sys.executable, "-m", "agentgym_gen", *command], cwd=ROOT)
    while process.poll() is None:
        usage.peak_bytes = max(usage.peak_bytes, resident(process.pid))
        usage.seconds = before + time.monotonic() - started
        if usage.seconds - saved > 10:
            usage_file.parent.mkdir(exist_ok=True)
            write_text(usage_file, json.dumps(asdict(usage)))
            saved = usage.seconds
        time.sleep(0.5)
    return process.returncode, usage


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


def keep(run: Path, kept: Path, arguments: str, usage: Usage) -> None:
    """Copy the report into docs, with a page that says how it was made."""
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for name in ("report.html", "report.md", "plan.json"):
        shutil.copy(run / name, kept / name)
    shutil.copytree(run / "figures", kept / "figures")
    minutes, memory = usage.seconds / 60, usage.peak_bytes / 2**30
    sittings = f"{usage.sittings} sitting{'s' * (usage.sittings > 1)}"
    text = (
        f"# How it was made\n\n```sh\npython -m tools.study_results {arguments}\n```\n\n"
        f"{minutes:.0f} minutes in {sittings} on {usable_processors()} cores ({processor()}), "
        f"{memory:.2f} GiB of memory at most over all processes, {platform.platform()}, "
        f"Python {platform.python_version()}. The versions of everything are in `plan.json`. "
        "[The report](report.md), and as [one page with conversations](report.html).\n\n"
        "Another processor, version or seed gives other numbers.\n"
    )
    (kept / "how.md").write_text(text, encoding="utf-8")
    if kept.name == FIRST and BROWSER is not None:
        draw(kept / "report.html")
    print(f"Kept in {kept}: {minutes:.0f} minutes, {memory:.2f} GiB")


def draw(page: Path) -> None:
    """Draw the first screen of the report *page*."""
    with tempfile.TemporaryDirectory() as folder, Browser(Path(folder), width=1000) as browser:
        browser.open(page.as_uri())
        browser.picture(PICTURE)


def keep_replication(runs: Path) -> None:
    """Keep what the second run repeats of the first, if both are in the folder *runs*."""
    folders = [runs / name for name in (FIRST, SECOND)]
    if all((folder / "report.md").exists() for folder in folders):
        first, second = map(Study.open, folders)
        document = make_replication((first.plan, first.out), (second.plan, second.out))
        save_report(document, RESULTS / SECOND, "replication")


def processor() -> str:
    """Return the name of the processor."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    sys.exit(main())
