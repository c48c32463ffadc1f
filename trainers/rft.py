"""Reinforcement fine-tuning by group-relative policy gradients (GRPO, arXiv 2402.03300).

A step plays every task several times, compares the rewards of one task's episodes with each other,
and makes one or more updates (`RFTConfig.updates_per_step`) from all of them. Left out of the
algorithm: a critic, a reward per token, importance sampling of stale episodes, and an iterated
reference.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from statistics import fmean
from typing import Any

from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.env.registration import check_env_id
from agentgym_gen.seeding import stream
from agentgym_gen.trainers.algorithm.curriculum import Curriculum, as_curriculum
from agentgym_gen.trainers.algorithm.guards import (
    PERSISTENT,
    collapsed,
    gap_persists,
    idle_cause,
    suspicious,
)
from agentgym_gen.trainers.algorithm.objective import Objective, Reference
from agentgym_gen.trainers.algorithm.rewards import RewardFunction
from agentgym_gen.trainers.algorithm.schedule import learning_rate_share
from agentgym_gen.trainers.algorithm.train_batch import TrainBatch, build_batch
from agentgym_gen.trainers.callbacks import LogRow
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.demos import sample_episodes, vocabulary_texts
from agentgym_gen.trainers.learner import Learner
from agentgym_gen.trainers.logging.completions import CompletionsCallback
from agentgym_gen.trainers.loop import STOPPED, Loop, StopRule
from agentgym_gen.trainers.metrics import metrics_by_env, pass_at_k, truncated_turn_share
from agentgym_gen.trainers.models.chat import ChatFormat
from agentgym_gen.trainers.models.gguf_export import write_gguf
from agentgym_gen.trainers.models.loading import resolve_model
from agentgym_gen.trainers.models.publishing import push_folder
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.optimizer import Snapshot
from agentgym_gen.trainers.rollouts.player import Player, Sampler, check_sampler
from agentgym_gen.trainers.sampling.action_reader import ActionReader
from agentgym_gen.trainers.sampling.answer_length import answer_length

__all__ = ["LOG", "RFTTrainer", "Sampler"]

LOG = logging.getLogger(__name__)

IDLE_WARNINGS = frozenset(PERSISTENT * 2**n for n in range(32))
"""After so many steps without an update there is a warning: each time twice as many."""


class RFTTrainer:
    """Trains a model by its own episodes in environments.

    Args:
        model: A causal language model, or the name of one: on the hub, a folder, ``smollm2``, or
            ``rftgen-tiny`` with random weights. With ``lora_rank=0`` it is changed in place.
        envs: Ids of environments: a list, a mapping from id to weight, or a `Curriculum`.
        args: The settings.
        tokenizer: The tokenizer of a model that is passed as an object.
        style: How prompts are written.
        options: Keyword arguments of the environments, such as ``interface``.
        callbacks: Callbacks in the manner of transformers (`agentgym_gen.trainers.callbacks`).
        reward: What an episode earns, from its trajectory; None takes `RFTConfig.reward`.
            `turn_cost` and `valid_coef` count beside it.
        sampler: A policy that plays with the model's weights in place of the model, such as
            `VLLMSampler`.
        action_reader: Returns the action in the text of a completion; None takes the reader of
            *style*.

    Raises:
        InvalidValueError: if there is no environment, a model without a tokenizer, or a sampler
            with other settings than *args*.
        UnknownNameError: if an id is not registered.
        DataError: if there is no model of that name.
    """

    def __init__(  # noqa: PLR0913  (keywords, as in trainers that users know)
        self,
        *,
        model: Model | str | Path,
        envs: Curriculum | Mapping[str, float] | Sequence[str],
        args: RFTConfig,
        tokenizer: Tokenizer | None = None,
        style: PromptStyle | None = None,
        options: Mapping[str, Any] | None = None,
        callbacks: Iterable[object] = (),
        reward: RewardFunction | None = None,
        sampler: Sampler | None = None,
        action_reader: ActionReader | None = None,
    ) -> None:
        self.curriculum = as_curriculum(envs)
        self.envs = [check_env_id(env_id) for env_id in self.curriculum.env_ids]
        self.style = style or PromptStyle()
        longest = [
            answer_length(self.style.for_env(env_id), args.max_new_tokens) for env_id in self.envs
        ]
        check_sampler(sampler, args)
        # where it is not set, each format has its own limit, and the longest one is recorded
        given, args = args, replace(args, max_new_tokens=max(longest))
        self.args = args
        self._reward = reward
        model, tokenizer = resolve_model(
            model,
            tokenizer,
            vocabulary_texts=lambda: vocabulary_texts(self.envs, self.style, args.seed),
            seed=args.seed,
            load_in_8bit=args.load_in_8bit,
            attn_implementation=args.attn_implementation,
        )
        schedule = args.lr_scheduler_type, args.final_lr_ratio
        self._learner = Learner(
            model, tokenizer, args, lambda step: learning_rate_share(args, step, *schedule)
        )
        self._log = self._learner.distributed.logger(LOG)
        self._reference = Reference(self._learner.model, args)
        self._chat = ChatFormat(tokenizer)
        if self.style.window is None:
            self._chat.check_appends(self.style)
        self._last_good: Snapshot | None = None
        self._player = Player(
            self._learner, given, self.style, dict(options or {}), sampler, action_reader, reward
        )
        if args.log_completions and args.output_dir:
            folder = Path(args.output_dir)
            callbacks = [*callbacks, CompletionsCallback(folder, args.log_completions)]
        self._loop = Loop(self._learner, callbacks, "RFT")

    @property
    def model(self) -> Model:
        """The model, with its adapter if it has one."""
        return self._learner.model

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer."""
        return self._learner.tokenizer

    def train(self, resume_from_checkpoint: bool | str | Path = False) -> list[LogRow]:
        """Train and return the log.

        Training ends early after `RFTConfig.patience` evaluations that were not better than the
        best, and, with the weights of the last good step, when the share of valid
        actions in an environment has fallen by `RFTConfig.max_valid_drop`, or the sampler and the
        scorer differ by more than `RFTConfig.max_sampler_gap` in three updates in a row.

        Args:
            resume_from_checkpoint: True resumes from the latest checkpoint, a path from that one.

        Raises:
            TrainingError: if the loss is not a number, or memory runs out.
            DataError: if the log or a checkpoint cannot be written.
        """
        return self._loop.run(
            self._step,
            resume_from_checkpoint,
            lambda: self.evaluate(k=self.args.eval_k, number=self.args.eval_tasks),
            self.args.eval_steps,
            StopRule(self.args.save_best, self.args.patience) if self.args.save_best else None,
        )

    def evaluate(
        self,
        envs: Sequence[str] | None = None,
        *,
        k: int = 8,
        split: str = "valid",
        number: int = 50,
        seed: int = 0,
    ) -> dict[str, float]:
        """Play without learning, and return the metrics of all episodes and of each environment.

        ``success`` is avg@k, the mean over all episodes, and ``pass_at_k`` is pass@k.

        Args:
            envs: Ids of environments; None takes those that are trained on.
            k: How many episodes of each task.
            split: The split that the tasks are from.
            number: How many tasks, shared by the environments.
            seed: The root of the choice of tasks and of the episodes.
        """
        episodes = self.play(envs, k=k, split=split, number=number, seed=seed)
        return {**metrics_by_env(episodes), "pass_at_k": pass_at_k(episodes)}

    def play(
        self,
        envs: Sequence[str] | None = None,
        *,
        k: int = 1,
        split: str = "valid",
        number: int = 50,
        seed: int = 0,
    ) -> list[Trajectory]:
        """Play without learning, and return the episodes; the arguments are those of `evaluate`.

        Where there are fewer tasks than *number*, none is repeated, and a warning says so.
        """
        drawn = sample_episodes(envs or self.envs, split, number, seed, self._player.options)
        tasks = list({(task.env_id, task.task_id): task for task in drawn}.values())
        if len(tasks) < number:
            self._log.warning(
                "%d tasks of the split %r are played, not %d: there are no more",
                *(len(tasks), split, number),
            )
        return self._player.rollout(tasks, k, seed)

    def save_model(self, folder: str | Path) -> None:
        """Write the adapter, or the whole model, with its tokenizer and a card into *folder*."""
        learner = self._learner
        learner.write_on_main(lambda: learner.save_model(Path(folder)))

    def merge_and_save(self, folder: str | Path) -> None:
        """Write one whole model into *folder*: the adapter added to the weights of its base.

        The model that is trained stays as it is.

        Raises:
            ResultExistsError: if *folder* has a model already.
            InvalidValueError: if the base is quantised.
        """
        learner = self._learner
        learner.write_on_main(lambda: learner.save_merged(Path(folder)))

    def export_gguf(
        self,
        path: str | Path,
        *,
        gguf_type: str = "auto",
        converter: str | Path | None = None,
        replace: bool = False,
    ) -> None:
        """Write one whole model as the GGUF file *path*, by the converter of llama.cpp.

        Args:
            path: The file.
            gguf_type: The type of its weights: ``auto``, ``bf16``, ``f16``, ``f32`` or ``q8_0``.
            converter: The script ``convert_hf_to_gguf.py``, or the folder of llama.cpp; None looks
                for it.
            replace: Whether a file that is there is replaced.

        Raises:
            DataError: if there is no converter, or it does not convert this model.
            ResultExistsError: if there is a file.
            InvalidValueError: if the type is not known, or the base is quantised.
        """
        learner, settings = self._learner, (Path(path), gguf_type, converter)
        learner.write_on_main(lambda: write_gguf(learner.save_merged, *settings, replace=replace))

    def push_to_hub(self, repo_id: str, *, private: bool = True, merged: bool = False) -> str:
        """Upload the adapter, or the whole model, with tokenizer and card; return its address.

        Args:
            repo_id: The name on the hub, ``user/model``; it is made if there is none.
            private: Whether only its owner sees a model that is made.
            merged: Whether an adapter is merged into its base.

        Raises:
            DataError: if the hub cannot be reached, or refuses the name or the token.
            InvalidValueError: if the base is quantised, and *merged* is set.
        """
        learner = self._learner
        write = learner.save_merged if merged else learner.save_model
        address = learner.write_on_main(lambda: push_folder(repo_id, write, private=private))
        return address or ""

    def _step(self) -> tuple[LogRow, dict[str, Any]]:
        args, history = self.args, self._learner.rows
        row, trajectories, kept = self._play()
        env_id = collapsed(history, row, args.max_valid_drop) if args.max_valid_drop < 1 else None
        if env_id is not None:
            return self._roll_back(row, f"the valid-action rate of {env_id} fell"), {}
        if args.max_valid_drop < 1 and self._is_good(row):
            self._last_good = self._learner.snapshot()
        row |= self._learn(kept)
        self._watch(row)
        if gap_persists(history, row, args.max_sampler_gap):
            return self._roll_back(row, "the sampler and the scorer differ"), {}
        history.append(row)
        return row, {"trajectories": trajectories}

    def _is_good(self, row: LogRow) -> bool:
        """Return whether a training that goes wrong may come back to the present weights."""
        gaps = [past["sampler_gap"] for past in self._learner.rows if "sampler_gap" in past]
        had_gap = bool(gaps) and gaps[-1] > self.args.max_sampler_gap
        return not had_gap and not suspicious(self._learner.rows, row, self.args.max_valid_drop)

    def _roll_back(self, row: LogRow, reason: str) -> LogRow:
        weights = "the weights stay as they are; those of an earlier checkpoint may be better"
        if self._last_good is not None:
            self._learner.restore(self._last_good)
            weights = "the weights are those of the last good step"
        self._log.warning("Stopped at step %d: %s; %s", self._learner.step, reason, weights)
        return {**row, STOPPED: reason}

    def _watch(self, row: LogRow) -> None:
        """Warn of a sampler gap, and of steps without an update."""
        if row.get("sampler_gap", 0.0) > self.args.max_sampler_gap:
            self._log.warning(
                "Step %d: the sampled and the scored log-probabilities differ by %.3f on average, "
                "more than `max_sampler_gap` (%.3f); the model plays other probabilities than it "
                "is trained on",
                *(row["step"], row["sampler_gap"], self.args.max_sampler_gap),
            )
        latest_first = [row, *reversed(self._learner.rows)]
        idle = list(takewhile(lambda past: not past.get("gradient_norm"), latest_first))
        if len(idle) in IDLE_WARNINGS:
            cause = idle_cause(idle[:PERSISTENT][::-1])
            self._log.warning("No update in the last %d steps: %s", len(idle), cause)

    def _play(self) -> tuple[LogRow, list[Trajectory], list[Trajectory]]:
        """Return the row of a step's episodes, all of them, and those that are learned from."""
        start, learner = time.perf_counter(), self._learner
        weights = self.curriculum.weights(learner.step, self._learner.rows)
        played = self._player.play_step(learner.step, weights)
        seconds = time.perf_counter() - start
        trajectories = played.trajectories
        row = {"step": learner.step + 1, **metrics_by_env(trajectories), "rollout_seconds": seconds}
        sampled = sum(episode.action_tokens for episode in trajectories)
        row["rollout_tokens_per_second"] = sampled / seconds
        row |= {"truncated_turns": truncated_turn_share(trajectories)}
        if self.args.max_resampling:
            row |= {"resampling": played.resampling, "resampled_groups": played.resampled_groups}
        return row, trajectories, played.kept

    def _learn(self, trajectories: Sequence[Trajectory]) -> LogRow:
        start = time.perf_counter()
        rng = stream("mini batches", self._learner.step, entropy=self.args.seed)
        batch = build_batch(trajectories, self.args, reward=self._reward, rng=rng)
        row = self._update(batch) if batch.samples else {}
        seconds = time.perf_counter() - start
        if row:
            tokens = row["train_tokens"] * self.args.updates_per_step
            row["update_tokens_per_second"] = tokens / seconds
        return {
            "reward": batch.reward,
            "groups": batch.groups,
            "zero_variance_groups": batch.zero_variance,
            "truncated": batch.truncated,
            "failed": batch.failed,
            **row,
            "update_seconds": seconds,
        }

    def _update(self, train_batch: TrainBatch) -> LogRow:
        learner = self._learner
        pad_id = self._chat.pad_id
        updates = [learner.pack(samples, pad_id) for samples in train_batch.mini_batches]
        objective = Objective(learner.model, self._reference, self.args)
        done: list[tuple[float, float]] = []
        for _ in range(self.args.updates_per_step):
            for batches in updates:
                done.append(learner.update(batches, objective.loss))
                objective.end_first_pass()  # only the first one has the weights that have played
        losses, norms = zip(*done, strict=True)
        return {
            "loss": fmean(losses),
            "gradient_norm": fmean(norms),
            **objective.metrics(learner.distributed),
            "train_tokens": sum(batch.tokens for batches in updates for batch in batches),
        }
