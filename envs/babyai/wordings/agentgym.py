"""AgentGym's wording: verbs, instruction, observation, list of actions, and reading a text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from agentgym_gen.envs.babyai.admissible import NOT_RECOGNIZED
from agentgym_gen.envs.babyai.perception import Perception
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
"""AgentGym's answer to an empty text, and to going to what the player faces already."""

COMPLETED = "\n The task is completed."
"""What follows the last observation of a success."""

_WITHOUT_ARGUMENT = {verb.template: Command(verb.name) for verb in VERBS if not verb.slots}
_DROPPED = re.compile(r"[^A-Za-z0-9, ]+")
_PREFIXES = (
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
        strict: Whether to return the original's to the letter: with ``pick up``, which the original
            does not understand, and without ``drop`` and ``check available actions``, which it
            does.
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


def first_scene(goal: Message, perception: Perception) -> Scene:
    """Return the first observation."""
    message = ("Your goal: ", *goal, "\n", description(perception))
    return Scene(message, {"goal": MessageFact(goal), **facts(perception)})


def scene(perception: Perception, note: str = "") -> Scene:
    """Return the observation of *perception*, with a *note* after it."""
    scene_facts = facts(perception)
    if note:
        scene_facts = {**scene_facts, "note": note.strip()}
    return Scene((description(perception) + note,), scene_facts)


def description(perception: Perception) -> str:
    """Return the observation, with AgentGym's double spaces."""
    return _objects(perception) + _barrier(perception) + _carried(perception)


def _objects(perception: Perception) -> str:
    if perception.view.is_dark:
        return "You cannot see any objects within sight."
    start = "In front of you in this room, you can see several objects: "
    return start + "".join(
        f"There is a {name} {_where(thing)}.  " for name, thing in perception.named_things
    )


def _where(thing: Thing) -> str:
    if not thing.right:
        return f"right in front of you {thing.ahead} steps away"
    side = "right" if thing.right > 0 else "left"
    return f"{thing.ahead} steps in front of you and {abs(thing.right)} steps to your {side}"


def _barrier(perception: Perception) -> str:
    walls = "The room has walls around you. "
    if perception.view.barrier is None:
        return walls
    kind, distance = perception.view.barrier
    return f"{walls}You are facing a {kind} {distance} steps away. "


def _carried(perception: Perception) -> str:
    if perception.carried is None:
        return "You are not carrying anything."
    return f"You are carrying a {perception.carried.name}."


def facts(perception: Perception) -> Mapping[str, object]:
    """Return the observation as plain data."""
    barrier = perception.view.barrier
    return {
        "objects": [
            {"object": name, "ahead": thing.ahead, "right": thing.right}
            for name, thing in perception.named_things
        ],
        "facing": "nothing" if barrier is None else f"{barrier[0]} {barrier[1]} steps away",
        "carrying": "nothing" if perception.carried is None else perception.carried.name,
    }


def available_actions(commands: Sequence[Command]) -> Message:
    """Return the answer to ``check available actions``."""
    message: Message = ("You can take the following actions: ", commands[0])
    for command in commands[1:]:
        message = (*message, ", ", command)
    return message


def list_actions(actions: Sequence[str]) -> str:
    """Return the list of *actions* as AgentGym prints it after every observation."""
    quoted = ", ".join(f'"{action}"' for action in actions)
    return f"Available actions: [{quoted}]"


def read(text: str, *, strict: bool) -> Command | Malformed:
    """Read *text* as AgentGym does.

    Neither case nor punctuation matters, and every text that contains ``check`` asks for the list
    of actions.

    Args:
        text: The text.
        strict: Whether ``pick up`` is not understood, as in the original.
    """
    action_text = clean_text(text).lower()
    if "check" in action_text:
        return Command("check")
    if not strict and action_text.startswith("pick up "):
        action_text = f"pickup {action_text.removeprefix('pick up ')}"
    if action_text in _WITHOUT_ARGUMENT:
        return _WITHOUT_ARGUMENT[action_text]
    for prefix, verb in _PREFIXES:
        if action_text.startswith(prefix):
            return Command(verb, (action_text[len(prefix) :],))
    return Malformed(text, "it is none of the known actions")


def invalid_reply(text: str) -> Message:
    """Return AgentGym's answer to *text*, which is no command."""
    return NOT_RECOGNIZED if clean_text(text) else (NO_CHANGE,)


def clean_text(text: str) -> str:
    """Return *text* as AgentGym's client sends it on: letters, digits, spaces and commas only.

    >>> clean_text('"Go to  red ball 1."')
    'Go to red ball 1'
    """
    return " ".join(_DROPPED.sub("", " ".join(text.split())).split())
