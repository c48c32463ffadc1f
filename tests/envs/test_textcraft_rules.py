"""TextCraft: its rules, expert and reward, the faults of the original, and nonsense texts."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from textcraft_play import (
    PLACES,
    TASKS,
    act,
    inventory,
    reply,
    sign_world,
    wander,
    win,
    world_of,
)

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.textcraft import CraftTask, TextCraft
from agentgym_gen.envs.textcraft.expert import plan, split_count
from agentgym_gen.envs.textcraft.recipes import Recipe, RecipeBook, ShownRecipes, recipe_book
from agentgym_gen.envs.textcraft.reward import reward, score
from agentgym_gen.interface.renaming.names import Renaming
from agentgym_gen.world import TIERS, Command, Outcome, Task, TaskId


class TestRules:
    """Which commands are valid, and what they change."""

    def test_any_member_stands_for_its_kind(self) -> None:
        """Sticks are made of any planks, named as themselves."""
        world = sign_world()
        for text in ("get 1 birch log", "craft 4 birch planks using 1 birch log"):
            act(world, text)

        assert reply(world, "craft 4 stick using 2 birch planks") == "Crafted 4 minecraft:stick"

    def test_counts_are_exact(self) -> None:
        """A craft with twice the ingredients of a recipe is refused."""
        world = sign_world()
        act(world, "get 2 oak log")

        assert not act(world, "craft 8 oak planks using 2 oak log").valid  # type: ignore[union-attr]
        assert inventory(world) == {"oak log": 2}

    def test_none_of_an_item_that_is_not_there_is_not_enough(self) -> None:
        """A craft with zero of an item needs the item in the inventory, as in AgentGym."""
        world = sign_world()
        world_with_planks = sign_world()
        for text in ("get 1 oak log", "craft 4 oak planks using 1 oak log"):
            act(world_with_planks, text)
        craft = "craft 1 stick using 0 oak planks"

        lacking = "Could not find enough items to craft minecraft:stick"
        assert reply(world, craft) == reply(world, "craft 1 stick using 0 planks") == lacking
        assert reply(world_with_planks, craft).startswith("Could not find a valid recipe")

    def test_look_is_inventory(self) -> None:
        """The word `look` alone shows the inventory, as AgentGym's client has it."""
        world = sign_world()

        assert reply(world, "Look") == "Inventory: You are not carrying anything."
        assert reply(world, "look around") == "Could not execute look around"

    @pytest.mark.parametrize(("tier", "split"), PLACES)
    def test_admissible_commands_are_valid(self, tier: str, split: str) -> None:
        """Every listed command can be carried out, in the states of a random walk."""
        rng = random.Random(3)
        for index in range(10):
            world = world_of(TASKS.make(tier, split, index))
            for _ in range(30):
                outcome = world.step(rng.choice(world.admissible()))
                assert outcome.valid
                if outcome.end is not None:
                    break

    def test_admissible_crafts_depend_on_the_inventory_alone(self) -> None:
        """After a random walk, the crafts listed are those that the inventory allows."""
        task = TASKS.make("hard", "valid", 2)
        world = world_of(task)
        wander(world, 40, seed=2)
        crafts = {c for c in world.admissible() if c.verb == "craft"}
        book, items = recipe_book(), inventory(world)
        possible = {
            recipe.target
            for recipe in (book.recipes[book.number_of[line]] for line in task.content.recipes)
            if all(
                any(items.get(i, 0) >= n for i in book.members(name)) for name, n in recipe.parts
            )
        }

        assert {c.args[0].split(" ", 1)[1] for c in crafts} == possible

    def test_refused_commands_change_nothing(self) -> None:
        """A refusal changes neither the inventory nor the admissible commands nor the plan."""
        world = sign_world()
        act(world, "get 3 oak log")
        before = inventory(world), world.admissible(), world.expert_plan()
        for text in ("craft 4 stick using 2 planks", "get 0 oak log", "get 5 planks"):
            outcome = act(world, text)
            assert isinstance(outcome, Outcome)
            assert not outcome.valid
            assert outcome.reason

        assert (inventory(world), world.admissible(), world.expert_plan()) == before

    def test_worlds_share_the_book(self) -> None:
        """A hundred worlds share one recipe book."""
        assert len({id(TextCraft()._book) for _ in range(100)}) == 1

    def test_turn_limit(self) -> None:
        """The turn limit is twice the goal's plan, and at least the original's 20."""
        limits = {
            index: world_of(TASKS.make("hard", "test", index)).turn_limit() for index in range(19)
        }

        assert min(limits.values()) >= 20
        for index, limit in limits.items():
            assert limit >= 2 * len(world_of(TASKS.make("hard", "test", index)).expert_plan())


