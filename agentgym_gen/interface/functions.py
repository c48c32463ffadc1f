"""The verbs of one episode as functions, for models that act by calling functions.

A call becomes the text of an action in the episode's own words and syntax, and an action becomes a
call. A call that its text could not be read back from is refused.
"""

from __future__ import annotations

import re
from typing import Any

from agentgym_gen.interface.codec import ActionCodec
from agentgym_gen.interface.syntax.functions import (
    Function,
    FunctionCall,
    menu_function,
    verb_functions,
)
from agentgym_gen.world import Command, Malformed, Verb

__all__ = ["EpisodeFunctions"]


class EpisodeFunctions:
    """The functions of one episode, in the words of its interface.

    Each verb is a function whose arguments are texts. With the menu syntax, where an action is a
    number, there is the one function ``choose``.

    Args:
        codec: The codec of the episode.
        verbs: The action schema of the episode.
        admissible: The commands that can be carried out now.
    """

    def __init__(
        self, codec: ActionCodec, verbs: tuple[Verb, ...], admissible: tuple[Command, ...]
    ) -> None:
        self._codec, self._admissible = codec, admissible
        self._functions = _functions_of(codec, verbs)
        self._verbs = {function.name: verb for verb, function in self._functions.items()}

    @property
    def schemas(self) -> tuple[dict[str, Any], ...]:
        """The functions as OpenAI's ``tools`` has them: name, description and JSON schema."""
        return tuple(function.schema() for function in self._functions.values())

    @property
    def instruction(self) -> str:
        """The rules of the episode without those of its syntax, which calls replace."""
        return self._codec.world_instruction()

    def call(self, action: str) -> FunctionCall | None:
        """Return the call that means the text *action*, or None if that is no command."""
        command = self._codec.read(action, self._admissible)
        if isinstance(command, Malformed):
            return None
        if self._codec.numbered:
            number, text = (*action.split(maxsplit=1), "")[:2]
            arguments = {"number": int(number)} | ({"text": text.strip()} if text else {})
            return FunctionCall(self._functions[""].name, arguments)
        function = self._functions[command.verb]
        shown = self._codec.encoded(command)
        return FunctionCall(function.name, dict(zip(function.required, shown.args, strict=True)))

    def action(self, call: FunctionCall, text: str) -> str | Malformed:
        """Return the text of the action that *call* means, or why it means none.

        Args:
            call: The call.
            text: What the model wrote.
        """
        verb = self._verbs.get(call.name)
        if verb is None:
            return Malformed(text, f"there is no function {call.name[:40]!r}")
        function = self._functions[verb]
        problem = function.problem(call.arguments)
        if problem:
            return Malformed(text, problem)
        if self._codec.numbered:
            return " ".join(str(call.arguments[name]) for name in sorted(call.arguments))
        command = Command(verb, tuple(str(call.arguments[name]) for name in function.required))
        action = self._codec.write_shown(command)
        if not self._reads_back(action, command):
            return Malformed(text, f"{call.name} cannot be carried out with such arguments")
        return action

    def _reads_back(self, action: str, shown: Command) -> bool:
        """Return whether *action* spells no other command than *shown*.

        Some worlds read loosely: case, white space and signs do not count. What spells no command
        at all is refused by the world in its own words.
        """
        command = self._codec.read(action, self._admissible)
        if isinstance(command, Malformed):
            return True
        back = self._codec.encoded(command)
        return back.verb == shown.verb and list(map(_letters, back.args)) == list(
            map(_letters, shown.args)
        )


def _functions_of(codec: ActionCodec, verbs: tuple[Verb, ...]) -> dict[str, Function]:
    usages = {verb.name: codec.encoded(verb.usage) for verb in verbs}
    descriptions = {verb.name: codec.mention(verb.usage) for verb in verbs}
    if codec.numbered:
        return {"": menu_function([descriptions[verb.name] for verb in verbs if verb.open])}
    return verb_functions(verbs, codec.templates, usages, descriptions, codec.rename_slot)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
