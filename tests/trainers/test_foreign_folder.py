"""A training leaves the files of others alone, and ends when its folder is deleted."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from agentgym_gen import Registered, register
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.errors import DataError, ResultExistsError
from agentgym_gen.trainers import checkpoint
from agentgym_gen.trainers.config import SFTConfig
from agentgym_gen.trainers.demos import demonstrations, expert_texts
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.sft import SFTTrainer

ENV = "rftgen/Corridor-easy-v0"
STYLE = PromptStyle("action", instruction=False)


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def trainer(folder: Path, *callbacks: object, **settings: int) -> SFTTrainer:
    """Return a training of three steps into *folder*."""
    model, tokenizer = build_tiny(
        expert_texts([ENV], STYLE, number=4), 0, TinySize(1, 16, 1, 300, 512)
    )
    episodes = demonstrations([ENV], tokenizer, STYLE, number=4)
    given: dict[str, Any] = {
        "lora_rank": 0,
        "batch_size": 2,
        "max_steps": 3,
        "output_dir": str(folder),
    }
    return SFTTrainer(model, tokenizer, SFTConfig(**given | settings), episodes, callbacks)


class Delete:
    """A callback that deletes a folder after the second step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_step_end(self, args: object, state: object, control: object, **extras: object) -> None:
        """Delete the folder."""
        row: Any = extras["row"]
        if row["step"] == 2:
            shutil.rmtree(self.folder)


@pytest.mark.parametrize("settings", [{"save_steps": 1}, {"logging_steps": 1, "save_steps": 0}])
def test_a_folder_that_is_deleted_ends_the_training(
    tmp_path: Path, settings: dict[str, int]
) -> None:
    """It ends with one sentence, and does not make a part of the folder again."""
    folder = tmp_path / "run"
    with pytest.raises(DataError, match="run was deleted or replaced while this run wrote to it"):
        trainer(folder, Delete(folder), **settings).train()

    assert not folder.exists()


def test_the_files_of_others_beside_a_training_stay(tmp_path: Path) -> None:
    """They are called almost like ours."""
    names = ["step_1", "step_000000", ".step_x.draft", "step_000009.txt", "notes.part"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").touch()
    trainer(tmp_path, save_total_limit=1, save_steps=1).train()
    checkpoint.remove_all(tmp_path)

    assert sorted(path.parent.name for path in tmp_path.rglob("mine")) == sorted(names)


@pytest.mark.parametrize("text", ['{"event": "login"}\n', "started\n", "[]"])
def test_a_log_of_others_is_refused_and_stays(tmp_path: Path, text: str) -> None:
    """A file called log.jsonl may be that of another program."""
    (tmp_path / "log.jsonl").write_text(text)
    with pytest.raises(ResultExistsError, match=r"log.jsonl is there and is no log of a training"):
        trainer(tmp_path).train()

    assert (tmp_path / "log.jsonl").read_text() == text


def test_a_log_is_not_written_through_a_link(tmp_path: Path) -> None:
    """A link in the place of the log is refused, also one to a log."""
    victim = tmp_path / "victim"
    victim.write_text('{"step": 1}\n')
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "log.jsonl").symlink_to(victim)
    with pytest.raises(ResultExistsError, match="is no log of a training"):
        trainer(folder).train()

    assert victim.read_text() == '{"step": 1}\n'


def test_a_folder_called_like_a_checkpoint_is_not_replaced(tmp_path: Path) -> None:
    """It has no state.json, so it is not ours."""
    (tmp_path / "step_000003").mkdir()
    (tmp_path / "step_000003" / "mine").touch()
    with pytest.raises(ResultExistsError, match="step_000003 is there and is no checkpoint"):
        trainer(tmp_path).train()

    assert (tmp_path / "step_000003" / "mine").exists()
