"""TextCraft: its recipes, its tasks and its wording."""

from __future__ import annotations

import itertools
import json
import random
import re
from importlib import resources

import pytest
from textcraft_play import (
    PLACES,
    TASKS,
    reply,
    sign_world,
    wander,
    world_of,
)

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.textcraft import TextCraft
from agentgym_gen.envs.textcraft.distractors import curio_lines
from agentgym_gen.envs.textcraft.expert import reference
from agentgym_gen.envs.textcraft.recipes import parse_recipes, recipe_book
from agentgym_gen.envs.textcraft.tasks import DEPTHS, DISTRACTOR_RECIPES, MAX_PLAN_LENGTH
from agentgym_gen.world import SPLITS, TIERS, Command, Malformed, write_template

INSTRUCTION = (
    "You are given few useful crafting recipes to craft items in Minecraft. Crafting commands are "
    'of the format "craft [target object] using [input ingredients]".\nEvery round I will give you '
    "an observation, you have to respond an action based on the state and instruction. You can "
    '"get" an object (ingredients) from the inventory or the environment, look-up the game '
    'inventory by "inventory", or "craft" (target) using any of the crafting commands.\n\n'
    'Reminder: \n1. Always specify the quantity when using "get" and "craft" commands. '
    "- Example of get: get 1 lapis lazuli - Example1 of craft: craft 1 blue dye using 1 lapis "
    "lazuli - Example2 of craft: craft 1 golden carrot using 8 gold nugget, 1 carrot\n2. When "
    'using "get" command, do not specify whether the item comes from the inventory or the '
    "environment.\n"
    "3. You can use ONLY crafting commands provided, do not use your own crafting commands. "
    'However, if the crafting command uses a generic ingredient like "planks", you can use special '
    'types of the same ingredient e.g. "dark oak planks" in the command instead.'
)


class TestRecipes:
    """The recipe book, and how it is cleaned."""

    def test_planks_and_logs_are_kinds_of_items(self) -> None:
        """A recipe that takes any planks is one recipe, and its members are items."""
        book = recipe_book()

        assert [r.parts for r in book.recipes_for["chest"]] == [(("planks", 8),)]
        assert [r.parts for r in book.recipes_for["oak planks"]] == [(("oak logs", 1),)]
        assert len(book.members("planks")) == 8
        assert book.raw_item("oak logs") == "oak log"
        assert book.raw_item("planks") is None

    def test_three_flowers_are_three_recipes(self) -> None:
        """Variants of no common kind stay recipes of their own."""
        recipes = recipe_book().recipes_for["light gray dye"]

        flowers = {("azure bluet", 1), ("oxeye daisy", 1), ("white tulip", 1)}
        assert flowers <= {r.parts[0] for r in recipes if len(r.parts) == 1}

    def test_blocks_are_not_unpacked(self) -> None:
        """No recipe takes a block apart, so that what a block is made of can be got."""
        book = recipe_book()

        assert "coal" not in book.recipes_for
        assert book.raw_item("coal") == "coal"
        assert "coal block" in book.recipes_for

    def test_no_item_is_needed_for_itself(self) -> None:
        """The parts of a recipe always have a lower level than its target."""
        book = recipe_book()

        for recipe in book.recipes:
            members = [item for name, _ in recipe.parts for item in book.members(name)]
            assert max(map(book.level, members)) < book.level(recipe.target)

    def test_the_book_does_not_depend_on_the_order_of_the_file(self) -> None:
        """Shuffled recipes make the same book; the original follows the order of a directory."""
        text = resources.files("agentgym_gen.envs.textcraft") / "data" / "recipes.json"
        facts = json.loads(text.read_text(encoding="utf-8"))
        random.Random(0).shuffle(facts["recipes"])

        assert parse_recipes(facts).recipes == recipe_book().recipes

    def test_depth_is_the_shortest_way_down(self) -> None:
        """Depth counts crafts above items without a recipe, over the easiest recipe."""
        book = recipe_book()

        depths = [book.depth(item) for item in ("oak log", "oak planks", "oak sign", "oak logs")]
        assert depths == [0, 1, 2, 0]
        assert book.depth("stick") == 1  # from bamboo

    def test_the_data_file_is_sorted(self) -> None:
        """The recipes of the file are in order, so that a change is a small difference."""
        text = resources.files("agentgym_gen.envs.textcraft") / "data" / "recipes.json"
        recipes = json.loads(text.read_text(encoding="utf-8"))["recipes"]

        assert recipes == sorted(recipes)


