"""Sokoban: rules, wording, reward, and texts that are no actions."""

import json
import pathlib
import time

import pytest

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.sokoban import Sokoban
from agentgym_gen.envs.sokoban.board import Level
from agentgym_gen.envs.sokoban.reward import score, step_reward
from agentgym_gen.world import Command, EndReason, Malformed, Task, TaskId

GOLDEN = pathlib.Path(__file__).parent / "golden" / "sokoban_gym.json"
VERBS = {"u": "up", "d": "down", "l": "left", "r": "right"}
NONSENSE = ("", " ", "jump", "Up Up", "Up || Left", "\x00\x07\x1b[2J", "🙂" * 9, "up" * 50_000)


def world_of(*rows: str, solution: str = "") -> Sokoban:
    """Return a world that plays the board *rows*."""
    world = Sokoban()
    world.reset(Task(TaskId("sokoban", "easy", "train", "0"), Level(rows, solution)))
    return world


def board_of(world: Sokoban) -> list[str]:
    """Return the rows that *world* shows now."""
    (text,) = world.step(Command("up")).scene.message
    assert isinstance(text, str)
    return text.split("\n")


def play(world: Sokoban, moves: str) -> list[float]:
    """Return the rewards of *moves*."""
    return [world.step(Command(VERBS[move])).reward for move in moves]


def test_a_box_is_pushed_and_never_pulled() -> None:
    """Walking into a box pushes it; walking away leaves it."""
    world = world_of("######", "#PX_O#", "######")

    play(world, "rl")

    assert board_of(world) == ["######", "#P_XO#", "######"]


def test_two_boxes_in_a_row_are_too_heavy() -> None:
    """A box with a box behind it does not move, and the outcome says why."""
    world = world_of("######", "#PXX_#", "#OO__#", "######")

    outcome = world.step(Command("right"))

    assert not outcome.valid
    assert outcome.reason == "something behind the box blocks it"
    assert outcome.scene.message == ("######\n#PXX_#\n#OO__#\n######",)


def test_targets_show_through() -> None:
    """A player and a box on a target have symbols of their own."""
    world = world_of("######", "#PXO_#", "######")

    play(world, "r")
    assert board_of(world) == ["######", "#_P√_#", "######"]

    play(world, "r")
    assert board_of(world) == ["######", "#__SX#", "######"]


def test_success_ends_the_episode() -> None:
    """The last box on its target ends the episode with a score of one."""
    outcome = world_of("#####", "#PXO#", "#####").step(Command("right"))

    assert (outcome.end, outcome.score, outcome.reward) == (EndReason.SUCCESS, 1.0, 10.9)


@pytest.mark.parametrize(
    ("before", "after", "boxes", "reward"),
    [(0, 0, 2, -0.1), (0, 1, 2, 0.9), (1, 0, 2, -1.1), (1, 2, 2, 10.9)],
)
def test_reward_by_hand(before: int, after: int, boxes: int, reward: float) -> None:
    """A step costs 0.1, a box earns or costs 1, and the last one earns 10 more."""
    assert step_reward(before, after, boxes) == pytest.approx(reward)


def test_score_is_the_share_of_boxes_on_targets() -> None:
    """Three of four boxes on targets give a score of 0.75."""
    assert score(3, 4) == 0.75


@pytest.mark.parametrize("walk", json.loads(GOLDEN.read_text("utf-8"))["walks"])
def test_rules_and_rewards_are_those_of_gym_sokoban(walk: dict[str, list[str]]) -> None:
    """Boards, rewards and ends equal gym-sokoban's at every step."""
    world = world_of(*walk["rows"])

    for move, board, reward, done in walk["steps"]:
        outcome = world.step(Command(VERBS[move]))
        assert outcome.scene.message == (board,)
        assert outcome.reward == pytest.approx(reward)
        assert (outcome.end is EndReason.SUCCESS) == done


def test_admissible_commands_are_the_valid_ones() -> None:
    """On a walk through a hard level, exactly the listed commands are valid."""
    env = TextEnv(Sokoban(), tier="hard", max_turns=10_000)
    env.reset(seed=1)
    for turn in range(200):
        admissible = env.world.admissible()
        command = Command(("up", "left", "down", "right", "right")[turn * turn % 5])
        *_, over, _, info = env.step(env.write(command))
        assert info["valid_action"] == (command in admissible)
        assert not over


@pytest.mark.parametrize("action_text", NONSENSE)
def test_nonsense_changes_nothing(action_text: str) -> None:
    """Any text that is no action is answered by the unchanged board."""
    env = TextEnv(Sokoban(), tier="easy")
    board, before = env.reset(seed=0)

    observation, reward, terminated, _, info = env.step(action_text)

    assert observation.startswith(board)
    assert observation.endswith("Environment state remains the same. Please try again.")
    assert (reward, terminated, info["valid_action"]) == (-0.1, False, False)
    assert info["admissible_actions"] == before["admissible_actions"]


def test_nonsense_earns_what_every_command_costs() -> None:
    """A text that is no action costs as much as a blocked command."""
    env = TextEnv(Sokoban(), tier="easy")
    env.reset(seed=0)

    assert env.step("zz")[1] == reward_of_a_blocked_move() == -0.1


def reward_of_a_blocked_move() -> float:
    """Return the reward of a command that changes nothing."""
    env = TextEnv(Sokoban(), tier="easy")
    env.reset(seed=0)
    admissible = env.admissible_actions
    blocked = next(word for word in ("Up", "Down", "Left", "Right") if word not in admissible)
    return env.step(blocked)[1]


@pytest.mark.parametrize(
    "fragment", ["<think>", "</think><answer>", "<answer>", "</answer>", "<answer></answer>", "up "]
)
def test_reading_takes_no_time(fragment: str) -> None:
    """A text of 100,000 characters is read in 0.05 seconds, whatever it repeats."""
    text = "<think>" + fragment * (100_000 // len(fragment))
    start = time.process_time()
    Sokoban().read(text)

    assert time.process_time() - start < 0.05


@pytest.mark.parametrize(
    "action_text", ["Up", " uP\n", "<answer>Up</answer>", "<think>So?</think><action>up</action>"]
)
def test_an_action_is_read_in_any_case_and_in_tags(action_text: str) -> None:
    """An action is read in any case, with the tags of RAGEN or verl-agent or without."""
    assert Sokoban().read(action_text) == Command("up")


@pytest.mark.parametrize("action_text", ["Up || Left", "<answer>Up</answer> Left", "U", "Upwards"])
def test_an_action_is_one_direction(action_text: str) -> None:
    """Several actions, or a part of one, are no action."""
    assert isinstance(Sokoban().read(action_text), Malformed)


def test_facts_say_what_the_board_shows() -> None:
    """The facts contain the board and the places of everything, counted from zero."""
    world = world_of("######", "#SX√_#", "######")

    facts = world.step(Command("up")).scene.facts

    assert dict(facts) == {
        "grid": "######\n#SX√_#\n######",
        "player": (1, 1),
        "boxes": ((1, 2), (1, 3)),
        "targets": ((1, 1), (1, 3)),
    }


def test_turns_are_twice_the_moves() -> None:
    """The turn limit is twice the solution's moves, and 15 for a short one."""
    assert world_of("#####", "#PXO#", "#####", solution="R").turn_limit() == 15
    assert world_of("#####", "#PXO#", "#####", solution="R" * 40).turn_limit() == 80
