"""The loop that both trainers share: steps, and evaluation, log and checkpoints when due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from agentgym_gen.system.file_lock import HeldLock, lock_folder
from agentgym_gen.trainers.best import best_step, is_exhausted
from agentgym_gen.trainers.callbacks import CallbackHandler, LogRow
from agentgym_gen.trainers.learner import Learner
from agentgym_gen.trainers.logging.reporting import ProgressCallback, reporters

STOPPED = "stopped"
"""The key of a row that ends the training, with the reason."""


class StopRule(NamedTuple):
    """By which metric the best weights are kept, and when training ends early."""

    metric: str
    """The metric of an evaluation."""
    patience: int
    """After how many evaluations that were not better; 0 never."""


MakeStep = Callable[[], tuple[LogRow, dict[str, Any]]]
"""Makes one step; returns its row and further extras of `on_step_end`."""


class Loop:
    """Makes steps until there are enough, and evaluates, logs and saves when it is due.

    Args:
        learner: The model with its optimizer.
        callbacks: The callbacks of the user.
        title: The text before the progress bar.
    """

    def __init__(self, learner: Learner, callbacks: Iterable[object], title: str) -> None:
        args = learner.config
        all_callbacks = [ProgressCallback(title), *reporters(args), *callbacks]
        self._learner = learner
        self._saved_step: int | None = None
        self._lock: HeldLock | None = None
        self._stop_rule: StopRule | None = None
        self._callbacks = CallbackHandler(
            all_callbacks, args, model=learner.model, processing_class=learner.tokenizer
        )
        self._callbacks.state.is_world_process_zero = learner.distributed.is_main

    def run(
        self,
        make_step: MakeStep,
        resume_from_checkpoint: bool | str | Path,
        evaluate: Callable[[], LogRow] | None = None,
        eval_steps: int = 0,
        stop_rule: StopRule | None = None,
    ) -> list[LogRow]:
        """Train and return the log.

        Args:
            make_step: Makes one step.
            resume_from_checkpoint: True resumes from the latest checkpoint, a path from that one.
            evaluate: Evaluates the model and returns its metrics.
            eval_steps: An evaluation is made every so many steps; 0 only on request of a callback.
            stop_rule: Which evaluation is the best, and when there is no hope of a better one.

        Raises:
            ResultExistsError: if another training writes to the output folder, or has left
                checkpoints there from which this one does not resume, or it has files of others
                with the names of ours.
            DataError: if the output folder is deleted meanwhile.
        """
        with self._lock_folder() as self._lock:
            self._learner.resume(resume_from_checkpoint)
            self._stop_rule = stop_rule
            if stop_rule is not None:
                self._learner.check_best(best_step(self._learner.history, stop_rule.metric))
            if self._learner.is_saved:
                self._saved_step = self._learner.step
            return self._train(make_step, evaluate, eval_steps)

    def _lock_folder(self) -> AbstractContextManager[HeldLock | None]:
        """Lock the output folder, where there is one, against other trainings."""
        folder = self._learner.config.output_dir
        if not folder or not self._learner.distributed.is_main:
            return nullcontext()
        return lock_folder(Path(folder), "another `output_dir`")

    def _train(
        self, make_step: MakeStep, evaluate: Callable[[], LogRow] | None, eval_steps: int
    ) -> list[LogRow]:
        learner, control = self._learner, self._callbacks.control
        was_stopped = bool(learner.history) and STOPPED in learner.history[-1]
        control.should_training_stop = was_stopped or self._is_exhausted(learner.history)
        self._notify("on_train_begin")
        try:
            while learner.step < learner.config.max_steps and not control.should_training_stop:
                self._notify("on_step_begin")
                row, extras = make_step()
                if STOPPED in row:
                    self._log(row)
                    self._saved_step = None
                    break
                learner.end_step()
                self._notify("on_step_end", row=row, **extras)
                due = control.should_evaluate or _is_due(learner.step, eval_steps)
                self._after(row, evaluate if due else None)
            if self._saved_step != learner.step:
                self._save()
        finally:
            self._notify("on_train_end")
        return learner.history

    def _after(self, row: LogRow, evaluate: Callable[[], LogRow] | None) -> None:
        args, control = self._learner.config, self._callbacks.control
        if evaluate is not None:
            metrics = evaluate()
            row |= {f"eval/{key}": value for key, value in metrics.items()}
            self._notify("on_evaluate", metrics=metrics)
            self._keep_best(row)
        if evaluate is not None or _is_due(self._learner.step, args.logging_steps):
            self._log(row)
        if control.should_save or _is_due(self._learner.step, args.save_steps):
            self._save()
        control.should_save = control.should_evaluate = False

    def _keep_best(self, row: LogRow) -> None:
        """Keep the weights if *row* has the best evaluation so far; stop if there is no hope."""
        if self._stop_rule is None:
            return
        history = [*self._learner.history, row]
        if best_step(history, self._stop_rule.metric) == row["step"]:
            self._check_folder()
            self._learner.save_best()
        if self._is_exhausted(history):
            row[STOPPED] = f"{self._stop_rule.patience} evaluations were not better than the best"
            self._callbacks.control.should_training_stop = True

    def _is_exhausted(self, history: Sequence[LogRow]) -> bool:
        rule = self._stop_rule
        return rule is not None and is_exhausted(history, rule.metric, rule.patience)

    def _check_folder(self) -> None:
        if self._lock is not None:
            self._lock.check()

    def _log(self, row: LogRow) -> None:
        self._check_folder()
        self._learner.record(row)
        self._notify("on_log", logs=row)

    def _save(self) -> None:
        self._check_folder()
        path = self._learner.save()
        self._saved_step = self._learner.step
        if path is not None:
            self._notify("on_save", path=path)

    def _notify(self, event: str, **extras: object) -> None:
        state = self._callbacks.state
        state.global_step, state.log_history = self._learner.step, self._learner.history
        self._callbacks.call(event, **extras)


def _is_due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
