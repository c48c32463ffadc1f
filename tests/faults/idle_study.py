"""A study whose trainings never end, in two processes: ``python -m faults.idle_study FOLDER``."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from faults.programs import PLAN, print_line, run_as_command
from pretend_study import PretendRecipe

from agentgym_gen.study import Stage, run_plan
from agentgym_gen.study.run.executors import LocalProcesses
from agentgym_gen.study.run.schedule import Log


class Idle(PretendRecipe):
    """A recipe that leaves a trace when it trains, and never ends."""

    def make_base(self, folder: Path, seed: int, log: Log) -> None:
        """Write the process id into *folder* and wait."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "busy").write_text(str(os.getpid()))
        while True:
            time.sleep(60)

    def train(self, base: Path, folder: Path, stage: Stage, seed: int, log: Log) -> None:
        """Do nothing: no base is ever finished."""


if __name__ == "__main__":
    out = Path(sys.argv[1])
    plan = replace(PLAN, seeds=(0, 1))
    sys.exit(
        run_as_command(
            lambda _: run_plan(plan, out, log=print_line, recipe=Idle(), executor=LocalProcesses(2))
        )
    )
