"""The record that the viewer shows of an episode, whatever file it is from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentgym_gen.agents.trajectory_files import TrajectoryLine
from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.ids import EnvId
from agentgym_gen.study.results.failures import failure_modes
from agentgym_gen.study.results.rows import Row
from agentgym_gen.world import TaskId

__all__ = ["ViewedEpisode", "ViewedTurn", "from_line", "from_row"]

LABELS = ("arm", "seed", "step")
"""The labels of a line of trajectories that the viewer filters by."""


@dataclass(frozen=True, slots=True)
class ViewedTurn:
    """One turn."""

    observation: str
    """What the model has read."""
    completion: str
    """What it answered."""
    action: str
    """The action in it."""
    reward: float
    """The reward of the step."""
    valid: bool
    """Whether the action could be carried out."""
    lenient: bool = False
    """Whether only the lenient reader could read it."""
    truncated: bool = False
    """Whether the completion ran into the limit of new tokens."""
    tokens: tuple[str, ...] = ()
    """The texts of the sampled tokens, or their numbers where no text is there."""
    logprobs: tuple[float, ...] = ()
    """The log-probability of each."""


@dataclass(frozen=True, slots=True)
class ViewedEpisode:
    """One episode."""

    run: str
    """The name of the path that it is from."""
    arm: str
    """Who played: the label of a model, or the arm of a study."""
    seed: str
    """The training seed of the arm, where it has one."""
    step: str
    """The training step, where it has one."""
    env_id: str
    """The environment id."""
    task_id: str
    """The task."""
    sample: int
    """Which of the episodes of the task it is."""
    interface: str
    """The interface."""
    success: bool
    """Whether the goal was reached."""
    score: float
    """How much of the task was done, 0 to 1."""
    reward: float
    """The sum of the rewards."""
    turns: tuple[ViewedTurn, ...]
    """The turns; none where a file has no texts of the episode."""
    number: int
    """How many turns there were."""
    invalid: int
    """How many of them had an action that could not be carried out."""
    end_reason: str
    """Why it ended."""
    failures: tuple[str, ...]
    """The failure modes."""
    last_observation: str
    """The observation after the last turn."""
    error: str = ""
    """What went wrong, where the policy gave no answer."""

    @property
    def environment(self) -> str:
        """The name of the environment, or the whole id where it is no id of an environment."""
        try:
            return EnvId.parse(self.env_id).name
        except InvalidValueError:
            return self.env_id

    @property
    def tier(self) -> str:
        """The tier of the task, or nothing where its id has none."""
        return self._part_of_task("tier")

    @property
    def split(self) -> str:
        """The split of the task, or nothing where its id has none."""
        return self._part_of_task("split")

    @property
    def characters(self) -> int:
        """How many characters its texts have, about."""
        texts = sum(len(turn.observation) + len(turn.completion) for turn in self.turns)
        return texts + 20 * sum(len(turn.tokens) for turn in self.turns)

    def _part_of_task(self, name: str) -> str:
        try:
            return str(getattr(TaskId.parse(self.task_id), name))
        except InvalidValueError:
            return ""


def from_line(run: str, line: TrajectoryLine) -> ViewedEpisode:
    """Return the episode of a line of a file of trajectories.

    Args:
        run: The name of the file.
        line: The line.
    """
    episode = line.trajectory
    texts = line.tokens or ((),) * len(episode.turns)
    turns = tuple(
        ViewedTurn(
            turn.observation,
            turn.completion.text,
            turn.action,
            turn.reward,
            turn.valid,
            turn.lenient,
            turn.completion.truncated,
            tokens or tuple(map(str, turn.completion.action_ids)),
            turn.completion.logprobs,
        )
        for turn, tokens in zip(episode.turns, texts, strict=True)
    )
    arm, seed, step = (str(line.labels.get(name, "")) for name in LABELS)
    return ViewedEpisode(
        run=run,
        arm=arm,
        seed=seed,
        step=step,
        env_id=episode.env_id,
        task_id=episode.task_id,
        sample=episode.sample,
        interface=episode.interface,
        success=episode.success,
        score=episode.score,
        reward=episode.total_reward,
        turns=turns,
        number=len(turns),
        invalid=episode.invalid_turns,
        end_reason=episode.end_reason,
        failures=failure_modes(episode),
        last_observation=episode.last_observation,
        error=episode.error,
    )


def from_row(
    run: str, row: Row, transcript: Row | None, where: object, *, seed: str = ""
) -> ViewedEpisode:
    """Return the episode of a row of an evaluation or a study, with its transcript.

    Args:
        run: The name of its folder.
        row: Its row.
        transcript: Its texts; None where the folder has none.
        where: The folder, for the message.
        seed: The training seed of the model, where there are several.

    Raises:
        DataError: if the transcript is none.
    """
    texts: Mapping[str, Any] = transcript or {}
    try:
        turns = tuple(_turn(turn) for turn in _list(texts.get("turns", [])))
        return ViewedEpisode(
            run=run,
            arm=row["arm"],
            seed=seed,
            step="",
            env_id=str(row.get("env_id") or row["column"]),
            task_id=row["task_id"],
            sample=row["sample"],
            interface=row["interface"],
            success=row["success"],
            score=float(row["score"]),
            reward=float(row["reward"]),
            turns=turns,
            number=row["turns"],
            invalid=row["invalid_turns"],
            end_reason=row["end_reason"],
            failures=tuple(map(str, row["failures"])),
            last_observation=str(texts.get("last_observation", "")),
            error=str(texts.get("error", "")),
        )
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        task = row.get("task_id")
        raise DataError(f"Cannot read the texts of {task!r} in {where}: {error!r}") from error


def _turn(turn: Mapping[str, Any]) -> ViewedTurn:
    return ViewedTurn(
        observation=str(turn["observation"]),
        completion=str(turn["completion"]),
        action=str(turn.get("action", turn["completion"])),
        reward=float(turn.get("reward", 0.0)),
        valid=turn["valid"] is True,
        lenient=turn.get("lenient") is True,
        truncated=turn.get("truncated") is True,
    )


def _list(value: object) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TypeError(f"`turns` is a list, not {value!r}"[:100])
    return value
