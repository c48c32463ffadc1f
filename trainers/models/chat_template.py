"""A tokenizer's chat template, and what it shows of the messages of a chat.

A chat template is a program, and its rule can depend on what a message says: some drop the thoughts
of earlier answers, some cut the white space around a message. So the template is rendered with
probes, which have such contents, and the results are compared.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from agentgym_gen.agents.prompt import ChatMessage
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.models.checks.template_limits import check_template_limits
from agentgym_gen.trainers.models.types import Tokenizer

LOG = logging.getLogger(__name__)

PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}:\n{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}assistant:{{ '\n' }}{% endif %}"
)
"""The template of a model that has none."""

_FIRST = "qxzfirstqxz"
_ANSWER = "qxzanswerqxz"
_NEXT = "qxznextqxz"

_ANSWERS_SHOWN_WHOLE = (
    _ANSWER,
    f"<think>\nqxzthoughtqxz\n</think>\n\n{_ANSWER}",
    f"qxzthoughtqxz\n</think>\n\n{_ANSWER}",
    f"Thought:\nqxzthoughtqxz\n\nAction:\n{_ANSWER}",
    f'<tool_call>\n{{"name": "act", "arguments": {{"action": "{_ANSWER}"}}}}\n</tool_call>',
    "",
)
"""Answers that a template has to go on showing as they were given."""

_SPACE_RULES: tuple[Callable[[str], str], ...] = (str, str.strip, str.lstrip, str.rstrip)
"""What a template may do to the white space around a message."""


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

    Raises:
        InvalidValueError: if the template does not show messages whose content is text.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._template: str | None = None
        if not getattr(tokenizer, "chat_template", None):
            LOG.warning("The tokenizer has no chat template; a plain one is used")
            self._template = PLAIN_TEMPLATE
        else:
            _check_limits(tokenizer)
        if _FIRST not in self.render(_chat(_FIRST)):
            raise _not_for_text("it leaves the text out")

    def render(self, messages: Sequence[ChatMessage]) -> str:
        """Return the text of a chat up to the place where the next answer begins.

        Raises:
            InvalidValueError: if the template cannot be rendered with these messages.
        """
        try:
            return str(
                self._tokenizer.apply_chat_template(
                    list(messages),
                    chat_template=self._template,
                    add_generation_prompt=True,
                    tokenize=False,
                )
            )
        except Exception as error:  # the template is a program of others, which may raise anything
            raise _not_for_text(str(error) or type(error).__name__) from error

    def text_after_answer(self) -> str | None:
        """Return the text between an answer and the next message; None if no answer is shown."""
        _, answer, rest = self.render(_chat(_FIRST, _ANSWER, _NEXT)).partition(_ANSWER)
        return rest.partition(_NEXT)[0] if answer else None

    def between_answers(self) -> Between | None:
        """Return what stands between two answers; None if a chat cannot go on by appending."""
        chat, start = self.render(_chat(_FIRST, _ANSWER, _NEXT)), self.render(_chat(_FIRST))
        text = chat.removeprefix(start + _ANSWER)
        if text == chat:
            return None
        before, _, after = text.partition(_NEXT)
        for space_rule in _SPACE_RULES:
            between = Between(before, after, space_rule)
            if self._shows(_spaced(_ANSWER), between, _spaced(_NEXT)):
                appends = all(self._shows(answer, between) for answer in _ANSWERS_SHOWN_WHOLE)
                return between if appends else None
        return None

    def _shows(self, answer: str, between: Between, following: str = _NEXT) -> bool:
        """Return whether two exchanges with *answer* are shown as *between* says.

        White space around an answer does not count: an answer's tokens stay as they were sampled.
        """
        start = self.render(_chat(_FIRST))
        try:
            chat = self.render(_chat(_FIRST, answer, following, answer, following))
        except InvalidValueError:
            return True  # some refuse an empty answer, which says nothing of how others are shown
        return any(
            chat == start + (space_rule(answer) + between.text(following)) * 2
            for space_rule in _SPACE_RULES
        )


def _check_limits(tokenizer: Tokenizer) -> None:
    template = tokenizer.chat_template
    for text in template.values() if isinstance(template, dict) else [template]:
        check_template_limits(str(text), getattr(tokenizer, "special_tokens_map", {}))


def _chat(*contents: str) -> list[ChatMessage]:
    """Return messages of the user and the assistant in turn."""
    return [
        {"role": "assistant" if number % 2 else "user", "content": content}
        for number, content in enumerate(contents)
    ]


def _spaced(text: str) -> str:
    return f" \n{text}\n "


def _not_for_text(reason: str) -> InvalidValueError:
    return InvalidValueError(
        f"The chat template cannot show messages whose content is text ({reason}); templates for "
        "images want lists of parts: give the tokenizer a template for text"
    )
