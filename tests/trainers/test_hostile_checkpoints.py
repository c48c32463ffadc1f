"""Checkpoints and models that are broken or hostile give one clear error, and no code is run."""

import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from agentgym_gen import Registered, register
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.trainers import load_model
from agentgym_gen.trainers.config import SFTConfig
from agentgym_gen.trainers.demos import demonstrations, expert_texts
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.sft import SFTTrainer

ENV = "rftgen/Corridor-easy-v0"
STYLE = PromptStyle("action", instruction=False)


class FolderMaker:
    """An object whose pickle makes a folder when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        """Return the function that the loader calls, with its argument."""
        return os.mkdir, (str(self.path),)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the output folder of a training of two steps."""
    register(Registered("Corridor", "toy_world:CorridorWorld"))
    folder = tmp_path_factory.mktemp("whole")
    trainer(folder).train()
    return folder


def trainer(folder: Path) -> SFTTrainer:
    """Return a trainer that writes into *folder*."""
    model, tokenizer = build_tiny(expert_texts([ENV], STYLE, number=3), 0, TinySize(1, 32, 2, 300))
    trajectories = demonstrations([ENV], tokenizer, STYLE, number=3)
    args = SFTConfig(lora_rank=0, max_steps=2, batch_size=2, save_steps=1, output_dir=str(folder))
    return SFTTrainer(model, tokenizer, args, trajectories)


def write_hostile_pickle(path: Path, target: Path) -> None:
    """Write a pickle as torch does, which makes the folder *made* when it is loaded."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(FolderMaker(target), protocol=2))
        file.writestr("archive/version", "3")


def change_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the JSON object in *path*."""
    value = json.loads(path.read_text(encoding="utf-8"))
    change(value)
    path.write_text(json.dumps(value), encoding="utf-8")


def truncate(path: Path) -> None:
    """Leave the first half of the file *path*."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def claim_long_header(path: Path) -> None:
    """Let the header of a safetensors file claim to be a gigabyte long."""
    path.write_bytes(struct.pack("<Q", 2**30) + b"{}")


def claim_huge_tensor(path: Path) -> None:
    """Let a tensor claim more bytes than the file has."""
    header = {"x": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("state.json", truncate),
        ("state.json", lambda path: path.write_bytes(b"\xff")),
        ("state.json", lambda path: path.write_text("[" * 100_000)),
        ("state.json", lambda path: path.write_text("[1]")),
        ("state.json", lambda path: change_json(path, lambda value: value.pop("step"))),
        ("state.json", lambda path: change_json(path, lambda value: value.update(step=-1))),
        ("state.json", lambda path: change_json(path, lambda value: value.update(step="2"))),
        ("state.json", lambda path: change_json(path, lambda value: value.update(history=7))),
        ("model.safetensors", truncate),
        ("model.safetensors", claim_long_header),
        ("model.safetensors", claim_huge_tensor),
        ("model.safetensors", lambda path: path.write_bytes(b"")),
        ("optimizer.pt", truncate),
        ("optimizer.pt", lambda path: path.write_bytes(b"")),
        ("optimizer.pt", lambda path: path.write_bytes(b"PK\x03\x04" + b"x" * 99)),
        ("optimizer.pt", lambda path: torch.save([1], path)),
        ("optimizer.pt", lambda path: torch.save({"state": {}, "param_groups": []}, path)),
    ],
)
def test_a_damaged_checkpoint_is_named(
    tmp_path: Path, whole: Path, name: str, damage: Callable[[Path], object]
) -> None:
    """The error names the damaged file."""
    source = whole / "step_000002"
    folder = tmp_path / "step_000002"
    folder.mkdir()
    for path in source.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    damage(folder / name)

    with pytest.raises(DataError, match=f"Cannot read .*{name} of the checkpoint"):
        trainer(tmp_path).train(resume_from_checkpoint=folder)


def test_a_pickle_in_a_checkpoint_is_not_run(tmp_path: Path, whole: Path) -> None:
    """A pickle in place of the optimizer's state is refused without being loaded."""
    folder = tmp_path / "step_000002"
    folder.mkdir()
    for path in (whole / "step_000002").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    write_hostile_pickle(folder / "optimizer.pt", tmp_path / "exploded")

    with pytest.raises(DataError, match=r"Cannot read .*optimizer\.pt of the checkpoint"):
        trainer(tmp_path).train(resume_from_checkpoint=folder)
    assert not (tmp_path / "exploded").exists()


