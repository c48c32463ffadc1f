"""Settings that cannot work are refused before anything starts."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from agentgym_gen.errors import InvalidValueError, UnknownNameError
from agentgym_gen.trainers.config import RFTConfig, SFTConfig


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("step_coef", float("inf")),
        ("report_to", None),
        ("advantage_clip", 0.5),
        ("advantage_clip", (-1.0, "2")),
        ("max_steps", 0),
        ("max_steps", 1.5),
        ("seed", -1),
        ("lora_rank", -4),
        ("weight_decay", -0.1),
        ("num_generations", 0),
        ("tasks_per_step", True),
        ("advantage_clip", (0.5, 1.0)),
        ("temperature", 0.0),
        ("kl_coef", -1.0),
        ("max_turns", 0),
        ("entropy_coef", float("nan")),
        ("save_total_limit", -1),
        ("report_to", "wandb"),
        ("eval_k", 0),
        ("mini_batch_tasks", -1),
        ("max_new_tokens", 0),
        ("max_sampler_gap", 0.0),
        ("final_lr_ratio", 1.5),
        ("lora_targets", "q_proj"),
        ("learning_rate", "1e-4"),
        ("output_dir", 3),
        ("bf16", "false"),
        ("gradient_checkpointing", 1),
    ],
)
def test_a_wrong_value_is_named(name: str, value: Any) -> None:  # noqa: ANN401
    """The message names the field."""
    with pytest.raises(InvalidValueError, match=f"`{name}`"):
        RFTConfig(**{name: value})


def test_a_number_of_numpy_is_one_that_a_checkpoint_can_hold() -> None:
    """JSON knows Python's own only."""
    args = RFTConfig(learning_rate=np.float32(0.25), temperature=np.float64(0.5))

    assert type(args.learning_rate) is float
    assert json.loads(json.dumps(asdict(args)))["learning_rate"] == 0.25


def test_a_group_of_one_is_refused() -> None:
    """Its advantage would always be 0, so one generation is an error."""
    with pytest.raises(InvalidValueError, match="at least 2 for"):
        RFTConfig(num_generations=1)


def test_an_unknown_estimator_is_answered_with_the_valid_names() -> None:
    """The error suggests the nearest name, or lists the valid ones."""
    with pytest.raises(UnknownNameError, match="did you mean 'grpo'"):
        RFTConfig(estimator="gppo")
    with pytest.raises(UnknownNameError, match="token"):
        RFTConfig(loss_average="turn")


def test_sft_has_checks_of_its_own() -> None:
    """The batch size and the final share of the learning rate are checked."""
    with pytest.raises(InvalidValueError, match="batch_size"):
        SFTConfig(batch_size=0)
    with pytest.raises(InvalidValueError, match="final_lr_ratio"):
        SFTConfig(final_lr_ratio=2)


@pytest.mark.parametrize(
    ("name", "value", "near"),
    [
        ("truncation", "masked", "mask"),
        ("on_truncated_turn", "refused", "refuse"),
        ("reward", "sucess", "success"),
        ("report_to", ("wandbb",), "wandb"),
    ],
)
def test_an_unknown_choice_is_answered_with_the_nearest(name: str, value: Any, near: str) -> None:  # noqa: ANN401
    """The error suggests the nearest name, as for any name in the library."""
    with pytest.raises(UnknownNameError, match=f"did you mean '{near}'"):
        RFTConfig(**{name: value})


def test_a_bound_may_be_infinite() -> None:
    """That switches it off."""
    off = float("inf")
    config = RFTConfig(max_grad_norm=off, clip_range_high=off, advantage_clip=(-off, off))

    assert config.max_grad_norm == off


def test_eight_bits_need_an_adapter() -> None:
    """Quantised weights cannot be trained, so 8 bits without an adapter is an error."""
    with pytest.raises(InvalidValueError, match="needs an adapter"):
        RFTConfig(load_in_8bit=True, lora_rank=0)
    assert RFTConfig(num_generations=1, estimator="reinforce++").lora_rank == 16
