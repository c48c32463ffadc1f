"""BabyAI: tasks, levels, splits and the expert."""

import hashlib
import os
import subprocess
import sys

import pytest
from babyai_play import quest, say, world_of

from agentgym_gen import TextEnv
from agentgym_gen.envs.babyai import BabyAI
from agentgym_gen.envs.babyai.engine import backend
from agentgym_gen.envs.babyai.levels import AGENTGYM_LEVELS, LEVELS, short_name, tier_of
from agentgym_gen.envs.babyai.tasks import MOST_TURNS, Quest, QuestTasks
from agentgym_gen.errors import InvalidValueError, UnknownNameError
from agentgym_gen.seeding import stream
from agentgym_gen.world import TIERS, Command, EndReason, Outcome, Task

PLACES = [(tier, split) for tier in TIERS for split in ("train", "valid", "test")]


def follow(world: BabyAI, route: tuple[Command, ...]) -> Outcome:
    """Return the outcome of the last of the commands *route*, which are all admissible."""
    for command in route:
        assert command in world.admissible()
        outcome = world.step(command)
    return outcome


def wander(world: BabyAI, steps: int, key: str) -> EndReason | None:
    """Take random *steps* that destroy nothing, and return why the episode is over, if it is."""
    rng = stream("wander", key)
    for _ in range(steps):
        ahead = world._moment.ahead
        box = ahead is not None and ahead.kind == "box"
        safe = [one for one in world.admissible() if not (box and one.verb == "toggle")]
        if end := world.step(safe[int(rng.integers(len(safe)))]).end:
            return end
    return None


def test_tasks_are_what_they_were() -> None:
    """The first task of every tier and split, with minigrid 3.2: a changed world needs a new id."""
    tasks = QuestTasks()
    made = [tasks.make(tier, split, 0).content for tier, split in PLACES]
    text = repr([(one, one.level, one.seed, one.route, one.steps) for one in made])

    assert [one.mission for one in made[:3]] == ["go to the red ball"] * 3
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "63ee6d706a611ac2"


@pytest.mark.parametrize(("tier", "split"), PLACES)
def test_a_task_belongs_to_its_split_and_its_tier(tier: str, split: str) -> None:
    """Its level is of the tier, in turn, and its hash is of the split."""
    tasks = QuestTasks()
    made = [tasks.make(tier, split, index).content for index in range(8)]

    assert [one.split for one in made] == [split] * 8
    levels = LEVELS[tier]
    assert [one.level for one in made] == [levels[index % len(levels)] for index in range(8)]
    assert all(0 < len(one.route) <= MOST_TURNS for one in made)


def test_equal_worlds_have_equal_fingerprints() -> None:
    """Whatever level and seed draw them, and whatever way was found."""
    one = quest("GoToObjS6", 0)
    same = Quest(one.content.world, one.content.mission, "GoToObj", 7, (Command("drop"),), 9)
    other = Quest(one.content.world, "go to the key", "GoToObjS6", 0, (), 0)

    assert Task(one.id, same).fingerprint == one.fingerprint
    assert Task(one.id, same).content.split == one.content.split
    assert Task(one.id, other).fingerprint != one.fingerprint


def test_the_shares_of_the_splits() -> None:
    """Of 300 worlds about 180, 60 and 60 belong to train, valid and test."""
    splits = [quest("GoToLocalS8N7", seed).content.split for seed in range(300)]

    assert [splits.count(split) for split in ("train", "valid", "test")] == pytest.approx(
        [180, 60, 60], abs=25
    )


@pytest.mark.slow
def test_drawing_needs_no_assertions() -> None:
    """The bot of minigrid gives up by `assert`; with `python -O` the same tasks are drawn."""
    code = (
        "from agentgym_gen.envs.babyai.tasks import QuestTasks\n"
        "made = [QuestTasks().make('hard', 'train', index).content for index in range(8)]\n"
        "print(repr([(one, one.seed, one.route) for one in made]))\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = [
        subprocess.run(
            [sys.executable, *flags, "-c", code], env=env, capture_output=True, check=True
        ).stdout
        for flags in ([], ["-O"])
    ]

    assert told[0] == told[1]


@pytest.mark.parametrize("level", AGENTGYM_LEVELS)
def test_every_level_of_agentgym_is_solved(level: str) -> None:
    """Those too that its text or minigrid's bot cannot solve."""
    world = BabyAI(level=level)
    (tier,) = world.tasks.tiers
    task = world.tasks.make(tier, "test", 1)
    world.reset(task)

    assert task.content.level == level
    assert follow(world, world.expert_plan() or ()).end is EndReason.SUCCESS


@pytest.mark.slow
@pytest.mark.parametrize("wording", ["agentgym", "balrog"])
@pytest.mark.parametrize("tier", TIERS)
def test_the_expert_wins_from_anywhere(tier: str, wording: str) -> None:
    """After 15 random commands, in each of 25 tasks that these do not win."""
    world = BabyAI(wording)
    ends = []
    for index in range(25):
        world.reset(world.tasks.make(tier, "valid", index))
        if wander(world, 15, f"{tier} {index}") is None:
            ends.append(follow(world, world.expert_plan() or ()).end)

    assert len(ends) > 8
    assert set(ends) == {EndReason.SUCCESS}


