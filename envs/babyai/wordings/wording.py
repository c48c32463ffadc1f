"""The two wordings behind one interface: AgentGym's (the native one) and BALROG's."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence

from agentgym_gen.envs.babyai.admissible import AdmissibleCommands, MacroCommands
from agentgym_gen.envs.babyai.compat.agentgym_quirks import QuirkyMacroCommands, without_order
from agentgym_gen.envs.babyai.mission import mission_message
from agentgym_gen.envs.babyai.paths import DROP, FORWARD, LEFT, PICKUP, RIGHT, TOGGLE
from agentgym_gen.envs.babyai.perception import Perception
from agentgym_gen.envs.babyai.wordings import agentgym, balrog
from agentgym_gen.errors import unknown_name
from agentgym_gen.world import Command, Malformed, Message, Scene, Verb, bulleted


class Wording(abc.ABC):
    """The verbs and the texts of BabyAI, and what each command does.

    Args:
        strict: Whether texts are the original's to the letter, faults included.
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
    def first_scene(self, mission: Message, perception: Perception) -> Scene:
        """Return the first observation."""

    @abc.abstractmethod
    def scene(self, perception: Perception, *, completed: bool = False) -> Scene:
        """Return the observation of *perception*."""

    @abc.abstractmethod
    def admissible(self, perception: Perception) -> AdmissibleCommands:
        """Return the commands that can be carried out."""

    @abc.abstractmethod
    def command_for(self, action: int, perception: Perception) -> Command:
        """Return the command for one of minigrid's actions."""

    @abc.abstractmethod
    def read(self, text: str) -> Command | Malformed:
        """Read *text*."""

    def clean(self, text: str) -> str:
        """Return *text* without what does not matter in an action."""
        return text

    @abc.abstractmethod
    def invalid_reply(self, text: str, perception: Perception) -> Message:
        """Return the answer to *text*, which is no command."""

    @abc.abstractmethod
    def list_actions(self, actions: Sequence[str]) -> str:
        """Return the list of *actions*."""


class AgentGymWording(Wording):
    """Macro actions, sentences, and the list of actions after every observation."""

    verbs = agentgym.VERBS
    listing = "always"

    def mission(self, text: str) -> Message:
        """Return minigrid's mission; AgentGym's if *strict*, which has no order."""
        return super().mission(without_order(text) if self.strict else text)

    def instruction(self, mission: Message) -> Message:
        """Return AgentGym's instruction."""
        return agentgym.instruction(strict=self.strict)

    def first_scene(self, mission: Message, perception: Perception) -> Scene:
        """Return the goal and what is in view."""
        return agentgym.first_scene(mission, perception)

    def scene(self, perception: Perception, *, completed: bool = False) -> Scene:
        """Return what is in view."""
        return agentgym.scene(perception, agentgym.COMPLETED if completed else "")

    def admissible(self, perception: Perception) -> AdmissibleCommands:
        """Return AgentGym's commands, with their faults if *strict*."""
        return QuirkyMacroCommands(perception) if self.strict else MacroCommands(perception)

    def command_for(self, action: int, perception: Perception) -> Command:
        """Return the command for one action; what is picked up is right ahead."""
        if action == PICKUP:
            ahead = perception.thing_ahead
            name = next(name for name, thing in perception.named_things if thing is ahead)
            return Command("pick_up", (name,))
        return Command(_SINGLE_ACTION_VERBS[action])

    def read(self, text: str) -> Command | Malformed:
        """Read *text* as AgentGym does."""
        return agentgym.read(text, strict=self.strict)

    def clean(self, text: str) -> str:
        """Return *text* as AgentGym's client sends it on."""
        return agentgym.clean_text(text)

    def invalid_reply(self, text: str, perception: Perception) -> Message:
        """Return AgentGym's sentence."""
        return agentgym.invalid_reply(text)

    def list_actions(self, actions: Sequence[str]) -> str:
        """Return AgentGym's list."""
        return agentgym.list_actions(actions)


class BalrogWording(Wording):
    """minigrid's own actions, terse lines, and no list."""

    verbs = balrog.VERBS
    listing = "never"

    def instruction(self, mission: Message) -> Message:
        """Return BALROG's instruction, which states the mission."""
        return balrog.instruction(mission)

    def first_scene(self, mission: Message, perception: Perception) -> Scene:
        """Return what is in view, after the mission if not *strict*."""
        return balrog.first_scene(mission, perception, strict=self.strict)

    def scene(self, perception: Perception, *, completed: bool = False) -> Scene:
        """Return what is in view."""
        return balrog.scene(perception, strict=self.strict)

    def admissible(self, perception: Perception) -> AdmissibleCommands:
        """Return the commands that would change something; all six if *strict*."""
        return balrog.LowLevelCommands(perception, strict=self.strict)

    def command_for(self, action: int, perception: Perception) -> Command:
        """Return the command for one action."""
        return balrog.COMMANDS[action]

    def read(self, text: str) -> Command | Malformed:
        """Read one of the six actions."""
        return balrog.read(text)

    def invalid_reply(self, text: str, perception: Perception) -> Message:
        """Return what is in view."""
        return (balrog.description(perception, strict=self.strict),)

    def list_actions(self, actions: Sequence[str]) -> str:
        """Return one line an action."""
        return bulleted(actions)


_SINGLE_ACTION_VERBS = {
    LEFT: "turn_left",
    RIGHT: "turn_right",
    FORWARD: "move_forward",
    DROP: "drop",
    TOGGLE: "toggle",
}

WORDINGS: Mapping[str, type[Wording]] = {"agentgym": AgentGymWording, "balrog": BalrogWording}
"""The wordings by name."""

COMPATS = ("fixed", "original")
"""The values of `compat`: without the faults of the originals, or with them."""


def make_wording(name: str, compat: str) -> Wording:
    """Return the wording called *name*, with the original's faults if *compat* is ``original``.

    Raises:
        UnknownNameError: if there is no such wording or compatibility.
    """
    if name not in WORDINGS:
        raise unknown_name("wording of BabyAI", name, WORDINGS)
    if compat not in COMPATS:
        raise unknown_name("`compat` of BabyAI", compat, COMPATS)
    return WORDINGS[name](strict=compat == "original")
