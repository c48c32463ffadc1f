"""What the memory estimate of `agentgym-gen train --dry-run` says of models of 3 and 7 billion.

    python benchmarks/memory_on_gpus.py

No weight is made, and no GPU is used: only the shapes of Qwen2.5 are. A step is that of the preset
`paper-3b`, 16 tasks with 8 episodes each, of which a GPU plays 64 at once; every episode has 8,192
tokens, a tenth of them sampled. Layers are computed again in the backward pass.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import torch
from transformers import AutoModelForCausalLM, Qwen2Config

from agentgym_gen.trainers import RFTConfig
from agentgym_gen.trainers.models.sizes.memory_estimate import Device, Workload, estimate_memory
from agentgym_gen.trainers.models.sizes.model_size import model_size
from agentgym_gen.trainers.models.types import Model

SHAPES = {
    "Qwen2.5-3B": (2048, 11008, 36, 16, 2, 151936, True),
    "Qwen2.5-7B": (3584, 18944, 28, 28, 4, 152064, False),
}
"""Width, inner width, layers, heads, heads of keys, tokens, and whether embeddings are shared; from
the configs of the models."""

COMMON = RFTConfig(
    tasks_per_step=16,
    num_generations=8,
    max_concurrent=64,
    max_episode_tokens=8192,
    gradient_checkpointing=True,
)
TRAININGS = {
    "adapter of rank 32": replace(COMMON, lora_rank=32),
    "all weights": replace(COMMON, lora_rank=0),
    "all weights, `fsdp=True`": replace(COMMON, lora_rank=0, fsdp=True),
}


def main() -> None:
    """Print a table with a line for each model and training."""
    numbers = (1, 2, 4, 8)
    print(
        "| model | training | " + " | ".join(f"{n} GPU{'s' * (n > 1)}, GB" for n in numbers) + " |"
    )
    print("| --- | --- |" + " ---: |" * len(numbers))
    for name in SHAPES:
        model = meta_model(name)
        for training, config in TRAININGS.items():
            size = model_size(model, config.lora_rank)
            likely = []
            for processes in numbers:
                device = Device("a GPU", None, 2, is_gpu=True, processes=processes)
                work = workload(config, processes)
                likely.append(estimate_memory(size, config, work, device).likely / 2**30)
            shown = [f"{gigabytes:.0f}" for gigabytes in likely]
            if config.fsdp:
                shown[0] = "-"
            print(f"| {name} | {training} | " + " | ".join(shown) + " |", flush=True)


def meta_model(name: str) -> Model:
    """Return the model *name* without weights."""
    width, inner, layers, heads, key_heads, tokens, tied = SHAPES[name]
    config = Qwen2Config(
        vocab_size=tokens,
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=key_heads,
        max_position_embeddings=32768,
        tie_word_embeddings=tied,
    )
    with torch.device("meta"):
        model: Model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    return model


def workload(config: RFTConfig, processes: int) -> Workload:
    """Return what one of so many processes has of a step."""
    episodes = ceil(config.tasks_per_step * config.num_generations / processes)
    return Workload(
        episodes=episodes,
        tasks=ceil(config.tasks_per_step / processes),
        sequences=episodes,
        sequence_tokens=8192,
        prompt_tokens=1024,
        turn_tokens=256,
        sampled_share=0.1,
        growing=True,
    )


if __name__ == "__main__":
    main()
