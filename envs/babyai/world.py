"""BabyAI as a world: minigrid's rules in AgentGym's words, without its faults or with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from agentgym_gen.envs.babyai import expert
from agentgym_gen.envs.babyai.engine import backend
from agentgym_gen.envs.babyai.wordings import agentgym
from agentgym_gen.envs.babyai.distractors import ceiling_lines
from agentgym_gen.envs.babyai.mission import COLOURS, KINDS
from agentgym_gen.envs.babyai.perception import Moment
from agentgym_gen.envs.babyai.compat.agentgym_quirks import ENOUGH
from agentgym_gen.envs.babyai.paths import Way
from agentgym_gen.envs.babyai.reward import end, score
from agentgym_gen.envs.babyai.tasks import Quest, QuestTasks
from agentgym_gen.envs.babyai.view import Place
from agentgym_gen.envs.babyai.wordings.wording import AgentGymVoice, voice_of
from agentgym_gen.world import (
    Command,
    EndReason,
    Malformed,
    Message,
    Outcome,
    Scene,
    Surface,
    Task,
    Verb,
    World,
)
from agentgym_gen.world.distractors import sample_evenly

LEAST_TURNS = 20
"""The turn limit of AgentGym, and the shortest here."""


class BabyAI(World[Quest]):
    """Go to, pick up, open and put together things in rooms behind doors.

    Args:
        wording: ``agentgym`` (macro actions, sentences, a list every turn) or ``balrog`` (BALROG's
            low-level actions and terse lines).
        compat: ``fixed``, or ``original`` with the faults of the original of *wording*.
        level: Play this level of minigrid's BabyAI only, such as ``GoToSeqS5R2``.

    Raises:
        MissingExtraError: if minigrid is not installed.
        UnknownNameError: if there is no such wording, compatibility or level.
    """

    name = "BabyAI"
    verbs: tuple[Verb, ...] = agentgym.VERBS

    def __init__(
        self, wording: str = "agentgym", compat: str = "fixed", level: str | None = None
    ) -> None:
        self._engine = backend.load("game")
        self._voice = voice_of(wording, compat)
        self.verbs = self._voice.verbs
        self._flawed = self._voice.strict and isinstance(self._voice, AgentGymVoice)
        self.tasks = QuestTasks(level)

    def reset(self, task: Task[Quest]) -> Scene:
        """Start *task*: what is to be done and what is seen."""
        self._quest = task.content
        self._game = self._engine.Game(task.content.level, task.content.seed)
        self._mission = self._voice.mission(task.content.mission)
        self._seen: set[Place] = set()
        self._paid = 0.0
        self._notice()
        native = isinstance(self._voice, AgentGymVoice) and not self._flawed
        self._plan: expert.Route | None = task.content.route if native else None
        self._is_lost = False
        return self._voice.opening(self._mission, self._moment)

    def step(self, command: Command) -> Outcome:
        """Carry out *command*."""
        way = self._menu.ways.get(command)
        if way is None:
            refusal = self._menu.refusal(command)
            return self._idle(refusal.message, valid=False, reason=refusal.reason)
        if command.verb == "check":
            return self._idle(agentgym.choices(tuple(self._menu.ways)))
        if not way:
            return self._idle((agentgym.NO_CHANGE,))
        follows = self._plan is not None and self._plan[:1] == (command,)
        self._plan = self._plan[1:] if self._plan and follows else None
        self._is_lost = False
        return self._flawed_turn(way) if self._flawed else self._turn(way)

    def admissible(self) -> tuple[Command, ...]:
        """Return the commands that AgentGym (or BALROG) has for this moment, in its order."""
        return tuple(self._menu.ways)

    def expert_plan(self) -> expert.Route | None:
        """Return commands to the goal; while they are followed, the rest of the same plan."""
        if not self._plan and not self._is_lost:
            self._plan = expert.plan(self._game, self._voice, self._seen)
            self._is_lost = self._plan is None
        return self._plan

    def instruction(self) -> Message:
        """Return the original's instruction."""
        return self._voice.instruction(self._mission)

    def goal(self) -> Message:
        """Return the mission."""
        return self._mission

    def turn_limit(self) -> int:
        """Return twice the expert's turns, but at least AgentGym's 20; the original has just 20."""
        if self._flawed:
            return LEAST_TURNS
        native = isinstance(self._voice, AgentGymVoice)
        turns = len(self._quest.route) if native else self._quest.steps
        return max(LEAST_TURNS, 2 * turns)

    def invalid_reply(self, malformed: Malformed) -> Message:
        """Return the original's answer to a text that is no command."""
        return (self._voice.refusal(malformed.text, self._moment),)

    def read(self, text: str) -> Command | Malformed:
        """Read *text* as the original does."""
        return self._voice.read(text)

    def surface(self) -> Surface:
        """Return what interfaces read of this world."""
        return Surface(
            listing=self._voice.listing,
            list_actions=self._voice.list_actions,
            nouns=_nouns,
            canonical_argument=_canonical_argument,
            distractors=_distractors,
        )

    def info(self) -> Mapping[str, Any]:
        """Return the level, and how many of minigrid's steps are gone and how many there are."""
        env = self._game.env
        return {"level": self._quest.level, "steps": env.step_count, "max_steps": env.max_steps}

    def _notice(self) -> None:
        self._moment = Moment(self._game)
        self._menu = self._voice.menu(self._moment)
        self._seen |= self._moment.view.seen

    def _idle(self, told: Message, *, valid: bool = True, reason: str = "") -> Outcome:
        """Return the outcome of what changes nothing; AgentGym pays the last reward again."""
        return Outcome(Scene(told), self._paid, valid=valid, reason=reason)

    def _turn(self, way: Way) -> Outcome:
        """Do *way* until it is done, or the episode is."""
        for action in way:
            effect = self._game.act(action)
            ended = end(effect.over, effect.late, effect.reward)
            if ended is not None:
                break
        self._notice()
        scene = self._voice.scene(self._moment, completed=ended is EndReason.SUCCESS)
        return Outcome(scene, effect.reward, end=ended, score=score(ended))

    def _flawed_turn(self, way: Way) -> Outcome:
        """Do *way* as AgentGym does: on past a success, and no further than it changes anything.

        AgentGym asks whether the picture has changed. On the way to a thing in view that is the
        same.
        """
        for action in way:
            effect = self._game.act(action)
            if not effect.changed:
                break
        self._notice()
        self._paid = effect.reward
        ended = EndReason.SUCCESS if effect.over and self._paid > ENOUGH else None
        scene = self._voice.scene(self._moment, completed=effect.over)
        return Outcome(scene, self._paid, end=ended, score=score(ended))


def _nouns() -> tuple[str, ...]:
    """Return the colours and the kinds of things."""
    return (*COLOURS, *KINDS)


def _distractors(rng: np.random.Generator, amount: int) -> tuple[str, ...]:
    """Return sentences about things that hang from the ceiling."""
    return sample_evenly(ceiling_lines(), amount, rng)


def _canonical_argument(argument: str) -> str:
    """Return *argument* in lower case, without white space that means nothing."""
    return " ".join(argument.lower().split())
