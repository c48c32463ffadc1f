"""The record of one episode: its turns as text, and as append-only token sequences."""

from __future__ import annotations

from dataclasses import dataclass

from agentgym_gen.agents.policy import Completion

__all__ = ["TokenSequence", "Trajectory", "Turn"]


@dataclass(frozen=True)
class Turn:
    """One observation, the completion that answered it, and the result."""

    observation: str
    """The observation before the action."""
    completion: Completion
    """The policy's answer."""
    action: str
    """The action taken out of the completion, or the text in which there is none."""
    reward: float
    """The reward of the step."""
    valid: bool
    """Whether the action could be carried out."""
    lenient: bool = False
    """Whether only the lenient reader could read it (`PromptStyle.reader`)."""


@dataclass(frozen=True)
class TokenSequence:
    """A sequence of tokens of one episode, as it was generated; nothing is tokenised again.

    The four tuples have one entry per token.
    """

    ids: tuple[int, ...]
    """The tokens, context and actions in the order in which the model read or sampled them."""
    action_mask: tuple[bool, ...]
    """True exactly at the tokens that the policy sampled."""
    logprobs: tuple[float, ...]
    """The sampled log-probability at action tokens, 0 elsewhere."""
    turns: tuple[int, ...]
    """The number of the turn whose context or action the token belongs to."""


@dataclass(frozen=True)
class Trajectory:
    """One episode."""

    env_id: str
    """The environment's registered id."""
    task_id: str
    """The task."""
    interface: str
    """The interface, as `Interface` prints itself."""
    sample: int
    """Which of the episodes of this task it is."""
    turns: tuple[Turn, ...]
    """The turns, from the first."""
    last_observation: str
    """The observation after the last turn."""
    success: bool
    """Whether the goal was reached."""
    score: float
    """How much of the task was done, 0 to 1."""
    end_reason: str
    """Why it ended, a value of `EndReason`."""
    error: str = ""
    """What went wrong, in one sentence, where the policy gave no answer."""

    @property
    def total_reward(self) -> float:
        """The sum of the rewards."""
        return sum(turn.reward for turn in self.turns)

    @property
    def invalid_turns(self) -> int:
        """How many turns had an action that could not be carried out."""
        return sum(not turn.valid for turn in self.turns)

    @property
    def truncated_turns(self) -> int:
        """How many turns had a completion that ran into the limit of new tokens."""
        return sum(turn.completion.truncated for turn in self.turns)

    @property
    def lenient_turns(self) -> int:
        """How many turns had an action that only the lenient reader could read."""
        return sum(turn.lenient for turn in self.turns)

    @property
    def action_tokens(self) -> int:
        """How many tokens the policy sampled."""
        return sum(len(turn.completion.action_ids) for turn in self.turns)

    def sequences(self) -> tuple[TokenSequence, ...]:
        """Return the tokens: one sequence, or one per turn when the prompt has a window.

        A sequence without an answer, of a policy that has no tokens, is left out. An empty answer
        within one leaves what the policy has read before it.
        """
        grouped: list[list[tuple[int, Completion]]] = []
        for number, turn in enumerate(self.turns):
            if turn.completion.starts_sequence or not grouped:
                grouped.append([])
            grouped[-1].append((number, turn.completion))
        return tuple(
            _join(group)
            for group in grouped
            if any(completion.action_ids for _, completion in group)
        )


def _join(group: list[tuple[int, Completion]]) -> TokenSequence:
    ids: list[int] = []
    mask: list[bool] = []
    logprobs: list[float] = []
    turns: list[int] = []
    for number, completion in group:
        ids += [*completion.context_ids, *completion.action_ids]
        mask += [False] * len(completion.context_ids) + [True] * len(completion.action_ids)
        logprobs += [*([0.0] * len(completion.context_ids)), *completion.logprobs]
        turns += [number] * (len(completion.context_ids) + len(completion.action_ids))
    return TokenSequence(tuple(ids), tuple(mask), tuple(logprobs), tuple(turns))
