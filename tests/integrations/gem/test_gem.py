"""GEM plays the expert's episode through the adapter, alone and in a vector of environments."""

from __future__ import annotations

import runpy
from pathlib import Path

import gem
import pytest

from agentgym_gen import Session
from agentgym_gen.agents.prompt import PromptStyle, wrap_action
from agentgym_gen.integrations.gem import register

ENV = "rftgen/TextCraft-easy-v0"
register([ENV, "rftgen/Sokoban-easy-symbols-v0"])


def play(env: gem.Env, seed: int) -> list[tuple[object, ...]]:
    """Play the expert's episode of *seed* and return what came of each turn."""
    env.reset(seed=seed)
    steps = []
    while not steps or not (steps[-1][2] or steps[-1][3]):
        action = env.env.expert_action()
        steps.append(env.step(wrap_action(PromptStyle(), action))[:4])
    return steps


def test_an_episode_is_the_one_of_its_seed() -> None:
    """The first text is that of a `Session`; the same seed gives the same episode."""
    env, other = gem.make(ENV), gem.make(ENV)
    text, info = env.reset(seed=5)
    session = Session(ENV, info["task_id"])

    assert text == session.start()[0]["content"]
    assert play(env, 5) == play(other, 5)
    assert play(env, 5)[-1][1] > 0


def test_a_spawned_environment_goes_on_from_the_same_state() -> None:
    """`spawn(same_state=True)` copies the episode, and the two do not touch each other."""
    env = gem.make("rftgen/Sokoban-easy-symbols-v0", format="action")
    env.reset(seed=2)
    other = env.spawn(same_state=True)
    action = env.env.expert_action()

    assert env.step(action)[:4] == other.step(action)[:4]
    assert env.step("nothing")[0] is not None
    with pytest.raises(ValueError, match="same_state"):
        env.spawn(same_state=True, interface="json")


def test_a_vector_of_environments_is_stepped() -> None:
    """`make_vec` gives each environment its own seed."""
    vector = gem.make_vec([ENV, ENV], seed=1)
    texts, _ = vector.reset()
    observations, rewards, *_ = vector.step(["Action: inventory"] * 2)

    assert texts[0] != texts[1]
    assert len(observations) == len(rewards) == 2


def test_an_unknown_id_is_refused() -> None:
    """By GEM, which knows what was registered."""
    with pytest.raises(ValueError, match="not found"):
        gem.make("rftgen/Nothing-v0")


def test_the_script_of_the_docs_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a program of its own, in which nothing is registered yet."""
    monkeypatch.setattr("gem.envs.registration.ENV_REGISTRY", {})
    runpy.run_path(str(Path(__file__).with_name("gem_episode.py")))
