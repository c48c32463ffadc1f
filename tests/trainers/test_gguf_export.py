"""A model becomes a GGUF file by the converter of llama.cpp, for which a script stands in here."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from systems import needs

from agentgym_gen.cli.main import main
from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError
from agentgym_gen.trainers import RFTConfig, RFTTrainer, export_gguf, load_model
from agentgym_gen.trainers.models.adapters import make_trainable
from agentgym_gen.trainers.models.gguf_export import CONVERTER, CONVERTER_VARIABLE
from agentgym_gen.trainers.models.publishing import merged_weights
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny

ROW = "model.layers.0.self_attn.q_proj.weight"
"""The weight of which the stand-in writes down a row."""

STAND_IN = """
import json, os, struct, sys
assert sys.argv[2] == "--outfile" and sys.argv[4] == "--outtype", sys.argv
folder, path, kind = sys.argv[1], sys.argv[3], sys.argv[5]
with open(os.path.join(folder, "model.safetensors"), "rb") as file:
    head = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    weight, start = head["model.layers.0.self_attn.q_proj.weight"], file.tell()
    file.seek(start + weight["data_offsets"][0])
    row = struct.unpack("<16f", file.read(64))
with open(path, "wb") as out:
    about = {"type": kind, "files": sorted(os.listdir(folder)), "row": row}
    out.write(b"GGUF" + json.dumps(about).encode())
print("INFO: many lines")
"""


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    """Return the folder of a whole model."""
    model, tokenizer = build_tiny(["walk to door 2", "wait"], size=TinySize(1, 16, 2, 300, 512))
    folder = tmp_path / "whole"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def llama_cpp(tmp_path: Path) -> Path:
    """Return a folder with a converter that writes down what it was given."""
    return script(tmp_path / "llama.cpp", STAND_IN)


def script(folder: Path, text: str) -> Path:
    """Write a converter into *folder*, and return the folder."""
    folder.mkdir(exist_ok=True)
    (folder / CONVERTER).write_text(text)
    return folder


def content(path: Path) -> dict[str, object]:
    """Return what the stand-in has written."""
    about: dict[str, object] = json.loads(path.read_bytes().removeprefix(b"GGUF"))
    return about


def test_a_whole_model_is_converted(model_folder: Path, llama_cpp: Path, tmp_path: Path) -> None:
    """The converter gets the folder itself and the type, and only the file is left."""
    path = export_gguf(
        model_folder, tmp_path / "out" / "a.gguf", gguf_type="f16", converter=llama_cpp
    )

    assert content(path)["type"] == "f16"
    assert content(path)["files"] == sorted(file.name for file in model_folder.iterdir())
    assert [file.name for file in path.parent.iterdir()] == ["a.gguf"]


def test_an_adapter_is_merged_first(
    model_folder: Path, llama_cpp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The converter gets the sum of base and adapter; the command prints the file and its size."""
    model = make_trainable(load_model(model_folder)[0], 2, 4, 0, ("q_proj",))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.fill_(0.1)
    model.save_pretrained(tmp_path / "adapter")
    words = ["export", "gguf", str(tmp_path / "adapter"), str(tmp_path / "a.gguf")]
    code = main([*words, "--converter", str(llama_cpp / CONVERTER)])
    output = capsys.readouterr()

    assert code == 0, output.err
    assert output.out == f"0.0 MB in {tmp_path / 'a.gguf'}\n"
    merged, base = merged_weights(model)[ROW], load_file(model_folder / "model.safetensors")[ROW]
    assert content(tmp_path / "a.gguf")["row"] == merged[0].tolist()
    assert not torch.equal(merged, base)
    assert not list(tmp_path.glob(".gguf-*"))


