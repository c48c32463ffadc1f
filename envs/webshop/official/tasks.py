"""The goals of WebShop's own files as tasks; the key of a task is the original's goal number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from agentgym_gen.envs.webshop.expert import goal_selection
from agentgym_gen.envs.webshop.goals import Goal, goal_tier
from agentgym_gen.envs.webshop.matching.nouns import load_noun_extractor
from agentgym_gen.envs.webshop.official import dataset, on_disk
from agentgym_gen.envs.webshop.official import goals as official_goals
from agentgym_gen.envs.webshop.official.json_stream import stream_records
from agentgym_gen.envs.webshop.reward import Scoring
from agentgym_gen.envs.webshop.rules import Rules
from agentgym_gen.envs.webshop.shop import Shop
from agentgym_gen.errors import DataError, InvalidValueError, unknown_name
from agentgym_gen.system.fork_safe_lock import ForkSafeLock
from agentgym_gen.world import Task, TaskId, Tasks

SPLITS: Mapping[str, Mapping[str, tuple[int, int | None]]] = {
    "webshop": {"test": (0, 500), "valid": (500, 1500), "train": (1500, None)},
    "agentgym": {"test": (0, 500), "valid": (500, 1500), "train": (1500, None)},
    "verl-agent": {"test": (0, 500), "train": (500, None)},
}
"""The range of goal numbers of each split, by preset."""

GOAL_NUMBER = re.compile("0|[1-9][0-9]{0,8}")
"""One spelling each: with two, a list could name one task twice."""

_lock = ForkSafeLock()


@dataclass(frozen=True)
class GoalSource:
    """Which goals are read from which files."""

    folder: Path
    """The folder with the files."""
    amount: int | None
    """How many products are read; None for all."""
    goals: str
    """The kind of goals: ``synthetic`` or ``human``."""


class OfficialTasks(Tasks[Goal]):
    """The goals of a folder that can be met, by the numbers that the original gives them.

    Args:
        source: The folder, and which goals are read from it.
        rules: The splits, and whether goals that cannot be met are kept.

    Raises:
        DataError: if a file is missing or broken.
    """

    env = "webshop"

    def __init__(self, source: GoalSource, rules: Rules) -> None:
        self._source, self._rules = source, rules
        with _lock:
            self.shop, self.all_goals, _ = _load_shop(source)
            self._goal_tiers = _tiers(source, rules.nouns, rules.as_original)
        ranges = SPLITS[rules.preset]
        self.splits = tuple(split for split in ("train", "valid", "test") if split in ranges)
        self._numbers = {
            (tier, split): [n for n in range(len(self.all_goals))[slice(*span)] if tiers[n] == tier]
            for tiers in [self._goal_tiers]
            for tier in self.tiers
            for split, span in ranges.items()
        }

    def __reduce__(self) -> tuple[type[OfficialTasks], tuple[GoalSource, Rules]]:
        """Return what makes these tasks again: a pickle does not hold the goals."""
        return OfficialTasks, (self._source, self._rules)

    def size(self, tier: str, split: str) -> int:
        """Return how many goals *split* of *tier* has."""
        return len(self._numbers[tier, split])

    def generate(self, task_id: TaskId, index: int) -> Goal:
        """Return the goal whose number is the key of *task_id*."""
        return self.all_goals[int(task_id.key)]

    def _key(self, tier: str, split: str, index: int) -> str:
        return str(self._numbers[tier, split][index])

    def find(self, task_id: str) -> Task[Goal]:
        """Return the goal with the id *task_id*.

        Raises:
            InvalidValueError: if the id is malformed, or the goal is in another tier or split.
        """
        parsed = TaskId.parse(task_id)
        if parsed.env != self.env:
            raise unknown_name(f"environment of task {str(task_id)!r}:", parsed.env, [self.env])
        self._check(parsed.tier, parsed.split)
        if not GOAL_NUMBER.fullmatch(parsed.key):
            raise InvalidValueError(
                f"Malformed task id {task_id!r}; its last part is the number of a goal, "
                f"0 to {len(self.all_goals) - 1}, but is {parsed.key!r}"
            )
        return self.make(parsed.tier, parsed.split, self._index(parsed))

    def _index(self, parsed: TaskId) -> int:
        """Return the index of the goal with the number of *parsed* in its tier and split.

        Raises:
            InvalidValueError: if it is not there; the message says where it is.
        """
        number = int(parsed.key)
        numbers = self._numbers[parsed.tier, parsed.split]
        if number in numbers:
            return numbers.index(number)
        owners = (owner for owner, owned in self._numbers.items() if number in owned)
        tier, split = next(owners, ("", ""))
        where = f"is webshop/{tier}/{split}/{number}" if tier else "cannot be played"
        raise InvalidValueError(f"No task {str(parsed)!r}; goal {number} {where}")


class LoadedShop(NamedTuple):
    """A shop and the goals in it."""

    shop: Shop
    goals: tuple[Goal, ...]
    """All of them, in the original's order."""
    ranks: list[int | None]
    """The position of each goal's product among the results for its request."""


