"""Trajectories are written as lines, and read again."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
from played_folders import play, register_corridor

from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.agents.trajectory_files import (
    append_trajectories,
    keep_trajectories,
    parse_line,
    read_trajectories,
    read_trajectory_lines,
    write_trajectories,
)
from agentgym_gen.errors import DataError


@pytest.fixture(scope="module")
def trajectories() -> list[Trajectory]:
    """Return real episodes with made-up tokens."""
    register_corridor()
    return play()


def test_what_is_read_is_what_was_written(tmp_path: Path, trajectories: list[Trajectory]) -> None:
    """Every field comes back: tokens, log-probabilities, and an action that the policy has read."""
    turn = trajectories[0].turns[0]
    completion = dataclasses.replace(turn.completion, action="go north")
    turns = (dataclasses.replace(turn, completion=completion), *trajectories[0].turns[1:])
    written = [dataclasses.replace(trajectories[0], turns=turns), *trajectories[1:]]
    write_trajectories(tmp_path / "a.jsonl", written)

    assert list(read_trajectories(tmp_path / "a.jsonl")) == written


def test_labels_and_texts_of_tokens_are_kept(
    tmp_path: Path, trajectories: list[Trajectory]
) -> None:
    """A reader needs no tokenizer."""
    path = tmp_path / "a.jsonl"
    write_trajectories(path, trajectories, decode=lambda token: f"t{token}", arm="mine", step=7)
    lines = [line for _, line in read_trajectory_lines(path)]

    assert {(line.labels["arm"], line.labels["step"]) for line in lines} == {("mine", 7)}
    for line in lines:
        for turn, texts in zip(line.trajectory.turns, line.tokens, strict=True):
            assert texts == tuple(f"t{token}" for token in turn.completion.action_ids)


def test_a_log_probability_that_is_no_number_survives(
    tmp_path: Path, trajectories: list[Trajectory]
) -> None:
    """JSON has no NaN: it is null in the file and NaN again when read."""
    turn = trajectories[0].turns[0]
    broken = dataclasses.replace(turn.completion, action_ids=(1,), logprobs=(math.nan,))
    episode = dataclasses.replace(
        trajectories[0], turns=(dataclasses.replace(turn, completion=broken),)
    )
    write_trajectories(tmp_path / "a.jsonl", [episode])
    (again,) = read_trajectories(tmp_path / "a.jsonl")

    assert '"logprobs": [null]' in (tmp_path / "a.jsonl").read_text()
    assert math.isnan(again.turns[0].completion.logprobs[0])


def test_a_position_leads_back_to_its_line(tmp_path: Path, trajectories: list[Trajectory]) -> None:
    """Reading goes on from any line, without what is before it."""
    path = tmp_path / "a.jsonl"
    write_trajectories(path, trajectories, note="äöü \u2028")
    positions = [position for position, _ in read_trajectory_lines(path)]
    again = [line.trajectory for _, line in read_trajectory_lines(path, positions[2])]

    assert [position.number for position in positions] == [1, 2, 3, 4]
    assert again == trajectories[2:]


def test_an_incomplete_last_line_is_left_out(
    tmp_path: Path, trajectories: list[Trajectory]
) -> None:
    """A file that is being written is read as far as it is."""
    path = tmp_path / "a.jsonl"
    write_trajectories(path, trajectories)
    path.write_bytes(path.read_bytes()[:-40])

    assert list(read_trajectories(path)) == trajectories[:-1]


def test_a_last_line_may_end_within_a_character(
    tmp_path: Path, trajectories: list[Trajectory]
) -> None:
    """So does a file whose writer was killed; within the file it is damage."""
    path = tmp_path / "a.jsonl"
    write_trajectories(path, trajectories)
    whole, cut = path.read_bytes(), "\u6f22".encode()[:1]
    path.write_bytes(whole + b'{"env_id": "' + cut)
    assert list(read_trajectories(path)) == trajectories

    path.write_bytes(whole.rstrip(b"\n").replace(b"task_id", b"task_\xff", 1))
    with pytest.raises(DataError, match="it is not UTF-8"):
        list(read_trajectories(path))
    path.write_bytes(b'{"env_id": "' + cut + b"\n" + whole)
    with pytest.raises(DataError, match="line 1: it is not UTF-8"):
        list(read_trajectories(path))


def test_a_damaged_line_is_named(tmp_path: Path, trajectories: list[Trajectory]) -> None:
    """One in the middle is no file that is being written."""
    path = tmp_path / "a.jsonl"
    write_trajectories(path, trajectories)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:-9], lines[2]]) + "\n")

    with pytest.raises(DataError, match=r"line 2 of .*a\.jsonl"):
        list(read_trajectories(path))


def _broken(change: str, value: Any) -> dict[str, Any]:  # noqa: ANN401
    turn = {
        "observation": "a", "action": "b", "reward": 0.0, "valid": True,
        "completion": {"text": "b", "action_ids": [1], "logprobs": [-0.5]},
    }  # fmt: skip
    row: dict[str, Any] = {
        "env_id": "e", "task_id": "t", "interface": "native", "sample": 0, "turns": [turn],
        "last_observation": "z", "success": False, "score": 0.5, "end_reason": "turn_limit",
    }  # fmt: skip
    *path, key = change.split(".")
    part = row
    for name in path:
        part = part["turns"][0] if name == "turns" else part[name]
    if value is ...:
        del part[key]
    else:
        part[key] = value
    return row


@pytest.mark.parametrize(
    ("change", "value", "message"),
    [
        ("env_id", ..., "it has no 'env_id'"),
        ("sample", True, "its 'sample' cannot be True"),
        ("success", 1, "its 'success' cannot be 1"),
        ("score", 10**400, "int too large"),
        ("turns", "abc", "its 'turns' cannot be 'abc'"),
        ("turns.reward", "1", "its 'reward' cannot be '1'"),
        ("turns.completion.text", None, "its 'text' cannot be None"),
        ("turns.completion.action_ids", [1, "2"], "its 'action_ids' cannot be"),
        ("turns.completion.logprobs", [], "."),
        ("turns.completion.logprobs", [-1, -2], "one log-probability and one text"),
        ("turns.completion.tokens", ["a", "b"], "one log-probability and one text"),
    ],
)
def test_a_wrong_value_is_named(change: str, value: object, message: str) -> None:
    """Neither a missing key nor a wrong type passes; no log-probabilities at all are right."""
    row = _broken(change, value)
    if message == ".":
        assert parse_line(row, "here").trajectory.turns[0].completion.logprobs == ()
        return
    with pytest.raises(DataError, match=f"No trajectory in here: .*{message}"):
        parse_line(row, "here")


@pytest.mark.parametrize("value", [[], "text", 3, None, {"turns": [1]}, {"turns": [{}]}])
def test_what_is_no_trajectory_is_refused(value: object) -> None:
    """Whatever JSON it is."""
    with pytest.raises(DataError, match="No trajectory in here"):
        parse_line(json.loads(json.dumps(value)), "here")


def test_lines_are_appended_and_removed(tmp_path: Path, trajectories: list[Trajectory]) -> None:
    """What is kept stays as it is, to the byte; a missing file stays missing."""
    path = tmp_path / "new" / "a.jsonl"
    keep_trajectories(path, lambda line: False)
    assert not path.exists()
    append_trajectories(path, trajectories[:2], step=1)
    first = path.read_bytes()
    append_trajectories(path, trajectories[2:], step=2)
    assert list(read_trajectories(path)) == trajectories
    path.write_bytes(path.read_bytes() + b'{"half')
    keep_trajectories(path, lambda line: line.labels["step"] == 1)

    assert path.read_bytes() == first


def test_a_file_that_is_none_of_trajectories_is_not_emptied(tmp_path: Path) -> None:
    """Somebody else's file under that name stays as it is."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"my": "data"}\n')

    with pytest.raises(DataError, match="it has no 'turns'"):
        keep_trajectories(path, lambda line: False)
    assert path.read_text() == '{"my": "data"}\n'
