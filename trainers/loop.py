"""The loop that both trainers share: steps, and what happens after each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from agentgym_gen.system.file_lock import lock_folder
from agentgym_gen.trainers.callbacks import Callbacks, Row
from agentgym_gen.trainers.learner import Learner
from agentgym_gen.trainers.reporting import ProgressCallback, reporters

STOPPED = "stopped"
"""The key of a row that ends the training: why. No update was made in it."""

Step = Callable[[], tuple[Row, dict[str, Any]]]
"""Makes one step; returns its row and what `on_step_end` is told besides."""


class Loop:
    """Makes steps until there are enough, and evaluates, logs and saves when it is due.

    Args:
        learner: What learns.
        callbacks: Whom to tell.
        title: What the progress bar says.
    """

    def __init__(self, learner: Learner, callbacks: Iterable[object], title: str) -> None:
        args = learner.config
        everyone = [ProgressCallback(title), *reporters(args), *callbacks]
        self._learner = learner
        self._saved: int | None = None
        self._callbacks = Callbacks(
            everyone, args, model=learner.model, processing_class=learner.tokenizer
        )
        self._callbacks.state.is_world_process_zero = learner.workers.is_first

    def run(
        self,
        make_step: Step,
        resume_from_checkpoint: bool | str | Path,
        evaluate: Callable[[], Row] | None = None,
        eval_steps: int = 0,
    ) -> list[Row]:
        """Train and return the log.

        Args:
            make_step: Makes one step.
            resume_from_checkpoint: True goes on from the latest checkpoint, a path from that one.
            evaluate: Returns the measurements of an evaluation.
            eval_steps: An evaluation is made every so many steps; 0 only when a callback asks.

        Raises:
            ResultExistsError: if another training writes to the output folder, or has left
                checkpoints there from which this one does not go on.
        """
        with self._alone():
            self._learner.resume(resume_from_checkpoint)
            return self._train(make_step, evaluate, eval_steps)

    def _alone(self) -> AbstractContextManager[None]:
        """Hold the output folder against other trainings, where there is one."""
        folder = self._learner.config.output_dir
        if not folder or not self._learner.workers.is_first:
            return nullcontext()
        return lock_folder(Path(folder), "another `output_dir`")

    def _train(
        self, make_step: Step, evaluate: Callable[[], Row] | None, eval_steps: int
    ) -> list[Row]:
        learner, control = self._learner, self._callbacks.control
        control.should_training_stop = False
        self._tell("on_train_begin")
        try:
            while learner.step < learner.config.max_steps and not control.should_training_stop:
                self._tell("on_step_begin")
                row, extras = make_step()
                if STOPPED in row:
                    self._log(row)
                    self._saved = None
                    break
                learner.step += 1
                self._tell("on_step_end", row=row, **extras)
                due = control.should_evaluate or _is_due(learner.step, eval_steps)
                self._after(row, evaluate if due else None)
            if self._saved != learner.step:
                self._save()
        finally:
            self._tell("on_train_end")
        return learner.history

    def _after(self, row: Row, evaluate: Callable[[], Row] | None) -> None:
        args, control = self._learner.config, self._callbacks.control
        if evaluate is not None:
            metrics = evaluate()
            row |= {f"eval/{key}": value for key, value in metrics.items()}
            self._tell("on_evaluate", metrics=metrics)
        if evaluate is not None or _is_due(self._learner.step, args.logging_steps):
            self._log(row)
        if control.should_save or _is_due(self._learner.step, args.save_steps):
            self._save()
        control.should_save = control.should_evaluate = False

    def _log(self, row: Row) -> None:
        self._learner.record(row)
        self._tell("on_log", logs=row)

    def _save(self) -> None:
        path = self._learner.save()
        self._saved = self._learner.step
        if path is not None:
            self._tell("on_save", path=path)

    def _tell(self, event: str, **extras: object) -> None:
        state = self._callbacks.state
        state.global_step, state.log_history = self._learner.step, self._learner.history
        self._callbacks.tell(event, **extras)


def _is_due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
