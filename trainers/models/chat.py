"""From chat messages to tokens, without ever tokenizing again what was sampled.

A model's chat template is rendered for the beginning of a chat, and for the text between one answer
and the next. A template that renders an earlier message differently later (some drop past thoughts)
cannot be continued by appending: it is refused, unless every turn starts a sequence of its own.

The content of a message is only text: where it spells a control token, such as the one that ends a
message, a space is put into it, so that no observation can begin or end a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from agentgym_gen.agents.completions.calls import read_call, write_call
from agentgym_gen.agents.policy import Request
from agentgym_gen.agents.prompt import ChatMessage, PromptStyle, Tools
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.models.chat_templates.call_layout import CallLayout
from agentgym_gen.trainers.models.chat_templates.chat_template import Between, ChatTemplate
from agentgym_gen.trainers.models.types import Model, Tokenizer

Settings = tuple[tuple[str, object], ...]
"""More variables of a chat template, `PromptStyle.chat_template_kwargs`."""


class Context(NamedTuple):
    """The tokens that stand before the answer of one turn."""

    ids: list[int]
    """The tokens."""
    starts_sequence: bool
    """Whether they start a sequence instead of continuing the episode's."""


class ChatFormat:
    """How chats become tokens for one tokenizer.

    Args:
        tokenizer: A tokenizer of transformers.
        end_ids: More tokens at which sampling stops, such as those of `end_tokens`.

    Raises:
        InvalidValueError: if the tokenizer has no end token, or its chat template ends an answer
            with none.
    """

    def __init__(self, tokenizer: Tokenizer, end_ids: Iterable[int] = ()) -> None:
        self.tokenizer = tokenizer
        self._control = _control_token_pattern(tokenizer)
        self._layouts: dict[Settings, _Layout] = {}
        self._template = self._layout(()).template
        self.end_id, self._before_end = self._find_end()
        """The token that ends an answer."""
        self.end_ids = frozenset({self.end_id, tokenizer.eos_token_id, *end_ids} - {None})
        """The tokens at which sampling stops."""
        calls = self._layout(()).calls
        if calls is not None:
            self.end_ids |= {self._encode(calls.end)[0]}

    @property
    def pad_id(self) -> int:
        """The token that pads rows; any token does, because padding is masked."""
        pad = self.tokenizer.pad_token_id
        return int(self.end_id if pad is None else pad)

    def opening(
        self, messages: Sequence[ChatMessage], tools: Tools = (), settings: Settings = ()
    ) -> list[int]:
        """Return the tokens of a chat up to the place where the answer begins.

        Args:
            messages: The messages.
            tools: The functions that the model may call.
            settings: More variables of the template.

        Raises:
            InvalidValueError: if the template writes calls in a form that is not known.
        """
        layout = self._layout(settings)
        if tools:
            layout.check_calls()
        escaped = [_escaped(message, self._escape) for message in messages]
        return self._encode(layout.template.render(escaped, tools))

    def continuation(
        self, observation: str, *, ended: bool, settings: Settings = (), functions: bool = False
    ) -> list[int]:
        """Return the tokens between an answer and the next.

        Args:
            observation: The content of the message of the user between them.
            ended: Whether the answer's last token was one that ends it.
            settings: More variables of the template.
            functions: Whether the chat has functions.

        Raises:
            InvalidValueError: if the template cannot be continued by appending.
        """
        between = self._layout(settings).check_appends(functions=functions)
        ids = self._encode(between.text(self._escape(observation)))
        # the end token, and any space before it, were sampled already
        return ids[self._place_of_end(ids) + 1 :] if ended else ids

    def continuation_of_call(
        self, name: str, observation: str, *, ended: bool, settings: Settings = ()
    ) -> list[int]:
        """Return the tokens between a call and the next answer.

        Args:
            name: The function that was called.
            observation: What it returned.
            ended: Whether the call's last token was one that ends it.
            settings: More variables of the template.

        Raises:
            InvalidValueError: if the template cannot be continued by appending.
        """
        layout = self._layout(settings)
        if layout.calls is None:
            return self.continuation(observation, ended=ended, settings=settings, functions=True)
        layout.check_appends(functions=True)
        ids = self._encode(layout.calls.text_after(name, self._escape(observation)))
        return ids[1:] if ended else ids

    def continuation_of_chat(
        self,
        messages: Sequence[ChatMessage],
        tools: Tools = (),
        *,
        ended: bool,
        settings: Settings = (),
    ) -> list[int]:
        """Return the tokens between the last answer in *messages* and the next.

        The last two messages are that answer and the observation after it. The other arguments
        and the errors are those of `opening` and `continuation`.
        """
        answer, message = messages[-2:]
        calls = answer.get("tool_calls")
        if calls:
            name = calls[0]["function"]["name"]
            return self.continuation_of_call(
                name, message["content"], ended=ended, settings=settings
            )
        return self.continuation(
            message["content"], ended=ended, settings=settings, functions=bool(tools)
        )

    def check_appends(self, style: PromptStyle | None = None) -> Between:
        """Return what stands between two answers of an episode in *style*.

        Raises:
            InvalidValueError: if the template cannot be continued by appending.
        """
        style = style or PromptStyle()
        betweens = [
            self._layout(settings_of(one)).check_appends(functions=one.format == "functions")
            for one in style.each()
            if one.window is None
        ]
        return betweens[0] if betweens else self._layout(()).check_appends()

    def answer(self, text: str, tools: Tools = (), settings: Settings = ()) -> list[int]:
        """Return the tokens of a demonstrated answer, its end included.

        A call in it is written as the template writes calls, and where models think, an answer
        without a thought begins with an empty one.
        """
        layout = self._layout(settings)
        calls = layout.calls if tools else None
        answer = read_call(text) if calls else None
        if calls and answer:
            return self._encode(calls.write(answer.call, answer.text, self._escape) + calls.end)
        if "</think>" not in text:
            text = layout.template.empty_thought + text
        return [*self._encode(text + self._before_end), self.end_id]

    def text(self, ids: Sequence[int], tools: Tools = (), settings: Settings = ()) -> str:
        """Return the text of sampled tokens, without the one that ended them.

        A call in it has the form of `write_call`, whatever that of the template is, and an empty
        thought before it is left out.
        """
        ended = bool(ids) and ids[-1] in self.end_ids
        text_ids = ids[:-1] if ended else ids
        text = str(self.tokenizer.decode(list(text_ids), clean_up_tokenization_spaces=False))
        text = text.removesuffix(self._before_end) if ended else text
        layout = self._layout(settings)
        text = text.removeprefix(layout.template.empty_thought)
        calls = layout.calls if tools else None
        answer = calls.form.read(text) if calls and ended else None
        return text if answer is None else write_call(answer.call, answer.text)

    def _layout(self, settings: Settings) -> _Layout:
        layout = self._layouts.get(settings)
        if layout is None:
            layout = self._layouts[settings] = _Layout(self.tokenizer, settings, self._control)
        return layout

    def _escape(self, text: str) -> str:
        """Return *text* with a space after the first letter of each control token."""
        if self._control is None:
            return text
        return self._control.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)

    def _encode(self, text: str) -> list[int]:
        ids = list(self.tokenizer.encode(text, add_special_tokens=False))
        if self._unknown_id in ids:
            missing = next(
                part
                for part in (*dict.fromkeys(text), text)
                if self._unknown_id in self.tokenizer.encode(part, add_special_tokens=False)
            )
            raise InvalidValueError(
                f"The tokenizer has no token for {missing!r}, so the model cannot be shown it; "
                "take a model whose tokenizer falls back to bytes"
            )
        return ids

    @property
    def _unknown_id(self) -> int | None:
        """The unknown token, unless it is the end or the beginning of a text too (as in GPT-2)."""
        unknown_id = getattr(self.tokenizer, "unk_token_id", None)
        boundary_ids = {self.tokenizer.eos_token_id, self.tokenizer.bos_token_id}
        return None if unknown_id in boundary_ids else unknown_id

    def _place_of_end(self, ids: Sequence[int]) -> int:
        """Return where the token that ends an answer stands in the text after it."""
        if self.end_id in ids:
            return ids.index(self.end_id)
        # an earlier answer may end otherwise than the last one
        special_ids = _special_ids(self.tokenizer)
        return next((place for place, token in enumerate(ids) if token in special_ids), -1)

    def _find_end(self) -> tuple[int, str]:
        """Return the token that ends an answer, and the text that stands between the two.

        Most templates put the end token right after the answer, some a line break first. The last
        answer of a chat decides: some templates end earlier ones by a token that ends a message,
        of which an answer has several.
        """
        eos_id = self.tokenizer.eos_token_id
        if eos_id is None:
            raise InvalidValueError("The tokenizer has no `eos_token`, which ends an answer")
        following = self._template.text_after_answer()
        if following is None:
            return int(eos_id), ""
        special_ids = _special_ids(self.tokenizer)
        for text in (self._template.text_after_last_answer() or "", following):
            end_id = next((token for token in self._encode(text) if token in special_ids), None)
            if end_id is not None:
                before, spelling, _ = text.partition(self.tokenizer.convert_ids_to_tokens(end_id))
                return int(end_id), before if spelling else ""
        raise InvalidValueError(
            f"The chat template ends an answer with {following!r}, in which the tokenizer has "
            "no special token, so sampling could not stop there; add the token that ends an "
            "answer to the tokenizer as a special one, or give it another template"
        )


