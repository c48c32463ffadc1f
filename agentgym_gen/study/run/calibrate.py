"""Empirical difficulty: lists of tasks that a model finds easy or hard.

The paper (arXiv 2603.12011) divided tasks by the success of Qwen2.5-7B-Instruct, not by their
structure. Here any policy plays every task several times, and its success decides the list. The
threshold of the paper is not known to us.

The success of tasks that were played is kept in ``STEM.played.json`` until the lists are written,
so that a calibration that was stopped or killed goes on.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agentgym_gen.agents.policy import POLICIES, Policy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.agents.trajectory_files import append_trajectories, keep_trajectories
from agentgym_gen.env.making import make_text_env, sample_task_ids
from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError
from agentgym_gen.models.identity import kind_of
from agentgym_gen.seeding import stream
from agentgym_gen.study.plan.families import LISTED_TIERS
from agentgym_gen.system.file_lock import lock_file
from agentgym_gen.system.files import remove_temporary_files, write_json
from agentgym_gen.system.untrusted_files import parse_json, read_text
from agentgym_gen.world import SPLITS
from agentgym_gen.world.task_list import write_task_list

__all__ = [
    "BATCH_TASKS",
    "Calibration",
    "CalibrationProgress",
    "calibrate",
    "resolve_policy",
]

BATCH_TASKS = 50
"""How many tasks are played before their success is written."""


@dataclass(frozen=True)
class Calibration:
    """The settings of a calibration.

    Raises:
        InvalidValueError: if a number is not positive, or the threshold is no share.
    """

    env_id: str
    """The environment; an id without a tier takes tasks of all tiers."""
    tasks: int = 200
    """How many tasks of each split are played."""
    samples: int = 8
    """How often each is played."""
    threshold: float = 0.5
    """A task is easy if at least this share of its episodes succeeds."""
    splits: tuple[str, ...] = SPLITS
    """The splits whose tasks are in the lists."""
    seed: int = 0
    """The root of the policy's random streams."""
    keep_episodes: bool = False
    """Whether the episodes are kept in ``STEM.trajectories.jsonl``, for ``agentgym-gen view``."""

    def __post_init__(self) -> None:
        """Check the fields."""
        if self.tasks < 1 or self.samples < 1:
            raise InvalidValueError(
                f"`tasks` and `samples` are 1 or more, not {self.tasks!r} and {self.samples!r}"
            )
        if not 0 < self.threshold <= 1:
            raise InvalidValueError(f"`threshold` is above 0 and at most 1, not {self.threshold!r}")


def calibrate(  # noqa: PLR0913  (keywords)
    calibration: Calibration,
    policy: Policy,
    stem: Path,
    *,
    model: str,
    made_of: Mapping[str, object] | None = None,
    style: PromptStyle | None = None,
    log: Callable[[str], object] = str,
    progress: Callable[[int, int], object] | None = None,
) -> dict[str, int]:
    """Write ``STEM.easy.txt`` and ``STEM.hard.txt`` and return how many tasks each has.

    If all tasks are easy, or all are hard, the other list is not written, and *log* says which
    thresholds would divide them. ``STEM.played.json`` stays then, so that the same calibration
    with another threshold plays nothing again.

    Args:
        calibration: The settings.
        policy: The policy that plays.
        stem: The first part of the names of the lists.
        model: The name of the policy in the lists.
        made_of: What else decides its answers, such as its weights and its temperature: with
            another one, a stopped calibration is not gone on with.
        style: The prompt style of the episodes.
        log: Called with a line for each split.
        progress: Called as episodes end, with how many have ended and of how many.

    Raises:
        ResultExistsError: if a list is there already, or another calibration writes it.
        DataError: if a file cannot be written, or the success of earlier episodes not be read.
    """
    if not stem.name:
        raise InvalidValueError(f"Lists begin with a name, such as lists/mine, not {str(stem)!r}")
    refusal = f"Another calibration writes {stem}"
    with lock_file(stem.with_name(f".{stem.name}.lock"), refusal, "another --out"):
        played, episodes = Path(f"{stem}.played.json"), Path(f"{stem}.trajectories.jsonl")
        for path in (played, episodes, *_list_paths(stem).values()):
            remove_temporary_files(path.parent.glob(".*"), path.name)
        settings: dict[str, object] = {
            key: getattr(calibration, key) for key in ("env_id", "samples", "seed")
        }
        settings |= {"model": model, "version": version("agentgym-gen"), **(made_of or {})}
        done = CalibrationProgress(played, settings, style or PromptStyle())
        kept = [episodes] if calibration.keep_episodes else []
        for path in (*kept, *_list_paths(stem).values()):
            if path.exists() and not done.shares:
                raise ResultExistsError(
                    f"{path} is there already; choose another --out, or move it"
                )
        for path in kept:
            # Those of a batch whose success was not written any more are played again.
            keep_trajectories(path, lambda line: line.trajectory.task_id in done.shares)
        shares = _play_splits(calibration, policy, done, progress)
        lists = _divide_tasks(calibration, shares, log)
        return _write_lists(calibration, lists, done, stem, log)


