"""The tasks of WebShop: goals in our own shop, or in the shop of the original's files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from agentgym_gen.envs.webshop.generator.families import families
from agentgym_gen.envs.webshop.generator.goal_text import generate_goals
from agentgym_gen.envs.webshop.goals import Goal, goal_tier
from agentgym_gen.envs.webshop.official.tasks import GoalSource, OfficialTasks, open_official_tasks
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.rules import Rules
from agentgym_gen.envs.webshop.shop import Shop
from agentgym_gen.errors import DataError, InvalidValueError, unknown_name
from agentgym_gen.seeding import stream
from agentgym_gen.system.fork_safe_lock import ForkSafeLock
from agentgym_gen.world import SPLITS, TIERS, SharedData, TaskId, Tasks

SPLIT_SHARES = {"train": 3, "valid": 1, "test": 1}
"""How many families of products of five belong to each split."""

MAX_TARGETS = 1000
"""The most products that goals are made from: each request has to be tried in the shop."""

MAX_PRODUCTS = 1_000_000

GOAL_KINDS = ("generated", "synthetic", "human")
"""The kinds of goals; the last two are those of the original's files."""

_lock = ForkSafeLock()

GoalsByTier = dict[str, tuple[Goal, ...]]
"""The goals of each tier."""


class GeneratedShop(SharedData):
    """Our own shop and the goals in it, which are generated when they are first needed.

    Args:
        amount: How many products it has.
    """

    def __init__(self, amount: int) -> None:
        self._families = list(families(amount))
        products = (product for family in self._families for product in family)
        self.shop = Shop.from_products(products).made_by(_load_products, amount)
        self._goals: dict[str, GoalsByTier] = {}
        self._lock = ForkSafeLock()

    def goals(self, split: str) -> GoalsByTier:
        """Return the goals of *split*."""
        with self._lock:
            if split not in self._goals:
                self._goals[split] = self._generate_goals(split)
            return self._goals[split]

    def _generate_goals(self, split: str) -> GoalsByTier:
        goals: dict[str, list[Goal]] = {tier: [] for tier in TIERS}
        for goal in (goal for product in self._targets(split) for goal in generate_goals(product)):
            tier = goal_tier(len(goal.options), self.shop.rank(goal.request, goal.asin))
            if tier is not None:
                goals[tier].append(goal)
        return {tier: _shuffle(tier_goals, tier, split) for tier, tier_goals in goals.items()}

    def _targets(self, split: str) -> Iterable[Product]:
        """Yield the products that goals of *split* are made from: whole families.

        Families look alike, so that a family in two splits would show the test to the training.
        """
        total = 0
        for family in self._families:
            if total >= MAX_TARGETS:
                return
            total += len(family)
            if _split_of(family[0].asin) == split:
                yield from family


class GeneratedTasks(Tasks[Goal]):
    """Goals in our own shop; all goals for products that look alike are in one split.

    Args:
        source: The shop and its goals.
    """

    env = "webshop"

    def __init__(self, source: GeneratedShop) -> None:
        self._source = source
        self.shop = source.shop

    def size(self, tier: str, split: str) -> int:
        """Return how many goals *split* of *tier* has."""
        return len(self._source.goals(split)[tier])

    def generate(self, task_id: TaskId, index: int) -> Goal:
        """Return goal *index* of the tier and split of *task_id*."""
        return self._source.goals(task_id.split)[task_id.tier][index]


def open_tasks(
    products: int | None, data_dir: str | Path | None, goals: str | None, rules: Rules
) -> GeneratedTasks | OfficialTasks:
    """Return the tasks in our own shop, or those of the original's files.

    Args:
        products: How many products the shop has.
        data_dir: The folder of the original's files; None takes that of ``WEBSHOP_DATA``, if
            *goals* are official ones.
        goals: ``generated``, ``synthetic`` or ``human``; None takes generated ones without
            *data_dir*, and synthetic ones with it.
        rules: The rules of the world.

    Raises:
        UnknownNameError: if there is no such kind of goals.
        InvalidValueError: if there cannot be so many products.
        DataError: if official goals are asked for and the files cannot be read.
    """
    kind = goals or ("generated" if data_dir is None else "synthetic")
    if kind not in GOAL_KINDS:
        raise unknown_name("kind of goals", kind, GOAL_KINDS)
    if kind == "generated":
        if data_dir is not None:
            raise InvalidValueError("`data_dir` has no generated goals; ask for other `goals`")
        return open_generated(products)
    folder = data_dir or os.environ.get("WEBSHOP_DATA")
    if not folder:
        raise DataError(
            "No folder with WebShop's files; name it with `data_dir` or in the environment "
            "variable WEBSHOP_DATA"
        )
    return open_official_tasks(GoalSource(Path(folder).resolve(), products, kind), rules)


def open_generated(amount: int | None) -> GeneratedTasks:
    """Return the tasks in our own shop of *amount* products, which is made once a process.

    Raises:
        InvalidValueError: if *amount* is no number of products.
    """
    if isinstance(amount, bool) or not isinstance(amount, int) or not 1 <= amount <= MAX_PRODUCTS:
        raise InvalidValueError(
            f"`products` is 1 to {MAX_PRODUCTS:,} for our own shop, not {amount!r}"
        )
    return GeneratedTasks(_load_source(amount))


def _load_source(amount: int) -> GeneratedShop:
    """Return our own shop of *amount* products with its goals, made once a process."""
    with _lock:
        return _load_shop(amount)


def _load_products(amount: int) -> Shop:
    return _load_source(amount).shop


@lru_cache(maxsize=2)
def _load_shop(amount: int) -> GeneratedShop:
    return GeneratedShop(amount).made_by(_load_source, amount)


def _split_of(asin: str) -> str:
    """Return the split of the family whose first product has the number *asin*."""
    shares = list(SPLIT_SHARES.values())
    residue = hashlib.sha256(asin.encode()).digest()[0] % sum(shares)
    return next(split for n, split in enumerate(SPLITS) if residue < sum(shares[: n + 1]))


def _shuffle(goals: list[Goal], tier: str, split: str) -> tuple[Goal, ...]:
    """Return *goals* in a random order, so that neighbours do not ask for the same product."""
    order = stream("webshop", "order", tier, split).permutation(len(goals))
    return tuple(goals[index] for index in order.tolist())
