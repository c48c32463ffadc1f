"""A study as one object: for notebooks, scripts and the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentgym_gen.describe.printable import printable
from agentgym_gen.errors import DataError, InvalidValueError, missing_extra
from agentgym_gen.study.analysis.analysis import Results
from agentgym_gen.study.plan.parser import load_plan
from agentgym_gen.study.plan.plan import BASE, Plan, label
from agentgym_gen.study.report.report import write_report
from agentgym_gen.study.results.folder import read_plan_file
from agentgym_gen.study.results.rows import read_cells, read_curves, read_episodes, read_failures
from agentgym_gen.study.results.training import (
    models_with_cells,
    unchanged_models,
    untrained_arms,
)
from agentgym_gen.study.run.executors import make_executor
from agentgym_gen.study.run.jobs import is_done, make_jobs
from agentgym_gen.study.run.recipes import TrainingRecipe
from agentgym_gen.study.run.run import run_plan
from agentgym_gen.study.run.schedule import RunSummary
from agentgym_gen.system.file_lock import is_locked
from agentgym_gen.system.processors import usable_processors

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

__all__ = ["Study"]


class Study:
    """A plan and the folder of its results.

    Args:
        plan: A `Plan`, the path of a TOML file, or the name of a preset.
        out: The results folder; None is ``runs/<name of the plan>``.
    """

    def __init__(self, plan: Plan | str | Path, out: str | Path | None = None) -> None:
        self.plan = plan if isinstance(plan, Plan) else load_plan(plan)
        self.out = Path("runs") / self.plan.name if out is None else Path(out)

    @classmethod
    def open(cls, out: str | Path) -> Study:
        """Return the study whose results are in the folder *out*.

        Raises:
            DataError: if there is none, or its plan cannot be used.
        """
        plan = read_plan_file(Path(out))["plan"]
        try:
            return cls(Plan.from_dict(plan), out)
        except (DataError, InvalidValueError) as error:
            raise DataError(f"The plan in {out} cannot be used: {error}") from error

    def __repr__(self) -> str:
        """Return the name, the folder, and how many jobs are done."""
        done, total = self.progress()
        return f"<Study {self.plan.name!r} in {str(self.out)!r}: {done} of {total} jobs done>"

    def run(
        self,
        *,
        workers: int | None = None,
        executor: str = "local",
        address: str = "",
        recipe: TrainingRecipe | None = None,
        log: Callable[[str], None] | None = None,
    ) -> RunSummary:
        """Run what is not yet done.

        Args:
            workers: How many jobs run side by side; None is one a processor.
            executor: ``local`` or ``ray``.
            address: The Ray cluster to join; empty starts one here.
            recipe: How models are made; None takes the recipe of the plan.
            log: Called with each line of progress; None prints it.
        """
        return run_plan(
            self.plan,
            self.out,
            log=log or _print,
            recipe=recipe,
            executor=make_executor(executor, workers or usable_processors(), address),
        )

    def progress(self) -> tuple[int, int]:
        """Return how many jobs are done, and how many there are."""
        jobs = make_jobs(self.plan)
        return sum(is_done(self.plan, self.out, job) for job in jobs), len(jobs)

    @property
    def running(self) -> bool:
        """Whether a run writes to the folder now."""
        return is_locked(self.out)

    def failures(self) -> list[dict[str, Any]]:
        """Return the failure row of every training and cell that failed."""
        return read_failures(self.out)

    def results(self, metric: str = "success") -> Results:
        """Return the analysis of the rows in the folder.

        Raises:
            DataError: if there are none.
        """
        return Results.read(self.out, metric)

    def report(self) -> Path:
        """Write ``report.html`` and ``report.md`` and return the path of the first.

        Raises:
            DataError: if there are no results of the base.
        """
        return write_report(self.plan, self.out)

    def episodes(self) -> pd.DataFrame:
        """Return a data frame with a row for each episode."""
        return _frame(read_episodes(self.out, self.plan))

    def cells(self) -> pd.DataFrame:
        """Return a data frame with a row for each cell."""
        return _frame(read_cells(self.out, self.plan))

    def gains(self) -> pd.DataFrame:
        """Return a data frame with the gain of every arm on every column that it was tested on.

        ``p_holm`` is adjusted for the number of rows. An arm whose trainings changed nothing is no
        trained model, and left out.
        """
        results = self.results()
        cells, logs = read_cells(self.out, self.plan), read_curves(self.out)
        unchanged = unchanged_models(self.plan.models, cells, logs)
        tested = models_with_cells(self.plan.models, cells)
        results = results.without(untrained_arms(tested, unchanged))
        pairs = [
            pair for pair in results.pairs if pair[0] != BASE and results.has(pair, (BASE, pair[1]))
        ]
        if not pairs:
            raise DataError(f"No trained model in {self.out} was tested beside its base")
        rows = [
            {
                "arm": arm,
                "column": label(column),
                "base": results.rate(BASE, column).value,
                "trained": results.rate(arm, column).value,
                "gain": gain.value,
                "low": gain.low,
                "high": gain.high,
                "p_holm": gain.p,
                "tasks": gain.tasks,
                "seeds": gain.seeds,
            }
            for (arm, column), gain in results.gains_with_holm(pairs).items()
        ]
        return _frame(rows)

    def matrix(self) -> pd.DataFrame:
        """Return a data frame of mean success: arms by columns, the base first."""
        results = self.results()
        table: dict[str, Mapping[str, float]] = {}
        for arm, column in results.pairs:
            row = dict(table.get(arm, {}))
            row[label(column)] = results.rate(arm, column).value
            table[arm] = row
        order = sorted(table, key=lambda arm: (arm != BASE, arm))
        columns = [label(column) for column in self.plan.columns]
        frame = _pandas().DataFrame.from_dict({arm: table[arm] for arm in order}, orient="index")
        return frame.reindex(columns=columns)


def _pandas() -> Any:  # noqa: ANN401
    try:
        import pandas as pd
    except ImportError as error:
        raise missing_extra("pandas", "study", "A data frame", error) from error
    return pd


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return _pandas().DataFrame(rows)


def _print(line: str) -> None:
    sys.stdout.write(f"{printable(line)}\n")
    sys.stdout.flush()