def test_a_trainer_exports_its_model(
    model_folder: Path, llama_cpp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable names the converter, and the weights are the present ones."""
    monkeypatch.setenv(CONVERTER_VARIABLE, str(llama_cpp))
    envs, args = ["rftgen/TextCraft-easy-v0"], RFTConfig(lora_rank=0)
    trainer = RFTTrainer(model=model_folder, envs=envs, args=args)
    with torch.no_grad():
        trainer.model.get_parameter(ROW).fill_(0.5)
    trainer.export_gguf(tmp_path / "a.gguf", gguf_type="q8_0")

    assert content(tmp_path / "a.gguf")["type"] == "q8_0"
    assert content(tmp_path / "a.gguf")["row"] == [0.5] * 16


def test_a_file_that_is_there_stays(model_folder: Path, llama_cpp: Path, tmp_path: Path) -> None:
    """It is replaced on demand only, and a folder never."""
    path = tmp_path / "a.gguf"
    path.write_text("mine")
    with pytest.raises(ResultExistsError, match="is there already"):
        export_gguf(model_folder, path, converter=llama_cpp)
    with pytest.raises(ResultExistsError, match="is a folder"):
        export_gguf(model_folder, tmp_path, converter=llama_cpp, replace=True)
    assert path.read_text() == "mine"

    export_gguf(model_folder, path, converter=llama_cpp, replace=True)
    assert content(path)["type"] == "auto"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise NotImplementedError('BPE pre-tokenizer was not recognized')", "not recognized"),
        ("import a_package_of_llama_cpp", "'a_package_of_llama_cpp'; install what it needs"),
        ("import sys; sys.exit(3)", "it ended with the code 3"),
        ("", "it has written no GGUF file"),
        ("import sys; open(sys.argv[3], 'w').write('text')", "it has written no GGUF file"),
    ],
)
def test_a_converter_that_fails_is_one_sentence(
    model_folder: Path, tmp_path: Path, text: str, reason: str
) -> None:
    """The last line that it printed is the reason, and the older file stays as it was."""
    path = tmp_path / "out" / "a.gguf"
    path.parent.mkdir()
    path.write_text("older")
    converter = script(tmp_path / "broken", text)
    with pytest.raises(DataError, match="could not convert the model to .*" + reason):
        export_gguf(model_folder, path, converter=converter, replace=True)

    assert path.read_text() == "older"
    assert [file.name for file in path.parent.iterdir()] == ["a.gguf"]


def test_what_is_missing_is_named(
    model_folder: Path, llama_cpp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No converter, a wrong place of it, an unknown type, and a model that is nowhere."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(CONVERTER_VARIABLE, raising=False)
    path = tmp_path / "a.gguf"
    with pytest.raises(DataError, match=r"git clone .*ggml-org/llama.cpp"):
        export_gguf("a/model-that-is-nowhere", path)
    with pytest.raises(DataError, match="There is no converter"):
        export_gguf(model_folder, path, converter=tmp_path / "nowhere")
    with pytest.raises(InvalidValueError, match="GGUF type 'q4'"):
        export_gguf(model_folder, path, gguf_type="q4", converter=llama_cpp)
    with pytest.raises(DataError, match="Cannot load the model 'a/model-that-is-nowhere'"):
        export_gguf("a/model-that-is-nowhere", path, converter=llama_cpp)
    assert not path.exists()


@needs("POSIX", "programs by their first line")
def test_a_program_on_the_path_is_started_as_one(
    model_folder: Path, llama_cpp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first line decides which Python runs it."""
    program = llama_cpp / CONVERTER
    program.write_text(f"#!{sys.executable}{STAND_IN}")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(llama_cpp) + os.pathsep + os.environ["PATH"])
    monkeypatch.delenv(CONVERTER_VARIABLE, raising=False)

    assert content(export_gguf(model_folder, tmp_path / "a.gguf"))["type"] == "auto"


def test_a_module_in_the_working_folder_is_not_run(
    model_folder: Path, llama_cpp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file `json.py` in the working folder is not taken for Python's own by the converter."""
    (tmp_path / "json.py").write_text("raise SystemExit('the working folder was looked at')")
    monkeypatch.chdir(tmp_path)

    assert content(export_gguf("whole", "a.gguf", converter=llama_cpp))["type"] == "auto"
