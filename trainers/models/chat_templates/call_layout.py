"""How a chat template shows calls of functions, found by rendering a probe."""

from __future__ import annotations

import re
from collections.abc import Callable

from agentgym_gen.agents.completions.forms import CANONICAL, FORMS, CallForm
from agentgym_gen.agents.prompt import ChatMessage
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.interface.syntax.functions import FunctionCall
from agentgym_gen.trainers.models.chat_templates.chat_template import (
    ANSWER,
    FIRST,
    NEXT,
    PROBE_CALL,
    PROBE_TOOLS,
    THOUGHT,
    Between,
    ChatTemplate,
    called,
    chat,
)

__all__ = ["CallLayout"]


class CallLayout:
    """The form in which a template shows a call, and what stands after it.

    Args:
        template: A template with functions.
        control: A pattern of the control tokens.

    Raises:
        InvalidValueError: if the form is none of `FORMS`.
    """

    def __init__(self, template: ChatTemplate, control: re.Pattern[str]) -> None:
        self._template, self._control = template, control
        self._start = template.start_of_call(PROBE_TOOLS)
        text = self._render(called(PROBE_CALL, NEXT))
        answer = self._cut(text.removeprefix(self._start), ANSWER)
        self.form = self._known_form(answer)
        """The form."""
        self.end = self._end_of(text)
        """The control token that ends a call."""

    def text_after(self, name: str, observation: str) -> str:
        """Return the text from the end of a call of *name* to the next answer."""
        call = FunctionCall(name, PROBE_CALL.arguments)
        text = self._render(called(call, observation)).partition(ANSWER)[2]
        end = self._control.search(text)
        return text[end.start() :] if end else text

    def write(self, call: FunctionCall, text: str, escape: Callable[[str], str] = str) -> str:
        """Return *call*, after *text*, as the template shows it, without the end."""
        arguments = {
            name: escape(value) if isinstance(value, str) else value
            for name, value in call.arguments.items()
        }
        shown = called(FunctionCall(call.name, arguments), NEXT, escape(text))
        rendered = self._render(shown).removeprefix(self._start)
        return rendered.removesuffix(self.text_after(call.name, NEXT))

    def appends(self, between: Between | None) -> bool:
        """Return whether calls and other answers are shown as they were, however a chat goes on.

        Args:
            between: What stands between two answers without a call.
        """
        if between is None or self._template.render(chat(FIRST), PROBE_TOOLS) != self._start:
            return False
        other = FunctionCall(PROBE_CALL.name, {"qxzslot": f"{THOUGHT} 2"})
        call, second = self._exchange(PROBE_CALL, NEXT), self._exchange(other, " a\n{b}")
        text = self._template.empty_thought + THOUGHT
        words = ([*chat("", THOUGHT)[1:], *chat(NEXT)], text + between.text(NEXT))
        return all(
            self._render([message for part in parts for message in part[0]])
            == self._start + "".join(part[1] for part in parts)
            for parts in ((call, second), (call, words, second), (words, call, words))
        )

    def _exchange(self, call: FunctionCall, observation: str) -> tuple[list[ChatMessage], str]:
        """Return the messages of a call, and the text that they should be shown as."""
        text = self.write(call, "") + self.text_after(call.name, observation)
        return called(call, observation), text

    def _render(self, messages: list[ChatMessage]) -> str:
        return self._template.render([*chat(FIRST), *messages], PROBE_TOOLS)

    def _cut(self, text: str, probe: str) -> str:
        """Return *text* up to the first control token after *probe*."""
        end = self._control.search(text, text.find(probe) + len(probe))
        return text[: end.start()] if end else text

    def _end_of(self, text: str) -> str:
        end = self._control.search(text, text.find(ANSWER) + len(ANSWER))
        if end is None:
            raise InvalidValueError(
                "The chat template ends a call with no special token, so sampling could not stop "
                "there; add the token that ends an answer to the tokenizer as a special one, or "
                "take the format 'tool'"
            )
        return end[0]

    @staticmethod
    def _known_form(answer: str) -> CallForm:
        for form in (CANONICAL, *FORMS):
            read = form.read(answer)
            if read is not None and read.call == PROBE_CALL:
                return form
        raise InvalidValueError(
            f"The chat template writes a call of a function as {answer!r}, a form that is not "
            f"known; those of {', '.join(form.name for form in (CANONICAL, *FORMS))} are: give the "
            "tokenizer such a template, or take the format 'tool'"
        )
