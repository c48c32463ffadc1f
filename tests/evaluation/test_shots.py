"""Demonstrations of the expert stand before an episode, as earlier turns."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from agentgym_gen import Episode, PromptStyle, Registered, make_text_env, register, run
from agentgym_gen.agents.policy import Completion, RandomPolicy, Request
from agentgym_gen.agents.prompt import ChatMessage
from agentgym_gen.evaluation.shots import NEXT_TASK, Demonstrations, with_shots

ENV, TASK = "rftgen/Corridor-easy-v0", "corridor/easy/test/1"


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


class Recorder(RandomPolicy):
    """Keeps the prompts of the turns."""

    def __init__(self) -> None:
        self.prompts: list[tuple[ChatMessage, ...]] = []

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        self.prompts += [request.messages for request in requests]
        return super().act(requests)


class Concurrent:
    """The same, asked by each episode on its own."""

    def __init__(self) -> None:
        self.inner, self.forgotten = Recorder(), list[int]()
        self.prompts = self.inner.prompts

    def answer(self, request: Request) -> Completion:
        return self.inner.act([request])[0]

    def forget(self, episode: int) -> None:
        self.forgotten.append(episode)


def prompts(
    shots: int, interface: str = "native", **style: object
) -> list[tuple[ChatMessage, ...]]:
    """Return the prompts of an episode with so many demonstrations."""
    policy = Recorder()
    episode = Episode(ENV, TASK, options={"interface": interface})
    shown = with_shots(policy, Demonstrations(shots))
    run([episode], shown, style=PromptStyle(**style))  # type: ignore[arg-type]
    return policy.prompts


@pytest.mark.parametrize("interface", ["native", "symbols+json"])
@pytest.mark.parametrize("shots", [1, 3])
def test_roles_alternate_and_the_rules_come_first(shots: int, interface: str) -> None:
    """Each demonstration is whole, and the episode follows in the same interface."""
    shown = prompts(shots, interface)
    first = shown[0]
    roles = [message["role"] for message in first]

    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    assert sum(NEXT_TASK in message["content"] for message in first) == shots
    assert ('"action"' in first[1]["content"]) == (interface == "symbols+json")
    assert len(shown[1]) == len(first) + 2


def test_the_episode_itself_is_the_same_without_demonstrations() -> None:
    """The messages after the demonstrations are those of the plain prompt."""
    policy = Recorder()
    run([Episode(ENV, TASK)], policy)
    shown = prompts(2)

    assert shown[0][-1]["content"].endswith(f"{NEXT_TASK}\n\n{policy.prompts[0][0]['content']}")
    assert shown[2][-4:] == policy.prompts[2][1:]


def test_demonstrations_depend_on_the_seed_only() -> None:
    """The same seed shows the same, and another seed another."""
    env = make_text_env("rftgen/TextCraft-easy-v0", "test")
    env.reset(options={"task_id": "textcraft/easy/test/1"})
    texts = [Demonstrations(1, seed).messages(env, PromptStyle()) for seed in (0, 0, 1)]

    assert texts[0] == texts[1] != texts[2]


def test_a_window_limits_the_episode_and_not_the_demonstrations() -> None:
    """With a window of no turns, every prompt has the demonstrations and one observation."""
    shown = prompts(1, window=0)

    assert len({len(prompt) for prompt in shown}) == 1
    assert len(shown[0]) > 2


def test_a_concurrent_policy_stays_one() -> None:
    """It is asked by each episode on its own, and told which are over."""
    policy = Concurrent()
    run([Episode(ENV, TASK), Episode(ENV, TASK, 1)], with_shots(policy, Demonstrations(1)))

    assert NEXT_TASK in "".join(message["content"] for message in policy.prompts[0])
    assert sorted(policy.forgotten) == [0, 1]