class _Layout:
    """What a template shows with some settings, as far as it was asked for.

    Args:
        tokenizer: A tokenizer of transformers.
        settings: More variables of the template.
        control: A pattern of the control tokens.
    """

    def __init__(
        self, tokenizer: Tokenizer, settings: Settings, control: re.Pattern[str] | None
    ) -> None:
        self.template = ChatTemplate(tokenizer, settings)
        self.calls: CallLayout | None = None
        """How the template shows calls; None if it has no functions."""
        self._problem = ""
        if control is not None and self.template.has_functions:
            try:
                self.calls = CallLayout(self.template, control)
            except InvalidValueError as error:
                self._problem = str(error)
        self._betweens: dict[bool, Between | None] = {}

    def check_calls(self) -> None:
        """Raise an `InvalidValueError` if the template's form of calls is not known."""
        if self._problem:
            raise InvalidValueError(self._problem)

    def check_appends(self, *, functions: bool = False) -> Between:
        """Return what stands between two answers.

        Raises:
            InvalidValueError: if the template cannot be continued by appending.
        """
        if functions:
            self.check_calls()
        if functions not in self._betweens:
            between = self.template.between_answers(functions=functions)
            appends = not functions or self.calls is None or self.calls.appends(between)
            self._betweens[functions] = between if appends else None
        between = self._betweens[functions]
        if between is None:
            raise InvalidValueError(
                "The chat template shows earlier messages differently once a chat goes on (some "
                "leave out the thoughts of earlier answers), so an episode cannot be one growing "
                "sequence; use a style with `window=0`, or give the tokenizer a template that only "
                "appends"
            )
        return between


