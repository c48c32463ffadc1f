"""ALFWorld's rules and words: held against walks recorded in the original, and by hand."""

import json
import pathlib
from dataclasses import replace

import numpy as np
import pytest

from agentgym_gen.agents.policy import RandomPolicy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.env import TextEnv
from agentgym_gen.envs.alfworld import ALFWorld, SearchPolicy
from agentgym_gen.envs.alfworld.house import Goal, House, Receptacle, Thing
from agentgym_gen.envs.alfworld.reward import reward
from agentgym_gen.envs.alfworld.search_policy import next_move
from agentgym_gen.interface import EpisodeInterface, Interface
from agentgym_gen.testing import check_world
from agentgym_gen.world import Malformed, Task, TaskId

GOLDEN = pathlib.Path(__file__).parent / "golden" / "alfworld_walks.json"
WALKS = json.loads(GOLDEN.read_text("utf-8"))["walks"]
APPLE = Thing("apple 1", "apple", ("coolable", "heatable", "pickupable"), (1,), ("loc 2",))
KNIFE = Thing("knife 1", "knife", ("cleanable", "pickupable"), (0,), ("loc 1",))
BREAD = Thing("bread 1", "bread", ("pickupable", "sliceable"), (0,), ("loc 1",))
MUG = Thing("mug 1", "mug", ("pickupable",), (2,), ("loc 2",), holds=("pen 1",))
KITCHEN = House(
    room="kitchen",
    task="put a hot apple in countertop.",
    goal=Goal("heat", "apple", "countertop"),
    start="loc 9",
    receptacles=(
        Receptacle("countertop 1", "countertop", "loc 1"),
        Receptacle("fridge 1", "fridge", "loc 2", openable=True),
        Receptacle("shelf 1", "shelf", "loc 2"),
        Receptacle("microwave 1", "microwave", "loc 3", openable=True),
    ),
    things=(APPLE, BREAD, KNIFE, MUG),
    fits=tuple((place, "apple") for place in ("countertop", "fridge", "microwave", "shelf")),
)


class Player:
    """A world that plays *house* and is spoken to in its native words."""

    def __init__(self, house: House = KITCHEN, version: str = "0.4") -> None:
        self.world = ALFWorld(wording_version=version)
        task_id = TaskId("alfworld", "easy", "train", "0")
        self.opening = self.world.reset(Task(task_id, house))
        self.dialect = EpisodeInterface(Interface(), self.world, task_id)
        self.outcome = None

    def say(self, *said: str) -> str:
        """Say each of *said* and return the last answer."""
        for text in said:
            command = self.world.read(text)
            assert not isinstance(command, Malformed), text
            self.outcome = self.world.step(command)
        return self.dialect.render(self.outcome.scene.message)

    def menu(self) -> list[str]:
        """Return the admissible commands as texts."""
        return self.dialect.write_all(self.world.admissible())


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk["task_id"])
def test_walks_are_those_of_the_original(walk: dict[str, list]) -> None:
    """Opening, answers, admissible commands, score and end are textworld's at every step."""
    env = TextEnv(ALFWorld(), split=walk["task_id"].split("/")[2], max_turns=1_000)
    shown, info = env.reset(options={"task_id": walk["task_id"]})
    assert [shown, numbers(walk, info)] == walk["opening"]

    for said, answer, admissible, score, done in walk["steps"]:
        shown, earned, terminated, _, info = env.step(said)
        assert (shown, earned, info["score"], terminated) == (answer, score, score, done)
        assert done or numbers(walk, info) == admissible


def numbers(walk: dict[str, list], info: dict[str, list[str]]) -> list[int]:
    """Return the admissible actions of *info* by their numbers in the list of *walk*."""
    return [walk["commands"].index(said) for said in info["admissible_actions"]]


def test_a_task_is_done_as_in_the_original() -> None:
    """Fetching, heating and bringing an apple wins, with the original's sentences."""
    player = Player()

    assert player.say("go to fridge 1") == "You arrive at fridge 1. The fridge 1 is closed."
    assert player.say("open fridge 1") == (
        "You open the fridge 1. The fridge 1 is open. In it, you see a apple 1."
    )
    assert player.say("take apple 1 from fridge 1") == "You pick up the apple 1 from the fridge 1."
    assert player.say("inventory") == "You are carrying: a apple 1."
    player.say("go to microwave 1")
    assert player.say("heat apple 1 with microwave 1") == (
        "You heat the apple 1 using the microwave 1."
    )
    assert player.say("examine apple 1") == "This is a hot apple 1."
    player.say("go to countertop 1")
    assert player.say("move apple 1 to countertop 1") == (
        "You move the apple 1 to the countertop 1."
    )
    assert (player.outcome.success, player.outcome.reward, player.outcome.score) == (True, 1.0, 1.0)


