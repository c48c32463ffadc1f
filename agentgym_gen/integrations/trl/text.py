"""Episodes of agents that think and act in text, for ``rollout_func`` of TRL."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentgym_gen.agents import Completion, PromptStyle, Session
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.integrations.rows import (
    RESULTS,
    EnvCache,
    check_reward,
    open_session,
    result_metrics,
)
from agentgym_gen.world import EndReason

if TYPE_CHECKING:
    from agentgym_gen.trainers.models.chat import ChatFormat

__all__ = ["RolloutFunc", "episode_reward", "rollout_func"]


class RolloutFunc:
    """Plays one episode for each prompt; `rollout_func` makes one."""

    def __init__(self, style: PromptStyle, reward: str) -> None:
        self._style, self._reward = style, reward
        self._envs: list[EnvCache] = []

    def __call__(self, prompts: Sequence[Any], trainer: Any) -> dict[str, Any]:
        """Return the tokens of the episodes, and the columns that `episode_reward` reads.

        Args:
            prompts: Values of the column ``prompt`` of `dataset`.
            trainer: The trainer, which samples on the engine that it is configured for.

        Raises:
            InvalidValueError: if the prompts are not those of `dataset`, or the first one does not
                fit the model.
        """
        from agentgym_gen.trainers.models.chat import ChatFormat

        chat = ChatFormat(trainer.processing_class)
        room = trainer.max_completion_length or sys.maxsize
        context = _context_length(trainer)
        sessions = [self._open(number, prompt) for number, prompt in enumerate(prompts)]
        episodes = [_Episode(session, chat, room, context) for session in sessions]
        while active := [episode for episode in episodes if not episode.session.done]:
            contexts = [episode.prompt_ids + episode.ids for episode in active]
            sampled, logprobs = trainer._generate_single_turn(contexts, None, {}, num_generations=1)
            for number, episode in enumerate(active):
                episode.take(sampled[number], logprobs[number] if logprobs else None)
        results = [session.result() for session in sessions]
        metrics = [result_metrics(result) for result in results]
        return {
            "prompt_ids": [episode.prompt_ids for episode in episodes],
            "completion_ids": [episode.ids for episode in episodes],
            "env_mask": [episode.mask for episode in episodes],
            "logprobs": None if logprobs is None else [episode.logprobs for episode in episodes],
            "episode_reward": [result.reward for result in results],
            **{name: [row[name] for row in metrics] for name in RESULTS},
        }

    def _open(self, number: int, prompt: Any) -> Session:
        while len(self._envs) <= number:
            self._envs.append({})
        try:
            row = json.loads(prompt[-1]["task"])
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidValueError(
                f"A prompt is one of `agentgym_gen.integrations.trl.dataset`, not {prompt!r:.200}"
            ) from error
        return open_session(row, style=self._style, reward=self._reward, envs=self._envs[number])


def _context_length(trainer: Any) -> int:
    """Return how many tokens a sequence of the model may have, on the engine of *trainer*."""
    config = trainer.model.config.get_text_config()
    limits = (
        getattr(config, "max_position_embeddings", None),
        getattr(trainer.args, "vllm_max_model_length", None) if trainer.use_vllm else None,
    )
    return min(limit or sys.maxsize for limit in limits)


class _Episode:
    """An episode and its tokens, which only grow: none is tokenized twice."""

    def __init__(self, session: Session, chat: ChatFormat, room: int, context: int) -> None:
        from agentgym_gen.trainers.models.chat import settings_of

        self.session, self._chat, self._settings = session, chat, settings_of(session.style)
        self.prompt_ids = chat.opening(session.start(), session.tools, self._settings)
        if len(self.prompt_ids) >= context:
            raise InvalidValueError(
                f"The first prompt has {len(self.prompt_ids)} tokens, and the context of the model "
                f"has {context}; take a model with a longer one"
            )
        self._room = min(room, context - len(self.prompt_ids))
        self.ids: list[int] = []
        self.mask: list[int] = []
        self.logprobs: list[float] = []

    def take(self, sampled: list[int], logprobs: list[float] | None) -> None:
        """Take the turn that was sampled, and append what the next one answers."""
        answer = sampled[: self._room - len(self.ids)]
        self._append(answer, 1, logprobs)
        ended = answer[-1] in self._chat.end_ids
        if len(self.ids) == self._room and not ended:
            self.session.end(EndReason.CONTEXT_LIMIT)
            return
        tools, settings = self.session.tools, self._settings
        completion = Completion(self._chat.text(answer, tools, settings), truncated=not ended)
        reply = self.session.reply(completion)
        if reply.done:
            return
        between = self._chat.continuation_of_chat(
            self.session.messages, tools, ended=ended, settings=settings
        )
        if len(self.ids) + len(between) < self._room:
            self._append(between, 0, None)
        else:
            self.session.end(EndReason.CONTEXT_LIMIT)

    def _append(self, ids: list[int], mask: int, logprobs: list[float] | None) -> None:
        self.ids += ids
        self.mask += [mask] * len(ids)
        self.logprobs += logprobs[: len(ids)] if logprobs else [0.0] * len(ids)


def rollout_func(*, style: PromptStyle | None = None, reward: str = "success") -> RolloutFunc:
    """Return the ``rollout_func`` of a `GRPOTrainer`; its ``reward_funcs`` is `episode_reward`.

    Args:
        style: How an episode becomes a prompt; it has no window, because a completion of TRL is one
            growing sequence.
        reward: ``success``, ``score`` or ``return``, as in `Session`.

    Raises:
        InvalidValueError: if the style has a window.
        UnknownNameError: if there is no such kind of reward.
    """
    style = style or PromptStyle()
    if style.window is not None:
        raise InvalidValueError(
            f"A completion of TRL is one growing sequence, so `window` is None, not {style.window}"
        )
    check_reward(reward)
    return RolloutFunc(style, reward)


def episode_reward(*, episode_reward: list[float], **columns: Any) -> list[float]:
    """Return the rewards that `rollout_func` recorded, and log how the episodes went.

    Args:
        episode_reward: The reward of each episode.
        columns: Whatever else TRL gives to a reward function.
    """
    for name in RESULTS:
        values = columns[name]
        columns["log_metric"](f"episode/{name}", sum(values) / len(values))
    return episode_reward
