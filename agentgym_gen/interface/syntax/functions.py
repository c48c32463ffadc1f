"""Verbs as functions that a model can call, each with a JSON schema of its arguments.

Not a value of the ``syntax`` axis: a call is what a prompt format asks for, and it becomes the text
of an action in the episode's own syntax.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from agentgym_gen.interface.syntax.base import RenameSlot
from agentgym_gen.world import Command, Verb, phrase_of

MAX_NAME_CHARS = 64
"""The longest name of a function that OpenAI's interface takes."""

CHOOSE = "choose"
"""The function of the menu syntax."""


class FunctionCall(NamedTuple):
    """A call of a function, as a model makes it."""

    name: str
    """The name of the function."""
    arguments: Mapping[str, object]
    """The value of each argument, by its name."""


class Function(NamedTuple):
    """A function that a model can call."""

    name: str
    """Its name: ``go_to``."""
    description: str
    """What it stands for: ``go to [place]``."""
    properties: Mapping[str, Mapping[str, str]]
    """The JSON schema of each argument, by its name."""
    required: tuple[str, ...]
    """The arguments that a call has to have."""

    def schema(self) -> dict[str, Any]:
        """Return the function in the form of OpenAI's ``tools`` and of chat templates."""
        parameters = {
            "type": "object",
            "properties": {name: dict(value) for name, value in self.properties.items()},
            "required": list(self.required),
        }
        function = {"name": self.name, "description": self.description, "parameters": parameters}
        return {"type": "function", "function": function}

    def problem(self, arguments: Mapping[str, object]) -> str:
        """Return why *arguments* are none of this function, without a full stop; or an empty text.

        Every required argument has to be there, no unknown one, and each has to have its type.
        """
        names = set(arguments)
        if not set(self.required) <= names <= set(self.properties):
            return f"{self.name} takes exactly the arguments {list(self.properties)}"
        for name, value in arguments.items():
            if self.properties[name]["type"] == "integer":
                if type(value) is not int:
                    return f"its argument {name!r} is no whole number"
            elif not isinstance(value, str) or not value:
                return f"its argument {name!r} is no text of at least one character"
        return ""


def verb_functions(
    verbs: Sequence[Verb],
    templates: Mapping[str, str],
    usages: Mapping[str, Command],
    descriptions: Mapping[str, str],
    rename_slot: RenameSlot,
) -> dict[str, Function]:
    """Return a function for each verb, by the verb's name.

    Args:
        verbs: The action schema.
        templates: The template of each verb, which names its function.
        usages: How each verb is used, in the names that are shown; the arguments are described by
            it.
        descriptions: The same as text.
        rename_slot: Returns the name of a slot.
    """
    functions: dict[str, Function] = {}
    names: set[str] = set()
    for verb in verbs:
        name = _free_name(phrase_of(templates[verb.name]), names)
        names.add(name)
        slots = tuple(map(rename_slot, verb.slots))
        hints = (argument[1:-1] for argument in usages[verb.name].args)
        properties = {
            slot: {"type": "string", "description": hint}
            for slot, hint in zip(slots, hints, strict=True)
        }
        functions[verb.name] = Function(name, descriptions[verb.name], properties, slots)
    return functions


def menu_function(open_usages: Sequence[str]) -> Function:
    """Return the function of the menu syntax, which takes the number of a listed action.

    Args:
        open_usages: How the verbs are used whose number a text follows.
    """
    properties = {
        "number": {"type": "integer", "description": "the number of one action of the list"}
    }
    if open_usages:
        uses = ", ".join(open_usages)
        properties["text"] = {"type": "string", "description": f"the text for {uses}"}
    return Function(CHOOSE, "Choose one action of the list.", properties, ("number",))


def _free_name(phrase: str, taken: set[str]) -> str:
    """Return *phrase* as a name that is not *taken*: letters, digits and underscores."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", phrase).strip("_")[: MAX_NAME_CHARS - 3] or "function"
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
