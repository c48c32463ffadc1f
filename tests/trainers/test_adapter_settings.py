"""Dropout of an adapter, its merged weights, the hub, and the kernel of attention."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
import torch
from peft import LoraConfig, get_peft_model

from agentgym_gen import Registered, register
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.models.adapters import adapter_dropout, make_trainable, no_dropout
from agentgym_gen.trainers.models.loading import load_model
from agentgym_gen.trainers.models.publishing import merged_weights
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.rft import RFTTrainer

ENV = "rftgen/Corridor-easy-v0"
STYLE = PromptStyle("action", instruction=False)
IDS = torch.arange(1, 21)[None]


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def tiny() -> tuple[Model, Tokenizer]:
    """Return a model of a few thousand weights."""
    return build_tiny(["walk to door 2", "It opens."], 0, TinySize(1, 16, 2, 300, 512))


def adapted(dropout: float = 0.0) -> Model:
    """Return a model with an adapter that changes what it computes."""
    model = make_trainable(tiny()[0], 4, 8, 0, dropout=dropout)
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.3)
    return model


@torch.no_grad()
def logits(model: Model) -> torch.Tensor:
    """Return the logits after a fixed text."""
    result: torch.Tensor = model(IDS).logits
    return result


def trainer(model: Model, tokenizer: Tokenizer, **settings: object) -> RFTTrainer:
    """Return a trainer in the corridor whose every step has an update."""
    args: dict[str, Any] = {
        **{"lora_rank": 4, "lora_alpha": 8, "max_steps": 2, "tasks_per_step": 2},
        **{"num_generations": 2, "max_turns": 3, "max_new_tokens": 4, "learning_rate": 1e-2},
        **{"turn_cost": 0.01, "invalid_penalty": 0.1, "kl_coef": 0.1},
    }
    return RFTTrainer(
        model=model,
        tokenizer=tokenizer,
        envs=[ENV],
        args=RFTConfig(**(args | settings)),
        style=STYLE,
    )


def test_dropout_is_on_inside_its_context_only() -> None:
    """The same seed leaves out the same, and the global generator is as before."""
    model = adapted(0.5)
    whole = logits(model)
    state = torch.random.get_rng_state()
    with adapter_dropout(model, 1, enabled=True):
        first = logits(model)
        with no_dropout(model):
            assert torch.equal(logits(model), whole)
        assert not torch.equal(logits(model), whole)
    with adapter_dropout(model, 1, enabled=True):
        assert torch.equal(logits(model), first)
    with adapter_dropout(model, 2, enabled=True):
        assert not torch.equal(logits(model), first)

    assert torch.equal(logits(model), whole)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_sampling_reference_and_gap_have_no_dropout() -> None:
    """The gap of every first pass is rounding, and the gradient is another than without."""
    rows = {p: trainer(adapted(), tiny()[1], lora_dropout=p).train() for p in (0.0, 0.5)}

    assert all(row["sampler_gap"] < 1e-4 for row in rows[0.5] if "sampler_gap" in row)
    assert any("sampler_gap" in row for row in rows[0.5])
    first = [rows[p][0] for p in (0.0, 0.5)]
    assert first[0]["gradient_norm"] != first[1]["gradient_norm"]
    assert first[0]["success"] == first[1]["success"]
    again = trainer(adapted(), tiny()[1], lora_dropout=0.5).train()
    assert [r["gradient_norm"] for r in again] == [r["gradient_norm"] for r in rows[0.5]]


@pytest.mark.parametrize("rank", [0, 4])
@pytest.mark.parametrize("has_adapter", [False, True])
def test_a_model_is_trained_in_evaluation_mode(rank: int, has_adapter: bool) -> None:
    """Its own dropout would change what is sampled, and take from the global generator."""
    model = adapted() if has_adapter and rank else tiny()[0]

    assert not make_trainable(model.train(), rank, 8, 0).training


@pytest.mark.parametrize(
    ("rank", "alpha", "targets", "setting"),
    [(8, 8, (), "lora_rank"), (4, 64, (), "lora_alpha"), (4, 8, ("q_proj",), "lora_targets")],
)
def test_an_adapter_of_other_settings_is_refused(
    rank: int, alpha: int, targets: tuple[str, ...], setting: str
) -> None:
    """It would be trained as it is, whatever the settings say."""
    with pytest.raises(InvalidValueError, match=f"an adapter with `{setting}` "):
        make_trainable(adapted(), rank, alpha, 0, targets)


def test_an_adapter_of_another_name_is_refused() -> None:
    """PEFT writes it into a folder of its own, where no checkpoint looks for it."""
    model = tiny()[0]
    model.add_adapter(LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj"]), "mine")
    with pytest.raises(InvalidValueError, match=r"adapters \['mine'\], and one called 'default'"):
        make_trainable(model, 4, 8, 0)


def test_a_base_into_which_an_adapter_was_put_is_refused() -> None:
    """It would be saved as a whole model that nothing can load; the trainer's model is trained."""
    base = tiny()[0]
    wrapped = make_trainable(base, 4, 8, 0)
    with pytest.raises(InvalidValueError, match="pass the `model` of that trainer instead"):
        make_trainable(base, 4, 8, 0)

    assert make_trainable(wrapped, 4, 8, 0) is wrapped


