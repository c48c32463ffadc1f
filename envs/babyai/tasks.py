"""The tasks of BabyAI: levels of minigrid that belong to their split and that the expert solves."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field

from agentgym_gen.envs.babyai import expert
from agentgym_gen.envs.babyai.engine import backend
from agentgym_gen.envs.babyai.levels import LEVELS, short_name, tier_of
from agentgym_gen.envs.babyai.wordings.wording import AgentGymVoice
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.world import Task, TaskId, Tasks

SIZE = 100_000
"""How many tasks every split of every tier has."""

SHARES = {"train": range(60), "valid": range(60, 80), "test": range(80, 100)}
"""Which hundredths of all worlds belong to a split."""

DRAWS = 400
"""How many worlds are drawn for a task before its level counts as one that nobody solves."""

MOST_TURNS = 60
"""The longest way of the expert, in AgentGym's commands."""


@dataclass(frozen=True)
class Quest:
    """The initial world and the expert's way through it.

    Equal worlds have the same text, whatever level and seed they come from, so that splits are
    told apart by what a player meets.
    """

    world: tuple[str, ...]
    """The cells as rows of text, with the player's place."""
    mission: str
    """What is to be done, in minigrid's words."""
    level: str = field(repr=False)
    """minigrid's level that draws this world, without ``BabyAI-`` and version."""
    seed: int = field(repr=False)
    """The seed with which it does."""
    route: expert.Route = field(repr=False)
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
    """Worlds drawn from the task's own stream.

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
        return SIZE

    def generate(self, task_id: TaskId, index: int) -> Quest:
        """Return the first world of the task's stream that is of its split and that is solved."""
        levels = LEVELS[task_id.tier]
        return _drawn(task_id, self._level or levels[index % len(levels)])

    def find(self, task_id: str) -> Task[Quest]:
        """Return the task called *task_id*; that of a level of its own has it in its key.

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
    env = backend.load("game").make(level)
    return tier_of(level, env.num_rows * env.num_cols)


@functools.lru_cache(maxsize=1024)
def _drawn(task_id: TaskId, level: str) -> Quest:
    """Return the quest of *task_id*, kept because training plays each task several times."""
    engine, bot, voice = backend.load("game"), backend.load("bot"), AgentGymVoice(strict=False)
    rng = task_id.stream("world")
    for _ in range(DRAWS):
        seed = int(rng.integers(2**31))
        game = engine.Game(level, seed)
        quest = Quest(game.drawing(), game.env.mission, level, seed, (), 0)
        if quest.split != task_id.split:
            continue
        actions = bot.solve(game)
        route = None if actions is None else expert.say(game, voice, actions)
        if route is not None and len(route) <= MOST_TURNS:
            return Quest(quest.world, quest.mission, level, seed, route, len(actions))
    raise InvalidValueError(
        f"The expert solves none of {DRAWS} worlds of the level {level!r} in {MOST_TURNS} "
        "turns; choose another level"
    )
