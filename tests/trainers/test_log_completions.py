"""A few completions of each step stand in a table; actions are read by a function of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from agentgym_gen import Registered, register
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.logging.completions import COMPLETIONS, CompletionRow
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.rft import RFTTrainer

ENV = "rftgen/Corridor-easy-v0"


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def trainer(reader: Any = None, **settings: object) -> RFTTrainer:  # noqa: ANN401
    """Return a trainer of a model with random weights."""
    model, tokenizer = build_tiny(["walk to door 2", "It opens."], 0, TinySize(1, 16, 2, 300, 512))
    args: dict[str, Any] = {
        **{"lora_rank": 0, "max_steps": 3, "tasks_per_step": 1, "num_generations": 2},
        **{"max_turns": 3, "max_new_tokens": 4, "invalid_penalty": 0.1},
    }
    return RFTTrainer(
        model=model,
        tokenizer=tokenizer,
        envs=[ENV],
        args=RFTConfig(**(args | settings)),
        style=PromptStyle("action", instruction=False),
        action_reader=reader,
    )


def table(folder: Path) -> list[CompletionRow]:
    """Return the rows of the table."""
    return [json.loads(line) for line in (folder / COMPLETIONS).read_text("utf-8").splitlines()]


def test_every_step_has_so_many_typed_rows(tmp_path: Path) -> None:
    """All of one kind; fewer where a step has fewer turns."""
    settings = {"output_dir": str(tmp_path), "save_total_limit": 0}
    trainer(log_completions=4, **settings).train()
    rows = table(tmp_path)

    assert [row["step"] for row in rows] == [1] * 4 + [2] * 4 + [3] * 4
    types = get_type_hints(CompletionRow)
    assert all({key: type(value) for key, value in row.items()} == types for row in rows)
    assert len({(row["step"], row["sample"], row["turn"]) for row in rows}) == 12

    resumed = trainer(log_completions=4, **settings)
    resumed.train(resume_from_checkpoint=tmp_path / "step_000001")
    assert table(tmp_path) == rows, "rows of steps that are made again are replaced"


def test_a_line_that_was_cut_is_dropped_and_a_foreign_file_is_not(tmp_path: Path) -> None:
    """A killed process may have left half a row; what is no table stays as it is."""
    settings = {"output_dir": str(tmp_path), "log_completions": 2}
    trainer(**settings, max_steps=2).train()
    rows = table(tmp_path)
    with (tmp_path / COMPLETIONS).open("a", encoding="utf-8") as file:
        file.write('{"step": 2, "env')
    trainer(**settings, max_steps=2).train(resume_from_checkpoint=True)
    assert table(tmp_path) == rows

    for mine in ('{"mine": 1}\n', "my notes\n", "my notes\nand more\n"):
        (tmp_path / COMPLETIONS).write_text(mine)
        with pytest.raises(DataError, match="no table of completions"):
            trainer(**settings).train(resume_from_checkpoint=True)
        assert (tmp_path / COMPLETIONS).read_text() == mine


def test_a_reader_of_ones_own_decides_what_is_done() -> None:
    """Its actions are carried out, and the texts and tokens stay as they were sampled."""
    plain = trainer().play(number=2)
    read = trainer(lambda text: f"{len(text)} letters").play(number=2)

    turns = [turn for episode in read for turn in episode.turns]
    assert all(turn.action == f"{len(turn.completion.text)} letters" for turn in turns)
    before = [episode.turns[0].completion for episode in plain]
    after = [episode.turns[0].completion for episode in read]
    assert [c.action_ids for c in after] == [c.action_ids for c in before]
    assert [c.text for c in after] == [c.text for c in before]


def test_a_reader_that_returns_no_text_is_refused() -> None:
    """With the completion that it was given."""
    with pytest.raises(InvalidValueError, match="is None; a reader of actions returns a text"):
        trainer(lambda text: None).play(number=1)
