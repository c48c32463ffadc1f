"""A model whose cache does not give the model's own probabilities is refused, whatever its name."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.models.checks.positions import UNLIMITED, longest_sequence
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.models.types import Model
from agentgym_gen.trainers.packing.prefix_tree import supports_tree_attention
from agentgym_gen.trainers.sampling import cache_probe
from agentgym_gen.trainers.sampling.cache_probe import check_cacheable

SHAPE: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 96,
    "pad_token_id": 0,
}
WINDOW = {"sliding_window": 24}
NEO = {"num_layers": 2, "num_heads": 2}
"""The names of transformers 5.0, which knows no others for this model when it checks the layers."""
WITH_WINDOWS: list[tuple[str, dict[str, Any]]] = [
    ("mistral", WINDOW),
    ("mixtral", WINDOW),
    ("phi3", WINDOW),
    ("starcoder2", WINDOW),
    ("gpt_neo", NEO | {"attention_types": [[["global", "local"], 1]], "window_size": 24}),
    ("gemma2", WINDOW | {"head_dim": 16}),
    ("qwen2", WINDOW | {"use_sliding_window": True, "max_window_layers": 0}),
]
WITHOUT: list[tuple[str, dict[str, Any]]] = [
    ("mistral", {"sliding_window": None}),
    ("mixtral", {"sliding_window": None}),
    ("phi3", {}),
    ("gpt2", {"n_inner": 32}),
    ("gpt_neox", {}),
    ("qwen2", {}),
    ("qwen3", {"head_dim": 16}),
    ("gemma", {"head_dim": 16}),
    ("opt", {"word_embed_proj_dim": 32, "ffn_dim": 32}),
    ("gpt_neo", NEO | {"attention_types": [[["global"], 2]]}),
]


def build(kind: str, more: dict[str, Any]) -> Model:
    """Return a model of that kind with random weights, large enough to matter."""
    config = AutoConfig.for_model(kind, **(SHAPE | more))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config).eval()
        with torch.no_grad():
            for weight in model.parameters():
                if weight.dim() > 1:
                    weight.normal_(std=0.3)
    return model


@pytest.mark.parametrize(("kind", "more"), WITH_WINDOWS, ids=[kind for kind, _ in WITH_WINDOWS])
def test_a_window_that_is_shorter_than_an_episode_is_refused(
    kind: str, more: dict[str, Any]
) -> None:
    """A shorter episode is accepted; no row of the update holds several sequences."""
    model = build(kind, more)
    with pytest.raises(InvalidValueError, match="set `max_episode_tokens` to less than the window"):
        check_cacheable(model, 96)
    check_cacheable(model, 24)
    assert not supports_tree_attention(model)


@pytest.mark.parametrize(("kind", "more"), WITHOUT, ids=[kind for kind, _ in WITHOUT])
def test_a_model_without_a_window_is_accepted(kind: str, more: dict[str, Any]) -> None:
    """Its logits are the same in pieces."""
    check_cacheable(build(kind, more), 96)


@pytest.mark.parametrize("kind", ["bloom", "rwkv", "mamba"])
def test_a_model_that_cannot_be_fed_in_pieces_is_one_sentence(kind: str) -> None:
    """Its own errors about shapes and arguments are not shown as they are."""
    more = {"attention_hidden_size": 32} if kind == "rwkv" else {}
    model = build(kind, more)
    with pytest.raises(InvalidValueError, match=r"The model \(\w+\) cannot be sampled from"):
        check_cacheable(model, 96)
    assert not supports_tree_attention(model)


def test_flex_attention_on_a_cpu_names_the_remedy() -> None:
    """The sentence says how to load the model."""
    model, _ = build_tiny(["text"], size=TinySize(1, 32, 2, 300, 96))
    model.config._attn_implementation = "flex_attention"
    with pytest.raises(InvalidValueError, match="attn_implementation='sdpa' or 'eager'"):
        check_cacheable(model, 96)


def test_a_model_in_bfloat16_is_accepted() -> None:
    """Its rounding is within the bound, and a window is not."""
    model, _ = build_tiny(["text"], size=TinySize(2, 32, 2, 300, 96))
    check_cacheable(model.to(torch.bfloat16), 96)
    with pytest.raises(InvalidValueError, match="cannot be sampled from"):
        check_cacheable(build("mistral", WINDOW).to(torch.bfloat16), 96)


def test_a_model_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second check of the same length, or of a shorter one, costs nothing."""
    model, _ = build_tiny(["text"], size=TinySize(1, 32, 2, 300, 96))
    check_cacheable(model, 96)
    monkeypatch.setattr(cache_probe, "_measure", pytest.fail)
    check_cacheable(model, 96)
    check_cacheable(model, 50)


def longrope() -> Model:
    """Return a model with 96 positions, of which it had 32 before it was extended."""
    factors = {"short_factor": [1.0] * 8, "long_factor": [4.0] * 8}
    scaling = {"rope_scaling": {"type": "longrope", **factors}}
    return build("phi3", scaling | {"original_max_position_embeddings": 32})


def test_longrope_is_sampled_from_up_to_its_original_length() -> None:
    """Beyond it all positions change at once, and the keys that were kept are wrong."""
    model = longrope()

    assert longest_sequence(model.config) == 32
    assert cache_probe._measure(model, 48) > 10 * cache_probe.MAX_DIFFERENCE
    assert cache_probe._measure(model, 32) < cache_probe.MAX_DIFFERENCE


@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        ({"max_position_embeddings": 2048}, 2048),
        ({"max_position_embeddings": None}, UNLIMITED),
        (
            {
                "max_position_embeddings": 131072,
                "original_max_position_embeddings": 4096,
                "rope_scaling": {"type": "longrope"},
            },
            4096,
        ),
        (
            {
                "max_position_embeddings": 131072,
                "rope_parameters": {
                    "full": {"rope_type": "longrope", "original_max_position_embeddings": 8192},
                    "local": {"rope_type": "default"},
                },
            },
            8192,
        ),
        (
            {
                "max_position_embeddings": 131072,
                "rope_parameters": {"rope_type": "yarn", "original_max_position_embeddings": 4096},
            },
            131072,
        ),
    ],
    ids=["plain", "none named", "longrope", "longrope of one layer type", "yarn"],
)
def test_a_sequence_is_as_long_as_the_settings_allow(settings: dict[str, Any], limit: int) -> None:
    """Other ways to extend a context have the same positions at every length."""
    config = SimpleNamespace(**settings, to_dict=lambda: settings)

    assert longest_sequence(config) == limit