def test_planning_changes_nothing() -> None:
    """The bot plays in the game itself, which is put back."""
    world = world_of("BossLevel", 2)
    wander(world, 5, "planning")
    before = world._game.drawing(), world.info(), world.admissible()

    assert world.expert_plan()
    assert (world._game.drawing(), world.info(), world.admissible()) == before


def test_a_plan_is_kept_while_it_is_followed() -> None:
    """What is asked twice is the same plan, one command shorter after each step."""
    world = BabyAI()
    world.reset(world.tasks.make("medium", "train", 5))
    plan = world.expert_plan() or ()
    world.step(plan[0])

    assert world.expert_plan() == plan[1:]
    assert len(plan) > 3


def test_what_was_destroyed_has_no_plan() -> None:
    """A box that is opened is gone; if it was to be picked up, nothing helps."""
    world = world_of("PickupLoc", 2)
    for said in ("turn right", "turn right", "go to yellow box 1"):
        say(world, said)
    assert world.expert_plan() == (Command("pick_up", ("yellow box 1",)),)

    say(world, "toggle")
    assert world.expert_plan() is None
    assert world.expert_plan() is None


def test_a_plan_may_be_said_in_single_actions() -> None:
    """BALROG has no other ones; the way is as long as the bot's."""
    world = BabyAI("balrog")
    task = world.tasks.make("medium", "train", 5)
    world.reset(task)

    assert len(world.expert_plan() or ()) == task.content.steps
    assert world.turn_limit() == max(20, 2 * task.content.steps)


def test_turns_are_twice_the_experts() -> None:
    """And 20 at least; the original has 20 and no more."""
    world = BabyAI()
    easy, hard = world.tasks.make("easy", "train", 0), world.tasks.make("hard", "train", 2)
    limits = []
    for one in (world, BabyAI(compat="original")):
        for task in (easy, hard):
            one.reset(task)
            limits.append(one.turn_limit())

    assert len(hard.content.route) > 10
    assert limits == [20, 2 * len(hard.content.route), 20, 20]


def test_a_level_by_name_has_tasks_of_its_own() -> None:
    """Their ids name it, and it belongs to one tier."""
    env = TextEnv(BabyAI(level="BabyAI-GoToSeqS5R2-v0"), split="test")
    _, info = env.reset(seed=0)

    assert env.tiers == ("hard",)
    assert info["task_id"].startswith("babyai/hard/test/GoToSeqS5R2-")
    assert info["level"] == "GoToSeqS5R2"
    again = env.world.tasks.find(info["task_id"])
    assert again == env.task


@pytest.mark.parametrize(
    ("level", "task_id"),
    [
        (None, "babyai/hard/test/GoToSeqS5R2-3"),
        ("BossLevel", "babyai/hard/test/3"),
        ("BossLevel", "babyai/hard/test/GoToSeqS5R2-3"),
        ("BossLevel", "babyai/hard/test/BossLevel-"),
        (None, "babyai/hard/test/100000"),
        (None, "babyai/hard/test/x"),
    ],
)
def test_an_id_of_other_tasks_is_refused(level: str | None, task_id: str) -> None:
    """By one error that names it or its index."""
    with pytest.raises(InvalidValueError):
        QuestTasks(level).find(task_id)


def test_a_level_is_of_one_tier() -> None:
    """Asking for another one is an error."""
    with pytest.raises(UnknownNameError, match="Unknown tier 'easy'"):
        TextEnv(BabyAI(level="BossLevel"), tier="easy")


@pytest.mark.parametrize(
    ("level", "rooms", "tier"),
    [("Unlock", 9, "hard"), ("OpenDoorLoc", 9, "medium"), ("X", 1, "easy"), ("X", 2, "medium")],
)
def test_tiers_of_levels(level: str, rooms: int, tier: str) -> None:
    """By the table, and by the number of rooms where it has none."""
    assert tier_of(level, rooms) == tier


def test_names_of_levels() -> None:
    """With or without what minigrid puts around them."""
    assert short_name("BabyAI-PutNextS7N4Carrying-v0") == "PutNextS7N4Carrying"
    assert short_name("BossLevel") == "BossLevel"


def test_levels_of_the_tiers_are_agentgyms() -> None:
    """No level is in two tiers, and AgentGym plays each."""
    levels = [level for tier in LEVELS.values() for level in tier]

    assert len(set(levels)) == len(levels) == 18
    assert set(levels) <= set(AGENTGYM_LEVELS)
    assert len(AGENTGYM_LEVELS) == 40


def test_an_impossible_mission_is_given_up() -> None:
    """The bot stops by its limits, counted in steps: this level once hung for minutes."""
    bot, engine = backend.load("bot"), backend.load("game")
    lengths = [bot.solve(engine.Game("GoToImpUnlock", seed)) for seed in range(12)]

    assert sum(actions is not None for actions in lengths) >= 9
    assert all(len(actions) <= bot.LONGEST for actions in lengths if actions)


def test_hands_are_freed_first() -> None:
    """What is carried already is put next to its aim at once; anything else is put down."""
    world = world_of("PutNextS7N4Carrying", 0)
    plan = world.expert_plan() or ()

    assert plan[-1] == Command("drop")
    assert not any(command.verb == "pick_up" for command in plan)
    assert follow(world, plan).end is EndReason.SUCCESS
