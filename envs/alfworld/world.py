"""ALFWorld as a world: the original's text games, generated or official."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from agentgym_gen.envs.alfworld.distractors import DISTRACTOR_KINDS, distractor_lines
from agentgym_gen.envs.alfworld.expert import Memory, View, shortest_plan
from agentgym_gen.envs.alfworld.game import Game, Move
from agentgym_gen.envs.alfworld.house import OFFICIAL_TYPES, House
from agentgym_gen.envs.alfworld.reference.reference_check import make_reference_check
from agentgym_gen.envs.alfworld.reward import reward
from agentgym_gen.envs.alfworld.search_expert import next_move
from agentgym_gen.envs.alfworld.tasks import open_tasks
from agentgym_gen.envs.alfworld.text.admissible import AdmissibleCommands
from agentgym_gen.envs.alfworld.text.observations import ObservationWriter
from agentgym_gen.envs.alfworld.text.reasons import reason_for
from agentgym_gen.envs.alfworld.tiers import TaskFilter
from agentgym_gen.envs.alfworld.wording import NOTHING_HAPPENS, WORDINGS, find_wording, instruction
from agentgym_gen.errors import unknown_name
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
    copy_sharing,
    literals,
)
from agentgym_gen.world.distractors import sample_evenly

__all__ = ["IDLE_VERBS", "TURN_LIMIT", "ALFWorld"]

TURN_LIMIT = 50
"""The turn limit of the original's configuration and of most papers."""

EXPERTS = ("planner", "search")
"""What the expert knows: the whole household, or only what the player has seen of it."""

IDLE_VERBS = ("look", "inventory", "help", "examine", "examine_held")
"""The verbs that change nothing."""


