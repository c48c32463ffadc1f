"""AgentGym's macro actions: what can be done at a moment, by which of minigrid's actions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agentgym_gen.envs.babyai.perception import Moment
from agentgym_gen.envs.babyai.paths import (
    DROP,
    FORWARD,
    LEFT,
    PICKUP,
    RIGHT,
    TOGGLE,
    Way,
    Ways,
    shortest,
)
from agentgym_gen.envs.babyai.view import Place, Thing
from agentgym_gen.world import Command, Message, VerbName

TURN_LEFT = Command("turn_left")
TURN_RIGHT = Command("turn_right")
MOVE_FORWARD = Command("move_forward")
DROP_IT = Command("drop")
TOGGLE_IT = Command("toggle")
CHECK = Command("check")

UNKNOWN: Message = ("The action is not recognized. Please check valid actions.",)
"""AgentGym's answer to whatever it does not expect."""


class Refusal(NamedTuple):
    """Why a command cannot be carried out."""

    message: Message
    """In AgentGym's words."""
    reason: str
    """In ours, for the ``explained`` feedback."""


class Menu:
    """What can be done at a moment.

    Args:
        moment: The moment.
    """

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._ways = _ways(moment)
        self.ways: Mapping[Command, Way] = dict(self._commands())
        """The actions of every command that can be carried out, in AgentGym's order."""

    def refusal(self, command: Command) -> Refusal:
        """Return why *command*, which is not in `ways`, cannot be carried out."""
        if command.verb == "move_forward":
            told = ("There is a barrier in front of you, you can't ", VerbName("move_forward"), ".")
            return Refusal(told, "the way ahead is blocked")
        if command.verb == "drop":
            return self._why_not_dropped()
        if command.verb == "toggle":
            return Refusal(UNKNOWN, "there is nothing to open or close right in front of you")
        named = dict(self._moment.numbered)
        thing = named.get(command.args[0])
        if thing is None:
            return Refusal(UNKNOWN, f"there is no {command.args[0]} in view")
        return self._why_not(command, thing)

    def _commands(self) -> Iterator[tuple[Command, Way]]:
        moment = self._moment
        yield TURN_LEFT, (LEFT,)
        yield TURN_RIGHT, (RIGHT,)
        if moment.is_free_ahead:
            yield MOVE_FORWARD, (FORWARD,)
        if moment.carried is None:
            yield from self._pickups()
        elif moment.is_free_ahead and moment.ahead is None:
            yield DROP_IT, (DROP,)
        yield from self._doors()
        if moment.ahead is not None and moment.ahead.kind == "box":
            yield TOGGLE_IT, (TOGGLE,)
        for name, thing in moment.numbered:
            if thing.place in self._ways.facing:
                yield Command("go_to", (name,)), self._ways.facing[thing.place]
        yield CHECK, ()

    def _pickups(self) -> Iterator[tuple[Command, Way]]:
        for name, thing in self._moment.numbered:
            if thing.kind != "door" and thing.place in self._ways.facing:
                yield Command("pick_up", (name,)), (*self._ways.facing[thing.place], PICKUP)

    def _doors(self) -> Iterator[tuple[Command, Way]]:
        for name, thing in self._moment.numbered:
            if thing.kind == "door":
                yield from self._through(name, thing)

    def _through(self, name: str, door: Thing) -> Iterator[tuple[Command, Way]]:
        way = self._ways.facing.get(door.place)
        if door.state == "open" and door.place in self._ways.onto:
            yield Command("go_through", (name,)), self._ways.onto[door.place]
        if not self._moment.opens(door) or way is None:
            return
        if door.state != "open":
            yield Command("toggle_and_go_through", (name,)), (*way, TOGGLE, FORWARD)
        if way == ():
            yield TOGGLE_IT, (TOGGLE,)

    def _why_not_dropped(self) -> Refusal:
        start = ("You cannot ", VerbName("drop"), " the object, as ")
        if self._moment.carried is None:
            told = (*start, "you are not carrying anything.")
            return Refusal(told, "you are not carrying anything")
        told = (*start, "there is already an object in front of you.")
        return Refusal(told, "there is something right in front of you")

    def _why_not(self, command: Command, thing: Thing) -> Refusal:
        verb, door = command.verb, thing.kind == "door"
        if verb == "pick_up" and (door or self._moment.carried is not None):
            held = "a door cannot be carried" if door else "you are carrying something already"
            return Refusal(UNKNOWN, held)
        if verb in ("go_through", "toggle_and_go_through") and not door:
            return Refusal(UNKNOWN, f"{command.args[0]} is no door")
        if verb == "go_through" and thing.state != "open":
            return self._why_not_through(command, thing)
        if verb == "toggle_and_go_through" and thing.state == "open":
            return Refusal(UNKNOWN, "it is open already")
        if verb == "toggle_and_go_through" and not self._moment.opens(thing):
            return self._why_locked(command)
        return _refused(command, "there is no path leading to it")

    def _why_not_through(self, command: Command, door: Thing) -> Refusal:
        if door.state == "locked":
            return Refusal(UNKNOWN, "it is locked")
        told = ("You cannot ", command, ", as it is closed. You should ", VerbName("toggle"))
        return Refusal((*told, " it first."), "it is closed")

    def _why_locked(self, command: Command) -> Refusal:
        carried = self._moment.carried
        if carried is None or carried.kind != "key":
            return _refused(command, "you are not carrying a key")
        why = "the color of the key you are carrying does not match the color of door"
        return _refused(command, why)


def _refused(command: Command, why: str) -> Refusal:
    return Refusal(("You cannot ", command, f", as {why}."), why)


def _ways(moment: Moment) -> Ways:
    """Return the ways to all things in view, through cells that are seen to be free."""
    view = moment.view
    doors = [thing.place for thing in view.things if thing.state == "open"]
    places: list[Place] = [thing.place for thing in view.things]
    blocked = view.walls.union(places).difference(doors)
    return shortest(moment.place, view.seen - blocked, places, doors)
