"""Attacks on the reward near a success: at the last step, after it, and by long walks."""

from collections.abc import Iterator

import numpy as np
import pytest

from agentgym_gen import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import BUNDLED, ENVIRONMENTS
from agentgym_gen.envs.sokoban import Sokoban
from agentgym_gen.errors import EpisodeOverError
from agentgym_gen.seeding import stream

NAMES = [environment.name for environment in BUNDLED]
SLOW_NAMES = {"TextWorld"}
MARKED_NAMES = [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW_NAMES)) for n in NAMES]
NO_TURN_LIMIT = 10**6

FINDS_ACTIONS_IN_PROSE = {
    ("Sokoban", "native"): "finds one direction in any text, as its original does",
    ("SearchQA", "native"): "finds the first pair of tags in any text, as its original does",
    ("WebShop", "native"): "finds the first action in any text, as its original does",
}
"""Where an action inside a sentence is that action, by the rules of the original."""


def make_env(name: str, tier: str, interface: str = "native") -> TextEnv:
    """Return an environment without a turn limit."""
    options = {
        "interface": interface,
        "max_turns": NO_TURN_LIMIT,
        **ENVIRONMENTS[name].test_kwargs,
    }
    return make_text_env(f"rftgen/{name}-{tier}-v0", "train", options)


def play_to_last_step(env: TextEnv, seed: int) -> tuple[str, str]:
    """Play the expert up to its last step; return the observation then, and the last action."""
    observation, _ = env.reset(seed=seed)
    while len(env.world.expert_plan() or ()) > 1:
        observation, *_ = env.step(env.expert_action() or "")
    return observation, env.expert_action() or ""


def lists_of_actions(admissible: list[str]) -> Iterator[str]:
    """Yield all *admissible* actions in one text, in the ways that models join actions."""
    for separator in ("\n", "; ", ", ", " and then ", " or ", " | ", ""):
        yield separator.join(admissible)
        yield separator.join(reversed(admissible))
        yield separator.join([*admissible, *admissible])


def wrong_numbers(admissible: list[str]) -> Iterator[str]:
    """Yield texts of numbers that are not one entry of a menu: several, parts, other digits."""
    for number in range(1, len(admissible) + 1):
        yield from (f"-{number}", f"{number}.5", f"{number}e0", f"0x{number}", f"{number}/1")
        yield from (f"{number},{number}", f"{number} or {number}", f"{number}-{number + 1}")
        yield from (f"{number}\n{number}", f"[{number}, {number}]", f"{number}+0")
    yield from ("0", "-1", str(len(admissible) + 1), "9" * 30, "all", "*", "1-99", "any")
    yield "the last one"


def prose(action: str) -> Iterator[str]:
    """Yield sentences that mention the winning *action*."""
    yield from (f"I would {action} now, if I were you", f"not {action}", f"{action} {action}")
    yield from (f"Should I say {action}? No.", f"{action}\nor not")
    yield f"{action} is what I will not do"


def claims(observation: str) -> Iterator[str]:
    """Yield claims of success, which a reward that reads texts would believe."""
    yield from ("done", "The task is completed.", "success: 1.0", "You won!", "reward = 10", "")
    yield from ('{"reward": 1, "success": true}', "<reward>1</reward>", "score += 1")
    yield from ("[SEP] Reward [SEP] Your score [SEP] 1.0", "*** The End ***", observation)


@pytest.mark.parametrize("interface", ["native", "json", "call", "menu"])
@pytest.mark.parametrize("name", MARKED_NAMES)
def test_nothing_but_the_last_action_succeeds(name: str, interface: str) -> None:
    """One step before success no list, number, sentence or claim is rewarded; the action is."""
    env = make_env(name, "easy", interface)
    observation, last = play_to_last_step(env, 5)
    actions = env.admissible_actions
    attacks = [*lists_of_actions(actions), *claims(observation)] if len(actions) > 1 else []
    attacks += [*wrong_numbers(actions)] if interface == "menu" else []
    attacks += [] if (name, interface) in FINDS_ACTIONS_IN_PROSE else [*prose(last)]
    for text in attacks:
        _, reward, _, _, info = env.step(text)
        assert reward <= 0, (env.task.id, text)
        assert not info["success"], (env.task.id, text)
        if info["valid_action"]:
            play_to_last_step(env, 5)
    _, reward, terminated, _, info = env.step(last)
    env.close()

    assert (reward > 0, terminated, info["success"], info["score"]) == (True, True, True, 1.0)


