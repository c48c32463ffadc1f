"""The settings of both trainers; those that Hugging Face's trainers have keep their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from math import isfinite
from numbers import Real
from os import PathLike, fspath

from agentgym_gen.errors import InvalidValueError, unknown_name

__all__ = [
    "AVERAGES",
    "BEST_METRICS",
    "ESTIMATORS",
    "RATIO_LEVELS",
    "REPORTERS",
    "REWARDS",
    "SCHEDULES",
    "TRUNCATED_TURNS",
    "TRUNCATIONS",
    "RFTConfig",
    "SFTConfig",
    "TinySize",
    "TrainConfig",
    "check_count",
]

ESTIMATORS = ("dr_grpo", "grpo", "reinforce++", "rloo")
AVERAGES = ("constant", "episode", "token")
REWARDS = ("return", "score", "success")
SCHEDULES = ("constant", "cosine", "linear")
TRUNCATIONS = ("drop", "keep", "mask")
TRUNCATED_TURNS = ("act", "refuse")
REPORTERS = ("tensorboard", "trackio", "wandb")
BEST_METRICS = ("pass_at_k", "score", "success", "valid")
RATIO_LEVELS = ("sequence", "token")
UNBOUNDED = ("max_grad_norm", "clip_range", "clip_range_high", "max_valid_drop", "max_sampler_gap")
"""The numbers that may be infinite: bounds."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The settings that both trainers share.

    Raises:
        InvalidValueError: if a value is not accepted.
        UnknownNameError: if a name is not known.
    """

    output_dir: str = ""
    """Where checkpoints and the log go; empty writes nothing."""
    learning_rate: float = 1e-4
    """The highest learning rate."""
    max_steps: int = 100
    """How many updates are made."""
    warmup_steps: int = 0
    """During how many of them the learning rate rises linearly."""
    weight_decay: float = 0.0
    """The weight decay of AdamW."""
    max_grad_norm: float = 1.0
    """Gradients with a larger norm are scaled down to it."""
    seed: int = 0
    """The root of all random numbers; a stream is named by seed and step, so none has a state."""
    save_steps: int = 0
    """A checkpoint is written every so many steps; 0 writes the last one only."""
    save_total_limit: int = 0
    """How many of the newest checkpoints are kept; 0 keeps all."""
    logging_steps: int = 1
    """A row is logged every so many steps."""
    report_to: tuple[str, ...] = ()
    """Services that get the rows besides ``log.jsonl``: ``tensorboard``, ``trackio``, ``wandb``."""
    run_name: str = ""
    """The name of the run at these services; empty is the name of `output_dir`."""
    micro_batch_tokens: int = 16384
    """How many tokens, padding included, go through the model at once."""
    gradient_checkpointing: bool = False
    """Whether activations are computed again in the backward pass: less memory, a third slower."""
    bf16: bool = False
    """Whether sampling and scoring run under bfloat16 autocast; slow on most CPUs."""
    load_in_8bit: bool = False
    """Whether a model that is loaded by name is quantised to 8 bits, beside an adapter."""
    lora_rank: int = 16
    """The rank of the LoRA adapter; 0 trains all weights."""
    lora_alpha: int = 32
    """The scale of the adapter is ``lora_alpha / lora_rank``."""
    lora_targets: tuple[str, ...] = ()
    """The layers with an adapter, by the end of their names, such as ``q_proj``; empty is all
    linear layers but the output's."""
    lora_dropout: float = 0.0
    """The share of the adapter's inputs that an update leaves out; sampling, the reference of the
    KL term and `sampler_gap` have none."""
    fsdp: bool = False
    """Whether all weights, their gradients and the states of the optimizer are divided among the
    processes (FSDP); with `lora_rank` 0."""
    attn_implementation: str = ""
    """The kernel of attention of a model that is loaded by name, such as ``sdpa``, ``eager`` or
    ``flash_attention_2``; empty is what transformers takes."""

    def __post_init__(self) -> None:
        """Check the fields."""
        self._check_types()
        _check_positive(self, ("learning_rate", "max_grad_norm"))
        for name in ("max_steps", "logging_steps", "micro_batch_tokens", "lora_alpha"):
            check_count(name, getattr(self, name), 1)
        for name in ("warmup_steps", "save_steps", "save_total_limit", "lora_rank", "seed"):
            check_count(name, getattr(self, name), 0)
        if not self.weight_decay >= 0:
            raise InvalidValueError(f"`weight_decay` is 0 or more, not {self.weight_decay!r}")
        self._check_adapter()
        for name in ("report_to", "lora_targets"):
            if not isinstance(getattr(self, name), tuple | list):
                raise InvalidValueError(
                    f"`{name}` is a tuple of names, not {getattr(self, name)!r}"
                )
        for name in self.report_to:
            _check_name("reporter", name, REPORTERS)

    def _check_types(self) -> None:
        if not isinstance(self.output_dir, str | PathLike):
            raise InvalidValueError(f"`output_dir` is a folder, not {self.output_dir!r}")
        object.__setattr__(self, "output_dir", fspath(self.output_dir))
        for part in fields(self):
            value = getattr(self, part.name)
            if isinstance(part.default, bool) and not isinstance(value, bool):
                raise InvalidValueError(f"`{part.name}` is True or False, not {value!r}")
            if not isinstance(part.default, float):
                continue
            if not isinstance(value, Real) or not (isfinite(value) or part.name in UNBOUNDED):
                raise InvalidValueError(f"`{part.name}` is a number, not {value!r}")
            if not isinstance(value, int | float):  # such as NumPy's, which no JSON holds
                object.__setattr__(self, part.name, float(value))

    def _check_adapter(self) -> None:
        if self.load_in_8bit and not self.lora_rank:
            raise InvalidValueError("`load_in_8bit` needs an adapter: `lora_rank` above 0")
        if not 0 <= self.lora_dropout < 1:
            raise InvalidValueError(
                f"`lora_dropout` is from 0 to less than 1, not {self.lora_dropout!r}"
            )
        if self.lora_dropout and not self.lora_rank:
            raise InvalidValueError("`lora_dropout` needs an adapter: `lora_rank` above 0")
        if self.fsdp and self.lora_rank:
            raise InvalidValueError(
                f"`fsdp` is for training all weights: set `lora_rank=0`, not {self.lora_rank!r}; "
                "the base of an adapter is not divided, each process has a whole one"
            )


