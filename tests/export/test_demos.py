"""Exported demonstrations: what the rows say, and that no folder is lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentgym_gen import Episode, ExpertPolicy, Request, run
from agentgym_gen.agents import Completion, PromptStyle
from agentgym_gen.agents.completions.reader import read_completion
from agentgym_gen.agents.prompt import ChatMessage
from agentgym_gen.cli.main import main
from agentgym_gen.env.making import make_text_env
from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError, UnknownNameError
from agentgym_gen.export import DemoPlan, demo_rows, export_demos
from agentgym_gen.world import TaskId

ENV_ID = "rftgen/TextCraft-easy-v0"
PLAN = DemoPlan((ENV_ID, "rftgen/Sokoban-easy-v0"), 3, ("train", "valid"))


class Recorder(ExpertPolicy):
    """An expert that keeps the last prompt of each task, with its own answer."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, list[ChatMessage]] = {}

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        completions = super().act(requests)
        for request, completion in zip(requests, completions, strict=True):
            answer: ChatMessage = {"role": "assistant", "content": completion.text}
            self.messages[str(request.env.task.id)] = [*request.messages, answer]
        return completions


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("interface", [None, "renamed+json", "random syntax=json|call"])
def test_rows_are_what_a_policy_reads_and_answers(interface: str | None) -> None:
    """The messages of a row are those of a rollout of the expert, with its last answer."""
    plan = DemoPlan((ENV_ID,), 4, interface=interface)
    rows = [row for row in demo_rows(plan, "train") if row is not None]
    recorder = Recorder()
    options = {} if interface is None else {"interface": interface}
    run(
        [
            Episode(ENV_ID, row["task_id"], options=options, interface_index=number)
            for number, row in enumerate(rows)
        ],
        recorder,
        style=PromptStyle(),
    )

    assert len(rows) == 4
    assert {row["task_id"]: row["messages"] for row in rows} == recorder.messages


@pytest.mark.parametrize("prompt", ["react", "action", "tool", "function_calling"])
def test_the_answers_of_a_row_reach_the_goal(prompt: str) -> None:
    """Played again, the actions in the messages win the episode."""
    style = PromptStyle(prompt)
    row = next(row for row in demo_rows(DemoPlan((ENV_ID,), 1, style=style), "train") if row)
    env = make_text_env(ENV_ID, "train")
    env.reset(options={"task_id": row["task_id"]})
    for message in row["messages"]:
        if message["role"] == "assistant":
            info = env.step(read_completion(style, message["content"], env).action)[4]

    assert info["success"]


