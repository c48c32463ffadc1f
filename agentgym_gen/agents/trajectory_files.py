"""Trajectories as lines of JSON: one episode a line, with its tokens and log-probabilities.

A line has the fields of `Trajectory`, and those of `Turn` and `Completion` inside it, under their
own names. It may have more keys: labels of the episode, such as ``arm`` or ``step``, and in a
completion ``tokens``, the texts of its sampled tokens. A log-probability that is not a number is
null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from agentgym_gen.agents.policy import Completion
from agentgym_gen.agents.trajectory import Trajectory, Turn
from agentgym_gen.errors import DataError
from agentgym_gen.system.files import append_text, atomic_write, write_error
from agentgym_gen.system.untrusted_files import (
    Line,
    LinePosition,
    parse_json,
    read_lines_from,
)

__all__ = [
    "MAX_BYTES",
    "Decode",
    "TrajectoryLine",
    "append_trajectories",
    "keep_trajectories",
    "parse_line",
    "read_trajectories",
    "read_trajectory_lines",
    "write_trajectories",
]

MAX_BYTES = 1 << 40
"""The largest file that is read: a line at a time, so that memory does not limit it."""

Decode = Callable[[int], str]
"""Returns the text of one token."""

_FIELDS = tuple(each.name for each in fields(Trajectory))


@dataclass(frozen=True)
class TrajectoryLine:
    """One line of a file of trajectories."""

    trajectory: Trajectory
    """The episode."""
    labels: Mapping[str, Any] = field(default_factory=dict)
    """The other keys of the line, as JSON has them."""
    tokens: tuple[tuple[str, ...], ...] = ()
    """The texts of the sampled tokens, turn by turn; empty for a turn that has none."""


def write_trajectories(
    path: str | Path,
    trajectories: Iterable[Trajectory],
    *,
    decode: Decode | None = None,
    **labels: str | float,
) -> None:
    """Write *trajectories* to *path*, one a line, in one step.

    Args:
        path: The file, such as ``episodes.jsonl``.
        trajectories: The episodes.
        decode: Returns the text of a token, so that a reader needs no tokenizer; None leaves them
            out.
        labels: More keys of every line, such as ``arm="base"``.

    Raises:
        DataError: if the file cannot be written.
    """
    with atomic_write(Path(path)) as file:
        for trajectory in trajectories:
            file.write(_line(trajectory, decode, labels).encode())


def append_trajectories(
    path: str | Path,
    trajectories: Iterable[Trajectory],
    *,
    decode: Decode | None = None,
    **labels: str | float,
) -> None:
    """Add *trajectories* at the end of the file *path*; the arguments are as above.

    Raises:
        DataError: if the file cannot be written.
    """
    text = "".join(_line(trajectory, decode, labels) for trajectory in trajectories)
    place = Path(path)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        append_text(place, text)
    except OSError as error:
        raise write_error(place, error) from error


def keep_trajectories(path: str | Path, is_kept: Callable[[TrajectoryLine], bool]) -> None:
    """Remove the lines of the file *path* that *is_kept* refuses, and an incomplete last one.

    Nothing happens where there is no file. One line is in memory at a time.

    Raises:
        DataError: if the file cannot be read or written, or is not one of trajectories.
    """
    place = Path(path)
    if not place.exists():
        return
    with atomic_write(place) as file:
        for text, line in _whole_lines(place):
            if is_kept(line):
                file.write(f"{text.text}\n".encode())


def read_trajectories(path: str | Path) -> Iterator[Trajectory]:
    """Yield the trajectories of the file *path*, one in memory at a time.

    An incomplete last line, of a file that is being written, is left out.

    Raises:
        DataError: if the file cannot be read, or a line is no trajectory; it is named.
    """
    for _, line in _whole_lines(Path(path)):
        yield line.trajectory


def read_trajectory_lines(
    path: str | Path, position: LinePosition | None = None
) -> Iterator[tuple[LinePosition, TrajectoryLine]]:
    """Yield the lines of the file *path* from *position* on, each with its position.

    Raises:
        DataError: if the file cannot be read, or a line is no trajectory; it is named.
    """
    for text, line in _whole_lines(Path(path), position):
        yield text.position, line


def _whole_lines(
    path: Path, position: LinePosition | None = None
) -> Iterator[tuple[Line, TrajectoryLine]]:
    begin = position or LinePosition()
    for line in read_lines_from(path, begin, "", MAX_BYTES, growing=True):
        where = f"line {line.position.number} of {path}"
        try:
            parsed = parse_line(parse_json(line.text, where), where)
        except DataError:
            if not line.ended:
                return
            raise
        yield line, parsed


def parse_line(value: object, where: str) -> TrajectoryLine:
    """Return the trajectory that *value*, a line of JSON, describes.

    Args:
        value: The value of the line.
        where: Where it stands, for the message.

    Raises:
        DataError: if it is not a trajectory, with the key that is missing or has a wrong value.
    """
    try:
        return _parse(value)
    except LookupError as error:
        reason = f"it has no {error.args[0]!r}" if error.args else "it is not whole"
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        reason = str(error)
    raise DataError(f"No trajectory in {where}: {reason}")


def _parse(value: Any) -> TrajectoryLine:  # noqa: ANN401  (JSON)
    if not isinstance(value, dict):
        raise TypeError("it is not an object")
    turns = [_turn(turn) for turn in _of("turns", value, list)]
    trajectory = Trajectory(
        env_id=_of("env_id", value, str),
        task_id=_of("task_id", value, str),
        interface=_of("interface", value, str),
        sample=_of("sample", value, int),
        turns=tuple(turn for turn, _ in turns),
        last_observation=_of("last_observation", value, str),
        success=_of("success", value, bool),
        score=float(_of("score", value, (int, float))),
        end_reason=_of("end_reason", value, str),
        error=_of("error", value, str) if "error" in value else "",
    )
    labels = {key: value[key] for key in value if key not in _FIELDS}
    tokens = tuple(texts for _, texts in turns)
    return TrajectoryLine(trajectory, labels, tokens if any(tokens) else ())


def _turn(value: Any) -> tuple[Turn, tuple[str, ...]]:  # noqa: ANN401  (JSON)
    answer = value["completion"]
    action_ids = _list_of("action_ids", answer, _INTEGERS)
    logprobs = _list_of("logprobs", answer, _NUMBERS_OR_NULL)
    texts = _list_of("tokens", answer, _TEXTS)
    if len(logprobs) not in (0, len(action_ids)) or len(texts) not in (0, len(action_ids)):
        raise ValueError("a turn has not one log-probability and one text for each of its tokens")
    completion = Completion(
        _of("text", answer, str),
        _list_of("context_ids", answer, _INTEGERS),
        action_ids,
        tuple(math.nan if number is None else number for number in logprobs) if logprobs else (),
        answer.get("starts_sequence") is True,
        answer.get("truncated") is True,
        answer.get("context_limit") is True,
        _of("action", answer, (str, type(None))) if "action" in answer else None,
    )
    turn = Turn(
        _of("observation", value, str),
        completion,
        _of("action", value, str),
        float(_of("reward", value, (float, int))),
        _of("valid", value, bool),
        value.get("lenient") is True,
    )
    return turn, texts


_TEXTS: frozenset[type] = frozenset({str})
_INTEGERS: frozenset[type] = frozenset({int})
_NUMBERS_OR_NULL: frozenset[type] = frozenset({int, float, type(None)})


def _of(key: str, value: Mapping[str, Any], types: type | tuple[type, ...]) -> Any:  # noqa: ANN401
    """Return the value of *key*, of one of *types*: True and False are no numbers."""
    part = value[key]
    if type(part) is types or (isinstance(types, tuple) and type(part) in types):
        return part
    raise TypeError(f"its {key!r} cannot be {part!r}"[:100])


def _list_of(key: str, value: Mapping[str, Any], types: frozenset[type]) -> tuple[Any, ...]:
    """Return the list *key*, whose values are of *types*; a key that is not there is an empty one.

    A million lines have tens of millions of lists, most of them empty.
    """
    part = value.get(key)
    if part is None or part == []:
        return ()
    if type(part) is not list or not types.issuperset(map(type, part)):
        raise TypeError(f"its {key!r} cannot be {part!r}"[:100])
    return tuple(part)


def _line(trajectory: Trajectory, decode: Decode | None, labels: Mapping[str, object]) -> str:
    row = {name: getattr(trajectory, name) for name in _FIELDS}
    row["turns"] = [_turn_row(turn, decode) for turn in trajectory.turns]
    return json.dumps({**labels, **row}, ensure_ascii=False, allow_nan=False) + "\n"


def _turn_row(turn: Turn, decode: Decode | None) -> dict[str, Any]:
    completion = {each.name: getattr(turn.completion, each.name) for each in fields(Completion)}
    completion["logprobs"] = [
        number if math.isfinite(number) else None for number in turn.completion.logprobs
    ]
    if decode is not None and turn.completion.action_ids:
        completion["tokens"] = [decode(token) for token in turn.completion.action_ids]
    row = {each.name: getattr(turn, each.name) for each in fields(Turn)}
    return {**row, "completion": completion}
