"""Gradient checkpointing changes no number, whatever dropout a layer applies itself."""

from __future__ import annotations

import torch
from transformers import OPTConfig, OPTForCausalLM

from agentgym_gen.trainers.models.memory import gradient_checkpointing


def test_checkpointing_switches_no_dropout_on() -> None:
    """OPT's layers call it with their own flag, which checkpointing has to set."""
    torch.manual_seed(0)
    config = OPTConfig(
        vocab_size=100,
        hidden_size=16,
        ffn_dim=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
        word_embed_proj_dim=16,
        dropout=0.5,
    )
    model = OPTForCausalLM(config).eval()
    ids = torch.arange(1, 21)[None]
    plain = model(ids).logits
    with gradient_checkpointing(model, enabled=True):
        kept = model(ids).logits
        kept.sum().backward()

    assert torch.equal(plain, kept)
    assert model.model.decoder.layers[0].dropout == 0.5
    assert not any(part.training for part in model.modules())
