"""The rules of BabyAI: minigrid's, with the commands and texts of a wording.

The texts are in `wordings`, the faults of the original in `compat`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from agentgym_gen.envs.babyai import expert
from agentgym_gen.envs.babyai.compat.agentgym_quirks import ENDING_REWARD
from agentgym_gen.envs.babyai.distractors import ceiling_lines
from agentgym_gen.envs.babyai.engine import backend
from agentgym_gen.envs.babyai.mission import COLOURS, KINDS
from agentgym_gen.envs.babyai.paths import ActionSequence
from agentgym_gen.envs.babyai.perception import Perception
from agentgym_gen.envs.babyai.reward import end, score
from agentgym_gen.envs.babyai.tasks import Quest, QuestTasks
from agentgym_gen.envs.babyai.view import Position
from agentgym_gen.envs.babyai.wordings import agentgym
from agentgym_gen.envs.babyai.wordings.wording import AgentGymWording, make_wording
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
    copy_sharing,
    in_lower_case,
    read_templates,
)
from agentgym_gen.world.distractors import sample_evenly

__all__ = ["MIN_TURN_LIMIT", "BabyAI"]

MIN_TURN_LIMIT = 20
"""AgentGym's turn limit, and the lowest one here."""


class BabyAI(World[Quest]):
    """Missions about things in rooms behind doors: go to, pick up, open, put next to each other.

    Args:
        wording: ``agentgym`` (macro actions, sentences, a list every turn) or ``balrog`` (BALROG's
            low-level actions and terse lines).
        compat: ``fixed``, or ``original`` for the faults of the original that *wording* names.
        level: Play this level of minigrid's BabyAI only, such as ``GoToSeqS5R2``.

    Raises:
        MissingExtraError: if minigrid is not installed.
        UnknownNameError: if there is no such wording, compatibility or level.
    """

    name = "BabyAI"
    steps_in_process = True
    verbs: tuple[Verb, ...] = agentgym.VERBS

    def __init__(
        self, wording: str = "agentgym", compat: str = "fixed", level: str | None = None
    ) -> None:
        backend.load("game")
        self._wording = make_wording(wording, compat)
        self.verbs = self._wording.verbs
        self._has_quirks = self._wording.strict and isinstance(self._wording, AgentGymWording)
        self.tasks = QuestTasks(level)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares what describes one state."""
        records = ("_wording", "_quest", "_mission", "_perception", "_admissible", "_plan")
        return copy_sharing(self, memo, *records)

    def reset(self, task: Task[Quest]) -> Scene:
        """Start *task* and return the mission and what is in view."""
        self._quest = task.content
        self._game = backend.load("game").Game(task.content.level, task.content.seed)
        self._mission = self._wording.mission(task.content.mission)
        self._seen_cells: set[Position] = set()
        self._pay(0.0)
        self._perceive()
        native = isinstance(self._wording, AgentGymWording) and not self._has_quirks
        self._plan: expert.Plan | None = task.content.plan if native else None
        self._is_unsolvable = False
        return self._wording.first_scene(self._mission, self._perception)

    def step(self, command: Command) -> Outcome:
        """Carry out *command*; the case of its argument does not matter."""
        command = Command(command.verb, tuple(map(in_lower_case, command.args)))
        actions = self._admissible.actions.get(command)
        if actions is None:
            refusal = self._admissible.refusal(command)
            return self._unchanged(refusal.message, valid=False, reason=refusal.reason)
        if command.verb == "check":
            return self._unchanged(agentgym.available_actions(tuple(self._admissible.actions)))
        if not actions:
            return self._unchanged((agentgym.NO_CHANGE,))
        follows = self._plan is not None and self._plan[:1] == (command,)
        self._plan = self._plan[1:] if self._plan and follows else None
        self._is_unsolvable = False
        return self._act_with_quirks(actions) if self._has_quirks else self._act(actions)

    def admissible(self) -> tuple[Command, ...]:
        """Return the commands that the original lists (or would list) now, in its order."""
        return tuple(self._admissible.actions)

    def expert_plan(self) -> expert.Plan | None:
        """Return commands to the goal; while they are followed, the rest of the same plan.

        The plan is cached; so is that there is none, until something changes.
        """
        if not self._plan and not self._is_unsolvable:
            self._plan = expert.plan(self._game, self._wording, self._seen_cells)
            self._is_unsolvable = self._plan is None
        return self._plan

    def instruction(self) -> Message:
        """Return the original's instruction."""
        return self._wording.instruction(self._mission)

    def goal(self) -> Message:
        """Return the mission."""
        return self._mission

    def turn_limit(self) -> int:
        """Return twice the expert's turns, but at least AgentGym's 20; ``original`` has just 20."""
        if self._has_quirks:
            return MIN_TURN_LIMIT
        native = isinstance(self._wording, AgentGymWording)
        turns = len(self._quest.plan) if native else self._quest.steps
        return max(MIN_TURN_LIMIT, 2 * turns)

    def invalid_reply(self, malformed: Malformed) -> Message:
        """Return the original's answer to a text that is no command."""
        return self._wording.invalid_reply(malformed.text, self._perception)

    def read(self, text: str) -> Command | Malformed:
        """Read *text* as the original does."""
        return self._wording.read(text)

    def read_reworded(self, text: str, templates: Mapping[str, str]) -> Command | Malformed:
        """Read *text* as the original would read it in these words."""
        action_text = self._wording.clean(text)
        # natively every text with ``check`` in it asks for the list
        if "check" in templates and templates["check"] in action_text.lower():
            return Command("check")
        return read_templates(action_text, templates)

    def surface(self) -> Surface:
        """Return what interfaces read of this world."""
        return Surface(
            listing=self._wording.listing,
            list_actions=self._wording.list_actions,
            nouns=_nouns,
            canonical_argument=in_lower_case,
            distractors=_distractors,
        )

    def info(self) -> Mapping[str, Any]:
        """Return the level, how many of minigrid's steps were taken, and how many it allows."""
        env = self._game.env
        return {"level": self._quest.level, "steps": env.step_count, "max_steps": env.max_steps}

    def _perceive(self) -> None:
        self._perception = Perception(self._game)
        self._admissible = self._wording.admissible(self._perception)
        self._seen_cells |= self._perception.view.cells

    def _unchanged(self, message: Message, *, valid: bool = True, reason: str = "") -> Outcome:
        """Return the outcome of what changes nothing; AgentGym pays the last reward again."""
        return Outcome(Scene(message), self._last_reward, valid=valid, reason=reason)

    def _pay(self, reward: float) -> None:
        """Remember *reward*, which AgentGym pays again for whatever is not carried out.

        Text that is no command never reaches `step`: `malformed_reward` pays for it.
        """
        self._last_reward = self.malformed_reward = reward

    def _act(self, actions: ActionSequence) -> Outcome:
        """Carry out *actions* until the last one, or until the episode ends."""
        for action in actions:
            effect = self._game.act(action)
            end_reason = end(effect.terminated, effect.truncated, effect.reward)
            if end_reason is not None:
                break
        self._perceive()
        scene = self._wording.scene(self._perception, completed=end_reason is EndReason.SUCCESS)
        return Outcome(scene, effect.reward, end=end_reason, score=score(end_reason))

    def _act_with_quirks(self, actions: ActionSequence) -> Outcome:
        """Carry out *actions* as AgentGym does: on past a success, until a picture stays the same.

        It may stay the same although the player has moved: along an empty wall, say.
        """
        picture = self._game.picture()
        for action in actions:
            effect = self._game.act(action)
            before, picture = picture, self._game.picture()
            if picture == before:
                break
        self._perceive()
        self._pay(effect.reward)
        is_success = effect.terminated and self._last_reward > ENDING_REWARD
        end_reason = EndReason.SUCCESS if is_success else None
        scene = self._wording.scene(self._perception, completed=effect.terminated)
        return Outcome(scene, self._last_reward, end=end_reason, score=score(end_reason))


def _nouns() -> tuple[str, ...]:
    """Return the colours and the kinds of things."""
    return (*COLOURS, *KINDS)


def _distractors(rng: np.random.Generator, amount: int) -> tuple[str, ...]:
    """Return sentences about things that hang from the ceiling."""
    return sample_evenly(ceiling_lines(), amount, rng)
