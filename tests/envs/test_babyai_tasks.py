"""BabyAI: tasks, levels, splits and the expert."""

import hashlib
import os
import subprocess
import sys

import pytest
from babyai_play import act, make_task, make_world

from agentgym_gen import TextEnv
from agentgym_gen.envs.babyai import BabyAI
from agentgym_gen.envs.babyai.engine import backend
from agentgym_gen.envs.babyai.levels import AGENTGYM_LEVELS, LEVELS, short_name, tier_of
from agentgym_gen.envs.babyai.tasks import MAX_EXPERT_TURNS, Quest, QuestTasks
from agentgym_gen.errors import InvalidValueError, UnknownNameError
from agentgym_gen.seeding import stream
from agentgym_gen.world import TIERS, Command, EndReason, Outcome, Task

CELLS = [(tier, split) for tier in TIERS for split in ("train", "valid", "test")]


def follow(world: BabyAI, plan: tuple[Command, ...]) -> Outcome:
    """Carry out *plan*, whose commands are all admissible, and return the last outcome."""
    for command in plan:
        assert command in world.admissible()
        outcome = world.step(command)
    return outcome


def wander(world: BabyAI, steps: int, key: str) -> EndReason | None:
    """Take random *steps* that destroy nothing, and return why the episode ended, if it did."""
    rng = stream("wander", key)
    for _ in range(steps):
        ahead = world._perception.thing_ahead
        box = ahead is not None and ahead.kind == "box"
        safe = [command for command in world.admissible() if not (box and command.verb == "toggle")]
        if end := world.step(safe[int(rng.integers(len(safe)))]).end:
            return end
    return None


def test_tasks_are_what_they_were() -> None:
    """The first task of every cell is that of minigrid 3.2; a changed world needs a new id."""
    tasks = QuestTasks()
    quests = [tasks.make(tier, split, 0).content for tier, split in CELLS]
    text = repr([(quest, quest.level, quest.seed, quest.plan, quest.steps) for quest in quests])

    assert [quest.mission for quest in quests[:3]] == ["go to the red ball"] * 3
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "63ee6d706a611ac2"


@pytest.mark.parametrize(("tier", "split"), CELLS)
def test_a_task_belongs_to_its_split_and_its_tier(tier: str, split: str) -> None:
    """The levels of a tier take turns, and the hash of each world is of the split."""
    tasks = QuestTasks()
    quests = [tasks.make(tier, split, index).content for index in range(8)]

    assert [quest.split for quest in quests] == [split] * 8
    levels = LEVELS[tier]
    assert [quest.level for quest in quests] == [levels[index % len(levels)] for index in range(8)]
    assert all(0 < len(quest.plan) <= MAX_EXPERT_TURNS for quest in quests)


def test_equal_worlds_have_equal_fingerprints() -> None:
    """The level, the seed and the plan are no part of a fingerprint; the mission is."""
    task = make_task("GoToObjS6", 0)
    same = Quest(task.content.world, task.content.mission, "GoToObj", 7, (Command("drop"),), 9)
    other = Quest(task.content.world, "go to the key", "GoToObjS6", 0, (), 0)

    assert Task(task.id, same).fingerprint == task.fingerprint
    assert Task(task.id, same).content.split == task.content.split
    assert Task(task.id, other).fingerprint != task.fingerprint


def test_the_shares_of_the_splits() -> None:
    """Of 300 worlds, about 180, 60 and 60 belong to train, valid and test."""
    splits = [make_task("GoToLocalS8N7", seed).content.split for seed in range(300)]

    assert [splits.count(split) for split in ("train", "valid", "test")] == pytest.approx(
        [180, 60, 60], abs=25
    )


@pytest.mark.slow
def test_generating_needs_no_assertions() -> None:
    """Minigrid's bot gives up by `assert`; `python -O` still generates the same tasks."""
    code = (
        "from agentgym_gen.envs.babyai.tasks import QuestTasks\n"
        "quests = [QuestTasks().make('hard', 'train', index).content for index in range(8)]\n"
        "print(repr([(quest, quest.seed, quest.plan) for quest in quests]))\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    outputs = [
        subprocess.run(
            [sys.executable, *flags, "-c", code], env=env, capture_output=True, check=True
        ).stdout
        for flags in ([], ["-O"])
    ]

    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("level", AGENTGYM_LEVELS)
def test_every_level_of_agentgym_is_solved(level: str) -> None:
    """The expert solves all 40, those too that AgentGym's text or minigrid's bot cannot solve."""
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
    """The expert wins after 15 random commands, in each of 25 tasks that these do not end."""
    world = BabyAI(wording)
    ends = []
    for index in range(25):
        world.reset(world.tasks.make(tier, "valid", index))
        if wander(world, 15, f"{tier} {index}") is None:
            ends.append(follow(world, world.expert_plan() or ()).end)

    assert len(ends) > 8
    assert set(ends) == {EndReason.SUCCESS}


