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

            episodes, limit = last.work.episodes, lengths.turn_limit
            turns = round(episodes * lengths.turns)
            sampled = round(turns * lengths.answer_tokens)
            longest = answer_length(self.plan.style, rft.max_new_tokens)
            lines.append(
                f"a step: {episodes} episodes; if they are like the expert's, {turns:,} turns and "
                f"{sampled:,} sampled tokens, and at most {episodes * limit:,} turns and "
                f"{episodes * limit * longest:,} sampled tokens"
            )
        return lines

    def check_fits(self) -> None:
        """Raise unless each training likely fits into the memory that is free.

        Raises:
            InvalidValueError: if one does not, with the settings that would fit.
        """
        for training in self.trainings:
            training.check_fits()


def dry_run(plan: TrainingPlan) -> DryRun:
    """Return what *plan* would do.

    Raises:
        DataError: if there is no such model.
    """
    trainings, lengths = training_memory(
        recipe_of_plan(plan), list(plan.envs), has_rft=plan.rft is not None
    )
    return DryRun(plan, lengths, tuple(trainings))
