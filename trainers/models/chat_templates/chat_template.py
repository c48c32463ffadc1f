"""A tokenizer's chat template, and what it shows of the messages of a chat.

A chat template is a program, and its rule can depend on what a message says: some drop the thoughts
of earlier answers, some cut the white space around a message. So the template is rendered with
probes, which have such contents, and the results are compared.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from agentgym_gen.agents.prompt import ChatMessage, Tools
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.interface.syntax.functions import FunctionCall
from agentgym_gen.trainers.models.chat_templates.plain_chat import without_functions, without_system
from agentgym_gen.trainers.models.checks.template_limits import check_template_limits
from agentgym_gen.trainers.models.types import Tokenizer

LOG = logging.getLogger(__name__)

PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}:\n{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}assistant:{{ '\n' }}{% endif %}"
)
"""The template of a model that has none."""

FIRST = "qxzfirstqxz"
ANSWER = "qxzanswerqxz"
NEXT = "qxznextqxz"
SYSTEM = "qxzsystemqxz"
THOUGHT = "qxzthoughtqxz"

_EMPTY_THOUGHT = "<think>\n\n</think>\n\n"
_EMPTY_THOUGHT_AFTER_TAG = "\n</think>\n\n"

_AFTER_OPEN_TAG = f"{THOUGHT}\n</think>\n\n{ANSWER}"
_WITH_THOUGHT = f"<think>\n{_AFTER_OPEN_TAG}"
_ANSWERS_SHOWN_WHOLE = (
    ANSWER,
    f"Thought:\n{THOUGHT}\n\nAction:\n{ANSWER}",
    f'<tool_call>\n{{"name": "act", "arguments": {{"action": "{ANSWER}"}}}}\n</tool_call>',
    "",
)
"""Answers that a template has to go on showing as they were given."""

_EMPTY_THOUGHTS = ("", _EMPTY_THOUGHT, _EMPTY_THOUGHT_AFTER_TAG)
"""What a template of a thinking model may put before an answer that has no thought."""

_SPACE_RULES: tuple[Callable[[str], str], ...] = (str, str.strip, str.lstrip, str.rstrip)
"""What a template may do to the white space around a message."""

_PARAMETERS = {
    "type": "object",
    "properties": {"qxzslot": {"type": "string", "description": "a text"}},
    "required": ["qxzslot"],
}
PROBE_CALL = FunctionCall("qxzname", {"qxzslot": ANSWER})
PROBE_TOOLS: Tools = (
    {
        "type": "function",
        "function": {"name": "qxzname", "description": "a function", "parameters": _PARAMETERS},
    },
)
"""A function that no world has."""


class Between(NamedTuple):
    """What a template puts between an answer and the next."""

    before: str
    """The text between the answer and the message that follows."""
    after: str
    """The text between that message and the next answer."""
    space_rule: Callable[[str], str]
    """What the template does to the white space around the message."""

    def text(self, message: str) -> str:
        """Return the text from the end of an answer to the next, with *message* in it."""
        return f"{self.before}{self.space_rule(message)}{self.after}"


class ChatTemplate:
    """The chat template of a tokenizer, or the plain one.

    Args:
        tokenizer: A tokenizer of transformers.
        settings: More variables of the template (`PromptStyle.chat_template_kwargs`).

    Raises:
        InvalidValueError: if the template does not show messages whose content is text.
    """

    def __init__(self, tokenizer: Tokenizer, settings: tuple[tuple[str, object], ...] = ()) -> None:
        self._tokenizer, self._settings = tokenizer, dict(settings)
        self._template: str | None = None
        if not getattr(tokenizer, "chat_template", None):
            LOG.warning("The tokenizer has no chat template; a plain one is used")
            self._template = PLAIN_TEMPLATE
        else:
            _check_limits(tokenizer)
        if FIRST not in self._render(chat(FIRST)):
            raise _not_for_text("it leaves the text out")

    @cached_property
    def has_system(self) -> bool:
        """Whether the template shows a system message."""
        try:
            text = self._render([{"role": "system", "content": SYSTEM}, *chat(FIRST)])
        except InvalidValueError:
            return False
        return SYSTEM in text and FIRST in text

    @cached_property
    def has_functions(self) -> bool:
        """Whether the template shows functions, calls of them, and what they return."""
        try:
            text = self._render([*chat(FIRST), *called(PROBE_CALL, NEXT)], PROBE_TOOLS)
        except InvalidValueError:
            return False
        names_it = text.count(PROBE_CALL.name) > 1
        return names_it and text.find(ANSWER) > text.find(FIRST) >= 0 and NEXT in text

    @cached_property
    def empty_thought(self) -> str:
        """What the template puts before an answer without a thought, where models think."""
        start = self._render(chat(FIRST))
        if start.endswith("<think>\n"):
            return _EMPTY_THOUGHT_AFTER_TAG
        text = self._render(chat(FIRST, ANSWER, NEXT))
        before = text.removeprefix(start).partition(ANSWER)[0]
        return before if before in _EMPTY_THOUGHTS else ""

    def render(self, messages: Sequence[ChatMessage], tools: Tools = ()) -> str:
        """Return the text of a chat up to the place where the next answer begins.

        A system message and functions for which the template has no place go into the first
        message of the user.

        Raises:
            InvalidValueError: if the template cannot be rendered with these messages.
        """
        if tools and not self.has_functions:
            messages, tools = without_functions(messages, tools), ()
        if messages[0]["role"] == "system" and not self.has_system:
            messages = without_system(messages)
        return self._render(messages, tools)

    def text_after_answer(self) -> str | None:
        """Return the text between an answer and the next message; None if no answer is shown."""
        _, answer, rest = self.render(chat(FIRST, ANSWER, NEXT)).partition(ANSWER)
        return rest.partition(NEXT)[0] if answer else None

    def text_after_last_answer(self) -> str | None:
        """Return the text after the last answer of a chat; None if no answer is shown."""
        try:
            text = self._render(chat(FIRST, ANSWER), add_generation_prompt=False)
        except InvalidValueError:
            return None
        _, answer, rest = text.partition(ANSWER)
        return rest if answer else None

    def between_answers(self, *, functions: bool = False) -> Between | None:
        """Return what stands between two answers; None if a chat cannot go on by appending.

        Args:
            functions: Whether the chat has functions.
        """
        return _Probe(self.render, PROBE_TOOLS if functions else ()).between()

    def start_of_call(self, tools: Tools) -> str:
        """Return the text of `FIRST` up to the place where a call begins.

        Where thinking is off, some templates put an empty thought there, and not in earlier turns.
        """
        start = self.render(chat(FIRST), tools)
        text = self.render([*chat(FIRST), *called(PROBE_CALL, NEXT)], tools)
        if text.startswith(start):
            return start
        return start.removesuffix(_EMPTY_THOUGHT).removesuffix("<think>\n")

    def _render(
        self,
        messages: Sequence[ChatMessage],
        tools: Tools = (),
        *,
        add_generation_prompt: bool = True,
    ) -> str:
        try:
            return str(
                self._tokenizer.apply_chat_template(
                    list(messages),
                    tools=list(tools) or None,
                    chat_template=self._template,
                    add_generation_prompt=add_generation_prompt,
                    tokenize=False,
                    **self._settings,
                )
            )
        except Exception as error:  # the template is a program of others, which may raise anything
            raise _not_for_text(str(error) or type(error).__name__) from error


class _Probe:
    """Renders chats with probes, to see whether a template only appends."""

    def __init__(self, render: Callable[..., str], tools: Tools) -> None:
        self._render, self._tools = render, tools
        self._start = self._show(FIRST)

    def between(self) -> Between | None:
        """Return what stands between two answers, if every kind of answer is shown whole."""
        opens_tag = self._start.endswith("<think>\n")
        thoughts: tuple[str, ...] = (_AFTER_OPEN_TAG if opens_tag else _WITH_THOUGHT,)
        if self._start.endswith("</think>\n\n"):
            thoughts = ()  # thinking is off
        for first_answer in (ANSWER, *thoughts):
            text = self._show(FIRST, first_answer, NEXT)
            rest = text.removeprefix(self._start + first_answer)
            if rest == text:
                continue
            before, _, after = rest.partition(NEXT)
            for space_rule in _SPACE_RULES:
                between = Between(before, after, space_rule)
                if self._shows(_spaced(ANSWER), between, _spaced(NEXT)):
                    answers = (*_ANSWERS_SHOWN_WHOLE, *thoughts)
                    appends = all(self._shows(answer, between) for answer in answers)
                    return between if appends else None
        return None

    def _shows(self, answer: str, between: Between, following: str = NEXT) -> bool:
        """Return whether two exchanges with *answer* are shown as *between* says.

        White space around an answer does not count, and neither does an empty thought before it:
        an answer's tokens stay as they were sampled.
        """
        try:
            text = self._show(FIRST, answer, following, answer, following)
        except InvalidValueError:
            return True  # some refuse an empty answer, which says nothing of how others are shown
        return any(
            text == self._start + (empty + space_rule(answer) + between.text(following)) * 2
            for space_rule in _SPACE_RULES
            for empty in _EMPTY_THOUGHTS
        )

    def _show(self, *contents: str) -> str:
        return self._render(chat(*contents), self._tools)


def _check_limits(tokenizer: Tokenizer) -> None:
    template = tokenizer.chat_template
    for text in template.values() if isinstance(template, dict) else [template]:
        check_template_limits(str(text), getattr(tokenizer, "special_tokens_map", {}))


def chat(*contents: str) -> list[ChatMessage]:
    """Return messages of the user and the assistant in turn."""
    return [
        {"role": "assistant" if number % 2 else "user", "content": content}
        for number, content in enumerate(contents)
    ]


def called(call: FunctionCall, observation: str, text: str = "") -> list[ChatMessage]:
    """Return the messages of a call, after *text*, and of the observation that answers it."""
    function: dict[str, Any] = {"name": call.name, "arguments": dict(call.arguments)}
    calls = [{"id": "call00000", "type": "function", "function": function}]
    return [
        {"role": "assistant", "content": text, "tool_calls": calls},
        {"role": "tool", "content": observation, "tool_call_id": "call00000", "name": call.name},
    ]


def _spaced(text: str) -> str:
    return f" \n{text}\n "


def _not_for_text(reason: str) -> InvalidValueError:
    return InvalidValueError(
        f"The chat template cannot show messages whose content is text ({reason}); templates for "
        "images want lists of parts: give the tokenizer a template for text"
    )
