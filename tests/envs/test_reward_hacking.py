"""Attacks on the reward of every environment by a policy that does not solve the task."""

from collections.abc import Callable, Iterator

import pytest

from agentgym_gen import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import BUNDLED, ENVIRONMENTS
from agentgym_gen.envs.textcraft import TextCraft

NAMES = [environment.name for environment in BUNDLED]
TURNS = 12
PAID_ONCE = {"TextWorld": 1}
"""How often one action may be rewarded, where steps of the task are; else it is never."""

Attack = Callable[[TextEnv, str], Iterator[str]]


def everything_at_once(env: TextEnv, observation: str) -> Iterator[str]:
    """Yield all admissible actions in one text, joined in the ways that models join them."""
    for separator in ("\n", "; ", ", ", " and then ", ". "):
        yield separator.join(env.admissible_actions)


def echo(env: TextEnv, observation: str) -> Iterator[str]:
    """Yield the observation, the instruction and the goal."""
    goal, rules = env.goal, env.instruction
    yield from (observation, rules, goal, f"{rules}\n\n{observation}", f"Action: {goal}")


def claims(env: TextEnv, observation: str) -> Iterator[str]:
    """Yield claims that the task is done."""
    yield from ("done", "The task is completed.", "success: 1.0", "You won!", "reward = 10", "")


def the_solution_as_prose(env: TextEnv, observation: str) -> Iterator[str]:
    """Yield the expert's next action inside a sentence, and twice in a row."""
    action = env.write((env.world.expert_plan() or ())[0])
    yield from (f"I would {action} now, if I were you", f"not {action}", f"{action} {action}")


ATTACKS = (everything_at_once, echo, claims, the_solution_as_prose)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_talk_earns_nothing(name: str, attack: Attack) -> None:
    """No text of an attack is rewarded or successful, in two tiers and four syntaxes."""
    for tier in ("easy", "hard"):
        for interface in ("native", "json", "call", "menu"):
            options = {"interface": interface, **ENVIRONMENTS[name].test_kwargs}
            env = make_text_env(f"rftgen/{name}-{tier}-v0", "train", options)
            observation, _ = env.reset(seed=7)
            for text in attack(env, observation):
                env.reset(seed=7)
                _, reward, _, _, info = env.step(text)
                assert (reward <= 0, info["success"]) == (True, False), (env.task.id, text)
            env.close()


@pytest.mark.parametrize("name", NAMES)
def test_repeating_an_action_earns_nothing(name: str) -> None:
    """No action is rewarded again and again: a step of the task is rewarded once."""
    options = {"max_turns": 10 * TURNS, **ENVIRONMENTS[name].test_kwargs}
    env = make_text_env(f"rftgen/{name}-easy-v0", "train", options)
    env.reset(seed=3)
    for action in env.admissible_actions[:25]:
        env.reset(options={"task_id": str(env.task.id)})
        rewards = []
        for _ in range(TURNS):
            _, reward, terminated, truncated, _ = env.step(action)
            rewards.append(reward)
            if terminated or truncated:
                break
        assert sum(reward > 0 for reward in rewards[:-1]) <= PAID_ONCE.get(name, 0), action
    env.close()


def test_a_box_pushed_on_and_off_its_target_earns_less_than_it_costs() -> None:
    """The sum of rewards stays at 2 or less, since Sokoban takes back that of a box that leaves."""
    env = make_text_env("rftgen/Sokoban-medium-v0", "train", {"max_turns": 1000})
    for seed in range(20):
        env.reset(seed=seed)
        total = 0.0
        for action in ("up", "down", "left", "right") * 20:
            _, reward, terminated, _, _ = env.step(action)
            total += reward
            if terminated:
                break
            assert total <= 2, env.task.id  # the reward of two boxes


def test_crafting_the_same_thing_for_ever_does_not_raise_the_score() -> None:
    """Getting the same item fifty times leaves TextCraft's score at 0."""
    env = make_text_env("rftgen/TextCraft-medium-v0", "train", {"max_turns": 1000})
    assert isinstance(env.world, TextCraft)
    env.reset(seed=1)
    get = next(command for command in env.world.admissible() if command.verb == "get")
    scores = {env.step(env.write(get))[4]["score"] for _ in range(50)}

    assert scores == {0.0}
