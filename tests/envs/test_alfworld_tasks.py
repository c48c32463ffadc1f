"""ALFWorld's generated households: tiers, splits, filters, and files that read back."""

import numpy as np
import pytest

from agentgym_gen import stream
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import sample_task_ids
from agentgym_gen.envs.alfworld import ALFWorld
from agentgym_gen.envs.alfworld.expert import View, shortest_plan
from agentgym_gen.envs.alfworld.game import Game, Move
from agentgym_gen.envs.alfworld.generator import FAMILIES, floor_plan
from agentgym_gen.envs.alfworld.house import OFFICIAL_TYPES, ROOMS, House
from agentgym_gen.envs.alfworld.official.game_reader import read_problem
from agentgym_gen.envs.alfworld.official.game_writer import pddl_problem
from agentgym_gen.envs.alfworld.statistics import load_statistics
from agentgym_gen.envs.alfworld.tasks import SPEC_CYCLES, GeneratedTasks
from agentgym_gen.envs.alfworld.tiers import Difficulty, TaskFilter, measure_difficulty
from agentgym_gen.errors import InvalidValueError, UnknownNameError
from agentgym_gen.world import SPLITS, TIERS

FINGERPRINTS = [
    ("alfworld/easy/train/0", "2edcb16ccc841d7f"),
    ("alfworld/easy/test/49999", "992dc662e1875b46"),
    ("alfworld/medium/valid/7", "26b028c896617d8c"),
    ("alfworld/hard/train/0", "1452eaf3ab84c552"),
    ("alfworld/hard/test/17", "2ec589f648bd20b7"),
]


def tasks(**filters: str) -> GeneratedTasks:
    """Return the generated tasks that match a filter."""
    return GeneratedTasks(TaskFilter(**filters))


def every_expert_wins(tier: str, split: str, count: int) -> None:
    """Check that the expert wins the first tasks, and that each is of its tier."""
    env = TextEnv(ALFWorld(), tier=tier, split=split)
    for index in range(count):
        task = env.world.tasks.make(tier, split, index)
        difficulty = measure_difficulty(task.content)
        env.reset(options={"task_id": str(task.id)})
        moves = env.world.expert_plan()
        assert difficulty is not None
        assert (difficulty.tier, difficulty.plan_length) == (tier, len(moves))
        for command in moves:
            *_, over, _, info = env.step(env.write(command))
        assert over
        assert info["success"]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("tier", TIERS)
def test_the_expert_wins_and_tiers_hold(tier: str, split: str) -> None:
    """Tasks are of their tier, and the expert wins them."""
    every_expert_wins(tier, split, len(SPEC_CYCLES[tier]))


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("tier", TIERS)
def test_the_expert_wins_500_tasks(tier: str, split: str) -> None:
    """The same holds for 500 tasks of every tier and split."""
    every_expert_wins(tier, split, 500)


@pytest.mark.parametrize(
    ("plan_length", "hidden", "receptacles", "tier"),
    [
        (4, False, 20, "easy"),
        (5, False, 40, "easy"),
        (5, True, 20, "medium"),
        (6, False, 40, "medium"),
        (4, False, 41, "medium"),
        (7, True, 20, "hard"),
        (6, False, 41, "hard"),
        (8, False, 10, "hard"),
        (10, True, 50, "hard"),
    ],
)
def test_tiers_by_hand(plan_length: int, hidden: bool, receptacles: int, tier: str) -> None:
    """6 or 7 commands give a point, more give two, hidden things one, and a large room one."""
    assert Difficulty(plan_length, hidden, receptacles).tier == tier


def shortest_win(house: House, limit: int) -> int:
    """Return the number of moves of the shortest win, by trying all moves."""
    paths: list[tuple[Move, ...]] = [()]
    visited = set()
    for length in range(limit + 1):
        longer = []
        for path in paths:
            game = Game(house)
            for move in path:
                game.apply(move)
            if game.is_won():
                return length
            state = repr(
                (game.place, game.in_hand, game.content, sorted(game.open_receptacles), game.states)
            )
            if state not in visited:
                visited.add(state)
                longer += [(*path, move) for move in (*game.go_to_moves(), *game.local_moves())]
        paths = longer
    return limit + 1


@pytest.mark.parametrize("index", range(3))
def test_plans_are_the_shortest(index: int) -> None:
    """In small rooms, trying all moves finds no win that is shorter than the plan."""
    small = [
        house
        for number in range(index * 60, index * 60 + 60)
        for house in [tasks(room="bathroom").make("easy", "train", number).content]
        if len(house.receptacles) < 10
    ]
    assert small
    house = small[0]

    assert len(shortest_plan(View(Game(house))) or ()) == shortest_win(house, 5)


@pytest.mark.parametrize("room", ROOMS)
def test_test_floor_plans_are_unseen(room: str) -> None:
    """No floor plan of the test is one of training or validation."""
    plans = {
        family: {floor_plan(room, family, n).receptacles for n in range(number)}
        for family, (number, _) in FAMILIES.items()
    }

    assert not plans["seen"] & plans["unseen"]