class TestExpert:
    """The expert, which solves every task."""

    @pytest.mark.parametrize(("tier", "split"), PLACES)
    def test_wins_every_task(self, tier: str, split: str) -> None:
        """200 tasks of every tier and split are won within half of the turns."""
        for index in range(200):
            world = world_of(TASKS.make(tier, split, index))

            assert win(world) <= world.turn_limit() / 2

    @pytest.mark.parametrize("tier", TIERS)
    @pytest.mark.parametrize("seed", range(10))
    def test_wins_from_the_middle(self, tier: str, seed: int) -> None:
        """The plan also wins after random moves."""
        world = world_of(TASKS.make(tier, "train", seed))
        wander(world, 25, seed)

        win(world)

    def test_uses_what_is_held(self) -> None:
        """Planks of another wood than the usual are used when they are there already."""
        woods = ("oak", "birch")
        planks = [(f"4 {wood} planks", f"1 {wood} logs") for wood in woods]
        content = CraftTask("chest", (("1 chest", "8 planks"), *planks))
        world = world_of(Task(TaskId("textcraft", "medium", "train", "0"), content))
        act(world, "get 2 birch log")
        for _ in range(2):
            act(world, "craft 4 birch planks using 1 birch log")

        assert world.expert_plan() == (Command("craft", ("1 chest", "8 birch planks")),)

    def test_following_a_plan_never_changes_it(self) -> None:
        """The rest of a plan is the plan of the state that its first command leads to."""
        world = world_of(TASKS.make("hard", "train", 5))
        first = world.expert_plan()
        for number, command in enumerate(first):
            assert world.expert_plan() == first[number:]
            world.step(command)

    def test_shortest_number_of_gets(self) -> None:
        """Amounts that the recipes show are added up with as few commands as possible."""
        assert split_count(9, (1, 3, 4)) == [4, 4, 1]
        assert split_count(2, (3,)) == [3]
        assert split_count(6, (1, 3)) == [3, 3]

    def test_one_batch_serves_two_recipes(self) -> None:
        """What two recipes need is counted together before it is made."""
        book = RecipeBook(
            [
                Recipe("board", 4, (("trunk", 1),)),
                Recipe("peg", 4, (("board", 1),)),
                Recipe("bench", 1, (("board", 3), ("peg", 2))),
            ],
            {},
        )
        shown_recipes = ShownRecipes(book, range(3))

        assert [command.args[0] for command in plan(shown_recipes, "bench", {})] == [
            "1 trunk",
            "4 board",
            "4 peg",
            "1 bench",
        ]


class TestReward:
    """Reward and score."""

    def test_reward_is_for_the_goal_only(self) -> None:
        """The reward is 1 for making the goal and 0 for anything else."""
        assert reward("oak sign", "oak sign") == 1.0
        assert reward("stick", "oak sign") == 0.0

    def test_score_is_the_share_of_the_plans_crafts(self) -> None:
        """The score is a share of the plan's crafts; crafts beyond them earn nothing."""
        plan_crafts = {"planks": 2, "stick": 1, "oak sign": 1}

        assert score(plan_crafts, {}) == 0.0
        assert score(plan_crafts, {"planks": 1}) == 0.25
        assert score(plan_crafts, {"planks": 9, "hoe": 3}) == 0.5

    def test_gathering_and_looking_score_nothing(self) -> None:
        """Neither gets nor refusals nor the inventory make progress."""
        world = sign_world()
        texts = ["get 9 oak log", "get 9 oak log", "inventory", "craft 1 chest using 1 chest"]

        answers = [act(world, text) for text in texts]
        assert [a.score for a in answers if isinstance(a, Outcome)] == [0.0] * 4

    @pytest.mark.parametrize("index", range(0, 100, 7))
    def test_score_only_rises_and_is_one_at_the_end_only(self, index: int) -> None:
        """On the expert's path the score never falls and is 1 with the goal alone."""
        world = world_of(TASKS.make("hard", "train", index))
        outcomes = [world.step(command) for command in world.expert_plan()]
        scores = [outcome.score for outcome in outcomes]

        assert scores == sorted(scores)
        assert scores[-2] < scores[-1] == 1.0