def _write_lists(
    calibration: Calibration,
    lists: dict[str, dict[str, float]],
    played: CalibrationProgress,
    stem: Path,
    log: Callable[[str], object],
) -> dict[str, int]:
    """Write the lists that have tasks; remove what was played if that is both."""
    model = played.settings["model"]
    for tier, path in _list_paths(stem).items():
        if not lists[tier]:
            path.unlink(missing_ok=True)  # that of another threshold
            continue
        comment = (
            f"The {tier} tasks of {calibration.env_id} by the success of {model}: "
            f"{calibration.samples} episodes a task, easy from {calibration.threshold:g} on, "
            f"seed {calibration.seed}."
        )
        lines = [f"{task_id}  # {share:.3f}" for task_id, share in lists[tier].items()]
        write_task_list(path, lines, [comment])
    empty = [tier for tier in LISTED_TIERS if not lists[tier]]
    if empty:
        log(_why_empty(calibration, empty[0], lists, played))
    else:
        played.path.unlink()
    return {tier: len(tasks) for tier, tasks in lists.items()}


def _why_empty(
    calibration: Calibration,
    tier: str,
    lists: dict[str, dict[str, float]],
    played: CalibrationProgress,
) -> str:
    """Return the sentence about a tier without a task: what would divide the tasks."""
    shares = sorted({share for tasks in lists.values() for share in tasks.values()})
    start = (
        f"No task of {calibration.env_id!r} is {tier} for {played.settings['model']!r} at a "
        f"threshold of {calibration.threshold:g}"
    )
    if len(shares) == 1:
        return f"{start}: all have a success of {shares[0]:.3f}, so take another model or tier"
    # Rounded inwards: a threshold of 0.667 would call no task easy that is won in two of three.
    least, most = math.ceil(1000 * shares[0]) / 1000, math.floor(1000 * shares[-1]) / 1000
    return (
        f"{start}; the same command with a --threshold above {least:g} and up to {most:g} divides "
        f"them and plays nothing again ({played.path})"
    )


def _list_paths(stem: Path) -> dict[str, Path]:
    return {tier: Path(f"{stem}.{tier}.txt") for tier in LISTED_TIERS}