@dataclass(frozen=True, kw_only=True)
class SFTConfig(TrainConfig):
    """The settings of supervised fine-tuning on demonstrations.

    What each field means stands below it in this file, and on the API page of the trainers.
    """

    learning_rate: float = 3e-4
    batch_size: int = 64
    """How many token sequences an update is made from."""
    final_lr_ratio: float = 0.1
    """The share of the learning rate at the end of its cosine."""

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        check_count("batch_size", self.batch_size, 1)
        _check_share("final_lr_ratio", self.final_lr_ratio)


@dataclass(frozen=True, kw_only=True)
class RFTConfig(TrainConfig):
    """The settings of reinforcement fine-tuning.

    What each field means stands below it in this file, and on the API page of the trainers.
    """

    save_steps: int = 1
    save_total_limit: int = 2
    tasks_per_step: int = 8
    """How many tasks a step plays."""
    num_generations: int = 8
    """How many episodes are played of each task; their rewards are compared with each other."""
    max_resampling: int = 0
    """How many times, at most, a step plays more tasks in the place of groups with equal rewards,
    until `tasks_per_step` groups differ (DAPO)."""
    estimator: str = "grpo"
    """The advantage estimator: ``grpo``, ``dr_grpo``, ``rloo`` or ``reinforce++``."""
    reward: str = "success"
    """The reward of an episode: ``success`` (0 or 1), ``score`` (0 to 1) or ``return``, the sum of
    the environment's rewards."""
    turn_cost: float = 0.0
    """How much each turn lowers the reward of an episode."""
    valid_coef: float = 0.0
    """How much the share of valid actions, 0 to 1, adds to the reward: this times the share."""
    truncation: str = "keep"
    """The rule for an episode that ended at its turn or token limit. ``keep``: it counts as any
    other. ``mask``: its reward counts in its group, but its own tokens are not trained on.
    ``drop``: it does not count at all."""
    advantage_clip: tuple[float, float] = (-1.5, 2.5)
    """Advantages are clipped to this range, so that one bad episode cannot dominate an update."""
    episode_coef: float = 1.0
    """The weight of the advantage that all turns of an episode share."""
    step_coef: float = 0.0
    """The weight of a turn's advantage over the group's turns with the same context (GiGPO)."""
    discount: float = 1.0
    """The factor on a success for each turn until it comes, in the advantage of a turn."""
    invalid_penalty: float = 0.0
    """How much is subtracted from the advantage of a turn whose action was invalid."""
    clip_range: float = 0.2
    """How far below 1 the probability ratio still counts."""
    clip_range_high: float = 0.2
    """How far above 1 the probability ratio still counts."""
    importance_sampling_level: str = "token"
    """The probability ratio that is clipped: of each ``token``, or the geometric mean over those of
    a ``sequence`` (GSPO), which is an episode, or with a window a turn. GSPO's clip ranges are far
    smaller: 3e-4 and 4e-4 in its paper."""
    updates_per_step: int = 1
    """How many times the episodes of a step are trained on."""
    mini_batch_tasks: int = 0
    """From how many tasks, with all their episodes, an update is made; 0 takes all of the step."""
    lr_scheduler_type: str = "constant"
    """The learning rate after the warmup: ``constant``, ``linear`` or ``cosine``."""
    final_lr_ratio: float = 0.0
    """The share of the learning rate at the end of a ``linear`` or ``cosine`` schedule."""
    loss_average: str = "token"
    """``token`` gives every sampled token the same weight, ``episode`` every episode; ``constant``
    divides by the episodes of the step times `max_new_tokens`, as Dr. GRPO does."""
    kl_coef: float = 0.0
    """The weight of the KL divergence from the policy that this training started from."""
    entropy_coef: float = 0.0
    """The weight of an entropy bonus: the entropy of the distributions of sampled tokens."""
    temperature: float = 1.0
    """The temperature at which episodes are sampled and scored."""
    max_new_tokens: int | None = None
    """The longest completion; None is 32 tokens for the prompt format ``action``, 96 for ``tool``
    and 256 for ``react``."""
    on_truncated_turn: str = "act"
    """The rule for a completion that `max_new_tokens` cut. ``act``: its text is read as any other.
    ``refuse``: it is read as an empty text, which is an invalid action."""
    max_episode_tokens: int | None = None
    """The longest token sequence; an episode that would exceed it is truncated, with
    ``context_limit``. None is the model's own limit."""
    max_turns: int | None = None
    """The turn limit of training episodes; None takes each task's own."""
    max_concurrent: int = 128
    """How many episodes are played at once."""
    max_valid_drop: float = 0.4
    """Training stops, and the weights go back to the last good step, when the share of valid
    actions in an environment is this far below the highest moving average of that environment."""
    max_sampler_gap: float = 0.05
    """Training warns when the sampled and the scored log-probabilities of a step differ by more on
    average, and stops at the third update in a row."""
    eval_steps: int = 0
    """An evaluation is made every so many steps; 0 makes none."""
    eval_tasks: int = 50
    """How many tasks of the valid split it plays, in all."""
    eval_k: int = 1
    """How many times it plays each."""
    save_best: str = ""
    """The metric of an evaluation, ``success``, ``score``, ``valid`` or ``pass_at_k``, by which the
    best weights so far are kept in ``best/``; of equal ones the first. Empty keeps none."""
    patience: int = 0
    """Training ends after so many evaluations in a row that were not better than the best; 0 never
    ends it."""
    log_completions: int = 0
    """How many completions of each step are written into ``completions.jsonl`` beside the log."""

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        counts = ("tasks_per_step", "updates_per_step", "max_concurrent")
        for name in (*counts, "num_generations", "eval_tasks", "eval_k"):
            check_count(name, getattr(self, name), 1)
        for name in ("eval_steps", "mini_batch_tasks", "max_resampling"):
            check_count(name, getattr(self, name), 0)
        for name in ("max_turns", "max_new_tokens", "max_episode_tokens"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name), 1)
        _check_name("estimator", self.estimator, ESTIMATORS)
        _check_name("level of ratios", self.importance_sampling_level, RATIO_LEVELS)
        _check_name("loss average", self.loss_average, AVERAGES)
        _check_name("reward", self.reward, REWARDS)
        _check_name("learning-rate schedule", self.lr_scheduler_type, SCHEDULES)
        _check_share("final_lr_ratio", self.final_lr_ratio)
        _check_name("truncation rule", self.truncation, TRUNCATIONS)
        _check_name("rule for a truncated turn", self.on_truncated_turn, TRUNCATED_TURNS)
        if self.num_generations == 1 and self.estimator != "reinforce++":
            raise InvalidValueError(
                f"`num_generations` is at least 2 for {self.estimator!r}, not 1: its advantage is "
                "the difference between the episodes of one task; `reinforce++` needs no group"
            )
        if self.max_resampling and self.estimator == "reinforce++":
            raise InvalidValueError(
                "`max_resampling` replaces groups of equal rewards, and 'reinforce++' compares the "
                "groups with each other; set it to 0, or take another estimator"
            )
        self._check_evaluation()
        self._check_ranges()

    def _check_evaluation(self) -> None:
        for name in ("patience", "log_completions"):
            check_count(name, getattr(self, name), 0)
        if self.save_best:
            _check_name("metric of `save_best`", self.save_best, BEST_METRICS)
        if self.save_best and not self.eval_steps:
            raise InvalidValueError("`save_best` needs evaluations: `eval_steps` above 0")
        if self.patience and not self.save_best:
            raise InvalidValueError("`patience` needs a metric: `save_best`, such as 'success'")

    def _check_ranges(self) -> None:
        ends = self.advantage_clip
        is_pair = isinstance(ends, tuple | list) and len(ends) == 2
        if not (is_pair and all(isinstance(end, Real) for end in ends) and ends[0] < 0 < ends[1]):
            raise InvalidValueError(
                f"`advantage_clip` is a negative and a positive number, not {self.advantage_clip!r}"
            )
        _check_positive(self, ("clip_range", "clip_range_high", "temperature"))
        _check_positive(self, ("max_valid_drop", "max_sampler_gap"))
        if not 0 < self.discount <= 1:
            raise InvalidValueError(f"`discount` is above 0 and at most 1, not {self.discount!r}")
        terms = ("turn_cost", "valid_coef", "invalid_penalty", "episode_coef", "step_coef")
        for name in (*terms, "kl_coef", "entropy_coef"):
            if not getattr(self, name) >= 0:
                raise InvalidValueError(f"`{name}` is 0 or more, not {getattr(self, name)!r}")


