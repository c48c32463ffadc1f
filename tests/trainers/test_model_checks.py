"""A model from elsewhere is what it says, or one sentence says why it is not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import Qwen2Config, Qwen2ForCausalLM

from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.trainers import load_model
from agentgym_gen.trainers.models.adapters import make_trainable
from agentgym_gen.trainers.models.chat import ChatFormat
from agentgym_gen.trainers.models.chat_templates.chat_template import PLAIN_TEMPLATE
from agentgym_gen.trainers.models.checks.settings import check_settings
from agentgym_gen.trainers.models.checks.template_limits import check_template_limits
from agentgym_gen.trainers.models.checks.windows import attention_windows
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny

Weights = dict[str, Tensor]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a sound model."""
    folder = tmp_path_factory.mktemp("model")
    model, tokenizer = build_tiny(["text"], size=TinySize(2, 32, 2, 300, 128))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """Return a copy of it."""
    return Path(shutil.copytree(whole, tmp_path / "model"))


def change_weights(folder: Path, change: Callable[[Weights], object]) -> None:
    """Write the weights in *folder* as *change* leaves them."""
    (path,) = folder.glob("*.safetensors")
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


def change_settings(folder: Path, name: str = "config.json", **changes: Any) -> None:  # noqa: ANN401
    """Write the settings in *folder* with *changes*."""
    settings = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps(settings | changes))


def rename(weights: Weights) -> None:
    for key in [key for key in weights if "layers.1." in key]:
        weights[key.replace("layers.1.", "blocks.1.")] = weights.pop(key)


def drop_norm(weights: Weights) -> None:
    del weights["model.norm.weight"]


def add_bias(weights: Weights) -> None:
    weights["model.layers.0.mlp.up_proj.bias"] = torch.zeros(3)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (drop_norm, r"missing 'model\.norm\.weight'\. "),
        (rename, r"missing 'model\.layers\.1\.input_layernorm\.weight', .* and 6 more; unexpected"),
        (add_bias, r"unexpected 'model\.layers\.0\.mlp\.up_proj\.bias'\. "),
    ],
)
def test_weights_of_another_model_are_refused(
    folder: Path, change: Callable[[Weights], object], reason: str
) -> None:
    """Missing, renamed and additional weights are named, and no random ones take their place."""
    change_weights(folder, change)
    with pytest.raises(DataError, match=f"do not hold its weights: {reason}"):
        load_model(folder)


def test_settings_with_a_layer_less_are_refused(folder: Path) -> None:
    """The layer that the settings leave out is unexpected."""
    change_settings(folder, num_hidden_layers=1)
    with pytest.raises(DataError, match=r"unexpected 'model\.layers\.1\."):
        load_model(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_weight_that_is_no_number_is_refused(folder: Path, value: float) -> None:
    """One among all is enough, and its tensor is named."""

    def spoil(weights: Weights) -> None:
        weights["model.layers.1.mlp.up_proj.weight"][3, 5] = value

    change_weights(folder, spoil)
    with pytest.raises(DataError, match=r"NaN or infinite: 'model\.layers\.1\.mlp\.up_proj"):
        load_model(folder)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"num_hidden_layers": 10**9}, "'num_hidden_layers': 1000000000, and 4096 is the most"),
        ({"intermediate_size": 10**12}, r"weights, and 4e\+12 is the most"),
        ({"vocab_size": 10**8}, "'config.json' is not that of these weights"),
        ({"num_hidden_layers": 4000}, r"4000, and its files hold \d+ tensors"),
        ({"max_position_embeddings": 10**12}, "'max_position_embeddings': 1000000000000"),
    ],
)
def test_settings_of_absurd_size_are_refused(
    folder: Path, changes: dict[str, int], reason: str
) -> None:
    """Nothing is built from them."""
    change_settings(folder, **changes)
    with pytest.raises(DataError, match=reason):
        load_model(folder)


def test_a_sound_model_is_loaded_to_the_bit(whole: Path) -> None:
    """The checks change nothing."""
    model, _ = load_model(whole)
    first, _ = build_tiny(["text"], size=TinySize(2, 32, 2, 300, 128))

    assert all(torch.equal(w, first.state_dict()[n]) for n, w in model.state_dict().items())


