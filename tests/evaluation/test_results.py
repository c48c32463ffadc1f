"""The folder of an evaluation is appended to, mended, put in order, and read again."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from agentgym_gen.errors import DataError
from agentgym_gen.evaluation import EvalSettings
from agentgym_gen.evaluation.results import (
    Column,
    Evaluation,
    append_episode,
    finish,
    repair,
    write_record,
)
from agentgym_gen.study.analysis.analysis import Results
from agentgym_gen.study.plan.plan import ROW_SCHEMA

COLUMNS = (
    Column("rftgen/Corridor-easy-v0", "native", ("corridor/easy/test/4", "corridor/easy/test/1")),
    Column("rftgen/Corridor-easy-v0", "symbols+json", ("corridor/easy/test/4",), samples=2),
)


def record() -> dict[str, Any]:
    """Return the record of an evaluation of four episodes."""
    columns = [
        {
            "env_id": column.env_id,
            "interface": column.interface,
            "task_ids": list(column.task_ids),
            "samples": column.samples,
        }
        for column in COLUMNS
    ]
    settings = EvalSettings()
    return {
        "version": "0.1.0",
        "model": {"label": "mine"},
        "settings": settings.as_dict(),
        "prompt_hash": settings.prompt_hash,
        "columns": columns,
        "made_with": [],
    }


def episodes() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the rows of the four episodes with their transcripts, in order."""
    keys = [key._asdict() for column in COLUMNS for key in column.episode_keys()]
    names = {"schema": ROW_SCHEMA, "arm": "mine", "seed": 0, "env_id": COLUMNS[0].env_id}
    names |= {"split": "test", "interface": "native"}
    how = {"success": True, "score": 1.0, "reward": 1.0, "turns": 3, "invalid_turns": 0}
    how |= {"end_reason": "success", "failures": []}
    return [({**names, **key, **how}, {**key, "turns": [], "last_observation": ""}) for key in keys]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of an evaluation of which nothing was played."""
    write_record(tmp_path, record())
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of every file in *folder*."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_finished_folder_does_not_depend_on_the_order_of_the_episodes(tmp_path: Path) -> None:
    """All orders, and a finish in between, leave the same bytes."""
    contents = []
    for number, order in enumerate(itertools.permutations(episodes())):
        folder = tmp_path / str(number)
        write_record(folder, record())
        for n, (row, transcript) in enumerate(order):
            append_episode(folder, row, transcript)
            if n == number % 4:
                finish(folder)
        finish(folder)
        contents.append(files(folder))

    assert all(content == contents[0] for content in contents)
    assert set(contents[0]) == {"eval.json", "episodes.jsonl", "transcripts.jsonl.gz"}


def test_an_evaluation_is_read_while_it_runs(folder: Path) -> None:
    """Rows come in the order of the columns, and an incomplete last line is left out."""
    first, second, *_ = episodes()
    append_episode(folder, *second)
    append_episode(folder, *first)
    with (folder / "episodes.jsonl").open("ab") as file:
        file.write('{"column": "ä'.encode()[:-1])
    evaluation = Evaluation.open(folder)

    assert evaluation.rows() == [first[0], second[0]]
    assert evaluation.transcripts() == [first[1], second[1]]
    assert not evaluation.complete
    assert repr(evaluation).startswith("<Evaluation of 'mine' in ")
    assert repr(evaluation).endswith(": 2 of 4 episodes>")


def test_a_repaired_file_can_be_appended_to(folder: Path) -> None:
    """What a killed run wrote last does not spoil the next line."""
    for name in ("episodes.jsonl", "transcripts.jsonl"):
        (folder / name).write_bytes(b'{"half')
    repair(folder)
    for row, transcript in episodes():
        append_episode(folder, row, transcript)

    assert Evaluation.open(folder).complete


def test_the_analysis_of_a_study_reads_the_rows(folder: Path) -> None:
    """The arm is the model's label, and a column the id of an environment with its interface."""
    for row, transcript in episodes():
        append_episode(folder, row, transcript)
    results = Results(Evaluation.open(folder).rows())

    assert results.pairs == [("mine", column.name) for column in COLUMNS]
    assert results.rate("mine", COLUMNS[0].name).tasks == 2
    assert COLUMNS[1].label == "Corridor-easy-symbols+json"


