"""Empirical difficulty: lists of tasks that a model finds easy or hard.

The paper (arXiv 2603.12011) divided tasks by the success of Qwen2.5-7B-Instruct, not by their
structure. Here any policy plays every task several times, and its success decides the list. The
threshold of the paper is not known to us.

The success of tasks that were played is kept in ``STEM.played.json`` until the lists are written,
so that a calibration that was stopped or killed goes on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agentgym_gen.agents.policy import POLICIES, Policy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.trajectory_files import append_trajectories, keep_trajectories
from agentgym_gen.env.making import make_text_env, sample_task_ids
from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError
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
    "success_rates",
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


def calibrate(
    calibration: Calibration,
    policy: Policy,
    stem: Path,
    *,
    model: str,
    style: PromptStyle | None = None,
    log: Callable[[str], object] = str,
) -> dict[str, int]:
    """Write ``STEM.easy.txt`` and ``STEM.hard.txt`` and return how many tasks each has.

    Args:
        calibration: The settings.
        policy: The policy that plays.
        stem: The first part of the names of the lists.
        model: The name of the policy in the lists.
        style: The prompt style of the episodes.
        log: Called with a line for each split.

    Raises:
        ResultExistsError: if a list is there already, or another calibration writes it.
        InvalidValueError: if all tasks are easy, or all are hard: there is nothing to divide.
        DataError: if a file cannot be written, or the success of earlier episodes not be read.
    """
    if not stem.name:
        raise InvalidValueError(f"Lists begin with a name, such as lists/mine, not {str(stem)!r}")
    refusal = f"Another calibration writes {stem}"
    with lock_file(stem.with_name(f".{stem.name}.lock"), refusal, "another --out"):
        played, episodes = Path(f"{stem}.played.json"), Path(f"{stem}.trajectories.jsonl")
        for path in (played, episodes, *_list_paths(stem).values()):
            remove_temporary_files(path.parent.glob(".*"), path.name)
        settings = {key: getattr(calibration, key) for key in ("env_id", "samples", "seed")}
        progress = CalibrationProgress(played, {"model": model, **settings}, style or PromptStyle())
        kept = [episodes] if calibration.keep_episodes else []
        for path in (*kept, *_list_paths(stem).values()):
            if path.exists() and not progress.shares:
                raise ResultExistsError(
                    f"{path} is there already; choose another --out, or move it"
                )
        for path in kept:
            # Those of a batch whose success was not written any more are played again.
            keep_trajectories(path, lambda line: line.trajectory.task_id in progress.shares)
        lines = _divide_tasks(calibration, policy, progress, log)
        return _write_lists(calibration, lines, progress, stem)


def _write_lists(
    calibration: Calibration,
    lines: dict[str, list[str]],
    progress: CalibrationProgress,
    stem: Path,
) -> dict[str, int]:
    model = progress.settings["model"]
    empty = [tier for tier in LISTED_TIERS if not lines[tier]]
    if empty:
        raise InvalidValueError(
            f"No task of {calibration.env_id!r} is {empty[0]} for {model!r} at a threshold of "
            f"{calibration.threshold:g}; move the threshold, or take another model and another "
            "--out"
        )
    for tier, path in _list_paths(stem).items():
        comment = (
            f"The {tier} tasks of {calibration.env_id} by the success of {model}: "
            f"{calibration.samples} episodes a task, easy from {calibration.threshold:g} on, "
            f"seed {calibration.seed}."
        )
        write_task_list(path, lines[tier], [comment])
    progress.path.unlink()
    return {tier: len(tasks) for tier, tasks in lines.items()}


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


def _divide_tasks(
    calibration: Calibration,
    policy: Policy,
    progress: CalibrationProgress,
    log: Callable[[str], object],
) -> dict[str, list[str]]:
    """Return the lines of each list, by tier."""
    lines: dict[str, list[str]] = {tier: [] for tier in LISTED_TIERS}
    for split in calibration.splits:
        shares = success_rates(calibration, split, policy, progress)
        for task_id, share in shares.items():
            tier = "easy" if share >= calibration.threshold else "hard"
            lines[tier].append(f"{task_id}  # {share:.3f}")
        easy = sum(share >= calibration.threshold for share in shares.values())
        log(f"{split}: {easy} of {len(shares)} tasks are easy")
    return lines


def success_rates(
    calibration: Calibration, split: str, policy: Policy, progress: CalibrationProgress
) -> dict[str, float]:
    """Return the share of its episodes that succeed, for each task of *split*."""
    rng = stream("calibrate", calibration.env_id, split)
    number = min(calibration.tasks, _count_tasks(calibration.env_id, split))
    task_ids = list(dict.fromkeys(sample_task_ids(calibration.env_id, split, number, rng)))
    for start in range(0, len(task_ids), BATCH_TASKS):
        batch = task_ids[start : start + BATCH_TASKS]
        if not progress.shares.keys() >= set(batch):
            progress.add(_play(calibration, batch, policy, progress))
    return {task_id: progress.shares[task_id] for task_id in task_ids}


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
) -> dict[str, float]:
    """Return the share of its episodes that succeed, for each of *task_ids*."""
    episodes = [
        Episode(calibration.env_id, task_id, sample)
        for task_id in task_ids
        for sample in range(calibration.samples)
    ]
    wins: Counter[str] = Counter()
    trajectories = run(episodes, policy, style=progress.style, seed=calibration.seed)
    if calibration.keep_episodes:
        name = str(progress.settings["model"])
        append_trajectories(progress.episodes, trajectories, arm=name)
    for trajectory in trajectories:
        wins[trajectory.task_id] += trajectory.success
    return {task_id: wins[task_id] / calibration.samples for task_id in task_ids}


def resolve_policy(model: str, temperature: float, max_new_tokens: int) -> Policy:
    """Return the policy called *model*: ``random``, ``expert``, or a model of transformers.

    Args:
        model: Its name, or the folder of a model.
        temperature: The temperature of a model of transformers.
        max_new_tokens: The most tokens of a completion of one.
    """
    if model in POLICIES:
        return POLICIES[model]()
    from agentgym_gen.trainers import ModelPolicy, load_model

    loaded, tokenizer = load_model(model)
    return ModelPolicy(loaded, tokenizer, temperature=temperature, max_new_tokens=max_new_tokens)
