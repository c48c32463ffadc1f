# ruff: noqa: N803, N806
# The capitals name the axes of an array.
"""Reinforcement fine-tuning by group-relative policy gradients (GRPO, arXiv 2402.03300).

A step plays every task several times, compares the rewards of one task's episodes with each other,
and makes an update (`RFTConfig.updates_per_step`) from all of them. Left out of the algorithm: a
critic, a reward per token, importance sampling of stale episodes, and an iterated reference.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.prompt import PromptStyle
from agentgym_gen.registration import check_env_id
from agentgym_gen.rollout import Episode, run
from agentgym_gen.seeding import stream
from agentgym_gen.trainers.chat import ChatFormat
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.demos import draw_episodes
from agentgym_gen.trainers.groups import Lesson, learn_from
from agentgym_gen.trainers.handles import Model, Tokenizer
from agentgym_gen.trainers.learner import Learner, Row, warmup
from agentgym_gen.trainers.losses import clipped_policy_loss, kl_k3
from agentgym_gen.trainers.progress import Progress
from agentgym_gen.trainers.rates import rates
from agentgym_gen.trainers.sampler import ModelPolicy
from agentgym_gen.trainers.tokens import MicroBatch, action_logp, pack
from agentgym_gen.trajectory import Trajectory

LOG = logging.getLogger(__name__)


class RFTTrainer:
    """Trains a model by its own episodes in environments, which are given by id.

    Args:
        model: A causal language model; with ``lora_rank=0`` it is changed in place.
        tokenizer: Its tokenizer.
        envs: Ids of environments; each step plays its share of tasks of each.
        args: The settings.
        style: How episodes are put to the model.
        options: Keyword arguments of the environments, such as ``interface``.
        on_log: Called with each row of the log.

    Raises:
        InvalidValueError: if there is no environment.
        UnknownNameError: if an id is not registered.
    """

    def __init__(  # noqa: PLR0913  (keywords, as in trainers that users know)
        self,
        *,
        model: Model,
        tokenizer: Tokenizer,
        envs: Sequence[str],
        args: RFTConfig,
        style: PromptStyle | None = None,
        options: Mapping[str, Any] | None = None,
        on_log: Callable[[Row], None] | None = None,
    ) -> None:
        if not envs or isinstance(envs, str):
            raise InvalidValueError(
                f"`envs` is a list of one or more environment ids, not {envs!r}"
            )
        self.args = args
        self.envs = [check_env_id(env_id) for env_id in envs]
        self.style = style or PromptStyle()
        self._options = dict(options or {})
        self._on_log = on_log
        self._reference = copy.deepcopy(model) if args.kl_coef and not args.lora_rank else None
        self._learner = Learner(model, tokenizer, args, lambda step: warmup(args, step))
        self._pad_id = ChatFormat(tokenizer).pad_id

    @property
    def model(self) -> Model:
        """The model, with its adapter if it has one."""
        return self._learner.model

    def train(self, resume_from_checkpoint: bool | str | Path = False) -> list[Row]:
        """Train and return the log.

        Training ends early, with the weights of the last healthy step, when the share of valid
        actions has fallen by `RFTConfig.max_valid_drop`.

        Args:
            resume_from_checkpoint: True goes on from the latest checkpoint, a path from that one.

        Raises:
            TrainingError: if the loss is not a number.
        """
        learner = self._learner
        learner.resume(resume_from_checkpoint)
        healthy = learner.snapshot()
        with Progress("RFT", self.args.max_steps, learner.step, self._on_log) as progress:
            while learner.step < self.args.max_steps:
                row, played = self._play()
                if self._is_ill(row):
                    learner.restore(healthy)
                    learner.record({**row, "stopped": "the valid-action rate fell"})
                    LOG.warning("Stopped at step %d: valid actions fell; rolled back", learner.step)
                    break
                if self.args.max_valid_drop < 1:
                    healthy = learner.snapshot()
                row |= self._learn(played)
                learner.step += 1
                if learner.step % self.args.logging_steps == 0:
                    learner.record(row)
                progress.advance(row)
                learner.save()
        learner.save(always=True)
        return learner.history

    def evaluate(
        self,
        envs: Sequence[str] | None = None,
        *,
        split: str = "valid",
        number: int = 100,
        samples: int = 1,
        seed: int = 0,
    ) -> list[Trajectory]:
        """Play episodes without learning and return them.

        Args:
            envs: Ids of environments; None takes those that are trained on.
            split: Which tasks.
            number: How many tasks, shared by the environments.
            samples: How many episodes of each.
            seed: Which tasks, and what is drawn in them.
        """
        tasks = draw_episodes(envs or self.envs, split, number, seed)
        return self._rollout(tasks, samples, seed, {})

    def _play(self) -> tuple[Row, list[Trajectory]]:
        began = time.perf_counter()
        step = self._learner.step
        turned = self.envs[step % len(self.envs) :] + self.envs[: step % len(self.envs)]
        seed = int(stream("rft", step, entropy=self.args.seed).integers(1 << 62))
        tasks = draw_episodes(turned, "train", self.args.tasks_per_step, seed)
        limit = {} if self.args.max_turns is None else {"max_turns": self.args.max_turns}
        played = self._rollout(tasks, self.args.num_generations, seed, limit)
        seconds = time.perf_counter() - began
        return {"step": step + 1, **rates(played), "rollout_seconds": seconds}, played

    def _rollout(
        self, tasks: Sequence[Episode], samples: int, seed: int, limit: Mapping[str, Any]
    ) -> list[Trajectory]:
        options = {**self._options, **limit}
        episodes = [
            Episode(task.env_id, task.task_id, sample, options)
            for task in tasks
            for sample in range(samples)
        ]
        policy = ModelPolicy(
            self.model,
            self._learner.tokenizer,
            temperature=self.args.temperature,
            max_new_tokens=self.args.max_new_tokens,
        )
        return run(episodes, policy, style=self.style, slots=self.args.slots, seed=seed)

    def _is_ill(self, row: Row) -> bool:
        best = max((past["valid"] for past in self._learner.history), default=row["valid"])
        return bool(row["valid"] < best - self.args.max_valid_drop)

    def _learn(self, played: Sequence[Trajectory]) -> Row:
        began = time.perf_counter()
        lesson = learn_from(played, self.args)
        row = self._update(lesson) if lesson.samples else {}
        seconds = time.perf_counter() - began
        return {
            "reward": lesson.reward,
            "groups": lesson.groups,
            "zero_variance_groups": lesson.zero_variance,
            **row,
            "update_seconds": seconds,
        }

    def _update(self, lesson: Lesson) -> Row:
        batches = pack(lesson.samples, self.args.micro_batch_tokens, self._pad_id)
        with torch.no_grad():
            references = [self._reference_logp(batch) for batch in batches]
        gaps: list[float] = []
        known = dict(zip(map(id, batches), references, strict=True))

        def loss_of(batch: MicroBatch) -> Tensor:
            logp_N = action_logp(self.model, batch, self.args.temperature)
            gaps.append(float((logp_N.detach().cpu() - batch.old_logp_N).abs().sum()))
            return self._loss(logp_N, batch, known[id(batch)])

        loss, norm = self._learner.update(batches, loss_of)
        gap = sum(gaps) / sum(len(batch.old_logp_N) for batch in batches)
        for _ in range(1, self.args.updates_per_step):
            loss, norm = self._learner.update(batches, loss_of)
        return {
            "loss": loss,
            "gradient_norm": norm,
            "sampler_gap": gap,
            "train_tokens": sum(int(batch.live_BT.sum()) for batch in batches),
        }

    def _loss(self, logp_N: Tensor, batch: MicroBatch, reference_N: Tensor | None) -> Tensor:
        device = logp_N.device
        loss_N = clipped_policy_loss(
            logp_N,
            batch.old_logp_N.to(device),
            batch.advantage_N.to(device),
            self.args.clip_range,
            self.args.clip_range_high,
        )
        if reference_N is not None:
            loss_N = loss_N + self.args.kl_coef * kl_k3(logp_N, reference_N)
        return (batch.weight_N.to(device) * loss_N).sum()

    def _reference_logp(self, batch: MicroBatch) -> Tensor | None:
        """Return the log-probabilities under the model before training, if they are needed."""
        if not self.args.kl_coef:
            return None
        model = self._reference if self._reference is not None else self.model
        off = nullcontext() if self._reference is not None else self.model.disable_adapter()
        with off:
            return action_logp(model, batch, self.args.temperature)