class TestTasks:
    """Tiers, splits and the recipes that a task shows."""

    @pytest.mark.parametrize(("tier", "split"), PLACES)
    def test_every_split_has_two_hundred_different_tasks(self, tier: str, split: str) -> None:
        """No two tasks of a split are the same, and there are at least 200."""
        goals, number = len(TASKS.goals(tier, split)), TASKS.size(tier, split)
        indices = [i for i in range(number) if i % goals < 20]
        fingerprints = {TASKS.make(tier, split, i).fingerprint for i in indices}

        assert number >= 200
        assert len(fingerprints) == len(indices)

    @pytest.mark.parametrize("tier", TIERS)
    def test_splits_share_nothing(self, tier: str) -> None:
        """No goal and no fingerprint is in two splits."""
        for first, second in itertools.combinations(SPLITS, 2):
            fingerprints = [
                {TASKS.make(tier, split, i).fingerprint for i in range(100)}
                for split in (first, second)
            ]

            assert not set(TASKS.goals(tier, first)) & set(TASKS.goals(tier, second))
            assert not fingerprints[0] & fingerprints[1]

    def test_no_goal_is_lost(self) -> None:
        """The tiers hold every item with a recipe, but for those whose plan is too long."""
        book = recipe_book()
        goals = {g for tier, split in PLACES for g in TASKS.goals(tier, split)}

        left_out = set(book.recipes_for) - goals
        assert left_out == {"anvil", "netherite block"}
        assert all(reference(goal).length > MAX_PLAN_LENGTH for goal in left_out)

    @pytest.mark.parametrize("tier", TIERS)
    def test_a_tier_is_a_crafting_depth(self, tier: str) -> None:
        """Every goal of a tier has its depth."""
        goals = [goal for split in SPLITS for goal in TASKS.goals(tier, split)]

        assert {recipe_book().depth(goal) for goal in goals} == set(DEPTHS[tier])

    @pytest.mark.parametrize(("tier", "split"), PLACES)
    def test_a_task_shows_what_is_needed_and_ten_more(self, tier: str, split: str) -> None:
        """All recipes of the goal's tree are shown, each once, with ten distractors."""
        book = recipe_book()
        for index in range(20):
            task = TASKS.make(tier, split, index).content
            relevant = {book.commands[n].args for n in book.relevant_recipes(task.goal)}

            assert relevant <= set(task.recipes)
            assert len(set(task.recipes)) == len(task.recipes)
            assert len(task.recipes) == len(relevant) + DISTRACTOR_RECIPES

    @pytest.mark.parametrize(
        ("task_id", "fingerprint"),
        [
            ("textcraft/easy/train/0", "27ee0d3c76df2655"),
            ("textcraft/medium/valid/7", "57c1af2c7643a070"),
            ("textcraft/hard/test/17", "1c7afdd2457bfea2"),
            ("textcraft/hard/test/300", "acd66e240a18eda6"),
        ],
    )
    def test_tasks_stay_what_they_are(self, task_id: str, fingerprint: str) -> None:
        """An id is the same task for ever, or the version has to rise."""
        assert TASKS.find(task_id).fingerprint[:16] == fingerprint


