"""Worlds: the rules and the state of one environment.

A world takes a `Command` and returns an `Outcome`. It knows its own native wording and nothing of
Gymnasium, prompts, models or other interfaces.
"""

from __future__ import annotations

import abc
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic

from agentgym_gen.world.messages import Command, Message
from agentgym_gen.world.surface import Surface
from agentgym_gen.world.task import ContentT, Task, Tasks
from agentgym_gen.world.verbs import Malformed, Verb, list_entry, read_templates

__all__ = ["EndReason", "Outcome", "Scene", "World"]


class EndReason(enum.StrEnum):
    """Why an episode ended."""

    SUCCESS = "success"
    """The goal was reached."""
    FAILURE = "failure"
    """The world ended without the goal."""
    TURN_LIMIT = "turn_limit"
    """The turns ran out: the episode was truncated."""
    BACKEND_ERROR = "backend_error"
    """The software behind the world failed; the next reset works."""
    CONTEXT_LIMIT = "context_limit"
    """The prompt no longer fitted the context of the model; a rollout truncated the episode."""
    POLICY_ERROR = "policy_error"
    """The policy failed to answer; a rollout ended the episode."""


@dataclass(frozen=True)
class Scene:
    """What a world shows in one state."""

    message: Message
    """The native observation."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """The same as plain data (texts, `MessageFact`, numbers, commands, lists) for the other forms.

    Without any, the other forms show the message as the fact ``result``.
    """


@dataclass(frozen=True)
class Outcome:
    """What one command did."""

    scene: Scene
    """What is shown after it."""
    reward: float = 0.0
    """The reward of the original environment for this step."""
    valid: bool = True
    """Whether the command could be carried out; if not, the state is unchanged."""
    end: EndReason | None = None
    """Why the episode is over, or None while it goes on."""
    score: float = 0.0
    """How much of the task is done, 0 to 1; exactly 1 on success."""
    reason: str = ""
    """Why the command was not carried out, for the ``explained`` feedback."""

    @property
    def success(self) -> bool:
        """Whether the goal was reached."""
        return self.end is EndReason.SUCCESS


class World(abc.ABC, Generic[ContentT]):
    """The rules and the state of one environment.

    A subclass sets `name`, `verbs` and `tasks` and implements the eight abstract methods; the rest
    has defaults. Its state belongs to the instance alone, so that two worlds can be played in two
    threads. ``copy.deepcopy`` and `pickle` copy it, also in the middle of an episode: a world holds
    no module, lock, open file or function without a name. Large data that never change are a
    `SharedData`, and `copy_sharing` makes copies fast.
    """

    name: ClassVar[str]
    """The environment's name as ids spell it: ``TextCraft``."""
    verbs: tuple[Verb, ...]
    """The action schema of this world; `reset` may replace it by that of the task."""
    tasks: Tasks[ContentT]
    """The tasks of this environment."""
    malformed_reward: float = 0.0
    """The reward of invalid text; where every command costs something, it costs the same."""
    steps_in_process: bool = False
    """Whether a step computes in this process alone, and waits for no other one and no machine.

    A server takes such a step without a thread, which would cost more than the step."""

    @abc.abstractmethod
    def reset(self, task: Task[ContentT]) -> Scene:
        """Start *task* and return the first scene, the goal included."""

    @abc.abstractmethod
    def step(self, command: Command) -> Outcome:
        """Carry out *command*, whose verb and number of arguments fit the schema."""

    @abc.abstractmethod
    def admissible(self) -> tuple[Command, ...]:
        """Return the commands that can be carried out now, in an order that reveals nothing.

        An open verb is listed once, as its `Verb.usage`, which stands for any argument.
        """

    @abc.abstractmethod
    def expert_plan(self) -> tuple[Command, ...] | None:
        """Return admissible commands that reach the goal from here, or None if none are found."""

    @abc.abstractmethod
    def instruction(self) -> Message:
        """Return the rules that the original shows a model before the first observation."""

    @abc.abstractmethod
    def goal(self) -> Message | str:
        """Return the goal of the current task."""

    @abc.abstractmethod
    def turn_limit(self) -> int:
        """Return how many turns the current task allows by default."""

    @abc.abstractmethod
    def invalid_reply(self, malformed: Malformed) -> Message:
        """Return the original's answer to text that is not a command."""

    def surface(self) -> Surface:
        """Return what interfaces need to show the current task; called after each `reset`."""
        return Surface()

    def allows(self, command: Command) -> bool:
        """Say whether *command* can be carried out now."""
        admissible = self.admissible()
        return command in admissible or list_entry(command, self.verbs) in admissible

    def read(self, text: str) -> Command | Malformed:
        """Parse *text* as the original does, by its form only; by default by the templates."""
        return read_templates(text, {verb.name: verb.template for verb in self.verbs})

    def read_reworded(self, text: str, templates: Mapping[str, str]) -> Command | Malformed:
        """Parse *text*, an action in other words, by the rules by which `read` parses native ones.

        Override it together with `read`, so that an interface changes the words alone.

        Args:
            text: What the model wrote.
            templates: The template of each verb in the words of the episode, by the verb's name.
        """
        return read_templates(text, templates)

    def info(self) -> Mapping[str, Any]:
        """Return this environment's own entries of ``info``, always with the same keys."""
        return {}

    def close(self) -> None:
        """Release what the world holds beyond its own memory; a later reset works again."""
