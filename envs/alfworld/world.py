"""ALFWorld as a world: the original's text games, generated ones or the official ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from agentgym_gen.envs.alfworld.asides import KINDS, made_up
from agentgym_gen.envs.alfworld.expert import Memory, View, plan
from agentgym_gen.envs.alfworld.game import Game, Move
from agentgym_gen.envs.alfworld.house import OFFICIAL_TYPES, House
from agentgym_gen.envs.alfworld.menu import Menu
from agentgym_gen.envs.alfworld.referee import referee_of
from agentgym_gen.envs.alfworld.refusals import reason
from agentgym_gen.envs.alfworld.reward import reward
from agentgym_gen.envs.alfworld.tasks import open_tasks
from agentgym_gen.envs.alfworld.telling import Teller
from agentgym_gen.envs.alfworld.tiers import Filter
from agentgym_gen.envs.alfworld.wording import NOTHING, WORDINGS, instruction, wording_of
from agentgym_gen.world import (
    Command,
    EndReason,
    Malformed,
    Message,
    Outcome,
    Scene,
    Surface,
    Task,
    Tasks,
    World,
)
from agentgym_gen.world.distractors import sample_evenly

TURN_LIMIT = 50
"""The turn limit of the original's configuration and of most papers."""

IDLE = ("look", "inventory", "help", "examine", "examine_held")
"""The moves that change nothing."""


class ALFWorld(World[House]):
    """Find, clean, heat, cool and carry things in a household.

    Args:
        wording_version: ``0.4`` (``move mug 1 to desk 1``) or ``0.3`` (``put mug 1 in/on desk 1``).
        task_type: Play tasks of this type only, such as ``heat``.
        room: Play tasks in rooms of this type only, such as ``kitchen``.
        games: ``generated`` or ``official``.
        data_dir: The folder of the official games, which are then played; None takes that of the
            environment variable ``ALFWORLD_DATA`` for the official ones.
        backend: ``python``, or ``textworld`` to let the original decide, in a process of its own
            and a thousand times slower; `info` then says whether ours agreed.

    Raises:
        UnknownNameError: if there is no such wording, task type, room, kind of games or backend.
        DataError: if the folder is missing.
        MissingExtraError: if the original is wanted and not installed.
        InvalidValueError: if the original is wanted and cannot run on this Python.
    """

    name = "ALFWorld"
    verbs = WORDINGS["0.4"].verbs
    tasks: Tasks[House]
    game: Game
    """The game in play."""
    memory: Memory
    """What the player has seen of it."""

    def __init__(
        self,
        wording_version: str = "0.4",
        task_type: str | None = None,
        room: str | None = None,
        games: str = "generated",
        data_dir: str | Path | None = None,
        backend: str = "python",
    ) -> None:
        self._referee = referee_of(backend, wording_version)
        self._wording = wording_of(wording_version)
        self.verbs = self._wording.verbs
        self.tasks = open_tasks(games, data_dir, Filter(task_type, room))
        self._forms = {
            verb: re.compile("(.+)".join(map(re.escape, re.split(r"\{\w+\}", template))))
            for verb, template in self._wording.templates.items()
        }

    def reset(self, task: Task[House]) -> Scene:
        """Start *task*: the room and what is to be done."""
        self.game = Game(task.content)
        self.memory = Memory()
        self._menu = Menu(self.game, self._wording)
        self._teller = Teller(self.game, self._wording)
        self._plan: list[Move] | None = None
        self._made_up: tuple[str, ...] = ()
        opening = self._teller.opening()
        return self._referee.opening(self, task, opening) if self._referee else opening

    def step(self, command: Command) -> Outcome:
        """Carry out *command*."""
        outcome = self._played(command)
        return self._referee.judged(self, command, outcome) if self._referee else outcome

    def _played(self, command: Command) -> Outcome:
        move = self._menu.moves.get(command)
        if move is None:
            told = reason(self.game, command)
            return Outcome(self._teller.refused(), valid=False, reason=told)
        if move[0] not in IDLE:
            self.game.do(move)
            self._menu.refresh()
            self._plan = self._plan[1:] if self._plan and self._plan[0] == move else None
        self._notice(move)
        won = move[0] not in IDLE and self.game.won()
        end = EndReason.SUCCESS if won else None
        return Outcome(self._teller.told(move), reward(won), end=end, score=float(won))

    def _notice(self, move: Move) -> None:
        """Remember what *move* has shown of a receptacle."""
        verb, receptacle, _ = move
        if verb in ("go_to", "open", "close", "examine"):
            self.memory.visited.add(receptacle)
            if self.game.is_open(receptacle):
                self.memory.seen.add(receptacle)

    def admissible(self) -> tuple[Command, ...]:
        """Return what can be done, in the order of the native words, as the original lists it."""
        return self._referee.commands(self) if self._referee else self._menu.commands

    def own_admissible(self) -> tuple[Command, ...]:
        """Return what can be done by our rules, whichever backend decides."""
        return self._menu.commands

    def expert_plan(self) -> tuple[Command, ...] | None:
        """Return the shortest way to the goal; while it is followed, the rest of it."""
        if self._plan is None:
            self._plan = plan(View(self.game))
        return None if self._plan is None else tuple(map(self.command, self._plan))

    def command(self, move: Move) -> Command:
        """Return the command that means *move*."""
        return self._menu.command(move)

    def instruction(self) -> Message:
        """Return AgentGym's instruction and the original's list of commands."""
        return instruction(self._wording)

    def goal(self) -> Message:
        """Return the task in the original's words."""
        return self._wording.said(self.game.house.task)

    def turn_limit(self) -> int:
        """Return 50, as the original."""
        return TURN_LIMIT

    def invalid_reply(self, malformed: Malformed) -> Message:
        """Return that nothing happens."""
        return (NOTHING,)

    def read(self, text: str) -> Command | Malformed:
        """Read *text* as the original does: to the letter, but for white space around it."""
        said = text.strip()
        for verb, form in self._forms.items():
            if found := form.fullmatch(said):
                return Command(verb, found.groups())
        return Malformed(text, "it is none of the known actions")

    def info(self) -> Mapping[str, Any]:
        """Return the task type, by which the literature reports success, and the room."""
        house = self.game.house
        own = {"task_type": OFFICIAL_TYPES[house.goal.type], "room": house.room}
        return {**own, "agrees": self._referee.agrees} if self._referee else own

    def close(self) -> None:
        """End the original's process, if there is one."""
        if self._referee:
            self._referee.close()

    def surface(self) -> Surface:
        """Return what interfaces read of this world."""
        return Surface(nouns=self._nouns, distractors=self._distractors, distractor_amount=16)

    def _nouns(self) -> tuple[str, ...]:
        """Return what all receptacles and things, also those of distractors, are called."""
        house = self.game.house
        names = [*(one.name for one in house.receptacles), *(one.name for one in house.things)]
        kinds = {name.rsplit(" ", 1)[0] for name in names}
        return tuple(sorted({*kinds, *KINDS, house.goal.thing, house.goal.place}))

    def _distractors(self, rng: np.random.Generator, amount: int) -> tuple[str, ...]:
        """Return sentences about objects whose numbers are not in use."""
        self._made_up = self._made_up or made_up(self.game.house)
        return sample_evenly(self._made_up, amount, rng)