class ALFWorld(World[House]):
    """Find, clean, heat, cool and carry things in a household.

    Args:
        wording_version: ``0.4`` (``move mug 1 to desk 1``) or ``0.3`` (``put mug 1 in/on desk 1``).
        task_type: Play tasks of this type only, such as ``heat``.
        room: Play tasks in rooms of this type only, such as ``kitchen``.
        games: ``generated`` or ``official``.
        data_dir: The folder of the official games, which are then played; None takes that of the
            environment variable ``ALFWORLD_DATA`` for the official ones.
        backend: ``python``, or ``textworld`` to let the original decide. It runs in a process of
            its own and is a thousand times slower; `info` then says whether ours agreed.
        expert: ``planner``, who knows the whole household, or ``search``, who knows only what the
            player has seen.

    Raises:
        UnknownNameError: if there is no such wording, task type, room, kind of games, backend or
            expert.
        DataError: if the folder is missing.
        MissingExtraError: if the original is to decide and is not installed.
        InvalidValueError: if the original is to decide and cannot run on this Python.
    """

    name = "ALFWorld"
    verbs = WORDINGS["0.4"].verbs
    tasks: Tasks[House]
    game: Game
    """The game in play."""
    memory: Memory
    """What the player has seen of it."""

    def __init__(  # noqa: PLR0913  (the keyword arguments of its ids)
        self,
        wording_version: str = "0.4",
        task_type: str | None = None,
        room: str | None = None,
        games: str = "generated",
        data_dir: str | Path | None = None,
        backend: str = "python",
        expert: str = "planner",
    ) -> None:
        if expert not in EXPERTS:
            raise unknown_name("expert", expert, EXPERTS)
        self._searches = expert == "search"
        self._reference = make_reference_check(backend, wording_version)
        self.steps_in_process = self._reference is None
        self._wording = find_wording(wording_version)
        self.verbs = self._wording.verbs
        self.tasks = open_tasks(games, data_dir, TaskFilter(task_type, room))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares all words and the plan."""
        return copy_sharing(self, memo, "_wording", "_plan", "_distractor_pool")

    def reset(self, task: Task[House]) -> Scene:
        """Start *task*: the room and what is to be done."""
        self.game = Game(task.content)
        self.memory = Memory()
        self._admissible = AdmissibleCommands(self.game, self._wording)
        self._observations = ObservationWriter(self.game, self._wording)
        self._plan: list[Move] | None = None
        self._distractor_pool: tuple[str, ...] = ()
        opening = self._observations.opening()
        if self._reference:
            return self._reference.start(self, task, opening, self._admissible.commands)
        return opening

    def step(self, command: Command) -> Outcome:
        """Carry out *command*."""
        outcome = self._apply(command)
        if self._reference:
            return self._reference.check(self, command, outcome, self._admissible.commands)
        return outcome

    def _apply(self, command: Command) -> Outcome:
        """Carry out *command* by our rules."""
        move = self._admissible.moves.get(command)
        if move is None:
            reason = reason_for(self.game, command)
            return Outcome(self._observations.nothing_happens(), valid=False, reason=reason)
        if move[0] not in IDLE_VERBS:
            self.game.apply(move)
            self._admissible.refresh()
            # The rest of a shortest plan is a shortest plan; any other move needs a new one.
            self._plan = self._plan[1:] if self._plan and self._plan[0] == move else None
        self._remember(move)
        won = move[0] not in IDLE_VERBS and self.game.is_won()
        end = EndReason.SUCCESS if won else None
        return Outcome(self._observations.after(move), reward(won), end=end, score=float(won))

    def _remember(self, move: Move) -> None:
        """Add to the player's memory what *move* has shown of a receptacle."""
        verb, receptacle, _ = move
        if verb in ("go_to", "open", "close", "examine"):
            self.memory.open_state_known.add(receptacle)
            if self.game.is_open(receptacle):
                self.memory.content_known.add(receptacle)

    def admissible(self) -> tuple[Command, ...]:
        """Return the admissible commands, sorted by their native texts, as in the original."""
        return self._reference.admissible(self) if self._reference else self._admissible.commands

    def expert_plan(self) -> tuple[Command, ...] | None:
        """Return the shortest plan; while it is followed, the rest of it.

        Where the expert searches, it is the next command only, and None where no search is left.
        """
        if self._searches:
            move = next_move(self.game, self.memory)
            return None if move is None else (self.command(move),)
        if self._plan is None:
            self._plan = shortest_plan(View(self.game))
        return None if self._plan is None else tuple(map(self.command, self._plan))

    def command(self, move: Move) -> Command:
        """Return the command that means *move*."""
        return self._admissible.command(move)

    def instruction(self) -> Message:
        """Return AgentGym's instruction and the original's list of commands."""
        return instruction(self._wording)

    def goal(self) -> Message:
        """Return the task in the original's words."""
        return self._wording.mark_verbs(self.game.house.task)

    def turn_limit(self) -> int:
        """Return 50, as the original."""
        return TURN_LIMIT

    def invalid_reply(self, malformed: Malformed) -> Message:
        """Return that nothing happens."""
        return (NOTHING_HAPPENS,)

    def read(self, text: str) -> Command | Malformed:
        """Read *text* as the original does: to the letter, except for white space around it."""
        return self.read_reworded(text, self._wording.templates)

    def read_reworded(self, text: str, templates: Mapping[str, str]) -> Command | Malformed:
        """Read *text* to the letter, too, in the words of *templates*."""
        action_text = text.strip()
        for verb, template in templates.items():
            if match := _pattern(template).fullmatch(action_text):
                return Command(verb, match.groups())
        return Malformed(text, "it is none of the known actions")

    def info(self) -> Mapping[str, Any]:
        """Return the task type, by which the literature reports success, and the room."""
        house = self.game.house
        info = {"task_type": OFFICIAL_TYPES[house.goal.type], "room": house.room}
        return {**info, "agrees": self._reference.agrees} if self._reference else info

    def close(self) -> None:
        """End the original's process, if there is one."""
        if self._reference:
            self._reference.close()

    def surface(self) -> Surface:
        """Return what interfaces read of this world."""
        return Surface(nouns=self._nouns, distractors=self._distractors, distractor_amount=16)

    def _nouns(self) -> tuple[str, ...]:
        """Return the names of all kinds of receptacles and things, also those of distractors."""
        house = self.game.house
        names = [item.name for items in (house.receptacles, house.things) for item in items]
        kinds = {name.rsplit(" ", 1)[0] for name in names}
        return tuple(sorted({*kinds, *DISTRACTOR_KINDS, house.goal.thing, house.goal.place}))

    def _distractors(self, rng: np.random.Generator, amount: int) -> tuple[str, ...]:
        """Return sentences about objects whose numbers are not in use."""
        self._distractor_pool = self._distractor_pool or distractor_lines(self.game.house)
        return sample_evenly(self._distractor_pool, amount, rng)


@lru_cache(maxsize=1 << 10)
def _pattern(template: str) -> re.Pattern[str]:
    """Return the pattern of *template*: any text may stand for each argument."""
    return re.compile("(.+)".join(map(re.escape, literals(template))))