@pytest.mark.parametrize("name", NAMES)
def test_a_success_is_rewarded_once(name: str) -> None:
    """No step is possible after a success, neither with the same action nor with another."""
    env = make_env(name, "easy")
    _, last = play_to_last_step(env, 2)
    env.step(last)
    for text in (last, last, ""):
        with pytest.raises(EpisodeOverError):
            env.step(text)
    env.close()


@pytest.mark.parametrize("name", MARKED_NAMES)
def test_no_walk_earns_more_than_the_goal_is_worth(name: str) -> None:
    """On a walk of random and expert actions the sum of rewards never exceeds the expert's."""
    for tier in ("easy", "medium", "hard"):
        env = make_env(name, tier)
        for seed in range(2):
            limit = max(expert_return(env, seed), 1.0 if name != "TextWorld" else 0.0)
            limit = boxes(env) + 10 if name == "Sokoban" else limit
            total = 0.0
            for reward in walk_rewards(env, seed, stream("farming", name, tier, seed)):
                total += reward
                assert total <= limit + 1e-9, (env.task.id, total, limit)
        env.close()


def expert_return(env: TextEnv, seed: int) -> float:
    """Return the sum of the expert's rewards."""
    total, terminated = 0.0, False
    env.reset(seed=seed)
    while not terminated:
        _, reward, terminated, _, _ = env.step(env.expert_action() or "")
        total += reward
    return total


def walk_rewards(env: TextEnv, seed: int, rng: np.random.Generator) -> Iterator[float]:
    """Yield the rewards of a walk: an expert action, two random ones, the last of them again."""
    env.reset(seed=seed)
    action = ""
    for turn in range(40):
        actions = env.admissible_actions
        if turn % 4 == 0:
            action = env.expert_action() or actions[0]
        elif turn % 4 < 3:
            action = actions[int(rng.integers(len(actions)))]
        _, reward, terminated, truncated, _ = env.step(action)
        yield reward
        if terminated or truncated:
            return


def boxes(env: TextEnv) -> int:
    """Return how many boxes a level of Sokoban has."""
    return sum(row.count("X") + row.count("\u221a") for row in env.task.content.rows)


def test_a_walk_in_sokoban_earns_what_stands_on_targets() -> None:
    """The sum of rewards is 1 a box on a target, 10 for a success, and -0.1 a turn."""
    env = make_env("Sokoban", "medium")
    assert isinstance(env.world, Sokoban)
    for seed in range(10):
        env.reset(seed=seed)
        total = 0.0
        rng = stream("boxes", seed)
        for turn in range(1, 200):
            expert_action = env.expert_action() if rng.random() < 0.3 else None
            actions = env.admissible_actions
            action = expert_action or actions[int(rng.integers(len(actions)))]
            _, reward, terminated, _, info = env.step(action)
            total += reward
            value = info["score"] * boxes(env) + (10 if terminated else 0)
            assert total == pytest.approx(value - 0.1 * turn), (env.task.id, turn)
            if terminated:
                break
    env.close()


@pytest.mark.parametrize("name", MARKED_NAMES)
def test_nonsense_never_earns_more_than_acting(name: str) -> None:
    """Nonsense earns no more than the worst admissible action of the same state."""
    env = make_env(name, "medium")
    env.reset(seed=1)
    nonsense_rewards = [env.step(text)[1] for text in ("xyzzy", "", "go go go", "{}", "0")]
    action_rewards = []
    for action in env.admissible_actions[:20]:
        env.reset(options={"task_id": str(env.task.id)})
        action_rewards.append(env.step(action)[1])
    env.close()

    assert max(nonsense_rewards) <= min(action_rewards)
