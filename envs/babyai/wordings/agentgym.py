"""AgentGym's words: verbs, instruction, observation, list of actions and how a text is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentgym_gen.envs.babyai.perception import Moment
from agentgym_gen.envs.babyai.view import Thing
from agentgym_gen.world import Command, Malformed, Message, MessageFact, Scene, Verb, VerbName

VERBS = (
    Verb("turn_left", "turn left", synonyms=("rotate counterclockwise", "swing leftwards")),
    Verb("turn_right", "turn right", synonyms=("rotate clockwise", "swing rightwards")),
    Verb("move_forward", "move forward", synonyms=("step ahead", "advance")),
    Verb("go_to", "go to {object}", ("obj id",), ("approach {object}", "walk up to {object}")),
    Verb("pick_up", "pickup {object}", ("obj id",), ("grab {object}", "take hold of {object}")),
    Verb("drop", "drop", synonyms=("put down", "release")),
    Verb("go_through", "go through {door}", ("door id",), ("pass {door}", "traverse {door}")),
    Verb(
        "toggle_and_go_through",
        "toggle and go through {door}",
        ("door id",),
        ("swing open and pass {door}", "unlatch and traverse {door}"),
    ),
    Verb("toggle", "toggle", synonyms=("switch", "operate")),
    Verb("check", "check available actions", synonyms=("review options", "recall choices")),
)
"""AgentGym's actions."""

NO_CHANGE = "No change in state."
"""AgentGym's answer to nothing at all, and to going where one is."""

COMPLETED = "\n The task is completed."
"""What follows the last observation of a success."""

_BARE = {verb.template: Command(verb.name) for verb in VERBS if not verb.slots}
_LEADS = (
    ("toggle and go through ", "toggle_and_go_through"),
    ("go through ", "go_through"),
    ("go to ", "go_to"),
    ("pickup ", "pick_up"),
)


_INTRODUCTION = (
    "You are an exploration master that wants to finish every goal you are given. Every round I "
    "will give you an observation, and you have to respond an action and your thought based on the "
    "observation to finish the given task. You are placed in a room and you need to accomplish the "
    "given goal with actions.\n\nYou can use the following actions: "
)
_LOCKED = (
    " <door> <id>: <door> can be a closed door or a locked door. If you want to open a locked "
    "door, you need to carry a key that is of the same color as the locked door."
)
_TOGGLED = ": there is a closed or locked door right in front of you and you can "


def instruction(*, strict: bool) -> Message:
    """Return AgentGym's instruction.

    Args:
        strict: Whether it is to the letter: with ``pick up``, which the original does not
            understand, and without ``drop`` and ``check available actions``, which it does.
    """
    lines: list[Message] = [
        (VerbName("turn_right"),),
        (VerbName("turn_left"),),
        (VerbName("move_forward"),),
        (VerbName("go_to"), " <obj> <id>"),
        (VerbName("pick_up", native="pick up" if strict else ""), " <obj> <id>"),
        (VerbName("go_through"), " <door> <id>: <door> must be an open door."),
        (VerbName("toggle_and_go_through"), _LOCKED),
        (VerbName("toggle"), _TOGGLED, VerbName("toggle"), " it."),
    ]
    if not strict:
        lines[5:5] = [(VerbName("drop"), ": you are carrying something.")]
        lines += [(VerbName("check"),)]
    message: Message = (_INTRODUCTION,)
    for line in lines[:-1]:
        message = (*message, "\n\n- ", *line, " ")
    return (*message, "\n\n- ", *lines[-1])


def opening(goal: Message, moment: Moment) -> Scene:
    """Return the first observation."""
    told = ("Your goal: ", *goal, "\n", description(moment))
    return Scene(told, {"goal": MessageFact(goal), **facts(moment)})


def scene(moment: Moment, note: str = "") -> Scene:
    """Return the observation of *moment*, with a *note* after it."""
    known = facts(moment)
    return Scene((description(moment) + note,), {**known, "note": note.strip()} if note else known)


def description(moment: Moment) -> str:
    """Return the observation, with AgentGym's double spaces."""
    return _objects(moment) + _barrier(moment) + _carried(moment)


def _objects(moment: Moment) -> str:
    if moment.view.is_dark:
        return "You cannot see any objects within sight."
    seen = "In front of you in this room, you can see several objects: "
    return seen + "".join(
        f"There is a {name} {_where(thing)}.  " for name, thing in moment.numbered
    )


def _where(thing: Thing) -> str:
    if not thing.right:
        return f"right in front of you {thing.ahead} steps away"
    side = "right" if thing.right > 0 else "left"
    return f"{thing.ahead} steps in front of you and {abs(thing.right)} steps to your {side}"


def _barrier(moment: Moment) -> str:
    walls = "The room has walls around you. "
    if moment.view.barrier is None:
        return walls
    kind, distance = moment.view.barrier
    return f"{walls}You are facing a {kind} {distance} steps away. "


def _carried(moment: Moment) -> str:
    if moment.carried is None:
        return "You are not carrying anything."
    return f"You are carrying a {moment.carried.name}."


def facts(moment: Moment) -> Mapping[str, object]:
    """Return the observation as plain data."""
    barrier = moment.view.barrier
    return {
        "objects": [
            {"object": name, "ahead": thing.ahead, "right": thing.right}
            for name, thing in moment.numbered
        ],
        "facing": "nothing" if barrier is None else f"{barrier[0]} {barrier[1]} steps away",
        "carrying": "nothing" if moment.carried is None else moment.carried.name,
    }


def choices(commands: Sequence[Command]) -> Message:
    """Return the answer to the question what can be done."""
    message: Message = ("You can take the following actions: ", commands[0])
    for command in commands[1:]:
        message = (*message, ", ", command)
    return message


def list_actions(actions: Sequence[str]) -> str:
    """Return the list of *actions* as AgentGym prints it after every observation."""
    listed = ", ".join(f'"{action}"' for action in actions)
    return f"Available actions: [{listed}]"


def read(text: str, *, strict: bool) -> Command | Malformed:
    """Read *text* as AgentGym does: in any case, and whatever has ``check`` in it is a question.

    Args:
        text: What was said.
        strict: Whether white space matters and ``pick up`` is not understood, as in the original.
    """
    said = text.lower().strip()
    if "check" in said:
        return Command("check")
    if not strict:
        said = " ".join(said.split())
        said = f"pickup {said[8:]}" if said.startswith("pick up ") else said
    if said in _BARE:
        return _BARE[said]
    for lead, verb in _LEADS:
        if said.startswith(lead):
            return Command(verb, (said[len(lead) :],))
    return Malformed(text, "it is none of the known actions")


def refusal(text: str) -> str:
    """Return AgentGym's answer to *text*, which is no command."""
    if not text.strip():
        return NO_CHANGE
    return "The action is not recognized. Please check valid actions."