class CalibrationProgress:
    """The success of the tasks that were played so far, kept in a file.

    Args:
        path: The file.
        settings: What the success of a task depends on, beside *style*.
        style: The prompt style of the episodes.

    Raises:
        ResultExistsError: if the file is of another calibration.
        DataError: if it cannot be read.
    """

    def __init__(self, path: Path, settings: dict[str, Any], style: PromptStyle) -> None:
        self.path, self.style = path, style
        stem = str(path).removesuffix(".played.json")
        self.episodes = Path(f"{stem}.trajectories.jsonl")
        """The file of the episodes, where they are kept."""
        self.shares: dict[str, float] = {}
        # Through JSON and back, as in the file: tuples become lists, and both can be compared.
        self.settings: dict[str, Any] = json.loads(json.dumps({**settings, "style": asdict(style)}))
        if path.exists():
            self._read()

    def add(self, shares: dict[str, float]) -> None:
        """Add the success of more tasks, and write the file."""
        self.shares |= shares
        write_json(self.path, {"calibration": self.settings, "shares": self.shares})

    def _read(self) -> None:
        try:
            record = parse_json(read_text(self.path), str(self.path))
            settings, self.shares = record["calibration"], dict(record["shares"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise DataError(
                f"Cannot read {self.path}, what a stopped calibration has played; remove it"
            ) from error
        if settings != self.settings:
            raise ResultExistsError(
                f"{self.path} is of a calibration with other settings, which was stopped; finish "
                "it, remove the file, or choose another --out"
            )


def _play_splits(
    calibration: Calibration,
    policy: Policy,
    played: CalibrationProgress,
    progress: Callable[[int, int], object] | None,
) -> dict[str, dict[str, float]]:
    """Return the success of each task, by split; what was played before is not played again."""
    tasks = {split: _sample(calibration, split) for split in calibration.splits}
    total = calibration.samples * sum(map(len, tasks.values()))
    ended = calibration.samples * sum(
        task_id in played.shares for task_ids in tasks.values() for task_id in task_ids
    )

    def count_episode(_: Trajectory) -> None:
        nonlocal ended
        ended += 1
        if progress is not None:
            progress(ended, total)

    if progress is not None:
        progress(ended, total)
    return {
        split: _success_rates(calibration, task_ids, policy, played, count_episode)
        for split, task_ids in tasks.items()
    }


def _divide_tasks(
    calibration: Calibration,
    shares: dict[str, dict[str, float]],
    log: Callable[[str], object],
) -> dict[str, dict[str, float]]:
    """Return the tasks of each list with their success, by tier."""
    lists: dict[str, dict[str, float]] = {tier: {} for tier in LISTED_TIERS}
    for split, tasks in shares.items():
        easy = {task_id for task_id, share in tasks.items() if share >= calibration.threshold}
        for task_id, share in tasks.items():
            lists["easy" if task_id in easy else "hard"][task_id] = share
        log(f"{split}: {len(easy)} of {len(tasks)} tasks are easy")
    return lists


def _sample(calibration: Calibration, split: str) -> list[str]:
    rng = stream("calibrate", calibration.env_id, split)
    number = min(calibration.tasks, _count_tasks(calibration.env_id, split))
    return list(dict.fromkeys(sample_task_ids(calibration.env_id, split, number, rng)))


def _success_rates(
    calibration: Calibration,
    task_ids: Sequence[str],
    policy: Policy,
    played: CalibrationProgress,
    on_end: Callable[[Trajectory], None],
) -> dict[str, float]:
    """Return the share of its episodes that succeed, for each of *task_ids*."""
    for start in range(0, len(task_ids), BATCH_TASKS):
        batch = [t for t in task_ids[start : start + BATCH_TASKS] if t not in played.shares]
        if batch:
            played.add(_play(calibration, batch, policy, played, on_end))
    return {task_id: played.shares[task_id] for task_id in task_ids}


def _count_tasks(env_id: str, split: str) -> int:
    env = make_text_env(env_id, split)
    if env.task_list is not None:
        return len(env.task_list)
    return sum(env.world.tasks.size(tier, split) for tier in env.tiers)


def _play(
    calibration: Calibration,
    task_ids: Sequence[str],
    policy: Policy,
    progress: CalibrationProgress,
    on_end: Callable[[Trajectory], None],
) -> dict[str, float]:
    """Return the share of its episodes that succeed, for each of *task_ids*."""
    episodes = [
        Episode(calibration.env_id, task_id, sample)
        for task_id in task_ids
        for sample in range(calibration.samples)
    ]
    wins: Counter[str] = Counter()
    trajectories = run(episodes, policy, style=progress.style, seed=calibration.seed, on_end=on_end)
    if calibration.keep_episodes:
        name = str(progress.settings["model"])
        append_trajectories(progress.episodes, trajectories, arm=name)
    for trajectory in trajectories:
        wins[trajectory.task_id] += trajectory.success
    return {task_id: wins[task_id] / calibration.samples for task_id in task_ids}


def resolve_policy(model: str, temperature: float, max_tokens: int) -> Policy:
    """Return the policy called *model*: ``random``, ``expert``, or a model of transformers.

    Args:
        model: Its name, or the folder of a model.
        temperature: The temperature of a model of transformers.
        max_tokens: The most tokens of a completion of one.

    Raises:
        DataError: if there is no such model.
        UnknownNameError: if it is nearly ``random``, ``expert`` or ``smollm2``.
    """
    if kind_of(model, None) == "policy":
        return POLICIES[model]()
    from agentgym_gen.trainers import ModelPolicy, load_model

    loaded, tokenizer = load_model(model)
    return ModelPolicy(loaded, tokenizer, temperature=temperature, max_new_tokens=max_tokens)