@lru_cache(maxsize=2)
def _load_shop(source: GoalSource) -> LoadedShop:
    files = dataset.find_files(source.folder, source.amount)
    load = _from_disk if on_disk.is_large(files) else _in_memory
    loaded = load(files, source)
    loaded.shop.made_by(_load_products, source)
    return loaded


def _load_products(source: GoalSource) -> Shop:
    with _lock:
        return _load_shop(source).shop


def _in_memory(files: dataset.DatasetFiles, source: GoalSource) -> LoadedShop:
    records = list(dataset.read_products(files, source.amount))
    products = [product for product, _ in records]
    if source.goals == "synthetic":
        unordered = official_goals.synthetic_goals(records)
    else:
        instructions = _load_human_instructions(files, source)
        unordered = official_goals.human_goals(products, instructions)
    shop, goals = Shop.from_products(products), official_goals.shuffle_goals(unordered)
    return LoadedShop(shop, tuple(goals), [shop.rank(goal.request, goal.asin) for goal in goals])


def _from_disk(files: dataset.DatasetFiles, source: GoalSource) -> LoadedShop:
    if source.goals == "synthetic":
        raise InvalidValueError(
            "The synthetic goals of the full set are too many to number; ask for goals='human', "
            "or for the small set with products=1000"
        )
    instructions = _load_human_instructions(files, source)
    shop, products = on_disk.open_on_disk(files, source.amount)
    # In the order of the file, as `_in_memory` has them: the shuffle gives the same numbers.
    targets = products.in_file_order(p for p in map(shop.position, instructions) if p is not None)
    goals = official_goals.shuffle_goals(official_goals.human_goals(targets, instructions))
    folder = on_disk.index_folder(files, source.amount)
    return LoadedShop(shop, tuple(goals), on_disk.cached_ranks(goals, shop, folder))


def _load_human_instructions(files: dataset.DatasetFiles, source: GoalSource) -> dict[str, Any]:
    """Return the human instructions by product number."""
    if files.human is None:
        raise DataError(f"No file items_human_ins*.json in {str(source.folder)!r}")
    return {record.key: record.value for record in stream_records(files.human)}


@lru_cache(maxsize=4)
def _tiers(source: GoalSource, nouns: str, as_original: bool) -> tuple[str | None, ...]:
    """Return the tier of every goal; None for those that are left out."""
    loaded = _load_shop(source)
    scoring = Scoring(load_noun_extractor(nouns), as_original)
    pairs = zip(loaded.goals, loaded.ranks, strict=True)
    return tuple(_tier(loaded.shop, goal, rank, scoring) for goal, rank in pairs)


def _tier(shop: Shop, goal: Goal, rank: int | None, scoring: Scoring) -> str | None:
    """Return the tier of *goal*, or None if its product is not found or does not meet it.

    With the original's faults every goal is kept; those whose request does not find the product are
    hard ones.
    """
    tier = goal_tier(len(goal.options), rank)
    if scoring.as_original:
        return tier or "hard"
    product = shop.product(goal.asin)
    details = scoring.score_purchase(product, product, goal, goal_selection(product, goal))
    return tier if details.total == 1.0 else None


def open_official_tasks(source: GoalSource, rules: Rules) -> OfficialTasks:
    """Return the tasks of *source*; its files are read once a process.

    Raises:
        InvalidValueError: if *source* asks for no product.
        DataError: if a file is missing or broken.
    """
    if source.amount is not None and not (isinstance(source.amount, int) and source.amount > 0):
        raise InvalidValueError(f"`products` is a positive number or None, not {source.amount!r}")
    return OfficialTasks(source, rules)
