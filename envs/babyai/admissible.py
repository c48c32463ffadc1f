"""AgentGym's macro actions: which commands are admissible, and minigrid's actions for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from agentgym_gen.envs.babyai.paths import (
    DROP,
    FORWARD,
    LEFT,
    PICKUP,
    RIGHT,
    TOGGLE,
    ActionSequence,
    Paths,
    shortest_paths,
)
from agentgym_gen.envs.babyai.perception import Perception
from agentgym_gen.envs.babyai.view import Position, Thing
from agentgym_gen.world import Command, Message, VerbName

TURN_LEFT = Command("turn_left")
TURN_RIGHT = Command("turn_right")
MOVE_FORWARD = Command("move_forward")
DROP_IT = Command("drop")
TOGGLE_IT = Command("toggle")
CHECK = Command("check")

NOT_RECOGNIZED: Message = ("The action is not recognized. Please check valid actions.",)
"""AgentGym's answer to whatever it does not expect."""

BARRIER_AHEAD: Message = (
    *("There is a barrier in front of you, you can't ", VerbName("move_forward"), "."),
)
"""AgentGym's answer to a step against something."""

NO_PATH = "there is no path leading to it"
NO_KEY = "you are not carrying a key"
WRONG_KEY = "the color of the key you are carrying does not match the color of door"
"""AgentGym's reasons why a thing cannot be used."""


class Refusal(NamedTuple):
    """Why a command cannot be carried out."""

    message: Message
    """The answer in AgentGym's words."""
    reason: str
    """The reason in our words, for the ``explained`` feedback."""


class AdmissibleCommands(Protocol):
    """The commands that can be carried out in one state."""

    @property
    def actions(self) -> Mapping[Command, ActionSequence]:
        """Minigrid's actions for every admissible command."""

    def refusal(self, command: Command) -> Refusal:
        """Return why *command* cannot be carried out."""


class MacroCommands:
    """AgentGym's commands that can be carried out in one state.

    Args:
        perception: What the player knows in this state.
    """

    def __init__(self, perception: Perception) -> None:
        self._perception = perception
        self._paths = _paths_in_view(perception)
        self.actions: Mapping[Command, ActionSequence] = dict(self._commands())
        """minigrid's actions for every admissible command, in AgentGym's order."""

    def refusal(self, command: Command) -> Refusal:
        """Return why *command*, which is not in `actions`, cannot be carried out."""
        if command.verb == "move_forward":
            return Refusal(BARRIER_AHEAD, "the way ahead is blocked")
        if command.verb == "drop":
            return self._refuse_drop()
        if command.verb == "toggle":
            return Refusal(
                NOT_RECOGNIZED, "there is nothing to open or close right in front of you"
            )
        thing = dict(self._perception.named_things).get(command.args[0])
        if thing is None:
            return Refusal(NOT_RECOGNIZED, f"there is no {command.args[0]} in view")
        return self._refuse_thing(command, thing)

    def _commands(self) -> Iterator[tuple[Command, ActionSequence]]:
        perception = self._perception
        yield TURN_LEFT, (LEFT,)
        yield TURN_RIGHT, (RIGHT,)
        if perception.is_free_ahead:
            yield MOVE_FORWARD, (FORWARD,)
        if perception.carried is None:
            yield from self._pickups()
        elif perception.is_free_ahead and perception.thing_ahead is None:
            yield DROP_IT, (DROP,)
        yield from self._door_commands()
        if perception.thing_ahead is not None and perception.thing_ahead.kind == "box":
            yield TOGGLE_IT, (TOGGLE,)
        for name, thing in perception.named_things:
            if thing.position in self._paths.facing:
                yield Command("go_to", (name,)), self._paths.facing[thing.position]
        yield CHECK, ()

    def _pickups(self) -> Iterator[tuple[Command, ActionSequence]]:
        for name, thing in self._perception.named_things:
            if thing.kind != "door" and thing.position in self._paths.facing:
                yield Command("pick_up", (name,)), (*self._paths.facing[thing.position], PICKUP)

    def _door_commands(self) -> Iterator[tuple[Command, ActionSequence]]:
        for name, thing in self._perception.named_things:
            if thing.kind == "door":
                yield from self._commands_for_door(name, thing)

    def _commands_for_door(
        self, name: str, door: Thing
    ) -> Iterator[tuple[Command, ActionSequence]]:
        path = self._paths.facing.get(door.position)
        if door.state == "open" and door.position in self._paths.onto:
            yield Command("go_through", (name,)), self._paths.onto[door.position]
        if not self._perception.can_open(door) or path is None:
            return
        if door.state != "open":
            yield Command("toggle_and_go_through", (name,)), (*path, TOGGLE, FORWARD)
        if path == ():  # the player faces the door already
            yield TOGGLE_IT, (TOGGLE,)

    def _refuse_drop(self) -> Refusal:
        if self._perception.carried is None:
            return cannot_drop("you are not carrying anything")
        message = cannot_drop("there is already an object in front of you").message
        return Refusal(message, "there is something right in front of you")

    def _refuse_thing(self, command: Command, thing: Thing) -> Refusal:
        verb, door = command.verb, thing.kind == "door"
        if verb == "pick_up" and (door or self._perception.carried is not None):
            reason = "a door cannot be carried" if door else "you are carrying something already"
            return Refusal(NOT_RECOGNIZED, reason)
        if verb in ("go_through", "toggle_and_go_through") and not door:
            return Refusal(NOT_RECOGNIZED, f"{command.args[0]} is no door")
        if verb == "go_through" and thing.state == "locked":
            return Refusal(NOT_RECOGNIZED, "it is locked")
        if verb == "go_through" and thing.state == "closed":
            return Refusal(closed_door(command), "it is closed")
        if verb == "toggle_and_go_through" and thing.state == "open":
            return Refusal(NOT_RECOGNIZED, "it is open already")
        if verb == "toggle_and_go_through" and not self._perception.can_open(thing):
            return cannot(command, missing_key(self._perception))
        return cannot(command, NO_PATH)


def cannot(command: Command, reason: str) -> Refusal:
    """Return AgentGym's sentence that *command* cannot be carried out, and its *reason*."""
    return Refusal(("You cannot ", command, f", as {reason}."), reason)


def cannot_drop(reason: str) -> Refusal:
    """Return AgentGym's sentence that nothing can be dropped, and its *reason*."""
    return Refusal(("You cannot ", VerbName("drop"), f" the object, as {reason}."), reason)


def closed_door(command: Command) -> Message:
    """Return AgentGym's answer to *command*, which leads through a closed door."""
    advice = (", as it is closed. You should ", VerbName("toggle"), " it first.")
    return ("You cannot ", command, *advice)


def missing_key(perception: Perception) -> str:
    """Return why the player cannot open a locked door: no key, or one of another colour."""
    carried = perception.carried
    return NO_KEY if carried is None or carried.kind != "key" else WRONG_KEY


def _paths_in_view(perception: Perception) -> Paths:
    """Return the paths to all things in view, through cells that are in view and free."""
    view = perception.view
    open_doors = [thing.position for thing in view.things if thing.state == "open"]
    positions: list[Position] = [thing.position for thing in view.things]
    blocked = view.walls.union(positions).difference(open_doors)
    return shortest_paths(perception.pose, view.cells - blocked, positions, open_doors)