def test_an_export_has_the_splits_and_a_manifest_with_their_hashes(tmp_path: Path) -> None:
    """Each file has tasks of its split only, and the manifest its hash, size and rows."""
    export_demos(PLAN, tmp_path / "demos")
    manifest = json.loads((tmp_path / "demos" / "manifest.json").read_text(encoding="utf-8"))

    assert sorted(manifest["files"]) == ["train.jsonl", "valid.jsonl"]
    for name, entry in manifest["files"].items():
        path = tmp_path / "demos" / name
        rows = read_lines(path)
        assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (entry["rows"], entry["bytes"]) == (len(rows), path.stat().st_size)
        assert {TaskId.parse(row["task_id"]).split for row in rows} == {path.stem}
    assert [path.name for path in tmp_path.iterdir()] == ["demos"]


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two exports agree, and another seed differs."""
    for name in ("a", "b"):
        export_demos(PLAN, tmp_path / name)
    export_demos(DemoPlan(PLAN.env_ids, 3, PLAN.splits, seed=1), tmp_path / "c")
    first, second, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "abc"
    )

    assert first == second
    assert first["train.jsonl"] != other["train.jsonl"]


def test_sharegpt_has_the_same_texts_under_other_names(tmp_path: Path) -> None:
    """After the system message, conversations alternate between human and gpt."""
    plan = replace(PLAN, style=PromptStyle(system="Be brief."))
    export_demos(plan, tmp_path / "m")
    export_demos(plan, tmp_path / "s", format="sharegpt")
    messages = read_lines(tmp_path / "m" / "train.jsonl")[0]["messages"]
    turns = read_lines(tmp_path / "s" / "train.jsonl")[0]["conversations"]

    assert [turn["value"] for turn in turns] == [message["content"] for message in messages]
    assert [turn["from"] for turn in turns] == ["system", *["human", "gpt"] * (len(turns) // 2)]


def test_a_folder_is_overwritten_only_when_asked_and_only_an_export(tmp_path: Path) -> None:
    """An export is replaced on request; a folder of something else never."""
    export_demos(PLAN, tmp_path / "demos")
    before = (tmp_path / "demos" / "train.jsonl").read_bytes()
    with pytest.raises(ResultExistsError, match="there already"):
        export_demos(PLAN, tmp_path / "demos")
    assert (tmp_path / "demos" / "train.jsonl").read_bytes() == before

    export_demos(DemoPlan((ENV_ID,), 1), tmp_path / "demos", replace=True)
    assert sorted(p.name for p in (tmp_path / "demos").iterdir()) == [
        "manifest.json",
        "train.jsonl",
    ]

    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.md").write_text("years of work", encoding="utf-8")
    (tmp_path / "demos" / "notes.md").write_text("what I saw", encoding="utf-8")
    for name, file in (("thesis", "chapter.md"), ("demos", "notes.md")):
        with pytest.raises(ResultExistsError, match=f"has '{file}', which is no part of an export"):
            export_demos(PLAN, tmp_path / name, replace=True)
        assert (tmp_path / name / file).exists()
    (tmp_path / "demos" / "notes.md").unlink()
    manifest = tmp_path / "demos" / "manifest.json"
    damaged = json.loads(manifest.read_text(encoding="utf-8")) | {"files": 5}
    manifest.write_text(json.dumps(damaged), encoding="utf-8")
    with pytest.raises(ResultExistsError, match="which is no part of an export"):
        export_demos(PLAN, tmp_path / "demos", replace=True)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ResultExistsError, match="is a file"):
        export_demos(PLAN, tmp_path / "file", replace=True)


def test_a_failed_export_leaves_nothing_and_keeps_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error half-way: the earlier export is as it was, and no half-written file is there."""
    export_demos(PLAN, tmp_path / "demos")
    before = {path.name: path.read_bytes() for path in (tmp_path / "demos").iterdir()}

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("agentgym_gen.export.folder.demo_rows", fail)
    with pytest.raises(OSError, match="No space left"):
        export_demos(PLAN, tmp_path / "demos", replace=True)

    assert {path.name: path.read_bytes() for path in (tmp_path / "demos").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["demos"]


def test_the_test_split_is_not_exported() -> None:
    """A demonstration of a test task would spoil the final evaluation."""
    with pytest.raises(UnknownNameError, match="for the final evaluation"):
        DemoPlan((ENV_ID,), 1, ("test",))


def test_functions_are_refused() -> None:
    """A row has no place for them."""
    with pytest.raises(InvalidValueError, match="no place for the functions"):
        DemoPlan((ENV_ID,), 1, style=PromptStyle("functions"))


def test_an_export_without_rows_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written where the expert reaches no goal."""
    monkeypatch.setattr("agentgym_gen.export.folder.demo_rows", lambda *_: iter([None, None]))
    with pytest.raises(DataError, match="in none of 2 tasks of the split 'train'"):
        export_demos(PLAN, tmp_path / "demos")

    assert list(tmp_path.iterdir()) == []


def test_a_style_with_a_window_is_refused() -> None:
    """Its episodes are not one conversation."""
    with pytest.raises(InvalidValueError, match="window"):
        DemoPlan((ENV_ID,), 1, style=PromptStyle(window=2))


def test_the_command_writes_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`export demos` says how many episodes are where, and refuses to overwrite."""
    arguments = ["export", "demos", ENV_ID, "--tasks", "2", "--out", str(tmp_path / "demos")]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert out == f"2 episodes in {tmp_path}/demos/train.jsonl\n"
    assert err.splitlines()[-1] == "2/2 episodes, 0 s left"
    assert main(arguments) == 2
    assert "choose another folder" in capsys.readouterr().err
