"""From chat messages to tokens, without ever tokenizing again what was sampled.

A model's chat template is rendered for the beginning of a chat, and for the text between one answer
and the next. A template that renders an earlier message differently later (some drop past thoughts)
cannot be continued by appending: it is refused, unless every turn starts a sequence of its own.

The content of a message is only text: where it spells a control token, such as the one that ends a
message, a space is put into it, so that no observation can begin or end a message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from agentgym_gen.agents.policy import Request
from agentgym_gen.agents.prompt import ChatMessage
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.models.chat_template import Between, ChatTemplate
from agentgym_gen.trainers.models.types import Tokenizer


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

    Raises:
        InvalidValueError: if the tokenizer has no end token, or its chat template ends an answer
            with none.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._template = ChatTemplate(tokenizer)
        self._control = _control_token_pattern(tokenizer)
        self._between = self._template.between_answers()
        self.end_id, self._before_end = self._find_end()
        """The token that ends an answer."""
        self.end_ids = frozenset({self.end_id, tokenizer.eos_token_id} - {None})
        """The tokens at which sampling stops."""

    @property
    def pad_id(self) -> int:
        """The token that pads rows; any token does, because padding is masked."""
        pad = self.tokenizer.pad_token_id
        return int(self.end_id if pad is None else pad)

    def opening(self, messages: Sequence[ChatMessage]) -> list[int]:
        """Return the tokens of a chat up to the place where the answer begins."""
        escaped: list[ChatMessage] = [
            {"role": message["role"], "content": self._escape(message["content"])}
            for message in messages
        ]
        return self._encode(self._template.render(escaped))

    def continuation(self, observation: str, *, ended: bool) -> list[int]:
        """Return the tokens between an answer and the next.

        Args:
            observation: The content of the message between them.
            ended: Whether the answer's last token was one that ends it.

        Raises:
            InvalidValueError: if the template cannot be continued by appending.
        """
        ids = self._encode(self.check_appends().text(self._escape(observation)))
        # the end token, and any space before it, were sampled already
        return ids[ids.index(self.end_id) + 1 :] if ended else ids

    def check_appends(self) -> Between:
        """Return what stands between two answers.

        Raises:
            InvalidValueError: if the template cannot be continued by appending.
        """
        if self._between is None:
            raise InvalidValueError(
                "The chat template shows earlier messages differently once a chat goes on (some "
                "leave out the thoughts of earlier answers), so an episode cannot be one growing "
                "sequence; use a style with `window=0`, or give the tokenizer a template that only "
                "appends"
            )
        return self._between

    def answer(self, text: str) -> list[int]:
        """Return the tokens of a demonstrated answer, its end included."""
        return [*self._encode(text + self._before_end), self.end_id]

    def text(self, ids: Sequence[int]) -> str:
        """Return the text of sampled tokens, without the one that ended them."""
        ended = bool(ids) and ids[-1] in self.end_ids
        text_ids = ids[:-1] if ended else ids
        text = str(self.tokenizer.decode(list(text_ids), clean_up_tokenization_spaces=False))
        return text.removesuffix(self._before_end) if ended else text

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

    def _find_end(self) -> tuple[int, str]:
        """Return the token that ends an answer, and the text that stands between the two.

        Most templates put the end token right after the answer, some a line break first.
        """
        eos_id = self.tokenizer.eos_token_id
        if eos_id is None:
            raise InvalidValueError("The tokenizer has no `eos_token`, which ends an answer")
        following = self._template.text_after_answer()
        if following is None:
            return int(eos_id), ""
        special_ids = _special_ids(self.tokenizer)
        end_id = next((token for token in self._encode(following) if token in special_ids), None)
        if end_id is None:
            raise InvalidValueError(
                f"The chat template ends an answer with {following!r}, in which the tokenizer has "
                "no special token, so sampling could not stop there; add the token that ends an "
                "answer to the tokenizer as a special one, or give it another template"
            )
        before, spelling, _ = following.partition(self.tokenizer.convert_ids_to_tokens(end_id))
        return int(end_id), before if spelling else ""


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
            observation = request.messages[-1]["content"]
            ended = self._ended[request.episode]
            return Context(self._chat.continuation(observation, ended=ended), starts_sequence=False)
        return Context(self._chat.opening(request.messages), starts_sequence=True)

    def record_answer(self, request: Request, ids: Sequence[int]) -> None:
        """Record the answer to *request*."""
        self._ended[request.episode] = bool(ids) and ids[-1] in self._chat.end_ids

    def keep_only(self, live: Sequence[int]) -> None:
        """Forget all episodes but *live*."""
        self._ended = {episode: self._ended[episode] for episode in live if episode in self._ended}