def test_planning_changes_nothing() -> None:
    """The bot plays in the game itself, whose state is restored afterwards."""
    world = make_world("BossLevel", 2)
    wander(world, 5, "planning")
    before = world._game.grid_rows(), world.info(), world.admissible()

    assert world.expert_plan()
    assert (world._game.grid_rows(), world.info(), world.admissible()) == before


def test_a_plan_is_kept_while_it_is_followed() -> None:
    """After a step of the plan, the next plan is the rest of it."""
    world = BabyAI()
    world.reset(world.tasks.make("medium", "train", 5))
    plan = world.expert_plan() or ()
    world.step(plan[0])

    assert world.expert_plan() == plan[1:]
    assert len(plan) > 3


def test_there_is_no_plan_for_what_is_destroyed() -> None:
    """Opening a box destroys it; a mission to pick it up cannot be accomplished any more."""
    world = make_world("PickupLoc", 2)
    for text in ("turn right", "turn right", "go to yellow box 1"):
        act(world, text)
    assert world.expert_plan() == (Command("pick_up", ("yellow box 1",)),)

    act(world, "toggle")
    assert world.expert_plan() is None
    assert world.expert_plan() is None


def test_a_plan_in_balrogs_wording_has_single_actions() -> None:
    """BALROG has no macro actions, so the plan is as long as the bot's."""
    world = BabyAI("balrog")
    task = world.tasks.make("medium", "train", 5)
    world.reset(task)

    assert len(world.expert_plan() or ()) == task.content.steps
    assert world.turn_limit() == max(20, 2 * task.content.steps)


def test_turns_are_twice_the_experts() -> None:
    """The turn limit is twice the expert's turns and at least 20; the original's is always 20."""
    world = BabyAI()
    easy, hard = world.tasks.make("easy", "train", 0), world.tasks.make("hard", "train", 2)
    limits = []
    for variant in (world, BabyAI(compat="original")):
        for task in (easy, hard):
            variant.reset(task)
            limits.append(variant.turn_limit())

    assert len(hard.content.plan) > 10
    assert limits == [20, 2 * len(hard.content.plan), 20, 20]


def test_a_level_by_name_has_tasks_of_its_own() -> None:
    """Their ids name the level, which belongs to one tier."""
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
    """An id that these tasks do not have is an error."""
    with pytest.raises(InvalidValueError):
        QuestTasks(level).find(task_id)


def test_a_level_is_of_one_tier() -> None:
    """Another tier than that of the level is an error."""
    with pytest.raises(UnknownNameError, match="Unknown tier 'easy'"):
        TextEnv(BabyAI(level="BossLevel"), tier="easy")


@pytest.mark.parametrize(
    ("level", "rooms", "tier"),
    [("Unlock", 9, "hard"), ("OpenDoorLoc", 9, "medium"), ("X", 1, "easy"), ("X", 2, "medium")],
)
def test_tiers_of_levels(level: str, rooms: int, tier: str) -> None:
    """A level's tier is that of the table, or else follows from the number of rooms."""
    assert tier_of(level, rooms) == tier


def test_names_of_levels() -> None:
    """A short name has neither ``BabyAI-`` nor a version."""
    assert short_name("BabyAI-PutNextS7N4Carrying-v0") == "PutNextS7N4Carrying"
    assert short_name("BossLevel") == "BossLevel"


def test_levels_of_the_tiers_are_agentgyms() -> None:
    """No level is in two tiers, and AgentGym has each of them."""
    levels = [level for tier in LEVELS.values() for level in tier]

    assert len(set(levels)) == len(levels) == 18
    assert set(levels) <= set(AGENTGYM_LEVELS)
    assert len(AGENTGYM_LEVELS) == 40


def test_an_impossible_mission_is_given_up() -> None:
    """The bot stops at its limits, counted in steps; this level once hung for minutes."""
    bot, game_module = backend.load("bot"), backend.load("game")
    solutions = [bot.solve(game_module.Game("GoToImpUnlock", seed)) for seed in range(12)]

    assert sum(actions is not None for actions in solutions) >= 9
    assert all(len(actions) <= bot.MAX_ACTIONS for actions in solutions if actions)


def test_hands_are_freed_first() -> None:
    """What is carried and has to be put next to something is not picked up again."""
    world = make_world("PutNextS7N4Carrying", 0)
    plan = world.expert_plan() or ()

    assert plan[-1] == Command("drop")
    assert not any(command.verb == "pick_up" for command in plan)
    assert follow(world, plan).end is EndReason.SUCCESS