def test_splits_share_no_household() -> None:
    """Training and validation share floor plans, but no arrangement; the test shares neither."""
    generated = tasks()
    houses = {
        split: [generated.make("easy", split, n).content for n in range(120)] for split in SPLITS
    }
    plans = {split: {house.receptacles for house in houses[split]} for split in SPLITS}
    things = {split: {house.things for house in houses[split]} for split in SPLITS}

    assert plans["train"] & plans["valid"]
    assert not plans["train"] & plans["test"]
    assert not things["train"] & things["valid"]


@pytest.mark.parametrize(("task_id", "fingerprint"), FINGERPRINTS)
def test_fingerprints(task_id: str, fingerprint: str) -> None:
    """Published task ids stay the same households; a change needs a new version."""
    assert tasks().find(task_id).fingerprint[:16] == fingerprint


def test_a_task_does_not_depend_on_earlier_tasks() -> None:
    """An id is the same household in a used and in a new instance."""
    used = tasks()
    for index in range(5):
        used.make("medium", "train", index)

    house = GeneratedTasks.generate(tasks(), used.make("medium", "test", 3).id, 3)
    assert used.make("medium", "test", 3).content == house


@pytest.mark.parametrize("task_type", OFFICIAL_TYPES)
def test_a_filter_keeps_ids(task_type: str) -> None:
    """Only tasks of the type are played, each under the id that it has without the filter."""
    filtered = tasks(task_type=task_type)
    tier = filtered.tiers[-1]
    first_tasks = [filtered.make(tier, "train", index) for index in range(6)]

    assert {task.content.goal.type for task in first_tasks} == {task_type}
    assert [tasks().find(str(task.id)) for task in first_tasks] == first_tasks
    assert [filtered.task_id(tier, "train", i) for i in range(6)] == [t.id for t in first_tasks]
    assert filtered.size(tier, "train") < tasks().size(tier, "train")


def test_sampled_tasks_pass_the_filter() -> None:
    """Evaluations and trainings, which sample the names of tasks, play those of the filter."""
    env_id = "rftgen/ALFWorld-medium-v0?task_type=heat"
    sampled = sample_task_ids(env_id, "train", 20, stream("a filter"))

    assert {tasks().find(task_id).content.goal.type for task_id in sampled} == {"heat"}


def test_a_task_that_a_filter_leaves_out_is_refused_by_name() -> None:
    """It would be played in a room that nobody asked for."""
    kitchens = tasks(room="kitchen")
    bathroom = next(
        task
        for task in (tasks().make("easy", "train", index) for index in range(8))
        if task.content.room == "bathroom"
    )
    with pytest.raises(InvalidValueError, match=r"in a bathroom, and .* `room` 'kitchen'"):
        kitchens.find(str(bathroom.id))


def test_info_names_the_task_type_and_the_room() -> None:
    """`info` has the task type, by the original's name, and the room."""
    _, info = TextEnv(ALFWorld(task_type="two", room="kitchen")).reset(seed=0)

    assert (info["task_type"], info["room"]) == ("pick_two_obj_and_place", "kitchen")


def test_a_filter_takes_rooms_and_official_names() -> None:
    """Filters combine; a tier without such tasks is no tier of the environment."""
    filtered = tasks(task_type="pick_heat_then_place_in_recep", room="kitchen")

    assert filtered.tiers == ("medium", "hard")
    assert filtered.make("hard", "valid", 0).content.room == "kitchen"
    with pytest.raises(UnknownNameError, match="easy"):
        TextEnv(ALFWorld(task_type="heat"), tier="easy")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"task_type": "sweep"}, "sweep"),
        ({"room": "attic"}, "attic"),
        ({"task_type": "heat", "room": "bathroom"}, "No task type"),
        ({"games": "pirated"}, "pirated"),
        ({"wording_version": "0.2"}, "0.2"),
    ],
)
def test_wrong_options_are_errors(options: dict[str, str], fault: str) -> None:
    """The error names the wrong value."""
    with pytest.raises(InvalidValueError, match=fault):
        ALFWorld(**options)


@pytest.mark.parametrize("key", ["50000", "-1", "01", "x", "valid_seen/pick/trial"])
def test_an_unknown_task_is_an_error(key: str) -> None:
    """An index beyond the end and a key that is no index raise."""
    with pytest.raises(InvalidValueError):
        tasks().find(f"alfworld/easy/train/{key}")


@pytest.mark.parametrize("tier", TIERS)
def test_households_read_back_from_pddl(tier: str) -> None:
    """A household written as the original's PDDL problem is read as the same household."""
    for index in range(len(SPEC_CYCLES[tier])):
        house = tasks().make(tier, "test", index).content
        assert read_problem(pddl_problem(house), house.task) == house


def test_rooms_follow_the_statistics() -> None:
    """Over many floor plans, receptacles are about as frequent as in the official games."""
    for room, statistics in load_statistics().rooms.items():
        plans = [floor_plan(room, "seen", n) for n in range(FAMILIES["seen"][0])]
        for kind, numbers in statistics.receptacles.items():
            share = np.mean([kind in plan.kinds for plan in plans])
            assert abs(share - numbers.total / statistics.games) < 0.2
