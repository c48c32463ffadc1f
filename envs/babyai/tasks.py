"""The tasks of BabyAI: worlds of minigrid's levels, by split, that the expert solves."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field

from agentgym_gen.envs.babyai import expert
from agentgym_gen.envs.babyai.engine import backend
from agentgym_gen.envs.babyai.levels import LEVELS, short_name, tier_of
from agentgym_gen.envs.babyai.wordings.wording import AgentGymWording
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.world import Task, TaskId, Tasks

TASKS_PER_SPLIT = 100_000
"""How many tasks every split of every tier has."""

SHARES = {"train": range(60), "valid": range(60, 80), "test": range(80, 100)}
"""Which hundredths of all worlds belong to a split, by their hash."""

MAX_SAMPLES = 400
"""How many worlds are generated for a task before its level counts as unsolvable."""

MAX_EXPERT_TURNS = 60
"""The longest plan of the expert, in AgentGym's commands."""


@dataclass(frozen=True)
class Quest:
    """The content of a task: the initial world, its mission and the expert's plan.

    Equal worlds have the same `repr`, whatever level and seed they come from, so that splits are
    distinguished by what a player meets. Tasks are identified by a hash of that text: the names
    of this class and of its first two fields must stay.
    """

    world: tuple[str, ...]
    """The cells as rows of text, and a last row for the player."""
    mission: str
    """What is to be done, in minigrid's words."""
    level: str = field(repr=False)
    """minigrid's level that generates this world, without ``BabyAI-`` and version."""
    seed: int = field(repr=False)
    """The seed with which the level does."""
    plan: expert.Plan = field(repr=False)
    """The expert's commands, in AgentGym's words."""
    steps: int = field(repr=False)
    """How many of minigrid's actions the expert's bot takes."""

    @property
    def split(self) -> str:
        """The split to which this world belongs, by its hash."""
        digest = hashlib.sha256(repr((self.world, self.mission)).encode()).digest()
        number = int.from_bytes(digest[:8], "big") % 100
        return next(split for split, share in SHARES.items() if number in share)


class QuestTasks(Tasks[Quest]):
    """Worlds generated from the task's own stream.

    Task *index* is of level ``index % number of levels`` of its tier: levels are equally frequent.

    Args:
        level: The only level to be played, by the name that minigrid gives it; None plays those
            of the tiers.

    Raises:
        UnknownNameError: if minigrid has no such level.
    """

    env = "babyai"

    def __init__(self, level: str | None = None) -> None:
        self._level = None if level is None else short_name(level)
        if self._level is not None:
            self.tiers = (_tier(self._level),)

    def size(self, tier: str, split: str) -> int:
        """Return how many tasks there are, the same number everywhere."""
        return TASKS_PER_SPLIT

    def generate(self, task_id: TaskId, index: int) -> Quest:
        """Return the first world of the task's stream that is of its split and is solved."""
        levels = LEVELS[task_id.tier]
        return _generate(task_id, self._level or levels[index % len(levels)])

    def find(self, task_id: str) -> Task[Quest]:
        """Return the task called *task_id*, whose key names the level if there is but one.

        Raises:
            InvalidValueError: if the id is malformed or no task has it.
        """
        parsed = TaskId.parse(task_id)
        level, _, key = parsed.key.rpartition("-")
        if level != (self._level or ""):
            raise InvalidValueError(
                f"Task id {task_id!r} names the level {level or None!r}, but these tasks are of "
                f"{self._level or 'the levels of their tiers'!r}; choose with `level`"
            )
        plain = TaskId(parsed.env, parsed.tier, parsed.split, key or "?")
        return super().find(str(plain))

    def _key(self, tier: str, split: str, index: int) -> str:
        return str(index) if self._level is None else f"{self._level}-{index}"


def _tier(level: str) -> str:
    env = backend.load("game").make_level(level)
    return tier_of(level, env.num_rows * env.num_cols)


@functools.lru_cache(maxsize=1024)
def _generate(task_id: TaskId, level: str) -> Quest:
    """Return the quest of *task_id*, cached because training plays each task several times."""
    game_module, bot, wording = (
        backend.load("game"),
        backend.load("bot"),
        AgentGymWording(strict=False),
    )
    rng = task_id.stream("world")
    for _ in range(MAX_SAMPLES):
        seed = int(rng.integers(2**31))
        game = game_module.Game(level, seed)
        quest = Quest(game.grid_rows(), game.env.mission, level, seed, (), 0)
        if quest.split != task_id.split:
            continue
        actions = bot.solve(game)
        plan = None if actions is None else expert.to_commands(game, wording, actions)
        if plan is not None and len(plan) <= MAX_EXPERT_TURNS:
            return Quest(quest.world, quest.mission, level, seed, plan, len(actions))
    raise InvalidValueError(
        f"The expert solves none of {MAX_SAMPLES} worlds of the level {level!r} in "
        f"{MAX_EXPERT_TURNS} turns; choose another level"
    )