class TestWording:
    """The native texts, which are those of AgentGym's TextCraft."""

    def test_instruction_is_the_originals(self) -> None:
        """The native instruction is AgentGym's, without the format of the answer."""
        env = TextEnv(TextCraft(), tier="easy")
        env.reset(seed=0)

        assert env.instruction == INSTRUCTION

    def test_first_observation(self) -> None:
        """The first observation has the recipes, a line each, and the goal."""
        env = TextEnv(TextCraft(), tier="easy", split="test")
        observation, info = env.reset(options={"task_id": "textcraft/easy/test/0"})
        goal = env.task.content.goal

        pattern = rf"Crafting commands:\n(craft \d+ [a-z ]+ using .+\n)+\nGoal: craft {goal}\."
        assert re.fullmatch(pattern, observation)
        assert info["goal"] == f"craft {goal}"

    def test_transcript(self) -> None:
        """An episode with every kind of answer has the original's words."""
        world = sign_world()
        episode = [
            ("inventory", "Inventory: You are not carrying anything."),
            ("get 1 oak log", "Got 1 oak log"),
            ("get 1 dragon", "Could not find dragon"),
            ("get 4 oak planks", "Could not find oak planks"),
            ("get 4 planks", "Could not find planks"),
            ("get oak log", "Could not execute get oak log"),
            ("dig a hole", "Could not execute dig a hole"),
            (
                "craft 4 stick using 2 oak planks",
                "Could not find enough items to craft minecraft:stick",
            ),
            ("craft 4 oak planks using oak log", "Wrong item format: oak log"),
            (
                "craft 4 birch planks using 1 oak log",
                "Could not find a valid recipe for minecraft:birch_planks",
            ),
            ("craft 4 oak planks using 1 oak log", "Crafted 4 minecraft:oak_planks"),
            ("craft 4 stick using 2 oak planks", "Crafted 4 minecraft:stick"),
            ("inventory please", "Inventory: [oak planks] (2) [stick] (4) "),
            ("Action! get 1 oak log", "Could not execute Action get 1 oak log"),
            ("get 1 oak log.", "Got 1 oak log"),
            ("craft 4 oak planks using 1 oak log", "Crafted 4 minecraft:oak_planks"),
            ("craft 3 oak sign using 6 oak planks, 1 stick", "Crafted 3 minecraft:oak_sign"),
        ]

        assert [(text, reply(world, text)) for text, _ in episode] == episode

    @pytest.mark.parametrize(
        ("text", "command"),
        [
            ("craft 1 a using 1 b", Command("craft", ("1 a", "1 b"))),
            ("  get   2 oak   log ", Command("get", ("2 oak log",))),
            ("get 2 oak log!", Command("get", ("2 oak log",))),
            ("inventory please", Command("inventory")),
            ("Look", Command("inventory")),
        ],
    )
    def test_reading_is_the_originals(self, text: str, command: Command) -> None:
        """A prefix is enough; all but letters, digits, spaces and commas is dropped first."""
        assert TextCraft().read(text) == command

    @pytest.mark.parametrize(
        "text", ["INVENTORY", "please get 1 stick", "get one stick", "craft x"]
    )
    def test_case_and_beginning_matter(self, text: str) -> None:
        """Verbs are in lower case and come first, as in the original."""
        assert isinstance(TextCraft().read(text), Malformed)

    @pytest.mark.parametrize("number", ["9.0", "0.5", "-4", "- 4", "1.000"])
    @pytest.mark.parametrize(
        "text", ["get {} oak log", "craft {} a using 1 b", "craft 1 a using {} b"]
    )
    def test_a_number_is_not_read_as_another(self, text: str, number: str) -> None:
        """Cleaning would make 90 of 9.0, 5 of 0.5 and 4 of -4: a number is whole, or refused."""
        refusal = TextCraft().read(text.format(number))

        assert isinstance(refusal, Malformed)
        assert refusal.reason == "a quantity is a whole number, without a sign or a point"
        assert isinstance(TextCraft().read(text.format("4") + "."), Command)

    def test_distractors_name_no_item(self) -> None:
        """No sentence about a curio speaks of an item or an action."""
        words = {*recipe_book().items, *recipe_book().tags, "get", "craft", "inventory"}
        text = " ".join(curio_lines()).lower()

        assert [word for word in words if re.search(rf"\b{word}s?\b", text)] == []

    def test_commands_read_back(self) -> None:
        """Every admissible command, written as text, is read as the same command."""
        world = world_of(TASKS.make("hard", "train", 3))
        templates = {verb.name: verb.template for verb in world.verbs}
        wander(world, 30, seed=1)

        for command in world.admissible():
            assert world.read(write_template(templates[command.verb], command.args)) == command
