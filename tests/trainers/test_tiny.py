"""The tiny model: its vocabulary, and that it is reproducible."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny, build_tokenizer

TEXTS = ["######\n#_PXO#\n#_S√_#\n######", "Up", "get 3 oak logs", "You see 12 mugs."] * 9
SMALL = TinySize(1, 32, 2, 300, 64)


def test_every_symbol_of_a_grid_is_one_token() -> None:
    """A grid of 4 rows of 6 cells and 3 line ends has 27 tokens."""
    tokenizer = build_tokenizer(TEXTS, 400)

    assert len(tokenizer.encode(TEXTS[0])) == 27
    assert len(tokenizer.encode("120")) == 3
    assert len(tokenizer.encode(" oak logs")) == 2


@pytest.mark.parametrize("text", [TEXTS[0], "Ünseen ≠ 字 🙂\t<|user|>", " two  spaces ", ""])
def test_every_text_is_decoded_as_it_was(text: str) -> None:
    """Texts are decoded unchanged, even with characters that the vocabulary lacks."""
    tokenizer = build_tokenizer(TEXTS, 400)

    assert tokenizer.decode(tokenizer.encode(text)) == text


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of every file in *folder*."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_it_is_the_same_to_the_byte(tmp_path: Path) -> None:
    """Built twice and saved, all files are equal; another seed has other weights."""
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        model, tokenizer = build_tiny(TEXTS, seed, SMALL)
        model.save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)

    first, second, other_seed = (files(tmp_path / name) for name in "abc")
    assert first == second
    assert first["tokenizer.json"] == other_seed["tokenizer.json"]
    assert first["model.safetensors"] != other_seed["model.safetensors"]


def test_it_leaves_the_global_generator_alone() -> None:
    """The next random numbers of torch are those that would have come without it."""
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    build_tiny(TEXTS, 0, SMALL)

    assert torch.equal(torch.rand(2), expected)


def test_it_loads_like_any_model(tmp_path: Path) -> None:
    """The auto classes load a model with the same logits and tokens."""
    model, tokenizer = build_tiny(TEXTS, 0, SMALL)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    ids = tokenizer.encode("get 3 oak logs")
    loaded_model, loaded_tokenizer = (
        kind.from_pretrained(tmp_path) for kind in (AutoModelForCausalLM, AutoTokenizer)
    )

    assert loaded_tokenizer.encode("get 3 oak logs") == ids
    assert loaded_tokenizer.chat_template == tokenizer.chat_template
    with torch.no_grad():
        expected, logits = (either(torch.tensor([ids])).logits for either in (model, loaded_model))
    assert torch.equal(expected, logits)


@pytest.mark.parametrize(("given", "scale"), [(0.0, 32**-0.5), (0.05, 0.05)])
def test_the_scale_of_its_weights_is_what_was_asked_for(given: float, scale: float) -> None:
    """Without one it is one over the root of the width; every matrix has it."""
    model, _ = build_tiny(TEXTS, 0, replace(SMALL, initializer_range=given))

    for weight in model.parameters():
        if weight.ndim == 2:
            assert weight.std().item() == pytest.approx(scale, rel=0.1)


@pytest.mark.parametrize("scale", [-0.1, 1.5, float("nan")])
def test_a_scale_of_weights_out_of_range_is_refused(scale: float) -> None:
    """The error says what is accepted."""
    with pytest.raises(InvalidValueError, match="`initializer_range` is between 0 and 1"):
        TinySize(initializer_range=scale)


def test_no_text_is_refused() -> None:
    """Without a text there would be no vocabulary, so it is an error."""
    with pytest.raises(InvalidValueError, match="there are none"):
        build_tiny([])
