"""BabyAI with `compat="original"`: what AgentGym and BALROG do with steps, rewards and texts."""

import copy
import json
import pathlib
from typing import Any

import pytest
from babyai_play import (
    act,
    admissible_texts,
    make_task,
    make_world,
    minigrid_env,
    native,
    reply,
)

from agentgym_gen import TextEnv
from agentgym_gen.envs.babyai import BabyAI
from agentgym_gen.envs.babyai.wordings import agentgym
from agentgym_gen.seeding import stream
from agentgym_gen.testing import check_world
from agentgym_gen.world import EndReason, Malformed
from tools import babyai_golden

GOLDEN = pathlib.Path(__file__).parent / "golden" / "babyai_agentgym.json"
WALKS = json.loads(GOLDEN.read_text("utf-8"))["walks"]


def late_success() -> tuple[TextEnv, float]:
    """Return the original's episode after a success that pays 0.5 or less, and what it paid."""
    env = TextEnv(BabyAI(compat="original"), tier="easy", max_turns=60)
    env.world.tasks.find = lambda task_id: make_task("GoToObjS6", 0)  # type: ignore[method-assign]
    env.reset(options={"task_id": "babyai/easy/train/0"})
    for _ in range(20):
        env.step("turn right")
    _, reward, terminated, _, _ = env.step("go to blue key 1")
    assert 0 < reward <= 0.5
    assert not terminated
    return env, float(reward)


@pytest.mark.parametrize("text", ["sing a song", "", "...", "drop", "check available actions"])
def test_every_text_after_a_late_success_is_paid_again(text: str) -> None:
    """AgentGym pays the last reward for whatever is not carried out, malformed or not."""
    env, paid = late_success()

    assert [env.step(text)[1] for _ in range(2)] == [paid, paid]


def test_a_step_that_earns_nothing_ends_the_payments() -> None:
    """After a turn away from the goal nothing is paid; nor is it after a reset."""
    env, paid = late_success()
    assert env.step("turn left")[1] == 0
    assert env.step("sing a song")[1] == 0

    env, paid = late_success()
    env.reset(options={"task_id": "babyai/easy/train/0"})
    assert paid > 0
    assert env.step("sing a song")[1] == 0


@pytest.mark.parametrize(("column", "value"), [(2, 0.4), (3, True)])
def test_the_golden_walks_hold_ours_to_the_rewards_of_malformed_texts(
    column: int, value: object
) -> None:
    """A recorded reward or end of a malformed text that ours does not have is a difference."""
    text = "pick up red ball 1"
    walk: dict[str, Any] = next(
        walk for walk in WALKS if any(row[0] == text for row in walk["steps"])
    )
    assert babyai_golden.difference(walk) is None

    changed = copy.deepcopy(walk)
    next(row for row in changed["steps"] if row[0] == text)[column] = value
    assert repr(text) in str(babyai_golden.difference(changed))


@pytest.mark.parametrize("seed", [25, 43, 53])
def test_a_macro_action_ends_where_the_picture_stays_the_same(seed: int) -> None:
    """AgentGym's loop, played in minigrid with its pictures, leads where ours does."""
    level = "KeyCorridorS6R3"
    env, world = minigrid_env(level, seed), make_world(level, seed, compat="original")
    rng = stream("macro", f"{level} {seed}")
    picture, stopped_early = env.gen_obs()["image"], 0
    for _ in range(40):
        listed = dict(world._admissible.actions)
        macros = [command for command, actions in listed.items() if len(actions) > 1]
        single = [command for command, actions in listed.items() if actions]
        pool = macros if rng.random() < 0.6 and macros else single
        command = pool[int(rng.integers(len(pool)))]
        for action in listed[command]:
            before, pose = picture, (tuple(env.agent_pos), env.agent_dir)
            observation, reward, *_ = env.step(action)
            picture = observation["image"]
            if (before == picture).all():
                stopped_early += pose != (tuple(env.agent_pos), env.agent_dir)
                break
        outcome = world.step(command)
        x, y = env.agent_pos
        assert world._game.pose == (x, y, env.agent_dir), command
        assert (world.info()["steps"], outcome.reward) == (env.step_count, reward), command
        if outcome.end is not None:
            break
    assert stopped_early


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
        compared_tasks=1,
        options={"wording": "balrog", "compat": "original"},
    )
