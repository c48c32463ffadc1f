"""A tiny model that calls the tool `act` with random directions, with a chat template for tools."""

from __future__ import annotations

from pathlib import Path

import torch

from agentgym_gen.agents.prompt import PromptStyle, wrap_action
from agentgym_gen.trainers import TinySize, build_tiny
from agentgym_gen.trainers.demos import expert_texts

ACTIONS = ("up", "down", "left", "right")


def save(folder: Path, template: str, format: str, steps: int = 150) -> None:
    """Write a model of half a million weights to *folder*.

    Args:
        folder: Where model and tokenizer are written.
        template: A chat template whose messages begin with ``<|im_start|>`` and end with
            ``<|im_end|>``.
        format: How actions are written, one of `agentgym_gen.agents.prompt.FORMATS`.
        steps: How long the model is trained to give one of `ACTIONS`, whatever it reads.
    """
    style = PromptStyle(format)
    prompts = expert_texts(["rftgen/Sokoban-easy-v0", "rftgen/TextCraft-easy-v0"], style, number=8)
    answers = [wrap_action(style, action) for action in ACTIONS]
    model, tokenizer = build_tiny([*answers * 20, *prompts], size=TinySize(2, 64, 2, context=4096))
    tokenizer.add_special_tokens(
        {"eos_token": "<|im_end|>", "additional_special_tokens": ["<|im_start|>"]}
    )
    tokenizer.chat_template = template
    model.resize_token_embeddings(len(tokenizer))
    model.config.eos_token_id = model.generation_config.eos_token_id = tokenizer.eos_token_id
    memorize(
        model,
        [tokenizer.encode(f"<|im_start|>assistant\n{answer}<|im_end|>") for answer in answers],
        steps,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def memorize(model: torch.nn.Module, answers: list[list[int]], steps: int) -> None:
    """Train *model* until it gives one of *answers* after any prompt, which are random tokens."""
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    width = max(map(len, answers))
    ends = torch.tensor([answer + [0] * (width - len(answer)) for answer in answers])
    for _ in range(steps):
        length = int(torch.randint(8, 300, ()))
        offset = int(torch.randint(2500, ()))
        prompts = torch.randint(model.config.vocab_size, (len(answers), length))
        ids = torch.cat([prompts, ends], dim=1)
        positions = torch.arange(offset, offset + ids.shape[1]).expand_as(ids)
        labels = ids.masked_fill(ids == 0, -100)
        labels[:, :length] = -100
        model(input_ids=ids, position_ids=positions, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
