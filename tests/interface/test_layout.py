"""The layout of an observation: where distractors stand, and how many there are."""

import re

import numpy as np
import pytest

from agentgym_gen import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.world.distractors import COMMON_DISTRACTORS, TRAITS, sample_lines

TASK = {"task_id": "corridor/easy/train/3"}


def observations(interface: object, number: int = 19) -> list[str]:
    """Return the first observation in the corridor and *number* more after waiting."""
    env = TextEnv("toy_world:CorridorWorld", interface=interface)  # type: ignore[arg-type]
    return [env.reset(options=TASK)[0], *(env.step("wait")[0] for _ in range(number))]


def distractors_of(observation: str) -> list[str]:
    """Return the lines of *observation* that are distractors."""
    return [line for line in observation.split("\n") if line in COMMON_DISTRACTORS]


def test_distractors_stand_before_and_after_the_observation() -> None:
    """Three different lines stand around an observation; how many come first varies by turn."""
    texts = observations("distracted")
    positions = {text.split("\n").index("Time passes.") for text in texts[1:]}

    assert all(len(set(distractors_of(text))) == 3 for text in texts)
    assert positions == {0, 1, 2, 3}
    assert texts == observations("distracted")


def test_a_chance_of_a_half_leaves_half_of_the_observations_alone() -> None:
    """About half of the observations have no distractors, the others the world's own number."""
    counts = [len(distractors_of(text)) for text in observations("cluttered")]

    assert set(counts) == {0, 8}
    assert 4 <= counts.count(8) <= 16


def test_more_lines_than_there_are_repeat_in_rounds() -> None:
    """Of four lines ten are sampled in rounds, in each of which a line comes once at most."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        lines = sample_lines("abcd", 10, rng)
        assert sorted(lines[:4]) == sorted(lines[4:8]) == list("abcd")
        assert len(set(lines[8:])) == 2


def test_distractors_do_not_change_other_random_choices() -> None:
    """The symbols of a task are the same with distractors, which have a stream of their own."""
    plain, distracted = (observations(f"symbols{more}", 0)[0] for more in ("", "+distracted"))

    assert plain in distracted


@pytest.mark.parametrize(("name", "lines"), [("ALFWorld", 16), ("TextCraft", 8), ("Sokoban", 8)])
def test_the_recipe_sets_the_amount(name: str, lines: int) -> None:
    """The amounts follow arXiv 2601.18217, table 11: 200 / 12 in ALFWorld, 80 / 10 in Sokoban."""
    interface = {"distractors": "recipe"}
    env = make_text_env(f"rftgen/{name}-easy-v0", "train", {"interface": interface})
    plain = make_text_env(f"rftgen/{name}-easy-v0", "train")
    observation, _ = env.reset(seed=0)

    assert observation.count("\n") - plain.reset(seed=0)[0].count("\n") == lines


def test_alfworlds_distractors_have_numbers_that_are_not_in_use() -> None:
    """A distractor in ALFWorld names no thing of the house and never the goal's kind of thing."""
    env = make_text_env("rftgen/ALFWorld-hard-v0", "train", {"interface": "distracted"})
    for seed in range(20):
        env.reset(seed=seed)
        house = env.world.game.house  # type: ignore[attr-defined]
        names = {entity.name for entity in (*house.things, *house.receptacles)}
        for line in env.world.surface().distractors(np.random.default_rng(seed), 16):
            kind, number = re.findall(r"You notice a (\w+) (\d+) out of reach", str(line))[0]
            assert f"{kind} {number}" not in names
            assert kind != house.goal.thing


def test_sokobans_distractors_are_outside_the_board() -> None:
    """The places that Sokoban's distractors name are below the last row of the board."""
    env = make_text_env("rftgen/Sokoban-v0", "train")
    for seed in range(10):
        rows = env.reset(seed=seed)[0].count("\n") + 1
        for line in env.world.surface().distractors(np.random.default_rng(seed), 8):
            row = re.findall(r"^\((\d+), \d+\) shows a [\w ]+ \(.*; unreachable\)\.$", str(line))
            assert int(row[0]) >= rows


def test_there_are_nineteen_trivial_traits() -> None:
    """There are 19 different traits, as many as the recipe has."""
    assert len(set(TRAITS)) == len(TRAITS) == 19
