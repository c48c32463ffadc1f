"""BALROG's wording, which is BabyAI-Text's: low-level actions and terse lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agentgym_gen.envs.babyai.admissible import Refusal
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
from agentgym_gen.envs.babyai.view import DIRECTION_STEPS, HALF_WIDTH, VIEW_SIZE, Thing
from agentgym_gen.world import Command, Malformed, Message, MessageFact, Scene, Verb, VerbName

VERBS = (
    Verb("turn_left", "turn left", synonyms=("rotate counterclockwise", "swing leftwards")),
    Verb("turn_right", "turn right", synonyms=("rotate clockwise", "swing rightwards")),
    Verb("go_forward", "go forward", synonyms=("step ahead", "advance")),
    Verb("pick_up", "pick up", synonyms=("grab", "take hold")),
    Verb("drop", "drop", synonyms=("put down", "release")),
    Verb("toggle", "toggle", synonyms=("switch", "operate")),
)
"""BALROG's actions, in its order."""

ACTIONS: Mapping[Command, ActionSequence] = {
    Command(verb.name): (action,)
    for verb, action in zip(VERBS, (LEFT, RIGHT, FORWARD, PICKUP, DROP, TOGGLE), strict=True)
}
"""minigrid's action of each command."""

COMMANDS = {action: command for command, (action,) in ACTIONS.items()}
"""The command of each of minigrid's actions."""

_COMMAND_OF_TEXT = {verb.template: Command(verb.name) for verb in VERBS}
_REASONS = {
    "go_forward": "the way ahead is blocked",
    "pick_up": "there is nothing right in front of you that you could take",
    "drop": "you carry nothing, or there is something right in front of you",
    "toggle": "there is nothing right in front of you that you could open or close",
}


class LowLevelCommands:
    """Those of the six actions that would change something now; with *strict* all six.

    Args:
        perception: What the player knows in this state.
        strict: Whether every action is carried out and costs a step, as in the original.
    """

    def __init__(self, perception: Perception, *, strict: bool = False) -> None:
        ahead = perception.thing_ahead
        is_useful = {
            "go_forward": perception.is_free_ahead,
            "pick_up": perception.carried is None and ahead is not None and ahead.kind != "door",
            "drop": perception.carried is not None and perception.is_free_ahead and ahead is None,
            "toggle": ahead is not None
            and (ahead.kind == "box" or (ahead.kind == "door" and perception.can_open(ahead))),
        }
        self.actions = {
            command: actions
            for command, actions in ACTIONS.items()
            if strict or is_useful.get(command.verb, True)
        }
        self._perception = perception

    def refusal(self, command: Command) -> Refusal:
        """Return the unchanged observation, which is all that BALROG answers.

        With *strict* nothing is refused.
        """
        return Refusal((description(self._perception),), _REASONS[command.verb])


_ACTIONS = (
    ". The following are the possible actions you can take in the game, followed by a short "
    "description of each action:\n\n"
)
_TIPS = (
    "In a moment I will present you an observation.\n\nTips:\n- Once the desired object you want "
    "to interact or pickup in front of you, you can use the '"
)
_LAST_TIP = (
    "' action to interact with it.\n- It doesn't make sense to repeat the same action over and "
    "over if the observation doesn't change.\n\nPLAY!"
)


def instruction(mission: Message) -> Message:
    """Return BALROG's instruction, which states the mission."""
    start = ("You are an agent playing a simple navigation game. Your goal is to ", *mission)
    actions = (
        *(VerbName("turn_left"), ": turn to the left,\n"),
        *(VerbName("turn_right"), ": turn to the right,\n"),
        *(VerbName("go_forward"), ": take one step forward,\n"),
        *(VerbName("pick_up"), ": ", VerbName("pick_up"), " the object below you,\n"),
        *(VerbName("drop"), ": ", VerbName("drop"), " the object that you are holding,\n"),
        *(VerbName("toggle"), ": manipulate the object in front of you.\n\n"),
    )
    return (*start, _ACTIONS, *actions, _TIPS, VerbName("toggle"), _LAST_TIP)


def first_scene(goal: Message, perception: Perception, *, strict: bool) -> Scene:
    """Return the first observation; with *strict* it has no mission, as in the original."""
    observation = description(perception, strict=strict)
    message: Message = (observation,)
    if not strict:
        message = ("Your goal is to ", *goal, ".\n", observation)
    return Scene(message, {"goal": MessageFact(goal), **facts(perception)})


def scene(perception: Perception, *, strict: bool) -> Scene:
    """Return the observation of *perception*."""
    return Scene((description(perception, strict=strict),), facts(perception))


def description(perception: Perception, *, strict: bool = False) -> str:
    """Return the observation as lines; with *strict* it has ``a open red door``."""
    lines = [*_carried(perception), *_walls(perception), *_objects(perception, strict)]
    return "\n".join(lines)


def _carried(perception: Perception) -> Iterator[str]:
    if perception.carried is not None:
        yield f"You carry a {perception.carried.name}"


_SIDES = (("forward", 0, VIEW_SIZE - 1), ("left", 3, HALF_WIDTH), ("right", 1, HALF_WIDTH))
"""Where BALROG names a wall: its word, quarter turns to the right, and cells in view."""


def _walls(perception: Perception) -> Iterator[str]:
    """Yield the nearest walls straight ahead, left and right, unless a thing stands before them."""
    x, y, direction = perception.pose
    things = {thing.position for thing in perception.view.things}
    for side, quarter_turns, reach in _SIDES:
        dx, dy = DIRECTION_STEPS[(direction + quarter_turns) % 4]
        for steps in range(1, reach + 1):
            position = x + dx * steps, y + dy * steps
            if position in perception.view.walls:
                yield f"a wall {_steps_in_words(steps, side)}"
            if position in perception.view.walls or position in things:
                break


def _objects(perception: Perception, strict: bool) -> Iterator[str]:
    """Yield the things in view, from the left, the farthest of a column first."""
    for thing in sorted(perception.view.things, key=lambda thing: (thing.right, -thing.ahead)):
        article = "an" if thing.state == "open" and not strict else "a"
        yield f"{article} {_name(thing)} {_where(thing)}"


def _name(thing: Thing) -> str:
    return f"{thing.state} {thing.colour} {thing.kind}".strip()


def _where(thing: Thing) -> str:
    across = _steps_in_words(abs(thing.right), "right" if thing.right > 0 else "left")
    ahead = _steps_in_words(thing.ahead, "forward")
    if not thing.right:
        return ahead
    return f"{across} and {ahead}" if thing.ahead else across


def _steps_in_words(steps: int, direction: str) -> str:
    return f"{steps} step{'s' if steps > 1 else ''} {direction}"


def facts(perception: Perception) -> Mapping[str, object]:
    """Return the observation as plain data."""
    return {
        "carrying": "nothing" if perception.carried is None else perception.carried.name,
        "walls": list(_walls(perception)),
        "objects": [
            {"object": _name(thing), "ahead": thing.ahead, "right": thing.right}
            for thing in perception.view.things
        ],
    }


def read(text: str) -> Command | Malformed:
    """Read one of the six actions, in any case."""
    action_text = " ".join(text.lower().split())
    return _COMMAND_OF_TEXT.get(action_text) or Malformed(text, "it is none of the known actions")