def test_what_shares_a_place_is_used_without_going_there() -> None:
    """Going to a receptacle at the player's place is refused; it can be used at once."""
    player = Player()
    player.say("go to fridge 1")

    assert "go to shelf 1" not in player.menu()
    assert "take mug 1 from shelf 1" in player.menu()
    assert player.say("go to shelf 1") == "Nothing happens."
    assert player.outcome.reason == "you are there already"


def test_looking_around_lists_nothing_but_what_was_moved_here() -> None:
    """The original's `look`: nothing in the middle, and beside a receptacle what changed places."""
    player = Player()
    assert player.say("look").endswith("Looking quickly around you, you see nothing.")

    player.say("go to fridge 1", "open fridge 1", "take apple 1 from fridge 1")
    player.say("move apple 1 to shelf 1")

    assert player.say("look") == (
        "You are facing the fridge 1, and shelf 1. Next to it, you see a apple 1."
    )


def test_only_what_is_held_can_be_examined() -> None:
    """A thing in a receptacle cannot; a hollow one shows what is in it, whatever its state."""
    player = Player()
    player.say("go to shelf 1")
    assert player.say("examine mug 1") == "Nothing happens."

    player.say("take mug 1 from shelf 1")
    assert player.say("examine mug 1") == "This is a normal mug 1. In it, you see a pen 1."


def test_slicing_needs_a_knife_in_hand() -> None:
    """And the thing at the player's place; `use` and the like are not needed."""
    player = Player()
    player.say("go to countertop 1", "take knife 1 from countertop 1")
    said = player.say("slice bread 1 with knife 1")

    assert said == "You sliced the bread 1 with the knife 1."


def test_cooling_ends_heat() -> None:
    """A thing is hot or cool, and "cold" where the original says so."""
    player = Player()
    player.say("go to fridge 1", "open fridge 1", "take apple 1 from fridge 1")
    player.say("go to microwave 1", "heat apple 1 with microwave 1", "go to fridge 1")
    player.say("cool apple 1 with fridge 1")

    assert player.say("examine apple 1") == "This is a cold apple 1."


def test_the_lamp_is_only_ever_turned_on() -> None:
    """`use` says so each time; the task is won with the thing in hand beside the lit lamp."""
    lamp = Thing("desklamp 1", "desklamp", ("toggleable",), (0,), ("loc 1",))
    goal = Goal("look", "mug", "desklamp")
    player = Player(replace(KITCHEN, goal=goal, things=(MUG, lamp)))
    player.say("go to countertop 1")

    assert player.say("use desklamp 1") == "You turn on the desklamp 1."
    assert player.say("use desklamp 1") == "You turn on the desklamp 1."
    player.say("go to shelf 1", "take mug 1 from shelf 1", "go to countertop 1")
    assert player.outcome.success


@pytest.mark.parametrize(
    "said", ["Look", "go  to fridge 1", "go to Fridge 1", "help me", "", "take apple 1"]
)
def test_commands_are_read_to_the_letter(said: str) -> None:
    """Case and inner spaces count, as in the original; spaces around do not."""
    player = Player()
    before = player.menu()
    command = player.world.read(said)

    if isinstance(command, Malformed):
        assert player.world.invalid_reply(command) == ("Nothing happens.",)
    else:
        assert not player.world.step(command).valid
    assert player.menu() == before
    assert player.world.read("  look\n") == player.world.read("look")


def test_the_older_wording_puts_and_names_places() -> None:
    """Version 0.3 says `put X in/on Y` and "arrive at loc"; it has neither `move` nor `help`."""
    player = Player(version="0.3")

    assert player.say("go to fridge 1") == "You arrive at loc 2. The fridge 1 is closed."
    player.say("open fridge 1", "take apple 1 from fridge 1")
    assert "put apple 1 in/on shelf 1" in player.menu()
    assert "help" not in player.menu()
    assert player.say("put apple 1 in/on shelf 1") == "You put the apple 1 in/on the shelf 1."
    assert isinstance(player.world.read("move apple 1 to shelf 1"), Malformed)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("go to narnia 1", "there is no such receptacle"),
        ("open microwave 1", "there is no microwave 1 within reach"),
        ("take apple 1 from fridge 1", "there is no apple 1 within reach"),
        ("open shelf 1", "that does not work with this"),
        ("move mug 1 to shelf 1", "you do not carry mug 1"),
    ],
)
def test_reasons_say_what_can_be_known(said: str, reason: str) -> None:
    """A refusal has a reason that gives away nothing behind closed doors."""
    player = Player()
    player.say("go to fridge 1")

    assert player.say(said) == "Nothing happens."
    assert (player.outcome.valid, player.outcome.reason) == (False, reason)