def write_adapter(folder: Path, base: Path) -> Path:
    """Write an adapter of rank 2 for *base*, as a training leaves it."""
    model = make_trainable(load_model(base)[0], 2, 4, 0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.fill_(0.1)
    model.save_pretrained(folder)
    return folder


def test_an_adapter_is_loaded_with_its_base(folder: Path, tmp_path: Path) -> None:
    """It can be switched off, which gives the base, and trained on."""
    ids = torch.tensor([[1, 2, 3]])
    base, _ = load_model(folder)
    model, tokenizer = load_model(write_adapter(tmp_path / "adapter", folder))

    with torch.no_grad():
        assert not torch.allclose(model(ids).logits, base(ids).logits)
        with model.disable_adapter():
            torch.testing.assert_close(model(ids).logits, base(ids).logits)
    assert tokenizer.eos_token == "<|end|>"
    assert any(weight.requires_grad for weight in make_trainable(model, 2, 4, 0).parameters())


def rename_adapter(weights: Weights) -> None:
    key = next(iter(weights))
    weights[key.replace("layers.0", "layers.7")] = weights.pop(key)


def spoil_adapter(weights: Weights) -> None:
    next(iter(weights.values()))[0, 0] = float("nan")


@pytest.mark.parametrize(
    ("change", "reason"), [(rename_adapter, "missing .*; unexpected"), (spoil_adapter, "NaN")]
)
def test_an_adapter_of_another_model_is_refused(
    folder: Path, tmp_path: Path, change: Callable[[Weights], object], reason: str
) -> None:
    """Renamed weights, and such as are no numbers, are named."""
    adapter = write_adapter(tmp_path / "adapter", folder)
    change_weights(adapter, change)
    with pytest.raises(DataError, match=reason):
        load_model(adapter)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"r": 10**9}, "has the rank 1000000000"),
        ({"peft_type": "PROMPT_TUNING"}, "only 'LORA' is loaded"),
        ({"base_model_name_or_path": None}, "does not say what model"),
    ],
)
def test_an_adapter_with_other_settings_is_refused(
    folder: Path, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    """Its rank, its kind and its base are checked before it is built."""
    adapter = write_adapter(tmp_path / "adapter", folder)
    change_settings(adapter, "adapter_config.json", **changes)
    with pytest.raises(DataError, match=reason):
        load_model(adapter)


SLOW = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        pytest.param(SLOW, "it takes more than", marks=pytest.mark.slow),
        pytest.param("{{ 9 ** (9 ** 9) }}", "it takes more than", marks=pytest.mark.slow),
        ("{{ 'x' * 10 ** 10 }}", "fills the memory"),
        ("{% for a in range(99999) %}{{ 'x' * 100 }}{% endfor %}", "a text of more than"),
        ("x" * (1 << 21), "it has 2097152 characters"),
        ("{% for m in messages %}", "cannot show messages"),
        ("{{ 1 // 0 }}", "cannot show messages"),
        ("{{ range(10 ** 9) }}", "cannot show messages"),
    ],
)
def test_a_template_that_is_broken_slow_or_large_is_refused(template: str, reason: str) -> None:
    """Each is one sentence, after a bounded time and in bounded memory."""
    _, tokenizer = build_tiny(["text"], size=TinySize(1, 16, 2, 300))
    tokenizer.chat_template = template
    with pytest.raises(InvalidValueError, match=reason):
        ChatFormat(tokenizer)


def test_a_template_within_the_limits_is_accepted() -> None:
    """One with special tokens and with marks for generated text, too."""
    marked = PLAIN_TEMPLATE.replace(
        "{{ message['content'] }}", "{% generation %}{{ message['content'] }}{% endgeneration %}"
    )
    check_template_limits(PLAIN_TEMPLATE, {"eos_token": "</s>"})
    check_template_limits(marked, {"eos_token": "</s>"})


def test_a_small_model_of_qwen2_is_no_damaged_one(tmp_path: Path) -> None:
    """Its settings say `max_window_layers`: 28, which counts no layers that are built."""
    config = Qwen2Config(
        vocab_size=300,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
    )
    model = Qwen2ForCausalLM(config)
    model.save_pretrained(tmp_path)

    assert config.max_window_layers > 14
    check_settings(str(tmp_path))
    assert attention_windows(model) == []
    model.config.sliding_window = 16
    assert attention_windows(model) == [16]
