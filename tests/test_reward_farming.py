"""What a policy could try where a reward is near: at the last step, and by walking on and on."""

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
COSTLY = {"TextWorld"}
SOME_SLOW = [pytest.param(n, marks=[pytest.mark.slow] * (n in COSTLY)) for n in NAMES]
EVER = 10**6

OWN_FORM = {
    ("Sokoban", "native"): "reads one direction in any text, as its original does",
    ("SearchQA", "native"): "reads the first pair of tags in any text, as its original does",
    ("WebShop", "native"): "reads the first action in any text, as its original does",
}
"""Where an action inside a sentence is that action, by the rules of the original."""


def made(name: str, tier: str, interface: str = "native") -> TextEnv:
    """Return an environment without a turn limit."""
    options = {"interface": interface, "max_turns": EVER, **ENVIRONMENTS[name].test_kwargs}
    return make_text_env(f"rftgen/{name}-{tier}-v0", "train", options)


def before_the_end(env: TextEnv, seed: int) -> tuple[str, str]:
    """Play the expert up to its last step; return what is seen then, and the step."""
    observation, _ = env.reset(seed=seed)
    while len(env.world.expert_plan() or ()) > 1:
        observation, *_ = env.step(env.expert_action() or "")
    return observation, env.expert_action() or ""


def lists_of_actions(menu: list[str]) -> Iterator[str]:
    """Yield all of *menu* in one text, in the ways that models join actions."""
    for joint in ("\n", "; ", ", ", " and then ", " or ", " | ", ""):
        yield joint.join(menu)
        yield joint.join(reversed(menu))
        yield joint.join([*menu, *menu])


def numbers(menu: list[str]) -> Iterator[str]:
    """Yield what is no number of one entry of a menu: several, parts, signs, other digits."""
    for number in range(1, len(menu) + 1):
        yield from (f"-{number}", f"{number}.5", f"{number}e0", f"0x{number}", f"{number}/1")
        yield from (f"{number},{number}", f"{number} or {number}", f"{number}-{number + 1}")
        yield from (f"{number}\n{number}", f"[{number}, {number}]", f"{number}+0")
    yield from ("0", "-1", str(len(menu) + 1), "9" * 30, "all", "*", "1-99", "any", "the last one")


def prose(last: str) -> Iterator[str]:
    """Yield the winning action *last* where it is not said as an action."""
    yield from (f"I would {last} now, if I were you", f"not {last}", f"{last} {last}")
    yield from (f"Should I say {last}? No.", f"{last}\nor not", f"{last} is what I will not do")


def claims(observation: str) -> Iterator[str]:
    """Yield what a referee that believes texts would take for success."""
    yield from ("done", "The task is completed.", "success: 1.0", "You won!", "reward = 10", "")
    yield from ('{"reward": 1, "success": true}', "<reward>1</reward>", "score += 1")
    yield from ("[SEP] Reward [SEP] Your score [SEP] 1.0", "*** The End ***", observation)


@pytest.mark.parametrize("interface", ["native", "json", "call", "menu"])
@pytest.mark.parametrize("name", SOME_SLOW)
def test_nothing_but_the_last_action_wins(name: str, interface: str) -> None:
    """One step before success: no list, number, sentence or claim is paid, and the action is."""
    env = made(name, "easy", interface)
    observation, last = before_the_end(env, 5)
    menu = env.admissible_actions
    attacks = [*lists_of_actions(menu), *claims(observation)] if len(menu) > 1 else []
    attacks += [*numbers(menu)] if interface == "menu" else []
    attacks += [] if (name, interface) in OWN_FORM else [*prose(last)]
    for text in attacks:
        _, reward, _, _, info = env.step(text)
        assert reward <= 0, (env.task.id, text)
        assert not info["success"], (env.task.id, text)
        if info["valid_action"]:
            before_the_end(env, 5)
    _, reward, terminated, _, info = env.step(last)
    env.close()

    assert (reward > 0, terminated, info["success"], info["score"]) == (True, True, True, 1.0)


@pytest.mark.parametrize("name", NAMES)
def test_a_success_is_paid_once(name: str) -> None:
    """There is no step after it that could be paid again: not the same one, not another."""
    env = made(name, "easy")
    _, last = before_the_end(env, 2)
    env.step(last)
    for text in (last, last, ""):
        with pytest.raises(EpisodeOverError):
            env.step(text)
    env.close()


@pytest.mark.parametrize("name", SOME_SLOW)
def test_no_walk_earns_more_than_the_goal_is_worth(name: str) -> None:
    """There and back, chance and the expert's steps: the sum never passes that of the expert."""
    for tier in ("easy", "medium", "hard"):
        env = made(name, tier)
        for seed in range(2):
            most = max(expert_sum(env, seed), 1.0 if name != "TextWorld" else 0.0)
            most = boxes(env) + 10 if name == "Sokoban" else most
            total = 0.0
            for reward in wandered(env, seed, stream("farming", name, tier, seed)):
                total += reward
                assert total <= most + 1e-9, (env.task.id, total, most)
        env.close()


def expert_sum(env: TextEnv, seed: int) -> float:
    """Return what the expert earns."""
    total, over = 0.0, False
    env.reset(seed=seed)
    while not over:
        _, reward, over, _, _ = env.step(env.expert_action() or "")
        total += reward
    return total


def wandered(env: TextEnv, seed: int, rng: np.random.Generator) -> Iterator[float]:
    """Yield the rewards of a walk: the expert's next step, chance, and the same thing again."""
    env.reset(seed=seed)
    said = ""
    for turn in range(40):
        menu = env.admissible_actions
        if turn % 4 == 0:
            said = env.expert_action() or menu[0]
        elif turn % 4 < 3:
            said = menu[int(rng.integers(len(menu)))]
        _, reward, terminated, truncated, _ = env.step(said)
        yield reward
        if terminated or truncated:
            return


def boxes(env: TextEnv) -> int:
    """Return how many boxes a level of Sokoban has."""
    return sum(row.count("X") + row.count("\u221a") for row in env.task.content.rows)


def test_a_walk_in_sokoban_earns_what_stands_on_targets() -> None:
    """Whatever was pushed there and away again: +1 for each that stands there, -0.1 a turn."""
    env = made("Sokoban", "medium")
    assert isinstance(env.world, Sokoban)
    for seed in range(10):
        env.reset(seed=seed)
        total = 0.0
        rng = stream("boxes", seed)
        for turn in range(1, 200):
            said = env.expert_action() if rng.random() < 0.3 else None
            menu = env.admissible_actions
            _, reward, over, _, info = env.step(said or menu[int(rng.integers(len(menu)))])
            total += reward
            standing = info["score"] * boxes(env) + (10 if over else 0)
            assert total == pytest.approx(standing - 0.1 * turn), (env.task.id, turn)
            if over:
                break
    env.close()


@pytest.mark.parametrize("name", SOME_SLOW)
def test_being_refused_is_never_worth_more_than_acting(name: str) -> None:
    """Nonsense earns no more than the worst that an admissible action earns at the same moment."""
    env = made(name, "medium")
    env.reset(seed=1)
    nonsense = [env.step(text)[1] for text in ("xyzzy", "", "go go go", "{}", "0")]
    paid = []
    for action in env.admissible_actions[:20]:
        env.reset(options={"task_id": str(env.task.id)})
        paid.append(env.step(action)[1])
    env.close()

    assert max(nonsense) <= min(paid)
