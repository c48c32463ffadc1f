"""Demonstrations of the expert stand before an episode, as earlier turns."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from agentgym_gen import (
    Episode,
    PromptStyle,
    Registered,
    Session,
    make_text_env,
    register,
    run,
)
from agentgym_gen.agents.policy import Completion, RandomPolicy, Request
from agentgym_gen.agents.prompt import ChatMessage
from agentgym_gen.evaluation import EvalSettings
from agentgym_gen.evaluation.cost import CHARS_PER_TOKEN, count_cost
from agentgym_gen.evaluation.results import Column
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


def test_a_system_message_stands_once_at_the_start() -> None:
    """It is neither repeated nor pasted into a message of the user."""
    first = prompts(2, system="Be brief.")[0]
    roles = [message["role"] for message in first]

    assert roles == ["system", *["user", "assistant"] * (len(roles) // 2 - 1), "user"]
    assert [m["role"] for m in first if "Be brief." in m["content"]] == ["system"]


def test_demonstrations_have_calls_of_functions() -> None:
    """Each call has an id of its own, which its observation answers, as in the episode."""
    prompt = prompts(2, format="functions")[1]
    ids = [call["id"] for message in prompt for call in message.get("tool_calls", ())]
    answered = [message.get("tool_call_id") for message in prompt if message["role"] == "tool"]

    assert len(ids) == len(set(ids)) > 2
    assert ids == answered
    assert sum(NEXT_TASK in message["content"] for message in prompt) == 2


@pytest.mark.parametrize("form", ["functions", "function_calling"])
def test_demonstrations_open_as_the_episode_does(form: str) -> None:
    """The rules of the functions and their list are the same, whatever the syntax of actions."""
    first = prompts(1, "json", format=form, instruction=True)[0]
    session = Session(ENV, TASK, style=PromptStyle(form), options={"interface": "json"})
    rules = session.start()[0]["content"].removesuffix(session.observation)

    assert len(rules) > 100
    assert first[0]["content"].startswith(rules)


@pytest.mark.parametrize("fields", [{"format": "function_calling"}, {"system": "Be brief."}])
def test_the_cost_counts_the_first_prompt(fields: dict[str, str]) -> None:
    """A system message and the list of functions are a part of it."""
    style = PromptStyle(**fields)  # type: ignore[arg-type]
    column = Column(ENV, "native", (TASK,))
    cost = count_cost([column], column.episode_keys(), EvalSettings(style=style, max_turns=1))
    messages = Session(ENV, TASK, style=style).start()

    assert cost.tokens_in == round(sum(len(m["content"]) for m in messages) / CHARS_PER_TOKEN)


def test_demonstrations_depend_on_the_seed_only() -> None:
    """The same seed shows the same, and another seed another."""
    env = make_text_env("rftgen/TextCraft-easy-v0", "test")
    env.reset(options={"task_id": "textcraft/easy/test/1"})
    texts = [Demonstrations(1, seed).messages(env, PromptStyle()) for seed in (0, 0, 1)]

    assert texts[0] == texts[1] != texts[2]


def test_demonstrations_have_the_options_of_the_episode() -> None:
    """Before a question about invented facts stand such questions, and before others others."""
    shown: dict[str, str] = {}
    demonstrations = Demonstrations(1)
    for query in ("", "?facts=invented", "?k=1"):
        env = make_text_env(f"rftgen/SearchQA-easy-v0{query}", "test")
        env.reset(seed=0)
        messages = demonstrations.messages(env, PromptStyle("action"))
        shown[query] = "\n".join(message["content"] for message in messages)

    assert len(set(shown.values())) == 3
    assert "Doc 2(" not in shown["?k=1"]


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
