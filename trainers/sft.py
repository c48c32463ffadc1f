"""Supervised fine-tuning on demonstrations: the warm start of reinforcement fine-tuning.

Only the tokens of answers are learned, in the layout in which they would have been sampled. Left
out: packing unrelated sequences into one row, and evaluation on held-out demonstrations.

Axes: ``_N`` sampled tokens of all sequences.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.seeding import stream
from agentgym_gen.trainers.algorithm.losses import sft_loss
from agentgym_gen.trainers.algorithm.schedule import learning_rate_share
from agentgym_gen.trainers.algorithm.scoring import action_logp
from agentgym_gen.trainers.callbacks import LogRow
from agentgym_gen.trainers.config import SFTConfig
from agentgym_gen.trainers.learner import Learner
from agentgym_gen.trainers.loop import Loop
from agentgym_gen.trainers.models.chat import ChatFormat
from agentgym_gen.trainers.models.checks.positions import longest_sequence
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.packing.micro_batches import MicroBatch, Sample

__all__ = ["SFTTrainer"]


class SFTTrainer:
    """Trains a model to give the answers of the given episodes.

    Args:
        model: A causal language model; with ``lora_rank=0`` it is changed in place.
        tokenizer: Its tokenizer.
        args: The settings.
        trajectories: Episodes with tokens, as `demonstrations` returns them.
        callbacks: Callbacks in the manner of transformers (`agentgym_gen.trainers.callbacks`).

    Raises:
        InvalidValueError: if no episode has tokens, or one has more than the model's context.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: Tokenizer,
        args: SFTConfig,
        trajectories: Sequence[Trajectory],
        callbacks: Iterable[object] = (),
    ) -> None:
        self._samples = [Sample(s) for episode in trajectories for s in episode.sequences()]
        if not self._samples:
            raise InvalidValueError(
                f"Nothing to learn from: {len(trajectories)} episodes, none with tokens; "
                "make them with `demonstrations`"
            )
        longest = max(len(sample.sequence.ids) for sample in self._samples)
        limit = longest_sequence(model.config)
        if longest > limit:
            raise InvalidValueError(
                f"An episode has {longest} tokens, and the model reads {limit}: show fewer turns "
                "(`window` of the style), or take a model with a longer context"
            )
        self.args = args
        self._learner = Learner(
            model,
            tokenizer,
            args,
            lambda step: learning_rate_share(args, step, "cosine", args.final_lr_ratio),
        )
        self._pad_id = ChatFormat(tokenizer).pad_id
        self._loop = Loop(self._learner, callbacks, "SFT")

    @property
    def model(self) -> Model:
        """The model, with its adapter if it has one."""
        return self._learner.model

    def train(self, resume_from_checkpoint: bool | str | Path = False) -> list[LogRow]:
        """Train and return the log.

        Args:
            resume_from_checkpoint: True resumes from the latest checkpoint, a path from that one.

        Raises:
            TrainingError: if the loss is not a number.
        """
        return self._loop.run(self._step, resume_from_checkpoint)

    def save_model(self, folder: str | Path) -> None:
        """Write the adapter, or the whole model, with its tokenizer and a card into *folder*."""
        learner = self._learner
        learner.write_on_main(lambda: learner.save_model(Path(folder)))

    def _step(self) -> tuple[LogRow, dict[str, Any]]:
        start = time.perf_counter()
        batches = self._learner.pack(self._next_samples(), self._pad_id)
        count = sum(len(batch.weight_N) for batch in batches)

        def loss_of(batch: MicroBatch) -> Tensor:
            logp_N = action_logp(self.model, batch)
            return sft_loss(logp_N, batch.weight_N.to(logp_N.device) / count)

        loss, norm = self._learner.update(batches, loss_of)
        seconds = time.perf_counter() - start
        return {
            "step": self._learner.step + 1,
            "loss": loss,
            "gradient_norm": norm,
            "tokens_per_second": sum(batch.tokens for batch in batches) / seconds,
        }, {}

    def _next_samples(self) -> list[Sample]:
        """Return the samples of this step; each pass over all samples has an order of its own."""
        size = min(self.args.batch_size, len(self._samples))
        per_pass = len(self._samples) // size
        epoch, place = divmod(self._learner.step, per_pass)
        order = stream("sft", epoch, entropy=self.args.seed).permutation(len(self._samples))
        return [self._samples[i] for i in order[place * size : (place + 1) * size]]