class TestFaultsOfTheOriginal:
    """This version has none of the original's faults that the documentation lists."""

    def test_reset_leaves_nothing_behind(self) -> None:
        """A hundred resets leave the book and the observation as they were."""
        world, task = TextCraft(), TASKS.make("hard", "test", 0)
        first, recipes = world.reset(task), recipe_book().recipes
        for _ in range(100):
            again = world.reset(task)

        assert again == first
        assert recipe_book().recipes is recipes
        assert inventory(world) == {}

    def test_what_a_kind_stands_for_can_be_got(self) -> None:
        """The recipe says `oak logs`: both the log and the kind bring logs that can be used."""
        world = sign_world()

        assert reply(world, "get 1 oak log") == "Got 1 oak log"
        assert reply(world, "get 1 oak logs") == "Got 1 oak log"
        assert inventory(world) == {"oak log": 2}

    def test_no_python_object_is_shown(self) -> None:
        """A recipe that does not exist is answered with the item's name."""
        world = sign_world()
        act(world, "get 9 oak log")

        answer = reply(world, "craft 4 oak planks using 3 oak log")
        assert answer == "Could not find a valid recipe for minecraft:oak_planks"

    def test_the_amount_that_is_asked_for_counts(self) -> None:
        """The amount in a craft has to be the recipe's, or be left out."""
        world = sign_world()
        act(world, "get 2 oak log")

        assert "valid recipe" in reply(world, "craft 1 oak planks using 1 oak log")
        assert reply(world, "craft oak planks using 1 oak log") == "Crafted 4 minecraft:oak_planks"

    def test_nothing_is_got_in_no_or_absurd_numbers(self) -> None:
        """Neither zero nor absurdly many of an item can be got, and no empty entry is left."""
        world = sign_world()
        for count in ("0", "000", "1001", "9" * 20, "9" * 5000):
            assert reply(world, f"get {count} oak log") == "Could not find oak log"

        assert inventory(world) == {}
        assert reply(world, "get 0001000 oak log") == "Got 1000 oak log"

    def test_an_ingredient_named_twice_is_not_used_twice(self) -> None:
        """The counts of two entries of one item are added up."""
        world = sign_world()
        act(world, "get 1 oak log")

        answer = reply(world, "craft 4 oak planks using 1 oak log, 1 oak log")
        assert answer == "Could not find enough items to craft minecraft:oak_planks"

    def test_goals_cannot_be_got(self) -> None:
        """No goal can be got, which AgentGym would count as success."""
        for tier, split in PLACES:
            for goal in TASKS.goals(tier, split):
                assert recipe_book().raw_item(goal) is None

    def test_global_randomness_is_left_alone(self) -> None:
        """A reset seeds nobody else's generator."""
        random.seed(5)
        np.random.seed(5)  # noqa: NPY002  (it is the global state that is watched)
        before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
        world_of(TASKS.make("easy", "train", 1))

        after = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
        assert after == before


NONSENSE = [
    "",
    " \n\t ",
    "a" * 100_000,
    "get 1 " + "x" * 100_000,
    "craft " * 2_000 + " using " * 2_000,
    "craft 1 a using " + "1 b, " * 20_000,
    "get 99999999999999999999 oak log",
    "get ٣ oak log",
    "get 1 \ud800",
    "get 1 🪵",
    "\x00\x07\x1b[31mget 1 oak log",
    "craft using",
    "craft , using ,",
    "craft 1 chest using ,,,",
    "craft 1 planks using 1 planks",
    "get 1 minecraft:oak_log",
    '{"verb": "get"}',
    "İnventory",
]