def test_a_checkpoint_of_another_model_is_an_error_of_its_own(tmp_path: Path, whole: Path) -> None:
    """The error says so if the weights are readable but of another shape."""
    folder = tmp_path / "step_000002"
    folder.mkdir()
    for path in (whole / "step_000002").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    weights = load_file(folder / "model.safetensors")
    save_file({name: weight[:1].clone() for name, weight in weights.items()},
              folder / "model.safetensors")  # fmt: skip

    with pytest.raises(InvalidValueError, match="is of another model"):
        trainer(tmp_path).train(resume_from_checkpoint=folder)


def copy_model(whole: Path, folder: Path, *names: str) -> Path:
    """Copy the model of a checkpoint into *folder*, without the files *names*."""
    folder.mkdir()
    for path in (whole / "step_000002").iterdir():
        if path.name not in names:
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("config.json", truncate),
        ("config.json", lambda path: path.write_text("[]")),
        ("config.json", lambda path: path.write_text("[" * 100_000)),
        ("tokenizer.json", truncate),
        ("tokenizer.json", lambda path: path.write_text('{"version": "1.0", "model": 7}')),
        ("model.safetensors", truncate),
        ("model.safetensors", claim_long_header),
    ],
)
def test_a_damaged_model_is_named(
    tmp_path: Path, whole: Path, name: str, damage: Callable[[Path], object]
) -> None:
    """The error names the folder, whatever error the reading library raises."""
    folder = copy_model(whole, tmp_path / "model")
    damage(folder / name)

    with pytest.raises(DataError, match=f"Cannot load the model '{folder}'"):
        load_model(folder)


def test_weights_in_a_pickle_are_not_run(tmp_path: Path, whole: Path) -> None:
    """Only weights in safetensors are opened."""
    folder = copy_model(whole, tmp_path / "model", "model.safetensors")
    write_hostile_pickle(folder / "pytorch_model.bin", tmp_path / "exploded")

    with pytest.raises(DataError, match="its weights in safetensors"):
        load_model(folder)
    assert not (tmp_path / "exploded").exists()


def test_code_in_a_model_is_not_run(tmp_path: Path, whole: Path) -> None:
    """The code is not run, and the user is not asked whether it should be."""
    folder = copy_model(whole, tmp_path / "model")
    (folder / "mine.py").write_text(f"import os\nos.mkdir({str(tmp_path / 'exploded')!r})\n")
    auto = {"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Model"}
    change_json(
        folder / "config.json", lambda value: value.update(model_type="mine", auto_map=auto)
    )

    with pytest.raises(DataError, match="Cannot load the model"):
        load_model(folder)
    assert not (tmp_path / "exploded").exists()


def test_an_adapter_in_a_pickle_is_not_run(tmp_path: Path, whole: Path) -> None:
    """A pickled adapter is refused, although its base is sound."""
    base = copy_model(whole, tmp_path / "base")
    folder = copy_model(whole, tmp_path / "adapter", "model.safetensors", "config.json")
    config = {
        "base_model_name_or_path": str(base),
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": 2,
        "target_modules": ["q_proj"],
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    write_hostile_pickle(folder / "adapter_model.bin", tmp_path / "exploded")

    with pytest.raises(DataError, match="Cannot load the model"):
        load_model(folder)
    assert not (tmp_path / "exploded").exists()