def test_transcripts_of_one_column(folder: Path) -> None:
    """Only those of the column come, in the order of its rows."""
    for row, transcript in reversed(episodes()):
        append_episode(folder, row, transcript)
    finish(folder)

    transcripts = Evaluation.open(folder).transcripts(COLUMNS[1].name)
    assert [transcript["sample"] for transcript in transcripts] == [0, 1]


def test_rows_become_a_data_frame(folder: Path) -> None:
    """A row an episode, a column a key."""
    pytest.importorskip("pandas")
    append_episode(folder, *episodes()[0])

    assert Evaluation.open(folder).episodes()["success"].tolist() == [True]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("eval.json", "{}", "it is not the record of an evaluation"),
        ("eval.json", '{"schema": 1, "model": 3}', "it is not the record of an evaluation"),
        ("eval.json", '{"schema": 99}', "this version reads up to 1; install a newer"),
        ("episodes.jsonl", "[]\n", "Line 1 of .* names no episode"),
        ("episodes.jsonl", "{\n", "Bad JSON in line 1 of"),
        ("episodes.jsonl", b"\xff\n", "it is not UTF-8"),
    ],
)
def test_a_damaged_file_is_an_error(
    folder: Path, name: str, content: str | bytes, message: str
) -> None:
    """The error names the file and what is wrong."""
    raw = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(raw)
    with pytest.raises(DataError, match=message):
        Evaluation.open(folder)


@pytest.mark.parametrize("key", ["format", "reader", "temperature"])
def test_a_record_without_a_setting_is_an_error(folder: Path, key: str) -> None:
    """A score names the setting."""
    damaged = record()
    del damaged["settings"][key]
    write_record(folder, damaged)
    with pytest.raises(DataError, match=r"eval\.json: it is not the record of an evaluation"):
        Evaluation.open(folder)


@pytest.mark.parametrize(
    "part",
    [
        {"made_with": [1]},
        {"columns": [{**record()["columns"][0], "task_ids": [[]]}]},
        {"settings": {**record()["settings"], "max_tokens": "many"}},
        {"panel": {"name": "core-v1"}},
    ],
    ids=lambda part: next(iter(part)),
)
def test_a_record_with_a_wrong_part_is_an_error(folder: Path, part: dict[str, Any]) -> None:
    """Whatever is read of it later has its type."""
    write_record(folder, {**record(), **part})
    with pytest.raises(DataError, match=r"eval\.json: it is not the record of an evaluation"):
        Evaluation.open(folder)


def test_a_row_without_a_sound_key_is_an_error(folder: Path) -> None:
    """The error names the key and its value."""
    row, _ = episodes()[0]
    (folder / "episodes.jsonl").write_text(json.dumps({**row, "success": "yes"}) + "\n")
    with pytest.raises(DataError, match="has no sound 'success': 'yes'"):
        Evaluation.open(folder)
    (folder / "episodes.jsonl").write_text(json.dumps({**row, "schema": 1}) + "\n")
    with pytest.raises(DataError, match="is not of schema 3: 1"):
        Evaluation.open(folder)


def test_a_folder_without_an_evaluation_is_an_error(tmp_path: Path) -> None:
    """The error says what is missing."""
    with pytest.raises(DataError, match=r"holds no evaluation: it has no eval\.json"):
        Evaluation.open(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        {"turns": None},
        {"turns": [{"observation": "a", "completion": 3, "valid": True}]},
        {"last_observation": -1},
    ],
)
def test_a_damaged_transcript_is_one_sentence(folder: Path, damage: dict[str, object]) -> None:
    """It may come from somebody else; a page of it would be a traceback."""
    row, transcript = episodes()[0]
    append_episode(folder, row, {**transcript, **damage})

    with pytest.raises(DataError, match=r"Cannot read the texts of .*: they are damaged"):
        list(Evaluation.open(folder).transcripts())
