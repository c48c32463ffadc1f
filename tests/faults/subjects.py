"""Programs that meet faults: ``python -m faults.subjects NAME FOLDER``.

What they do is the library's own; who plays, and who makes games, is quicker than the original.
Errors and signals are the command line's.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

from pretend_study import Pretend

from agentgym_gen.cli.main import main as cli
from agentgym_gen.study import parse_plan, run_plan
from agentgym_gen.study.executors import make_executor
from agentgym_gen.study.rows import read_cells, read_episodes

PLAN = parse_plan("""
name = "faulty"
seeds = [0]

[style]
format = "action"
instruction = false

[environments.Sokoban]

[test]
tasks = 2
samples = 1
max_turns = 4

[difficulty]
environments = ["Sokoban"]
arms = ["easy"]
tiers = ["easy", "medium"]
""")
"""Two models, each tested on two tiers."""

CHANGING = {"seconds", "commit"}
"""What two runs of the same cell need not have in common."""


def study(folder: Path, workers: str = "1") -> int:
    """Run a study whose models are policies."""

    def command(_: argparse.Namespace) -> None:
        executor = make_executor("local", int(workers))
        run_plan(PLAN, folder, say=say, recipe=Pretend(), executor=executor)

    return as_a_command(command)


def games(folder: Path, workers: str = "1", clerk: str = "faults.clerk") -> int:
    """Prepare three games of TextWorld, made by a *clerk*."""
    import agentgym_gen.envs.textworld.games.cache as game_cache

    game_cache.BUILDER_MODULE = clerk
    game_cache.GameCache.__init__.__defaults__ = (folder, 2000)  # type: ignore[attr-defined]
    options = ["--prepare", "3", "--tier", "easy", "--split", "train", "--workers", workers]
    return cli.main(["data", "textworld", *options])


def calibration(folder: Path) -> int:
    """Divide the boards of one split by the success of a random player."""
    import agentgym_gen.study.calibrate as calibrating

    calibrating.PART = 4
    arguments = ["calibrate", "rftgen/Sokoban-easy-v0", "--model", "random", "--split", "train"]
    options = ["--tasks", "16", "--samples", "2", "--out", str(folder / "boards")]
    return cli.main([*arguments, *options])


def say(line: str) -> None:
    """Print *line* at once."""
    print(line, flush=True)  # noqa: T201  (a program of its own)


def as_a_command(command: Callable[[argparse.Namespace], None]) -> int:
    """Return the exit code of *command* with what the command line does about faults."""
    with cli.stoppable():
        return cli._carried_out(argparse.Namespace(command=command))


def prepared(name: str) -> Callable[[Path], int]:
    """Return the program called *name*, after what all its runs share."""
    if name in SHORT:
        return SHORT[name]
    from faults import trainings

    return trainings.prepared(name)


SHORT = {"study": study, "games": games, "calibration": calibration}
"""The programs that need no torch."""


def study_facts(folder: Path) -> object:
    """Return what the study in *folder* found."""
    cells = [{k: v for k, v in row.items() if k not in CHANGING} for row in read_cells(folder)]
    return cells, read_episodes(folder)


def file_facts(folder: Path) -> object:
    """Return the names of the files in *folder* that are shown, and hashes of what they hold."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def training_facts(folder: Path) -> object:
    """Return the weights of the last checkpoint in *folder*, and the log without its timings."""
    last = max(folder.glob("step_??????"))
    weights = hashlib.sha256((last / "model.safetensors").read_bytes()).hexdigest()
    rows = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    timed = ("seconds", "per_second")
    kept = [{k: v for k, v in row.items() if not k.endswith(timed)} for row in rows]
    state = json.loads((last / "state.json").read_text())
    return last.name, weights, kept, state["step"]


FACTS = {
    "study": study_facts,
    "games": file_facts,
    "calibration": file_facts,
    "sft": training_facts,
    "rft": training_facts,
    "tiny": study_facts,
}
"""By program, what two runs of it have in common."""


if __name__ == "__main__":
    sys.exit(prepared(sys.argv[1])(Path(sys.argv[2]), *sys.argv[3:]))
