"""Environments are made again from what describes them, and misspelt keywords are explained."""

import gymnasium
import pytest
from gymnasium.envs.registration import EnvSpec

from agentgym_gen import Randomized
from agentgym_gen.errors import InvalidValueError, UnknownNameError


@pytest.mark.parametrize("interface", [Randomized({"syntax": ["json", "call"]}), "random"])
def test_a_spec_with_a_sampled_interface_survives_json(interface: object) -> None:
    """The environment that its JSON makes plays the same interfaces."""
    env = gymnasium.make("rftgen/TextCraft-easy-v0", interface=interface)
    again = gymnasium.make(EnvSpec.from_json(env.spec.to_json()))

    assert [again.reset(seed=n) for n in range(5)] == [env.reset(seed=n) for n in range(5)]


@pytest.mark.parametrize("env_id", ["rftgen/ALFWorld-easy-v0", "rftgen/SearchQA-easy-v0"])
def test_a_misspelt_keyword_suggests_the_nearest_name(env_id: str) -> None:
    """Those of the environment and those of its world are suggested alike."""
    with pytest.raises(
        UnknownNameError, match="keyword argument 'max_turn'; did you mean 'max_turns'"
    ):
        gymnasium.make(env_id, max_turn=3)
    with pytest.raises(UnknownNameError, match=r"keyword argument 'xyzzy'\. Known: "):
        gymnasium.make(env_id, xyzzy=3)


def test_a_task_that_is_named_twice_is_an_error() -> None:
    """A list of tasks holds each once, as a file of tasks does."""
    tasks = ["textcraft/easy/train/1", "textcraft/easy/train/2", "textcraft/easy/train/1"]
    with pytest.raises(InvalidValueError, match="'textcraft/easy/train/1' stands twice in"):
        gymnasium.make("rftgen/TextCraft-easy-v0", tasks=tasks)
