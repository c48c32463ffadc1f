"""BALROG's words for the same world, which are BabyAI-Text's: low-level actions, terse lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agentgym_gen.envs.babyai.admissible import Refusal
from agentgym_gen.envs.babyai.perception import Moment
from agentgym_gen.envs.babyai.paths import DROP, FORWARD, LEFT, PICKUP, RIGHT, TOGGLE, Way
from agentgym_gen.envs.babyai.view import HALF, STEPS, Thing
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

ACTIONS: Mapping[Command, Way] = {
    Command(verb.name): (action,)
    for verb, action in zip(VERBS, (LEFT, RIGHT, FORWARD, PICKUP, DROP, TOGGLE), strict=True)
}
"""minigrid's action of each command."""

COMMANDS = {way[0]: command for command, way in ACTIONS.items()}
"""The command of each of minigrid's actions."""

_READABLE = {verb.template: Command(verb.name) for verb in VERBS}
_REASONS = {
    "go_forward": "the way ahead is blocked",
    "pick_up": "there is nothing right in front of you that you could take",
    "drop": "you carry nothing, or there is something right in front of you",
    "toggle": "there is nothing right in front of you that you could open or close",
}


class LowMenu:
    """Which of the six actions would change something now.

    Args:
        moment: The moment.
    """

    def __init__(self, moment: Moment) -> None:
        ahead = moment.ahead
        can = {
            "go_forward": moment.is_free_ahead,
            "pick_up": moment.carried is None and ahead is not None and ahead.kind != "door",
            "drop": moment.carried is not None and moment.is_free_ahead and ahead is None,
            "toggle": ahead is not None
            and (ahead.kind == "box" or (ahead.kind == "door" and moment.opens(ahead))),
        }
        self.ways = {one: way for one, way in ACTIONS.items() if can.get(one.verb, True)}
        self._moment = moment

    def refusal(self, command: Command) -> Refusal:
        """Return the unchanged observation, which is all that BALROG answers."""
        return Refusal((description(self._moment),), _REASONS[command.verb])


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


def opening(goal: Message, moment: Moment, *, strict: bool) -> Scene:
    """Return the first observation; *strict* has no mission in it, as the original."""
    seen = description(moment, strict=strict)
    told: Message = (seen,) if strict else ("Your goal is to ", *goal, ".\n", seen)
    return Scene(told, {"goal": MessageFact(goal), **facts(moment)})


def scene(moment: Moment, *, strict: bool) -> Scene:
    """Return the observation of *moment*."""
    return Scene((description(moment, strict=strict),), facts(moment))


def description(moment: Moment, *, strict: bool = False) -> str:
    """Return the observation as lines; *strict* keeps ``a open red door``."""
    lines = [*_carried(moment), *_walls(moment), *_objects(moment, strict)]
    return "\n".join(lines)


def _carried(moment: Moment) -> Iterator[str]:
    if moment.carried is not None:
        yield f"You carry a {moment.carried.name}"


def _walls(moment: Moment) -> Iterator[str]:
    """Yield the walls straight ahead, left and right that no thing stands before."""
    x, y, facing = moment.place
    things = {thing.place for thing in moment.view.things}
    for word, turn, reach in (("forward", 0, 2 * HALF), ("left", 3, HALF), ("right", 1, HALF)):
        dx, dy = STEPS[(facing + turn) % 4]
        for steps in range(1, reach + 1):
            place = x + dx * steps, y + dy * steps
            if place in moment.view.walls:
                yield f"a wall {_counted(steps, word)}"
            if place in moment.view.walls or place in things:
                break


def _objects(moment: Moment, strict: bool) -> Iterator[str]:
    """Yield the things in view, from the left, the farthest of a column first."""
    for thing in sorted(moment.view.things, key=lambda one: (one.right, -one.ahead)):
        article = "an" if thing.state == "open" and not strict else "a"
        yield f"{article} {_name(thing)} {_where(thing)}"


def _name(thing: Thing) -> str:
    return f"{thing.state} {thing.colour} {thing.kind}".strip()


def _where(thing: Thing) -> str:
    across = _counted(abs(thing.right), "right" if thing.right > 0 else "left")
    ahead = _counted(thing.ahead, "forward")
    if not thing.right:
        return ahead
    return f"{across} and {ahead}" if thing.ahead else across


def _counted(steps: int, direction: str) -> str:
    return f"{steps} step{'s' if steps > 1 else ''} {direction}"


def facts(moment: Moment) -> Mapping[str, object]:
    """Return the observation as plain data."""
    return {
        "carrying": "nothing" if moment.carried is None else moment.carried.name,
        "walls": list(_walls(moment)),
        "objects": [
            {"object": _name(thing), "ahead": thing.ahead, "right": thing.right}
            for thing in moment.view.things
        ],
    }


def read(text: str) -> Command | Malformed:
    """Read one of the six actions, in any case."""
    said = " ".join(text.lower().split())
    return _READABLE.get(said) or Malformed(text, "it is none of the known actions")
