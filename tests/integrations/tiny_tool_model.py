"""A tiny model that acts in random directions, whatever it reads, for trainers that need one.

Its attention reaches back a few tokens only. So it learns its answers in seconds, and gives them
after a prompt of any length.
"""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import MistralConfig, MistralForCausalLM

from agentgym_gen.agents.prompt import PromptStyle, wrap_action
from agentgym_gen.trainers.demos import expert_texts
from agentgym_gen.trainers.models.tiny import build_tokenizer

ACTIONS = ("up", "down", "left", "right")
ENVS = ["rftgen/Sokoban-easy-v0", "rftgen/TextCraft-easy-v0"]
WIDTH, WINDOW = 64, 16


def save(folder: Path, template: str, format: str, steps: int = 200) -> None:
    """Write a model of a few thousand weights, and its tokenizer, to *folder*.

    Args:
        folder: Where model and tokenizer are written.
        template: A chat template whose messages begin with ``<|im_start|>`` and end with
            ``<|im_end|>``.
        format: How actions are written, one of `agentgym_gen.agents.prompt.FORMATS`.
        steps: How long the model is trained to give one of `ACTIONS`.
    """
    style = PromptStyle(format)
    answers = [wrap_action(style, action) for action in ACTIONS]
    tokenizer = build_tokenizer([*answers * 20, *expert_texts(ENVS, style, number=4)], 512)
    tokenizer.add_special_tokens(
        {"eos_token": "<|im_end|>", "additional_special_tokens": ["<|im_start|>"]}
    )
    tokenizer.chat_template = template
    torch.manual_seed(0)
    model = MistralForCausalLM(
        MistralConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=2 * WIDTH,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=8192,
            sliding_window=WINDOW,
            tie_word_embeddings=True,
            initializer_range=WIDTH**-0.5,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    texts = [f"<|im_start|>assistant\n{answer}<|im_end|>" for answer in answers]
    memorize(model, [tokenizer.encode(text) for text in texts], steps)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def memorize(model: torch.nn.Module, answers: list[list[int]], steps: int) -> None:
    """Train *model* until it gives one of *answers* after any tokens."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    width = max(map(len, answers))
    ends = torch.tensor([answer + [0] * (width - len(answer)) for answer in answers])
    for _ in range(steps):
        prompts = torch.randint(model.config.vocab_size, (len(answers), 2 * WINDOW))
        ids = torch.cat([prompts, ends], dim=1)
        labels = ids.masked_fill(ids == 0, -100)
        labels[:, : 2 * WINDOW] = -100
        model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
