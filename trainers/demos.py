"""Demonstrations: episodes of an expert, with the tokens that a model would have sampled.

Here too: which tasks a training samples, and the texts that a vocabulary is made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agentgym_gen.agents.policy import Completion, ExpertPolicy, Policy, Request
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.env.making import sample_task_ids
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.seeding import stream
from agentgym_gen.trainers.models.chat import ChatFormat, ContextBuilder, settings_of
from agentgym_gen.trainers.models.types import Tokenizer

__all__ = [
    "VOCABULARY_EPISODES",
    "Demonstrator",
    "demonstrations",
    "expert_texts",
    "sample_episodes",
    "vocabulary_texts",
]


class Demonstrator:
    """Acts as another policy does, and adds the tokens in the layout of `ModelPolicy`.

    Args:
        policy: The other policy.
        tokenizer: The tokenizer of the model that will be trained.
    """

    def __init__(self, policy: Policy, tokenizer: Tokenizer) -> None:
        self._policy = policy
        self._chat = ChatFormat(tokenizer)
        self._contexts = ContextBuilder(self._chat)

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return a completion for each of *requests*, in their order."""
        completions = self._policy.act(requests)
        return [
            self._tokenize(request, completion.text)
            for request, completion in zip(requests, completions, strict=True)
        ]

    def _tokenize(self, request: Request, text: str) -> Completion:
        context = self._contexts.next(request)
        settings = settings_of(request.style)
        ids = self._chat.answer(text, request.tools, settings)
        self._contexts.record_answer(request, ids)
        return Completion(
            text,
            tuple(context.ids),
            tuple(ids),
            (0.0,) * len(ids),
            starts_sequence=context.starts_sequence,
        )


def demonstrations(
    envs: Sequence[str],
    tokenizer: Tokenizer,
    style: PromptStyle,
    *,
    number: int,
    seed: int = 0,
    epsilon: float = 0.0,
) -> list[Trajectory]:
    """Play *number* training tasks with the experts of *envs*; return the successful episodes.

    With *epsilon*, all are returned: they show what may be done, and not only what is best.

    Args:
        envs: Ids of environments; each gets the same share.
        tokenizer: The tokenizer of the model that will be trained.
        style: How prompts are written.
        number: How many episodes are played.
        seed: The root of the choice of tasks, and of actions at random.
        epsilon: The probability of a turn at random; see `ExpertPolicy`.

    Raises:
        InvalidValueError: if there is no environment, or *epsilon* is no probability.
    """
    policy = Demonstrator(ExpertPolicy(epsilon), tokenizer)
    trajectories = run(sample_episodes(envs, "train", number, seed), policy, style=style, seed=seed)
    return [trajectory for trajectory in trajectories if epsilon or trajectory.success]


def expert_texts(
    envs: Sequence[str], style: PromptStyle, *, number: int, seed: int = 0
) -> list[str]:
    """Return the texts of *number* episodes of the experts of *envs*, for `build_tiny`."""
    trajectories = run(sample_episodes(envs, "train", number, seed), ExpertPolicy(), style=style)
    texts: list[str] = []
    for trajectory in trajectories:
        for turn in trajectory.turns:
            texts += [turn.observation, turn.completion.text]
        texts.append(trajectory.last_observation)
    return texts


VOCABULARY_EPISODES = 200
"""How many expert episodes of each environment make the vocabulary of ``rftgen-tiny``."""


def vocabulary_texts(envs: Sequence[str], style: PromptStyle, seed: int) -> list[str]:
    """Return the texts from which ``rftgen-tiny`` makes its vocabulary for *envs*."""
    texts: list[str] = []
    for env_id in envs:
        texts += expert_texts([env_id], style, number=VOCABULARY_EPISODES, seed=seed)
    return texts


def sample_episodes(
    envs: Sequence[str],
    split: str,
    number: int,
    seed: int,
    options: Mapping[str, Any] | None = None,
) -> list[Episode]:
    """Return *number* episodes, shared by *envs*; tasks repeat only if there are too few.

    Args:
        envs: Ids of environments; each gets the same share.
        split: The split that the tasks are from.
        number: How many episodes.
        seed: The root of the choice of tasks.
        options: Keyword arguments of the environments, such as ``interface``.

    Raises:
        InvalidValueError: if there is no environment.
    """
    if not envs:
        raise InvalidValueError("No environment was given; `envs` is a list of ids")
    episodes: list[Episode] = []
    for index, env_id in enumerate(envs):
        # the first ones get one more each, until the remainder is shared out
        share = number // len(envs) + (index < number % len(envs))
        rng = stream("episodes", env_id, split, entropy=seed)
        task_ids = sample_task_ids(env_id, split, share, rng, options)
        episodes += [Episode(env_id, task_id, options=options or {}) for task_id in task_ids]
    return episodes