def end_tokens(model: Model) -> tuple[int, ...]:
    """Return the end tokens in the model's generation config, which chat models have several of."""
    config = getattr(model, "generation_config", None)
    end_id = getattr(config, "eos_token_id", None)
    ids = end_id if isinstance(end_id, list | tuple) else [end_id]
    return tuple(int(token) for token in ids if token is not None)


def settings_of(style: PromptStyle) -> Settings:
    """Return the variables of the chat template that *style* sets."""
    return tuple(style.chat_template_kwargs)  # type: ignore[arg-type]  # pairs, since __post_init__


def _escaped(message: ChatMessage, escape: Any) -> ChatMessage:  # noqa: ANN401  (text to text)
    content = escape(message["content"])
    if "tool_calls" not in message:
        return {**message, "content": content}
    calls = [
        {**call, "function": {**call["function"], "arguments": _texts(call["function"], escape)}}
        for call in message["tool_calls"]
    ]
    return {**message, "content": content, "tool_calls": calls}


def _texts(function: dict[str, Any], escape: Any) -> dict[str, Any]:  # noqa: ANN401
    arguments = function["arguments"].items()
    return {n: escape(value) if isinstance(value, str) else value for n, value in arguments}


def _special_ids(tokenizer: Tokenizer) -> set[int]:
    """Return the tokens that no text has: those marked as special, and the end of a text."""
    added = getattr(tokenizer, "added_tokens_decoder", {})
    return {
        tokenizer.eos_token_id,
        *(token_id for token_id, token in added.items() if token.special),
        *getattr(tokenizer, "all_special_ids", ()),
    }


def _control_token_pattern(tokenizer: Tokenizer) -> re.Pattern[str] | None:
    """Return a pattern that matches the control tokens of *tokenizer*, if it has any."""
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    spellings = {token.content for token in added if token.special}
    spellings |= set(getattr(tokenizer, "all_special_tokens", ()))
    # the longest first, because a regular expression takes the first alternative that matches
    longest_first = sorted((text for text in spellings if len(text) > 1), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


class ContextBuilder:
    """Builds the contexts of the episodes of a rollout, turn by turn.

    Sampling and demonstrations share this class, so that both have the same layout of tokens.

    Args:
        chat: The format of the chats.
    """

    def __init__(self, chat: ChatFormat) -> None:
        self._chat = chat
        self._ended: dict[int, bool] = {}

    def next(self, request: Request) -> Context:
        """Return the context of the answer to *request*."""
        append = request.style.window is None and request.episode in self._ended
        if append and request.turn > 0:
            return Context(self._continuation(request), starts_sequence=False)
        settings = settings_of(request.style)
        ids = self._chat.opening(request.messages, request.tools, settings)
        return Context(ids, starts_sequence=True)

    def _continuation(self, request: Request) -> list[int]:
        ended, settings = self._ended[request.episode], settings_of(request.style)
        return self._chat.continuation_of_chat(
            request.messages, request.tools, ended=ended, settings=settings
        )

    def record_answer(self, request: Request, ids: Sequence[int]) -> None:
        """Record the answer to *request*."""
        self._ended[request.episode] = bool(ids) and ids[-1] in self._chat.end_ids

    def keep_only(self, live: Sequence[int]) -> None:
        """Forget all episodes but *live*."""
        self._ended = {episode: self._ended[episode] for episode in live if episode in self._ended}
