"""AgentGym's environment with its faults, for ``compat="original"``.

The docs page lists the faults. They are kept here and nowhere else.
"""

from __future__ import annotations

from agentgym_gen.envs.babyai.admissible import (
    CHECK,
    DROP_IT,
    MOVE_FORWARD,
    TOGGLE_IT,
    TURN_LEFT,
    TURN_RIGHT,
    UNKNOWN,
    Refusal,
)
from agentgym_gen.envs.babyai.perception import Moment
from agentgym_gen.envs.babyai.paths import (
    DROP,
    FORWARD,
    LEFT,
    PICKUP,
    RIGHT,
    TOGGLE,
    Way,
    as_agentgym,
)
from agentgym_gen.envs.babyai.view import Thing
from agentgym_gen.world import Command, Message, VerbName

ENOUGH = 0.5
"""A success that earns no more than this does not end the original's episode."""

_NO_PATH = "there is no path leading to it"
_NO_KEY = "you are not carrying a key"
_WRONG_KEY = "the color of the key you are carrying does not match the color of door"


class OriginalMenu:
    """What AgentGym lists, and what it answers to some of the rest.

    Things that no way leads to are not counted, so that the number of a command may be that of
    another thing; what cannot be done is listed; and a thing may be refused under a number that a
    later one gets.

    Args:
        moment: The moment.
    """

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        view = moment.view
        solid = [thing.place for thing in view.things if thing.kind != "door"]
        places = [thing.place for thing in view.things]
        doors = [thing.place for thing in view.things if thing.state == "open"]
        self._ways = as_agentgym(moment.place, view.walls.union(solid), places, doors)
        self._refusals: dict[Command, Message] = {}
        self.ways: dict[Command, Way] = {TURN_LEFT: (LEFT,), TURN_RIGHT: (RIGHT,)}
        self._step()
        if moment.carried is None:
            self._reach("pick_up", [one for one in view.things if one.kind != "door"], (PICKUP,))
        self._drop()
        self._doors()
        self._reach("go_to", list(view.things), ())
        self.ways[CHECK] = ()

    def refusal(self, command: Command) -> Refusal:
        """Return AgentGym's answer to *command*, which is not in `ways`."""
        return Refusal(self._refusals.get(command, UNKNOWN), "the original does not list it")

    def _step(self) -> None:
        barrier = self._moment.view.barrier
        if barrier is None or barrier[1] > 1:
            self.ways[MOVE_FORWARD] = (FORWARD,)
        else:
            told = ("There is a barrier in front of you, you can't ", VerbName("move_forward"), ".")
            self._refusals[MOVE_FORWARD] = told

    def _reach(self, verb: str, things: list[Thing], then: Way) -> None:
        counts: dict[str, int] = {}
        for thing in things:
            command = Command(verb, (f"{thing.name} {counts.get(thing.name, 0) + 1}",))
            way = self._ways.facing.get(thing.place)
            if way is None:
                self._refuse(command, _NO_PATH)
            else:
                counts[thing.name] = counts.get(thing.name, 0) + 1
                self.ways[command] = (*way, *then)

    def _drop(self) -> None:
        start = ("You cannot ", VerbName("drop"), " the object, as ")
        ahead, barrier = self._moment.ahead, self._moment.view.barrier
        full = (barrier is not None and barrier[1] == 1) or (ahead and ahead.kind != "door")
        if self._moment.carried is None:
            self._refusals[DROP_IT] = (*start, "you are not carrying anything.")
        elif full:
            self._refusals[DROP_IT] = (*start, "there is already an object in front of you.")
        else:
            self.ways[DROP_IT] = (DROP,)

    def _doors(self) -> None:
        counts: dict[str, int] = {}
        for door in self._moment.view.things:
            if door.kind != "door":
                continue
            counts[door.name] = counts.get(door.name, 0) + 1
            name = f"{door.name} {counts[door.name]}"
            if door.state == "open":
                self._open_door(name, door)
            else:
                self._shut_door(name, door, f"{door.name} {counts}")

    def _open_door(self, name: str, door: Thing) -> None:
        way = self._ways.onto.get(door.place)
        if way is None:
            self._refuse(Command("go_through", (name,)), _NO_PATH)
        else:
            self.ways[Command("go_through", (name,))] = way

    def _shut_door(self, name: str, door: Thing, miscounted: str) -> None:
        command = Command("toggle_and_go_through", (name,))
        if not self._moment.opens(door):
            carried = self._moment.carried
            keyless = carried is None or carried.kind != "key"
            self._refuse(command, _NO_KEY if keyless else _WRONG_KEY)
            return
        way = self._ways.facing.get(door.place)
        if way is None:
            wrong = Command("toggle_and_go_through", (miscounted,))
            self._refusals[command] = ("You cannot ", wrong, f", as {_NO_PATH}.")
        else:
            self.ways[command] = (*way, TOGGLE, FORWARD)
        if way == ():
            self.ways[TOGGLE_IT] = (TOGGLE,)
        if door.state == "closed":
            through = Command("go_through", (name,))
            closed = ("You cannot ", through, ", as it is closed. You should ")
            self._refusals[through] = (*closed, VerbName("toggle"), " it first.")

    def _refuse(self, command: Command, why: str) -> None:
        self._refusals[command] = ("You cannot ", command, f", as {why}.")
