"""The memory estimate: parts worked out by hand, activations counted, settings that would fit."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest
import torch
from systems import needs
from torch.autograd.graph import saved_tensors_hooks
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.study.run.memory import TrainingMemory
from agentgym_gen.trainers.config import RFTConfig, SFTConfig, TrainConfig
from agentgym_gen.trainers.models.adapters import make_trainable
from agentgym_gen.trainers.models.sizes.memory_estimate import (
    GROWTH,
    Device,
    MemoryEstimate,
    Workload,
    estimate_memory,
    fitting_settings,
)
from agentgym_gen.trainers.models.sizes.model_size import ModelSize, model_size
from agentgym_gen.trainers.models.types import Model

CPU, GPU = Device("this machine", 1 << 40, 4), Device("a GPU", 1 << 40, 2, is_gpu=True)
WORK = Workload(
    episodes=16,
    tasks=2,
    sequences=16,
    sequence_tokens=100,
    prompt_tokens=20,
    turn_tokens=10,
    sampled_share=0.5,
    growing=True,
)


def qwen2() -> Model:
    """Return a small model with grouped-query attention."""
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=300,
        hidden_size=32,
        intermediate_size=88,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=True,
    )
    return AutoModelForCausalLM.from_config(config).eval()  # type: ignore[no-untyped-call,no-any-return]


@pytest.fixture(scope="module")
def sizes() -> dict[int, ModelSize]:
    """Return the size of a model with all weights trained, and with an adapter of rank 4."""
    return {rank: model_size(qwen2(), rank) for rank in (0, 4, 16)}


def part(estimate: MemoryEstimate, name: str) -> tuple[int, int]:
    """Return the two numbers of a part."""
    (only,) = [part for part in estimate.parts if part.name == name]
    return only.likely, only.most


def test_the_size_of_a_model_is_that_of_its_weights(sizes: dict[int, ModelSize]) -> None:
    """Counted from the config, it equals that of the model, its adapter's that of PEFT."""
    model = qwen2()
    parameters = sum(weight.numel() for weight in model.parameters())
    assert (sizes[0].parameters, sizes[0].trained, sizes[0].adapter) == (parameters,) * 2 + (0,)

    adapter = make_trainable(model, 4, 8, 0)
    trained = sum(weight.numel() for weight in adapter.parameters() if weight.requires_grad)
    assert (sizes[4].parameters, sizes[4].adapter) == (parameters, trained)
    # 2 layers x keys and values x 2 heads x a width of 8
    assert sizes[0].cache_numbers == 2 * 2 * 2 * 8
    assert (sizes[0].vocabulary, sizes[0].context, sizes[0].widest) == (300, 256, 88)


def test_parts_are_those_worked_out_by_hand(sizes: dict[int, ModelSize]) -> None:
    """On a CPU in single precision, and on a GPU with master copies."""
    size = sizes[0]
    weights = size.parameters
    full = RFTConfig(lora_rank=0, kl_coef=0.1, max_concurrent=8, max_episode_tokens=200)
    on_cpu = estimate_memory(size, full, WORK, CPU)
    assert part(on_cpu, "weights") == (4 * weights,) * 2
    assert part(on_cpu, "gradient and optimizer") == (12 * weights,) * 2
    assert part(on_cpu, "copies of what is trained") == (8 * weights,) * 2
    # 8 of 16 episodes at once, 64 numbers of 4 bytes a token, 100 tokens or the limit of 200
    assert part(on_cpu, "keys and values") == (
        int(8 * 100 * 64 * 4 * GROWTH),
        int(8 * 200 * 64 * 4 * GROWTH),
    )
    on_gpu = estimate_memory(size, full, WORK, GPU)
    assert part(on_gpu, "weights") == (2 * weights,) * 2
    assert part(on_gpu, "gradient and optimizer") == (18 * weights,) * 2
    assert part(on_gpu, "copies of what is trained") == (6 * weights,) * 2

    small = sizes[4]
    eight = RFTConfig(lora_rank=4, load_in_8bit=True)
    quantised = estimate_memory(small, eight, WORK, GPU)
    assert part(quantised, "weights") == (2 * weights - small.linear,) * 2
    assert part(quantised, "adapter") == (4 * small.adapter,) * 2
    assert part(quantised, "gradient and optimizer") == (12 * small.adapter,) * 2


def test_of_divided_weights_each_process_holds_a_part(sizes: dict[int, ModelSize]) -> None:
    """In single precision; whole ones are there while episodes are played, a layer's in updates."""
    size, four = sizes[0], replace(GPU, processes=4)
    weights = size.parameters
    full = RFTConfig(lora_rank=0, kl_coef=0.1, fsdp=True)
    divided = estimate_memory(size, full, WORK, four)

    assert part(divided, "weights") == (weights,) * 2
    assert part(divided, "gradient and optimizer") == (3 * weights,) * 2
    assert part(divided, "copies of what is trained") == (2 * weights,) * 2
    assert part(divided, "whole weights") == (2 * weights,) * 2
    (layer,) = {bytes_ // 2 for bytes_ in part(divided, "weights of a layer")}
    assert weights - size.linear < layer <= weights
    whole = estimate_memory(size, replace(full, fsdp=False), WORK, four)
    assert part(whole, "gradient and optimizer") == (18 * weights,) * 2


def test_several_processes_that_do_not_fit_divide_their_weights_first() -> None:
    """Where that is enough, no adapter takes the place of all weights; and one is never divided."""
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=1024,
        intermediate_size=2048,
        num_hidden_layers=4,
        num_attention_heads=8,
    )
    model = AutoModelForCausalLM.from_config(config)
    sizes = {rank: model_size(model, rank) for rank in (0, 16)}

    def size_of(changed: TrainConfig) -> ModelSize:
        return sizes[changed.lora_rank]

    full, four = RFTConfig(lora_rank=0), replace(GPU, processes=4)
    divided = replace(full, fsdp=True)
    need = estimate_memory(sizes[0], divided, WORK, four).likely
    changes = fitting_settings(size_of, full, WORK, replace(four, free=need))
    assert changes["fsdp"]
    assert "lora_rank" not in changes
    smallest = {"gradient_checkpointing": True, "micro_batch_tokens": 1024, "max_concurrent": 1}
    adapter = replace(full, lora_rank=16, **smallest)
    little = estimate_memory(sizes[16], adapter, WORK, four).likely
    changes = fitting_settings(size_of, divided, WORK, replace(four, free=little))
    assert replace(divided, **changes).lora_rank == 16
    assert changes["fsdp"] is False


