"""Empirical difficulty: lists of tasks that a model finds easy or hard.

The paper (arXiv 2603.12011) divided tasks by the success of Qwen2.5-7B-Instruct, not by their
structure. Here any policy plays every task some times; its success decides the list. The threshold
of the paper is not known to us.

What was played is kept in ``STEM.played.json`` until the lists are written, so that a calibration
that was stopped or killed goes on.
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
from agentgym_gen.agents.rollout import Episode, draw_task_ids, make_text_env, run
from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError
from agentgym_gen.seeding import stream
from agentgym_gen.system.file_lock import lock_file
from agentgym_gen.system.files import remove_temporary_files, write_json
from agentgym_gen.system.untrusted_files import parse_json, read_text
from agentgym_gen.world.task import SPLITS
from agentgym_gen.world.task_list import write_task_list

PART = 50
"""How many tasks are played before what was played is kept."""

LISTS = ("easy", "hard")
"""The lists that a calibration writes: ``STEM.easy.txt`` and ``STEM.hard.txt``."""


@dataclass(frozen=True)
class Calibration:
    """How tasks are divided.

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
    """The root of what the policy draws."""

    def __post_init__(self) -> None:
        """Check the fields."""
        if self.tasks < 1 or self.samples < 1:
            raise InvalidValueError(
                f"`tasks` and `samples` are 1 or more, not {self.tasks!r} and {self.samples!r}"
            )
        if not 0 < self.threshold <= 1:
            raise InvalidValueError(f"`threshold` is above 0 and at most 1, not {self.threshold!r}")


def calibrate(
    asked: Calibration,
    policy: Policy,
    stem: Path,
    *,
    model: str,
    style: PromptStyle | None = None,
    say: Callable[[str], object] = str,
) -> dict[str, int]:
    """Write ``STEM.easy.txt`` and ``STEM.hard.txt`` and return how many tasks each has.

    Args:
        asked: What is played and where the line is.
        policy: Who plays.
        stem: Where the lists go.
        model: What the policy is called in the lists.
        style: How episodes are put to the policy.
        say: Called with a line for each split.

    Raises:
        ResultExistsError: if a list is there already, or another calibration writes it.
        InvalidValueError: if all tasks are of one kind, so that there is nothing to divide.
        DataError: if a file cannot be written, or what was played before not be read.
    """
    if not stem.name:
        raise InvalidValueError(f"Lists begin with a name, such as lists/mine, not {str(stem)!r}")
    refusal = f"Another calibration writes {stem}"
    with lock_file(stem.with_name(f".{stem.name}.lock"), refusal, "another --out"):
        remove_temporary_files(stem.parent, f"{stem.name}.")
        known_by = {key: getattr(asked, key) for key in ("env_id", "samples", "seed")}
        put = style or PromptStyle()
        played = Played(Path(f"{stem}.played.json"), {"model": model, **known_by}, put)
        for path in _lists(stem).values():
            if path.exists() and not played.shares:
                raise ResultExistsError(
                    f"{path} is there already; choose another --out, or move it"
                )
        return _written(asked, _divided(asked, policy, played, say), played, stem)


def _written(
    asked: Calibration, found: dict[str, list[str]], played: Played, stem: Path
) -> dict[str, int]:
    model = played.asked["model"]
    empty = [kind for kind in LISTS if not found[kind]]
    if empty:
        raise InvalidValueError(
            f"No task of {asked.env_id!r} is {empty[0]} for {model!r} at a threshold of "
            f"{asked.threshold:g}; move the threshold, or take another model and another --out"
        )
    for kind, path in _lists(stem).items():
        about = (
            f"The {kind} tasks of {asked.env_id} by the success of {model}: "
            f"{asked.samples} episodes a task, easy from {asked.threshold:g} on, "
            f"seed {asked.seed}."
        )
        write_task_list(path, found[kind], [about])
    played.path.unlink()
    return {kind: len(tasks) for kind, tasks in found.items()}


