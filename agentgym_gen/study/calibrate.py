"""Empirical difficulty: lists of tasks that a model finds easy or hard.

The paper (arXiv 2603.12011) divided tasks by the success of Qwen2.5-7B-Instruct, not by their
structure. Here any policy plays every task some times; its success decides the list. The threshold
of the paper is not known to us.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentgym_gen.errors import InvalidValueError, ResultExistsError
from agentgym_gen.policy import POLICIES, Policy
from agentgym_gen.prompt import PromptStyle
from agentgym_gen.rollout import Episode, draw_task_ids, run
from agentgym_gen.seeding import stream
from agentgym_gen.task import SPLITS
from agentgym_gen.tasklist import write_task_list

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
        ResultExistsError: if a list is there already.
        InvalidValueError: if all tasks are of one kind, so that there is nothing to divide.
    """
    paths = {kind: Path(f"{stem}.{kind}.txt") for kind in LISTS}
    for path in paths.values():
        if path.exists():
            raise ResultExistsError(f"{path} is there already; choose another --out, or move it")
    found: dict[str, list[str]] = {kind: [] for kind in LISTS}
    for split in asked.splits:
        shares = success_shares(asked, split, policy, style)
        for task_id, share in shares.items():
            kind = "easy" if share >= asked.threshold else "hard"
            found[kind].append(f"{task_id}  # {share:.3f}")
        easy = sum(share >= asked.threshold for share in shares.values())
        say(f"{split}: {easy} of {len(shares)} tasks are easy")
    empty = [kind for kind in LISTS if not found[kind]]
    if empty:
        raise InvalidValueError(
            f"No task of {asked.env_id!r} is {empty[0]} for {model!r} at a threshold of "
            f"{asked.threshold:g}; move the threshold, or take another model"
        )
    for kind, path in paths.items():
        about = (
            (
                f"The {kind} tasks of {asked.env_id} by the success of {model}: "
                f"{asked.samples} episodes a task, easy from {asked.threshold:g} on, "
                f"seed {asked.seed}."
            ),
        )
        write_task_list(path, found[kind], about)
    return {kind: len(tasks) for kind, tasks in found.items()}


def success_shares(
    asked: Calibration, split: str, policy: Policy, style: PromptStyle | None
) -> dict[str, float]:
    """Return the share of its episodes that succeed, for each task of *split*."""
    rng = stream("calibrate", asked.env_id, split)
    task_ids = draw_task_ids(asked.env_id, split, asked.tasks, rng)
    known: Sequence[str] = sorted(set(task_ids), key=task_ids.index)
    episodes = [Episode(asked.env_id, t, n) for t in known for n in range(asked.samples)]
    won: Counter[str] = Counter()
    for played in run(episodes, policy, style=style, seed=asked.seed):
        won[played.task_id] += played.success
    return {task_id: won[task_id] / asked.samples for task_id in known}


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