@pytest.mark.parametrize("text", NONSENSE, ids=lambda text: repr(text[:20]))
@pytest.mark.parametrize("interface", ["native", "json", "renamed+explained"])
def test_nonsense_is_answered(text: str, interface: str) -> None:
    """A nonsense text gets an answer; it is not valid and changes nothing."""
    env = TextEnv(TextCraft(), tier="medium", interface=interface)
    _, before = env.reset(seed=1)
    observation, reward, terminated, _, info = env.step(text)

    assert isinstance(observation, str)
    observation.encode()
    assert (reward, terminated, info["valid_action"]) == (0.0, False, False)
    assert info["admissible_actions"] == before["admissible_actions"]
    assert inventory(env.world) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize("text", NONSENSE, ids=lambda text: repr(text[:20]))
def test_nonsense_as_an_argument_is_answered(text: str) -> None:
    """A command with nonsense as an argument has an outcome, which is not valid."""
    world = sign_world()
    commands = [Command("get", (text,)), Command("craft", (text, text))]

    outcomes = [world.step(command) for command in commands]
    assert [outcome.valid for outcome in outcomes] == [False, False]
    assert inventory(world) == {}


def renamed(interface: str) -> tuple[TextEnv, Renaming]:
    """Return an environment whose things are renamed, and its renaming."""
    env = TextEnv(TextCraft(), tier="medium", split="test", interface=f"renamed+{interface}")
    env.reset(options={"task_id": "textcraft/medium/test/70"})
    return env, Renaming(env.world.surface().nouns(), env.task.id.stream("names"))


@pytest.mark.parametrize("syntax", ["json", "call", "native"])
@pytest.mark.parametrize(
    "argument", ["1 vine", "1 vi.ne", "1 v_ine", "1 stone bricks", "1 oak log"]
)
def test_old_names_are_refused_in_any_spelling(syntax: str, argument: str) -> None:
    """An old name is refused in any spelling, also of a thing that no recipe shows."""
    env, _ = renamed(syntax)
    action = {
        "json": f'{{"action": "get", "arguments": {{"item": "{argument}"}}}}',
        "call": f'get("{argument}")',
        "native": f"get {argument}",
    }[syntax]

    assert not env.step(action)[4]["valid_action"]
    assert inventory(env.world) == {}  # type: ignore[arg-type]


def test_no_answer_has_an_old_name() -> None:
    """No answer has an old name, such as a tag's common member or an item in an identifier."""
    env, renaming = renamed("native")
    answers = [
        env.step(renaming.rename(text))[0]
        for text in (
            "get 2 oak logs",
            "craft 4 oak planks using 1 oak log",
            "craft 9 stick using 1 dirt",
            "craft 1 dark oak slab using 1 oak planks",
            "inventory",
        )
    ]

    assert answers[0] == f"Got 2 {renaming.rename('oak log')}"
    assert answers[1] == f"Crafted 4 minecraft:{renaming.rename('oak planks')}"
    assert [renaming.old_name(text) for text in answers] == [None] * 5


def test_a_word_of_the_instruction_is_no_name() -> None:
    """The item `target` is not renamed, because the instruction has the word."""
    env, _ = renamed("native")

    assert 'the format "craft [target object] using [input ingredients]"' in env.instruction


def test_a_reset_with_new_names_is_quick() -> None:
    """A reset takes less than 20 ms, once the pattern of all names is compiled."""
    env, _ = renamed("native")
    start = time.process_time()
    for _ in range(20):
        env.reset()

    assert (time.process_time() - start) / 20 < 0.02


@pytest.mark.parametrize(
    "fragment", ["get ", "get 1", "craft ", "craft 1 using ", " using ", "1 a,", "_ ", ", "]
)
def test_reading_takes_no_time(fragment: str) -> None:
    """A text of 100,000 characters is read within 50 ms, whatever it repeats."""
    text = fragment * (100_000 // len(fragment))
    start = time.process_time()
    TextCraft().read(text)

    assert time.process_time() - start < 0.05
