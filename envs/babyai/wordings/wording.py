"""The two ways in which this world speaks: AgentGym's (the native one) and BALROG's."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Protocol

from agentgym_gen.envs.babyai.wordings import agentgym, balrog
from agentgym_gen.envs.babyai.admissible import Menu, Refusal
from agentgym_gen.envs.babyai.mission import as_agentgym, mission_message
from agentgym_gen.envs.babyai.perception import Moment
from agentgym_gen.envs.babyai.compat.agentgym_quirks import OriginalMenu
from agentgym_gen.envs.babyai.paths import DROP, FORWARD, LEFT, PICKUP, RIGHT, TOGGLE, Way
from agentgym_gen.errors import unknown_name
from agentgym_gen.world import Command, Malformed, Message, Scene, Verb, bulleted


class Choices(Protocol):
    """What can be done at a moment."""

    @property
    def ways(self) -> Mapping[Command, Way]:
        """The actions of every command that can be carried out."""

    def refusal(self, command: Command) -> Refusal:
        """Return why *command* cannot be carried out."""


class Voice(abc.ABC):
    """A wording of this world.

    Args:
        strict: Whether it is the original's to the letter, faults included.
    """

    verbs: tuple[Verb, ...]
    listing: str

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict

    def mission(self, text: str) -> Message:
        """Return minigrid's mission *text* with verbs as values."""
        return mission_message(text, {verb.name for verb in self.verbs})

    @abc.abstractmethod
    def instruction(self, mission: Message) -> Message:
        """Return the rules."""

    @abc.abstractmethod
    def opening(self, mission: Message, moment: Moment) -> Scene:
        """Return the first observation."""

    @abc.abstractmethod
    def scene(self, moment: Moment, *, completed: bool = False) -> Scene:
        """Return the observation of *moment*."""

    @abc.abstractmethod
    def menu(self, moment: Moment) -> Choices:
        """Return what can be done."""

    @abc.abstractmethod
    def single(self, action: int, moment: Moment) -> Command:
        """Return the command for one of minigrid's actions."""

    @abc.abstractmethod
    def read(self, text: str) -> Command | Malformed:
        """Read *text*."""

    @abc.abstractmethod
    def refusal(self, text: str, moment: Moment) -> str:
        """Return the answer to *text*, which is no command."""

    @abc.abstractmethod
    def list_actions(self, actions: Sequence[str]) -> str:
        """Return the list of *actions*."""


class AgentGymVoice(Voice):
    """Macro actions, sentences, and the list of actions after every observation."""

    verbs = agentgym.VERBS
    listing = "always"

    def mission(self, text: str) -> Message:
        """Return minigrid's mission; AgentGym's if *strict*, which has no order."""
        return super().mission(as_agentgym(text) if self.strict else text)

    def instruction(self, mission: Message) -> Message:
        """Return AgentGym's instruction."""
        return agentgym.instruction(strict=self.strict)

    def opening(self, mission: Message, moment: Moment) -> Scene:
        """Return the goal and what is seen."""
        return agentgym.opening(mission, moment)

    def scene(self, moment: Moment, *, completed: bool = False) -> Scene:
        """Return what is seen."""
        return agentgym.scene(moment, agentgym.COMPLETED if completed else "")

    def menu(self, moment: Moment) -> Choices:
        """Return AgentGym's actions, with their faults if *strict*."""
        return OriginalMenu(moment) if self.strict else Menu(moment)

    def single(self, action: int, moment: Moment) -> Command:
        """Return the command for one action; what is picked up is right ahead."""
        if action == PICKUP:
            name = next(name for name, thing in moment.numbered if thing is moment.ahead)
            return Command("pick_up", (name,))
        return Command(_SINGLES[action])

    def read(self, text: str) -> Command | Malformed:
        """Read *text* as AgentGym does."""
        return agentgym.read(text, strict=self.strict)

    def refusal(self, text: str, moment: Moment) -> str:
        """Return AgentGym's sentence."""
        return agentgym.refusal(text)

    def list_actions(self, actions: Sequence[str]) -> str:
        """Return AgentGym's list."""
        return agentgym.list_actions(actions)


class BalrogVoice(Voice):
    """minigrid's own actions, terse lines, and no list."""

    verbs = balrog.VERBS
    listing = "never"

    def instruction(self, mission: Message) -> Message:
        """Return BALROG's instruction, which states the mission."""
        return balrog.instruction(mission)

    def opening(self, mission: Message, moment: Moment) -> Scene:
        """Return what is seen, after the mission if not *strict*."""
        return balrog.opening(mission, moment, strict=self.strict)

    def scene(self, moment: Moment, *, completed: bool = False) -> Scene:
        """Return what is seen."""
        return balrog.scene(moment, strict=self.strict)

    def menu(self, moment: Moment) -> Choices:
        """Return the actions that would change something."""
        return balrog.LowMenu(moment)

    def single(self, action: int, moment: Moment) -> Command:
        """Return the command for one action."""
        return balrog.COMMANDS[action]

    def read(self, text: str) -> Command | Malformed:
        """Read one of the six actions."""
        return balrog.read(text)

    def refusal(self, text: str, moment: Moment) -> str:
        """Return what is seen."""
        return balrog.description(moment, strict=self.strict)

    def list_actions(self, actions: Sequence[str]) -> str:
        """Return one line an action."""
        return bulleted(actions)


_SINGLES = {
    LEFT: "turn_left",
    RIGHT: "turn_right",
    FORWARD: "move_forward",
    DROP: "drop",
    TOGGLE: "toggle",
}

VOICES: Mapping[str, type[Voice]] = {"agentgym": AgentGymVoice, "balrog": BalrogVoice}
"""The wordings by name."""

COMPATS = ("fixed", "original")
"""Whether the faults of the originals are kept."""


def voice_of(wording: str, compat: str) -> Voice:
    """Return the voice called *wording*.

    Raises:
        UnknownNameError: if there is no such wording or compatibility.
    """
    if wording not in VOICES:
        raise unknown_name("wording of BabyAI", wording, VOICES, "all")
    if compat not in COMPATS:
        raise unknown_name("`compat` of BabyAI", compat, COMPATS, "all")
    return VOICES[wording](strict=compat == "original")
