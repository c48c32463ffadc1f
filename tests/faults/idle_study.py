"""A study whose trainings never end, in two processes: ``python -m faults.idle_study FOLDER``."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from faults.subjects import PLAN, as_a_command, say
from pretend_study import PretendRecipe

from agentgym_gen.study import Stage, run_plan
from agentgym_gen.study.run.executors import LocalProcesses
from agentgym_gen.study.run.run import Log


class Idle(PretendRecipe):
    """A recipe that says when it trains, and goes on for ever."""

    def make_base(self, folder: Path, seed: int, say: Log) -> None:
        """Leave a trace and wait."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "busy").write_text(str(os.getpid()))
        while True:
            time.sleep(60)

    def train(self, base: Path, folder: Path, stage: Stage, seed: int, say: Log) -> None:
        """Never get here."""


if __name__ == "__main__":
    out = Path(sys.argv[1])
    plan = replace(PLAN, seeds=(0, 1))
    sys.exit(
        as_a_command(
            lambda _: run_plan(plan, out, log=say, recipe=Idle(), executor=LocalProcesses(2))
        )
    )
