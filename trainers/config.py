"""The settings of both trainers, named as in Hugging Face's where the meaning is the same."""

from __future__ import annotations

from dataclasses import dataclass

from agentgym_gen.errors import InvalidValueError, unknown_name

ESTIMATORS = ("dr_grpo", "grpo", "loo")
AVERAGES = ("episode", "token")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What both trainers share.

    Raises:
        InvalidValueError: if a value is outside what is accepted.
    """

    output_dir: str = ""
    """Where checkpoints and the log go; empty writes nothing."""
    learning_rate: float = 1e-4
    """The highest learning rate."""
    max_steps: int = 100
    """How many updates are made."""
    warmup_steps: int = 0
    """How many of them the learning rate rises linearly."""
    weight_decay: float = 0.0
    """The weight decay of AdamW."""
    max_grad_norm: float = 1.0
    """Gradients with a larger norm are scaled down to it."""
    seed: int = 0
    """The root of all draws; each is named by seed and step, so that nothing else has a state."""
    save_steps: int = 0
    """A checkpoint is written every so many steps; 0 writes the last one only."""
    logging_steps: int = 1
    """A row is logged every so many steps."""
    micro_batch_tokens: int = 16384
    """How many tokens, padding included, go through the model at once."""
    lora_rank: int = 0
    """The rank of the LoRA adapter; 0 trains all weights."""
    lora_alpha: int = 32
    """The scale of the adapter is ``lora_alpha / lora_rank``."""

    def __post_init__(self) -> None:
        """Check the fields."""
        for name in ("learning_rate", "max_grad_norm"):
            if not getattr(self, name) > 0:
                raise InvalidValueError(f"`{name}` is above 0, not {getattr(self, name)!r}")
        for name in ("max_steps", "logging_steps", "micro_batch_tokens", "lora_alpha"):
            check_count(name, getattr(self, name), 1)
        for name in ("warmup_steps", "save_steps", "lora_rank", "seed"):
            check_count(name, getattr(self, name), 0)
        if self.weight_decay < 0:
            raise InvalidValueError(f"`weight_decay` is 0 or more, not {self.weight_decay!r}")


@dataclass(frozen=True, kw_only=True)
class SFTConfig(TrainConfig):
    """The settings of supervised fine-tuning on demonstrations."""

    learning_rate: float = 3e-4
    batch_size: int = 64
    """How many token sequences an update sees."""
    final_lr_ratio: float = 0.1
    """The cosine falls to this share of the learning rate."""

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        check_count("batch_size", self.batch_size, 1)
        if not 0 <= self.final_lr_ratio <= 1:
            raise InvalidValueError(f"`final_lr_ratio` is 0 to 1, not {self.final_lr_ratio!r}")


@dataclass(frozen=True, kw_only=True)
class RFTConfig(TrainConfig):
    """The settings of reinforcement fine-tuning."""

    tasks_per_step: int = 8
    """How many tasks a step plays."""
    num_generations: int = 8
    """How many episodes each task is played; their rewards are compared with each other."""
    estimator: str = "grpo"
    """The advantage estimator: ``grpo``, ``dr_grpo`` or ``loo``."""
    advantage_clip: tuple[float, float] = (-1.5, 2.5)
    """Advantages are kept between these two: one bad episode cannot push everything away."""
    episode_coef: float = 1.0
    """The weight of that advantage, which all turns of an episode share."""
    step_coef: float = 0.0
    """The weight of the advantage of a turn over those of the group that saw the same (GiGPO)."""
    discount: float = 1.0
    """What a later success is worth less, by turn, for the advantage of a turn."""
    clip_range: float = 0.2
    """How far below 1 the probability ratio still counts."""
    clip_range_high: float = 0.2
    """How far above 1 the probability ratio still counts."""
    updates_per_step: int = 1
    """How many optimizer updates the episodes of a step are used for, each on all of them."""
    loss_average: str = "token"
    """``token`` weighs every sampled token alike, ``episode`` every episode."""
    kl_coef: float = 0.0
    """The weight of the divergence from the model before training."""
    temperature: float = 1.0
    """The temperature at which episodes are sampled and scored."""
    max_new_tokens: int = 32
    """The longest completion."""
    turn_cost: float = 0.0
    """What each turn takes off the reward of an episode."""
    invalid_penalty: float = 0.0
    """What is taken off the advantage of the very turn whose action could not be carried out."""
    max_valid_drop: float = 0.4
    """Training stops and goes back when the valid-action rate is this far below its best."""
    slots: int = 128
    """How many episodes are live at once."""
    max_turns: int | None = None
    """The turn limit of training episodes; None takes each task's own."""

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        for name in ("tasks_per_step", "updates_per_step", "max_new_tokens", "slots"):
            check_count(name, getattr(self, name), 1)
        check_count("num_generations", self.num_generations, 1)
        if self.max_turns is not None:
            check_count("max_turns", self.max_turns, 1)
        if self.num_generations == 1:
            raise InvalidValueError(
                "`num_generations` is at least 2, not 1: an advantage is the difference between "
                "the episodes of one task"
            )
        if self.estimator not in ESTIMATORS:
            raise unknown_name("estimator", self.estimator, ESTIMATORS, "all")
        if self.loss_average not in AVERAGES:
            raise unknown_name("loss average", self.loss_average, AVERAGES, "all")
        self._check_ranges()

    def _check_ranges(self) -> None:
        low, high = self.advantage_clip
        if not low < 0 < high:
            raise InvalidValueError(
                f"`advantage_clip` is a negative and a positive number, not {self.advantage_clip!r}"
            )
        for name in ("clip_range", "clip_range_high", "temperature", "max_valid_drop"):
            if not getattr(self, name) > 0:
                raise InvalidValueError(f"`{name}` is above 0, not {getattr(self, name)!r}")
        if not 0 < self.discount <= 1:
            raise InvalidValueError(f"`discount` is above 0 and at most 1, not {self.discount!r}")
        for name in ("kl_coef", "turn_cost", "invalid_penalty", "episode_coef", "step_coef"):
            if getattr(self, name) < 0:
                raise InvalidValueError(f"`{name}` is 0 or more, not {getattr(self, name)!r}")


def check_count(name: str, value: object, least: int) -> None:
    """Raise unless *value* is a whole number of at least *least*."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidValueError(f"`{name}` is a whole number, {least} or more, not {value!r}")