def test_rollout_and_update_do_not_add_up(sizes: dict[int, ModelSize]) -> None:
    """They come one after the other; what is always there counts with the larger one."""
    estimate = estimate_memory(sizes[4], RFTConfig(lora_rank=4), WORK, CPU)
    always, rollout, update = (estimate.of(phase) for phase in ("always", "rollout", "update"))

    assert rollout > 0
    assert estimate.likely == always + max(rollout, update)
    assert estimate.most >= estimate.likely
    warm_start = estimate_memory(sizes[4], SFTConfig(lora_rank=4), replace(WORK, episodes=0), CPU)
    assert warm_start.of("rollout") == 0


@pytest.mark.parametrize("rank", [0, 4])
@pytest.mark.parametrize("kind", ["qwen2", "llama"])
def test_activations_are_those_that_a_forward_pass_keeps(rank: int, kind: str) -> None:
    """Counted without memory, they are within a fifth of what torch keeps, and not below it."""
    model = qwen2()
    if kind == "llama":
        shape = {"vocab_size": 300, "hidden_size": 32, "intermediate_size": 64}
        config = LlamaConfig(**shape, num_hidden_layers=2, num_attention_heads=4)
        model = AutoModelForCausalLM.from_config(config).eval()  # type: ignore[no-untyped-call]
    counted = model_size(model, rank).activations(4, 64, 100, checkpointing=False)
    model = make_trainable(model, rank, 8, 0)
    own = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage
        return tensor

    def select(_: object, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        return (inputs[0].flatten(0, 1)[:100][None],)

    model.get_output_embeddings().register_forward_pre_hook(select)
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        logits_UV = model(input_ids=torch.ones(4, 64, dtype=torch.long), use_cache=False).logits[0]
        (logits_UV[:, 0] - logits_UV.logsumexp(dim=-1)).sum()
    measured = sum(storage.nbytes() for place, storage in kept.items() if place not in own)
    measured += 3 * logits_UV.numel() * 4

    assert measured <= counted <= 1.2 * measured


def test_checkpointing_keeps_less(sizes: dict[int, ModelSize]) -> None:
    """One state a layer, and one layer while it is computed again."""
    full, less = (
        sizes[4].activations(4, 64, 10, checkpointing=checkpointing)
        for checkpointing in (False, True)
    )
    assert less < 0.7 * full


def test_what_does_not_fit_is_refused_with_settings_that_would(
    sizes: dict[int, ModelSize],
) -> None:
    """The settings that the error names do fit; a device that is too small for any has none."""
    config: TrainConfig = RFTConfig(lora_rank=0)
    work = replace(WORK, episodes=64, sequences=64)

    def size_of(changed: TrainConfig) -> ModelSize:
        return sizes[changed.lora_rank]

    whole = estimate_memory(sizes[0], config, work, CPU)
    device = replace(CPU, free=whole.likely - 1)
    changes = fitting_settings(size_of, config, work, device)
    assert changes
    changed = replace(config, **changes)
    assert estimate_memory(size_of(changed), changed, work, device).likely <= whole.likely - 1
    assert fitting_settings(size_of, config, work, replace(CPU, free=1 << 20)) == {}

    memory = partial(TrainingMemory, "training", config, sizes[0], work, whole)
    with pytest.raises(InvalidValueError, match=r"likely takes .* and this machine has .*_"):
        memory(device).check_fits()
    with pytest.raises(InvalidValueError, match=r"in 3 processes, .*(with|--workers)"):
        memory(replace(CPU, free=2 * whole.likely)).check_fits(3)
    memory(replace(CPU, free=3 * whole.likely)).check_fits(3)
    memory(replace(CPU, free=None)).check_fits()


@needs("Linux", "the heap of its C library")
def test_freed_memory_is_returned_to_the_system() -> None:
    """Tensors of a megabyte, before one that stays: without asking, the heap would keep them."""
    program = (
        "import resource, torch\n"
        "from pathlib import Path\n"
        "from agentgym_gen.trainers.models.memory import return_freed_memory\n"
        "def resident():\n"
        "    pages = int(Path('/proc/self/statm').read_text().split()[1])\n"
        "    return pages * resource.getpagesize() >> 20\n"
        "tensors = [torch.ones(1 << 16) for _ in range(1600)]\n"
        "last = torch.ones(1 << 16)\n"
        "before = resident()\n"
        "del tensors\n"
        "return_freed_memory()\n"
        "assert before - resident() > 300, (before, resident())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
