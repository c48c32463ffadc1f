"""What a training plan would do: model, step and memory, without training anything."""

from __future__ import annotations

from dataclasses import dataclass

from agentgym_gen.study.run.memory import EpisodeLengths, TrainingMemory, training_memory
from agentgym_gen.training.plan import TrainingPlan
from agentgym_gen.training.run import recipe_of_plan

__all__ = ["DryRun", "dry_run"]


@dataclass(frozen=True)
class DryRun:
    """The size of a model, the turns and tokens of a step, and the memory of each training."""

    plan: TrainingPlan
    """The plan."""
    lengths: EpisodeLengths
    """How long episodes are, measured on those of the experts."""
    trainings: tuple[TrainingMemory, ...]
    """The warm start and reinforcement fine-tuning, as far as the plan has them."""
    processes: int = 1
    """How many processes train together; the memory is that of each."""

    def lines(self) -> list[str]:
        """Return the model and the step in words."""
        last, lengths = self.trainings[-1], self.lengths
        size = last.size
        trained = f"an adapter of {size.adapter:,}" if size.adapter else "all of them trained"
        answer = f"{lengths.answer_tokens:.0f} of them the answer"
        expert = f"{lengths.turns:.1f} turns of {lengths.turn_tokens:.0f} tokens, {answer}"
        lines = [
            f"model: {size.parameters:,} weights, {trained}",
            f"the expert's episodes: {expert}",
        ]
        rft = self.plan.rft
        if rft is not None:
            from agentgym_gen.trainers.sampling.answer_length import answer_length

            episodes, limit = rft.tasks_per_step * rft.num_generations, lengths.turn_limit
            turns = round(episodes * lengths.turns)
            sampled = round(turns * lengths.answer_tokens)
            longest = answer_length(self.plan.style, rft.max_new_tokens)
            lines.append(
                f"a step: {episodes} episodes; if they are like the expert's, {turns:,} turns and "
                f"{sampled:,} sampled tokens, and at most {episodes * limit:,} turns and "
                f"{episodes * limit * longest:,} sampled tokens"
            )
        if self.processes > 1:
            divided = "divided" if last.config.fsdp else "whole in each"
            share = f"each with {last.work.episodes} of the episodes, " if rft else ""
            lines.append(f"{self.processes} processes: {share}the weights {divided}")
        return lines

    def check_fits(self) -> None:
        """Raise unless each training likely fits into the memory that is free.

        Raises:
            InvalidValueError: if one does not, with the settings that would fit.
        """
        for training in self.trainings:
            training.check_fits(self.side_by_side, "--processes")

    @property
    def side_by_side(self) -> int:
        """How many of the processes share one memory: all on a CPU, and one on a GPU."""
        return 1 if self.trainings[-1].device.is_gpu else self.processes


def dry_run(plan: TrainingPlan, processes: int = 1) -> DryRun:
    """Return what *plan* would do.

    Args:
        plan: The plan.
        processes: How many processes train together.

    Raises:
        DataError: if there is no such model.
    """
    trainings, lengths = training_memory(
        recipe_of_plan(plan), list(plan.envs), has_rft=plan.rft is not None, processes=processes
    )
    return DryRun(plan, lengths, tuple(trainings), processes)
