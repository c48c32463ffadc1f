"""AgentGym's list of actions with its faults, for ``compat="original"``."""

from __future__ import annotations

from agentgym_gen.envs.babyai.admissible import (
    BARRIER_AHEAD,
    CHECK,
    DROP_IT,
    MOVE_FORWARD,
    NO_PATH,
    NOT_RECOGNIZED,
    TOGGLE_IT,
    TURN_LEFT,
    TURN_RIGHT,
    Refusal,
    cannot,
    cannot_drop,
    closed_door,
    missing_key,
)
from agentgym_gen.envs.babyai.compat.agentgym_paths import agentgym_paths
from agentgym_gen.envs.babyai.paths import (
    DROP,
    FORWARD,
    LEFT,
    PICKUP,
    RIGHT,
    TOGGLE,
    ActionSequence,
)
from agentgym_gen.envs.babyai.perception import Perception
from agentgym_gen.envs.babyai.view import Thing
from agentgym_gen.world import Command, Message

ENDING_REWARD = 0.5
"""AgentGym's episode ends only by a success that pays more than this."""


def without_order(mission: str) -> str:
    """Return *mission* as AgentGym gives it, which forgets in which order things are to be done.

    >>> without_order("go to the box after you pick up the ball")
    'go to the box and pick up the ball'
    """
    return mission.replace("then", "and").replace("after you", "and")


class QuirkyMacroCommands:
    """What AgentGym lists, and what it answers to some of the rest.

    Things that no path leads to are not counted, so the number in a command may be that of another
    thing. The list has commands that cannot be carried out. A thing may be refused under a number
    that a later thing gets.

    Args:
        perception: What the player knows in this state.
    """

    def __init__(self, perception: Perception) -> None:
        self._perception = perception
        view = perception.view
        solid = [thing.position for thing in view.things if thing.kind != "door"]
        positions = [thing.position for thing in view.things]
        open_doors = [thing.position for thing in view.things if thing.state == "open"]
        self._paths = agentgym_paths(
            perception.pose, view.walls.union(solid), positions, open_doors
        )
        self._refusals: dict[Command, Message] = {}
        self.actions: dict[Command, ActionSequence] = {TURN_LEFT: (LEFT,), TURN_RIGHT: (RIGHT,)}
        self._add_step()
        if perception.carried is None:
            portable = [thing for thing in view.things if thing.kind != "door"]
            self._add_each("pick_up", portable, (PICKUP,))
        self._add_drop()
        self._add_doors()
        self._add_each("go_to", list(view.things), ())
        self.actions[CHECK] = ()

    def refusal(self, command: Command) -> Refusal:
        """Return AgentGym's answer to *command*, which is not in `actions`."""
        return Refusal(self._refusals.get(command, NOT_RECOGNIZED), "the original does not list it")

    def _add_step(self) -> None:
        barrier = self._perception.view.barrier
        if barrier is None or barrier[1] > 1:
            self.actions[MOVE_FORWARD] = (FORWARD,)
        else:
            self._refusals[MOVE_FORWARD] = BARRIER_AHEAD

    def _add_each(self, verb: str, things: list[Thing], last_actions: ActionSequence) -> None:
        """Add *verb* for each of *things*: the path to it, and then *last_actions*."""
        counts: dict[str, int] = {}
        for thing in things:
            command = Command(verb, (f"{thing.name} {counts.get(thing.name, 0) + 1}",))
            path = self._paths.facing.get(thing.position)
            if path is None:  # the number stays free for the next thing of this name
                self._refuse(command, NO_PATH)
            else:
                counts[thing.name] = counts.get(thing.name, 0) + 1
                self.actions[command] = (*path, *last_actions)

    def _add_drop(self) -> None:
        ahead, barrier = self._perception.thing_ahead, self._perception.view.barrier
        is_blocked = (barrier is not None and barrier[1] == 1) or (ahead and ahead.kind != "door")
        if self._perception.carried is None:
            self._refusals[DROP_IT] = cannot_drop("you are not carrying anything").message
        elif is_blocked:
            reason = "there is already an object in front of you"
            self._refusals[DROP_IT] = cannot_drop(reason).message
        else:
            self.actions[DROP_IT] = (DROP,)

    def _add_doors(self) -> None:
        counts: dict[str, int] = {}
        for door in self._perception.view.things:
            if door.kind != "door":
                continue
            counts[door.name] = counts.get(door.name, 0) + 1
            name = f"{door.name} {counts[door.name]}"
            if door.state == "open":
                self._add_open_door(name, door)
            else:
                # AgentGym prints the whole dictionary of counts for the number.
                self._add_shut_door(name, door, f"{door.name} {counts}")

    def _add_open_door(self, name: str, door: Thing) -> None:
        path = self._paths.onto.get(door.position)
        if path is None:
            self._refuse(Command("go_through", (name,)), NO_PATH)
        else:
            self.actions[Command("go_through", (name,))] = path

    def _add_shut_door(self, name: str, door: Thing, misprinted_name: str) -> None:
        command = Command("toggle_and_go_through", (name,))
        if not self._perception.can_open(door):
            self._refuse(command, missing_key(self._perception))
            return
        path = self._paths.facing.get(door.position)
        if path is None:
            misprinted = Command("toggle_and_go_through", (misprinted_name,))
            self._refusals[command] = cannot(misprinted, NO_PATH).message
        else:
            self.actions[command] = (*path, TOGGLE, FORWARD)
        if path == ():
            self.actions[TOGGLE_IT] = (TOGGLE,)
        if door.state == "closed":
            through = Command("go_through", (name,))
            self._refusals[through] = closed_door(through)

    def _refuse(self, command: Command, reason: str) -> None:
        self._refusals[command] = cannot(command, reason).message