@dataclass(frozen=True)
class TinySize:
    """The size of a tiny model, which is built from nothing.

    Raises:
        InvalidValueError: if there is no such model, or it would not be tiny.
    """

    layers: int = 3
    """How many layers."""
    width: int = 128
    """The width of the hidden state: an even multiple of `heads`."""
    heads: int = 4
    """How many attention heads."""
    vocabulary: int = 512
    """The largest vocabulary; each of the 256 bytes is in it."""
    context: int = 2048
    """The longest sequence."""
    initializer_range: float = 0.0
    """The standard deviation of the first weights; 0 is one over the root of `width`. With 0.05 a
    model learns to copy names that it has never seen, and with the other it does not, in the same
    number of updates (``benchmarks/copying.py``)."""

    def __post_init__(self) -> None:
        """Check the fields."""
        if not 0 <= self.initializer_range <= 1:
            raise InvalidValueError(
                f"`initializer_range` is between 0 and 1, not {self.initializer_range!r}"
            )
        for name, least in (("layers", 1), ("heads", 1), ("width", 12), ("context", 1)):
            check_count(name, getattr(self, name), least)
        check_count("vocabulary", self.vocabulary, 260)  # 256 bytes and four marks
        if self.width % (2 * self.heads):
            raise InvalidValueError(
                f"`width` is an even multiple of `heads`, {self.heads}, not {self.width!r}"
            )
        # A layer of Llama has about twelve matrices of width times width.
        weights = self.width * (self.vocabulary + 12 * self.layers * self.width)
        if weights > MAX_TINY_WEIGHTS or self.context > MAX_TINY_CONTEXT:
            raise InvalidValueError(
                f"`layers`, `width`, `vocabulary` and `context` make a model of {weights:,} "
                f"weights over {self.context:,} tokens; a tiny one has at most "
                f"{MAX_TINY_WEIGHTS:,} and {MAX_TINY_CONTEXT:,}"
            )


MAX_TINY_WEIGHTS = 10**9
"""The most weights of a tiny model."""

MAX_TINY_CONTEXT = 2**20
"""The longest sequence of a tiny model."""


def check_count(name: str, value: object, least: int) -> None:
    """Raise unless *value* is a whole number of at least *least*."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidValueError(f"`{name}` is a whole number, {least} or more, not {value!r}")


def _check_positive(config: TrainConfig, names: Iterable[str]) -> None:
    for name in names:
        if not getattr(config, name) > 0:
            raise InvalidValueError(f"`{name}` is above 0, not {getattr(config, name)!r}")


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise InvalidValueError(f"`{name}` is 0 to 1, not {value!r}")


def _check_name(kind: str, value: str, names: tuple[str, ...]) -> None:
    if value not in names:
        raise unknown_name(kind, value, names)
