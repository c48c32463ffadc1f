"""Programs that meet faults: ``python -m faults.programs NAME FOLDER``.

They run the library's own code, with quick stand-ins for the player and for the builder of games.
Errors and signals are handled by the command line.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

from pretend_study import PretendRecipe

from agentgym_gen.cli.main import main, run_command
from agentgym_gen.study import parse_plan, run_plan
from agentgym_gen.study.results.rows import read_cells, read_episodes
from agentgym_gen.study.run.executors import make_executor
from agentgym_gen.system.signals import raise_on_stop_signals

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

UNCOMPARED_KEYS = {"seconds", "commit"}
"""The keys of a cell's row in which two runs of the cell may differ."""


def study(folder: Path, workers: str = "1") -> int:
    """Run a study whose models are policies."""

    def command(_: argparse.Namespace) -> None:
        executor = make_executor("local", int(workers))
        run_plan(PLAN, folder, log=print_line, recipe=PretendRecipe(), executor=executor)

    return run_as_command(command)


def games(folder: Path, workers: str = "1", builder: str = "faults.fake_builder") -> int:
    """Prepare three games of TextWorld, made by the module *builder*."""
    import agentgym_gen.envs.textworld.games.cache as game_cache

    game_cache.BUILDER_MODULE = builder
    game_cache.GameCache.__init__.__defaults__ = (folder, 2000)  # type: ignore[attr-defined]
    options = ["--prepare", "3", "--tier", "easy", "--split", "train", "--workers", workers]
    return main(["data", "textworld", *options])


def calibration(folder: Path) -> int:
    """Divide the boards of one split by the success of a random player."""
    import agentgym_gen.study.run.calibrate as calibrate_module

    calibrate_module.BATCH_TASKS = 4
    arguments = ["calibrate", "rftgen/Sokoban-easy-v0", "--model", "random", "--split", "train"]
    options = ["--tasks", "16", "--samples", "2", "--out", str(folder / "boards")]
    return main([*arguments, *options])


def print_line(line: str) -> None:
    """Print *line* at once."""
    print(line, flush=True)  # noqa: T201  (a program of its own)


def run_as_command(command: Callable[[argparse.Namespace], None]) -> int:
    """Run *command* as the command line does, and return its exit code."""
    with raise_on_stop_signals():
        return run_command(argparse.Namespace(command=command, resumable=False))


def load_program(name: str) -> Callable[[Path], int]:
    """Return the program called *name*, after importing what all its runs share."""
    if name in TORCH_FREE:
        return TORCH_FREE[name]
    from faults import trainings

    return trainings.prepared(name)


TORCH_FREE = {"study": study, "games": games, "calibration": calibration}
"""The programs that need no torch."""


def study_facts(folder: Path) -> object:
    """Return the rows of cells and episodes of the study in *folder*."""
    cells = [
        {key: value for key, value in row.items() if key not in UNCOMPARED_KEYS}
        for row in read_cells(folder)
    ]
    return cells, read_episodes(folder)


def file_facts(folder: Path) -> object:
    """Return the names of the files in *folder* that are not hidden, and their hashes."""
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
    timings = ("seconds", "per_second")
    log = [{k: v for k, v in row.items() if not k.endswith(timings)} for row in rows]
    state = json.loads((last / "state.json").read_text())
    return last.name, weights, log, state["step"]


FACTS = {
    "study": study_facts,
    "games": file_facts,
    "calibration": file_facts,
    "sft": training_facts,
    "rft": training_facts,
    "tiny": study_facts,
}
"""For each program, the results that two runs of it have in common, read from a folder."""


if __name__ == "__main__":
    sys.exit(load_program(sys.argv[1])(Path(sys.argv[2]), *sys.argv[3:]))