def _lists(stem: Path) -> dict[str, Path]:
    return {kind: Path(f"{stem}.{kind}.txt") for kind in LISTS}


class Played:
    """The success of what was played so far, in a file.

    Args:
        path: The file.
        asked: What the success of a task depends on, beside *style*.
        style: How episodes are put to the policy.

    Raises:
        ResultExistsError: if it is of another calibration.
        DataError: if it cannot be read.
    """

    def __init__(self, path: Path, asked: dict[str, Any], style: PromptStyle) -> None:
        self.path, self.style = path, style
        self.shares: dict[str, float] = {}
        # By way of JSON, in which tuples are lists.
        self.asked: dict[str, Any] = json.loads(json.dumps({**asked, "style": asdict(style)}))
        if path.exists():
            self._read()

    def add(self, shares: dict[str, float]) -> None:
        """Keep more of it."""
        self.shares |= shares
        write_json(self.path, {"calibration": self.asked, "shares": self.shares})

    def _read(self) -> None:
        try:
            kept = parse_json(read_text(self.path), str(self.path))
            known, self.shares = kept["calibration"], dict(kept["shares"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise DataError(
                f"Cannot read {self.path}, what a stopped calibration has played; remove it"
            ) from error
        if known != self.asked:
            raise ResultExistsError(
                f"{self.path} is of a calibration with other settings, which was stopped; finish "
                "it, remove the file, or choose another --out"
            )


def _divided(
    asked: Calibration, policy: Policy, played: Played, say: Callable[[str], object]
) -> dict[str, list[str]]:
    """Return the lines of the lists."""
    found: dict[str, list[str]] = {kind: [] for kind in LISTS}
    for split in asked.splits:
        shares = success_shares(asked, split, policy, played)
        for task_id, share in shares.items():
            kind = "easy" if share >= asked.threshold else "hard"
            found[kind].append(f"{task_id}  # {share:.3f}")
        easy = sum(share >= asked.threshold for share in shares.values())
        say(f"{split}: {easy} of {len(shares)} tasks are easy")
    return found


def success_shares(
    asked: Calibration, split: str, policy: Policy, played: Played
) -> dict[str, float]:
    """Return the share of its episodes that succeed, for each task of *split*."""
    rng = stream("calibrate", asked.env_id, split)
    number = min(asked.tasks, _size(asked.env_id, split))
    known = list(dict.fromkeys(draw_task_ids(asked.env_id, split, number, rng)))
    for start in range(0, len(known), PART):
        part = known[start : start + PART]
        if not played.shares.keys() >= set(part):
            played.add(_played_now(asked, part, policy, played.style))
    return {task_id: played.shares[task_id] for task_id in known}


def _size(env_id: str, split: str) -> int:
    env = make_text_env(env_id, split)
    if env.task_list is not None:
        return len(env.task_list)
    return sum(env.world.tasks.size(tier, split) for tier in env.tiers)


def _played_now(
    asked: Calibration, part: Sequence[str], policy: Policy, style: PromptStyle
) -> dict[str, float]:
    episodes = [Episode(asked.env_id, t, n) for t in part for n in range(asked.samples)]
    won: Counter[str] = Counter()
    for one in run(episodes, policy, style=style, seed=asked.seed):
        won[one.task_id] += one.success
    return {task_id: won[task_id] / asked.samples for task_id in part}


def load_any_policy(model: str, temperature: float, max_new_tokens: int) -> Policy:
    """Return the policy called *model*: ``random``, ``expert``, or a model of transformers.

    Args:
        model: Its name, or the folder of a model.
        temperature: The temperature of a model of transformers.
        max_new_tokens: The longest completion of one.
    """
    if model in POLICIES:
        return POLICIES[model]()
    from agentgym_gen.trainers import ModelPolicy, load_model

    loaded, tokenizer = load_model(model)
    return ModelPolicy(loaded, tokenizer, temperature=temperature, max_new_tokens=max_new_tokens)