@pytest.mark.filterwarnings("ignore::FutureWarning")  # peft reads a name that transformers changed
@pytest.mark.parametrize("more", [{"use_dora": True}, {"modules_to_save": ["norm"]}])
def test_an_adapter_beyond_plain_lora_is_refused(more: dict[str, Any]) -> None:
    """Merged weights would be without what it adds, and a checkpoint could not be gone on from."""
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj"], **more)
    model = get_peft_model(tiny()[0], config)
    for use in (lambda: make_trainable(model, 4, 8, 0), lambda: merged_weights(model)):
        with pytest.raises(InvalidValueError, match=f"is LORA with {next(iter(more))}, and plain"):
            use()


def test_a_training_does_not_go_on_with_another_scale(tmp_path: Path) -> None:
    """No weight shows `lora_alpha`, and it changes what the model computes."""
    trainer(*tiny(), output_dir=tmp_path, max_steps=1).train()
    with pytest.raises(InvalidValueError, match="trained with `lora_alpha` 8, not 64"):
        trainer(*tiny(), output_dir=tmp_path, lora_alpha=64).train(resume_from_checkpoint=True)


def test_dropout_agrees_with_gradient_checkpointing() -> None:
    """A layer that is computed again leaves out the same inputs."""
    norms = [
        trainer(adapted(), tiny()[1], lora_dropout=0.5, gradient_checkpointing=on).train()[0][
            "gradient_norm"
        ]
        for on in (False, True)
    ]
    assert norms[0] == pytest.approx(norms[1], rel=1e-5)


def test_a_merged_model_computes_what_the_adapter_does(tmp_path: Path) -> None:
    """Loaded from its folder, without peft; the model in memory is the same to the bit."""
    model, (_, tokenizer) = adapted(), tiny()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    trainer(model, tokenizer).merge_and_save(tmp_path)
    merged, _ = load_model(tmp_path)

    assert not hasattr(merged, "peft_config")
    assert torch.allclose(logits(merged), logits(model), atol=1e-5)
    assert not torch.allclose(logits(merged), logits(tiny()[0]), atol=1e-2)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    with pytest.raises(ResultExistsError, match="has the weights of a model"):
        trainer(model, tokenizer).merge_and_save(tmp_path)


def test_weights_of_8_bits_are_not_merged() -> None:
    """Their sum with an adapter would be rounded to 8 bits."""
    model = adapted()
    for part in model.modules():
        if hasattr(part, "get_delta_weight"):
            weight = part.get_base_layer().weight
            weight.requires_grad_(False)
            part.get_base_layer()._parameters["weight"] = torch.nn.Parameter(
                weight.to(torch.int8), requires_grad=False
            )
    with pytest.raises(InvalidValueError, match="load_in_8bit"):
        merged_weights(model)


class Hub:
    """Stands in for the client of the hub."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.error: Exception | None = None

    def create_repo(self, repo_id: str, **settings: Any) -> SimpleNamespace:  # noqa: ANN401
        """Make a model, whose full name has the owner."""
        if self.error:
            raise self.error
        self.calls.append((repo_id, settings))
        return SimpleNamespace(repo_id=f"me/{repo_id}")

    def upload_folder(self, **settings: Any) -> SimpleNamespace:  # noqa: ANN401
        """Note the files."""
        files = sorted(path.name for path in settings.pop("folder_path").iterdir())
        self.calls.append(("upload", {**settings, "files": files}))
        return SimpleNamespace(commit_url="https://hub/me/model/commit/1")


def test_a_model_is_pushed_with_its_tokenizer_and_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter as it is, or merged; private unless asked otherwise."""
    hub = Hub()
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: hub)
    rft = trainer(adapted(), tiny()[1])

    assert rft.push_to_hub("model") == "https://hub/me/model/commit/1"
    assert hub.calls[0] == ("model", {"private": True, "exist_ok": True})
    assert hub.calls[1][1]["repo_id"] == "me/model"
    assert {"adapter_model.safetensors", "tokenizer.json", "README.md"} <= set(
        hub.calls[1][1]["files"]
    )
    rft.push_to_hub("model", private=False, merged=True)
    assert hub.calls[2][1]["private"] is False
    assert "model.safetensors" in hub.calls[3][1]["files"]
    assert "adapter_config.json" not in hub.calls[3][1]["files"]
    hub.error = OSError("offline")
    with pytest.raises(DataError, match="Cannot upload the model 'model': offline; log in"):
        rft.push_to_hub("model")


def test_the_kernel_of_attention_is_that_of_the_settings(tmp_path: Path) -> None:
    """It is given to transformers; a name that is none is one sentence."""
    model, tokenizer = tiny()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    args = RFTConfig(attn_implementation="eager", lora_rank=0)
    rft = RFTTrainer(model=str(tmp_path), envs=[ENV], args=args, style=STYLE)

    assert rft.model.config._attn_implementation == "eager"
    with pytest.raises(DataError, match=r"(?i)attention"):
        load_model(tmp_path, attn_implementation="fastest")