def test_hands_hold_one_thing() -> None:
    """The reason for not taking a second thing is the first."""
    player = Player()
    player.say("go to countertop 1", "take knife 1 from countertop 1")
    player.say("take bread 1 from countertop 1")

    assert player.outcome.reason == "you can carry one object only"


def test_facts_say_what_the_text_says() -> None:
    """The data form has the content of an open receptacle, and the goal as parts."""
    player = Player()
    player.say("go to fridge 1", "open fridge 1")

    assert player.opening.facts["task"]["state"] == "hot"
    assert player.outcome.scene.facts["content"] == ["apple 1"]
    assert player.say("close fridge 1") == "You close the fridge 1."
    assert "content" not in player.outcome.scene.facts


def test_reward_by_hand() -> None:
    """Winning earns 1, everything else 0."""
    assert (reward(won=True), reward(won=False)) == (1.0, 0.0)


@pytest.mark.parametrize("version", ["0.4", "0.3"])
def test_the_contract_holds_in_both_wordings(version: str) -> None:
    """Every law of a world, without leaks of a native verb through another wording."""
    module = "agentgym_gen.envs.alfworld:ALFWorld"
    check_world(module, tasks_per_split=1, options={"wording_version": version})


@pytest.mark.parametrize("tier", ["easy", "medium", "hard"])
def test_the_plan_wins_from_wherever_random_moves_lead(tier: str) -> None:
    """With anything in hand that can be put down, and with receptacles open or not."""
    rng = np.random.default_rng(5)
    env = TextEnv(ALFWorld(), tier=tier, split="valid", max_turns=1_000)
    for index in range(8):
        _, info = env.reset(options={"task_id": f"alfworld/{tier}/valid/{index}"})
        for _ in range(20):
            menu = [said for said in env.admissible_actions if rng.random() < 0.5]
            if menu and not info["success"]:
                *_, info = env.step(menu[int(rng.integers(len(menu)))])
        if not info["success"]:
            assert wins(env) or holds_for_ever(env.world)


def wins(env: TextEnv) -> bool:
    """Return whether the plan from here on wins, with admissible commands."""
    info = {"success": False}
    for command in env.world.expert_plan() or ():
        assert command in env.world.admissible()
        *_, info = env.step(env.write(command))
    return info["success"]


def holds_for_ever(world: ALFWorld) -> bool:
    """Return whether no receptacle takes the thing in hand, as the original has it for some."""
    game = world.game
    kinds = {thing for _, thing in game.fits}
    return game.in_hand is not None and game.house.things[game.in_hand].kind not in kinds


def test_what_fits_nowhere_is_held_for_ever() -> None:
    """The original's teddy bears and paper towel rolls cannot be put down; then all is lost."""
    player = Player(replace(KITCHEN, fits=(("countertop", "apple"),)))
    player.say("go to countertop 1", "take knife 1 from countertop 1")

    assert player.world.expert_plan() is None
    assert not any(said.startswith("move") for said in player.menu())


def test_the_searching_player_wins_without_looking_behind_doors() -> None:
    """It needs more turns than the expert and far fewer than a random player."""
    tasks = [f"alfworld/medium/test/{index}" for index in range(20)]
    episodes = [Episode("rftgen/ALFWorld-medium-v0", task) for task in tasks]
    style = PromptStyle("action", instruction=False)
    searched = run(episodes, SearchPolicy(), style=style)
    wandered = run(episodes, RandomPolicy(), style=style)

    assert sum(t.success for t in searched) >= 18
    assert sum(t.success for t in wandered) <= 2
    assert np.mean([len(t.turns) for t in searched]) > 6


def test_the_searching_player_does_not_depend_on_what_it_has_not_seen() -> None:
    """Until it opens the fridge, it plays alike whatever is in there."""
    empty = replace(
        KITCHEN, things=(replace(APPLE, inside=(3,), places=("loc 3",)), *KITCHEN.things[1:])
    )
    first = [searched(house, turns=2) for house in (KITCHEN, empty)]

    assert first[0] == first[1]


def searched(house: House, turns: int) -> list[str]:
    """Return what the searching player says first in *house*."""
    player = Player(house)
    said = []
    for _ in range(turns):
        move = next_move(player.world.game, player.world.memory)
        assert move is not None
        said.append(player.dialect.write(player.world.command(move), ()))
        player.say(said[-1])
    return said
