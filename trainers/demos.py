"""Demonstrations: episodes of an expert, with the tokens that a model would have sampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agentgym_gen.agents.policy import Completion, ExpertPolicy, Policy, Request
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, draw_task_ids, run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.seeding import stream
from agentgym_gen.trainers.models.chat import ChatFormat, ContextBuilder
from agentgym_gen.trainers.models.types import Tokenizer


class Demonstrator:
    """Says what another policy says, with the tokens in the layout of `ModelPolicy`.

    Args:
        policy: Who acts.
        tokenizer: The tokenizer of the model that is to learn.
    """

    def __init__(self, policy: Policy, tokenizer: Tokenizer) -> None:
        self._policy = policy
        self._chat = ChatFormat(tokenizer)
        self._contexts = ContextBuilder(self._chat)

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return a completion for each of *requests*, in their order."""
        said = self._policy.act(requests)
        return [
            self._tokenise(request, completion.text)
            for request, completion in zip(requests, said, strict=True)
        ]

    def _tokenise(self, request: Request, text: str) -> Completion:
        context = self._contexts.next(request)
        ids = self._chat.answer(text)
        self._contexts.record_answer(request, ids)
        return Completion(
            text, tuple(context.ids), tuple(ids), (0.0,) * len(ids), fresh=context.starts_sequence
        )


def demonstrations(
    envs: Sequence[str],
    tokenizer: Tokenizer,
    style: PromptStyle,
    *,
    number: int,
    seed: int = 0,
) -> list[Trajectory]:
    """Return *number* successful episodes of the experts of *envs*, training tasks only.

    Args:
        envs: Ids of environments; each gets the same share.
        tokenizer: The tokenizer of the model that is to learn.
        style: How episodes are put to it.
        number: How many episodes.
        seed: Which tasks.

    Raises:
        InvalidValueError: if there is no environment.
    """
    policy = Demonstrator(ExpertPolicy(), tokenizer)
    played = run(sample_episodes(envs, "train", number, seed), policy, style=style, seed=seed)
    return [trajectory for trajectory in played if trajectory.success]


def expert_texts(
    envs: Sequence[str], style: PromptStyle, *, number: int, seed: int = 0
) -> list[str]:
    """Return the texts of *number* episodes of the experts of *envs*, for `build_tiny`."""
    played = run(sample_episodes(envs, "train", number, seed), ExpertPolicy(), style=style)
    texts: list[str] = []
    for trajectory in played:
        for turn in trajectory.turns:
            texts += [turn.observation, turn.completion.text]
        texts.append(trajectory.last_observation)
    return texts


def sample_episodes(
    envs: Sequence[str],
    split: str,
    number: int,
    seed: int,
    options: Mapping[str, Any] | None = None,
) -> list[Episode]:
    """Return *number* episodes, each of another task while there are enough, shared by *envs*.

    Args:
        envs: Ids of environments; each gets the same share.
        split: Which tasks.
        number: How many episodes.
        seed: Which of the tasks.
        options: Keyword arguments of the environments, such as ``interface``.

    Raises:
        InvalidValueError: if there is no environment.
    """
    if not envs:
        raise InvalidValueError("No environment was given; `envs` is a list of ids")
    episodes: list[Episode] = []
    for place, env_id in enumerate(envs):
        share = number // len(envs) + (place < number % len(envs))
        rng = stream("episodes", env_id, split, entropy=seed)
        drawn = draw_task_ids(env_id, split, share, rng, options)
        episodes += [Episode(env_id, task, options=options or {}) for task in drawn]
    return episodes
