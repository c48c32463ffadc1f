"""BabyAI with `compat="original"`: what AgentGym and BALROG do with steps, rewards and texts."""

import json
import pathlib

import pytest
from babyai_play import (
    act,
    admissible_texts,
    make_world,
    native,
    reply,
)

from agentgym_gen.envs.babyai.wordings import agentgym
from agentgym_gen.testing import check_world
from agentgym_gen.world import EndReason, Malformed

GOLDEN = pathlib.Path(__file__).parent / "golden" / "babyai_agentgym.json"
WALKS = json.loads(GOLDEN.read_text("utf-8"))["walks"]


@pytest.mark.parametrize("compat", ["fixed", "original"])
@pytest.mark.parametrize("text", ["turn left.", '"turn left"', "`Turn  left`!", "[[ turn left ]]"])
def test_punctuation_does_not_matter(text: str, compat: str) -> None:
    """AgentGym's client keeps letters, digits, spaces and commas only."""
    world = make_world("PickupLoc", 3, compat=compat)

    assert act(world, text).valid
    assert world.info()["steps"] == 1
    assert act(world, "**turn right**").valid
    assert act(world, "'pickup red box 1'.").valid


@pytest.mark.parametrize("compat", ["fixed", "original"])
def test_nothing_is_left_of_punctuation(compat: str) -> None:
    """A text of punctuation only reaches AgentGym as an empty one."""
    world = make_world("PickupLoc", 3, compat=compat)
    malformed = world.read("?!")

    assert isinstance(malformed, Malformed)
    assert world.invalid_reply(malformed) == (agentgym.NO_CHANGE,)
    assert isinstance(world.read("turn_left"), Malformed)


def test_every_action_costs_a_step_in_balrog() -> None:
    """BALROG passes all six actions to minigrid, so ten that change nothing lower the reward."""
    rewards = []
    for idle_turns in (0, 10):
        world = make_world("GoToRedBallNoDists", 0, "balrog", "original")
        for _ in range(idle_turns):
            outcome = act(world, "pick up")
            assert (outcome.valid, outcome.reward, outcome.end) == (True, 0.0, None)
        assert world.info()["steps"] == idle_turns
        plan = world.expert_plan() or ()
        rewards.append([world.step(command) for command in plan][-1].reward)
        assert rewards[-1] == pytest.approx(1 - 0.9 * (idle_turns + len(plan)) / 64)

    assert rewards[1] == pytest.approx(rewards[0] - 0.9 * 10 / 64)


def test_idle_actions_reach_the_step_limit_in_balrog() -> None:
    """The episode is over when minigrid's 64 steps are used up, by whatever actions."""
    world = make_world("GoToRedBallNoDists", 0, "balrog", "original")
    ends = [act(world, "toggle").end for _ in range(64)]

    assert ends == [None] * 63 + [EndReason.TURN_LIMIT]
    assert world.info()["steps"] == world.info()["max_steps"] == 64


def test_all_six_actions_are_admissible_in_balrog() -> None:
    """The original refuses none of its actions; ours lists those that change something."""
    fixed, original = (
        make_world("GoToObjS6", 2, "balrog", compat) for compat in ("fixed", "original")
    )

    assert admissible_texts(fixed) == ["turn left", "turn right"]
    assert admissible_texts(original) == [verb.template for verb in original.verbs]


def test_an_idle_action_does_not_change_an_article() -> None:
    """BALROG's `a open red door` stays when there is nothing to drop."""
    world = make_world("OpenRedDoor", 3, "balrog", "original")
    for text in ("turn left", "go forward", "toggle"):
        opened = native(world, act(world, text).scene.message)

    assert opened.endswith("a open red door 1 step forward")
    assert reply(world, "drop") == opened


@pytest.mark.slow
def test_balrogs_original_keeps_the_contract() -> None:
    """All checks of the contract hold for BALROG's wording with its faults."""
    check_world(
        "agentgym_gen.envs.babyai:BabyAI",
        tasks_per_split=1,
        options={"wording": "balrog", "compat": "original"},
    )
