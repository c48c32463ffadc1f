"""ALFWorld's rules and words, compared with walks recorded in the original and tested by hand."""

import json
import pathlib
from dataclasses import replace

import numpy as np
import pytest

from agentgym_gen.agents.policy import ExpertPolicy, RandomPolicy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.env import TextEnv
from agentgym_gen.envs.alfworld import ALFWorld
from agentgym_gen.envs.alfworld.house import Goal, House, Receptacle, Thing
from agentgym_gen.envs.alfworld.reward import reward
from agentgym_gen.envs.alfworld.search_expert import next_move
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
    """Plays *house* with native action texts."""

    def __init__(self, house: House = KITCHEN, version: str = "0.4") -> None:
        self.world = ALFWorld(wording_version=version)
        task_id = TaskId("alfworld", "easy", "train", "0")
        self.opening = self.world.reset(Task(task_id, house))
        self.interface = EpisodeInterface(Interface(), self.world, task_id)
        self.outcome = None

    def play(self, *action_texts: str) -> str:
        """Carry out each of *action_texts* and return the last observation."""
        for text in action_texts:
            command = self.world.read(text)
            assert not isinstance(command, Malformed), text
            self.outcome = self.world.step(command)
        return self.interface.render(self.outcome.scene.message)

    def admissible(self) -> list[str]:
        """Return the admissible commands as texts."""
        return self.interface.write_all(self.world.admissible())


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk["task_id"])
def test_walks_are_those_of_the_original(walk: dict[str, list]) -> None:
    """Opening, answers, admissible commands, score and end equal textworld's at every step."""
    env = TextEnv(ALFWorld(), split=walk["task_id"].split("/")[2], max_turns=1_000)
    observation, info = env.reset(options={"task_id": walk["task_id"]})
    assert [observation, numbers(walk, info)] == walk["opening"]

    for action_text, answer, admissible, score, done in walk["steps"]:
        observation, reward, terminated, _, info = env.step(action_text)
        assert (observation, reward, info["score"], terminated) == (answer, score, score, done)
        assert done or numbers(walk, info) == admissible


def numbers(walk: dict[str, list], info: dict[str, list[str]]) -> list[int]:
    """Return the admissible actions of *info* by their numbers in the list of *walk*."""
    return [walk["commands"].index(text) for text in info["admissible_actions"]]


def test_a_task_is_done_as_in_the_original() -> None:
    """Fetching, heating and bringing an apple wins and gives the original's sentences."""
    player = Player()

    assert player.play("go to fridge 1") == "You arrive at fridge 1. The fridge 1 is closed."
    assert player.play("open fridge 1") == (
        "You open the fridge 1. The fridge 1 is open. In it, you see a apple 1."
    )
    assert player.play("take apple 1 from fridge 1") == "You pick up the apple 1 from the fridge 1."
    assert player.play("inventory") == "You are carrying: a apple 1."
    player.play("go to microwave 1")
    assert player.play("heat apple 1 with microwave 1") == (
        "You heat the apple 1 using the microwave 1."
    )
    assert player.play("examine apple 1") == "This is a hot apple 1."
    player.play("go to countertop 1")
    assert player.play("move apple 1 to countertop 1") == (
        "You move the apple 1 to the countertop 1."
    )
    assert (player.outcome.success, player.outcome.reward, player.outcome.score) == (True, 1.0, 1.0)


def test_a_receptacle_at_the_players_place_is_used_without_going_there() -> None:
    """Going to a receptacle at the player's place is invalid, but it can be used at once."""
    player = Player()
    player.play("go to fridge 1")

    assert "go to shelf 1" not in player.admissible()
    assert "take mug 1 from shelf 1" in player.admissible()
    assert player.play("go to shelf 1") == "Nothing happens."
    assert player.outcome.reason == "you are there already"


def test_looking_around_lists_nothing_but_what_was_moved_here() -> None:
    """`look` lists nothing in the middle, and at a receptacle only what was moved here."""
    player = Player()
    assert player.play("look").endswith("Looking quickly around you, you see nothing.")

    player.play("go to fridge 1", "open fridge 1", "take apple 1 from fridge 1")
    player.play("move apple 1 to shelf 1")

    assert player.play("look") == (
        "You are facing the fridge 1, and shelf 1. Next to it, you see a apple 1."
    )


def test_only_the_thing_in_hand_can_be_examined() -> None:
    """A thing in a receptacle cannot be examined; a mug in hand shows what is in it."""
    player = Player()
    player.play("go to shelf 1")
    assert player.play("examine mug 1") == "Nothing happens."

    player.play("take mug 1 from shelf 1")
    assert player.play("examine mug 1") == "This is a normal mug 1. In it, you see a pen 1."


def test_slicing_needs_a_knife_in_hand() -> None:
    """Bread at the player's place is sliced with the knife in hand."""
    player = Player()
    player.play("go to countertop 1", "take knife 1 from countertop 1")
    observation = player.play("slice bread 1 with knife 1")

    assert observation == "You sliced the bread 1 with the knife 1."


def test_cooling_ends_heat() -> None:
    """A hot thing that is cooled is no longer hot, and the original calls it "cold"."""
    player = Player()
    player.play("go to fridge 1", "open fridge 1", "take apple 1 from fridge 1")
    player.play("go to microwave 1", "heat apple 1 with microwave 1", "go to fridge 1")
    player.play("cool apple 1 with fridge 1")

    assert player.play("examine apple 1") == "This is a cold apple 1."


def test_the_lamp_is_only_ever_turned_on() -> None:
    """`use` turns it on each time; holding the target at the lamp that is on wins the task."""
    lamp = Thing("desklamp 1", "desklamp", ("toggleable",), (0,), ("loc 1",))
    goal = Goal("look", "mug", "desklamp")
    player = Player(replace(KITCHEN, goal=goal, things=(MUG, lamp)))
    player.play("go to countertop 1")

    assert player.play("use desklamp 1") == "You turn on the desklamp 1."
    assert player.play("use desklamp 1") == "You turn on the desklamp 1."
    player.play("go to shelf 1", "take mug 1 from shelf 1", "go to countertop 1")
    assert player.outcome.success


@pytest.mark.parametrize(
    "action_text", ["Look", "go  to fridge 1", "go to Fridge 1", "help me", "", "take apple 1"]
)
def test_commands_are_read_to_the_letter(action_text: str) -> None:
    """Case and inner spaces count, as in the original; spaces around do not."""
    player = Player()
    before = player.admissible()
    command = player.world.read(action_text)

    if isinstance(command, Malformed):
        assert player.world.invalid_reply(command) == ("Nothing happens.",)
    else:
        assert not player.world.step(command).valid
    assert player.admissible() == before
    assert player.world.read("  look\n") == player.world.read("look")


def test_the_older_wording_puts_and_names_places() -> None:
    """Version 0.3 has `put X in/on Y` and "arrive at loc", but neither `move` nor `help`."""
    player = Player(version="0.3")

    assert player.play("go to fridge 1") == "You arrive at loc 2. The fridge 1 is closed."
    player.play("open fridge 1", "take apple 1 from fridge 1")
    assert "put apple 1 in/on shelf 1" in player.admissible()
    assert "help" not in player.admissible()
    assert player.play("put apple 1 in/on shelf 1") == "You put the apple 1 in/on the shelf 1."
    assert isinstance(player.world.read("move apple 1 to shelf 1"), Malformed)


@pytest.mark.parametrize(
    ("action_text", "reason"),
    [
        ("go to narnia 1", "there is no such receptacle"),
        ("open microwave 1", "there is no microwave 1 within reach"),
        ("take apple 1 from fridge 1", "there is no apple 1 within reach"),
        ("open shelf 1", "that does not work with this"),
        ("move mug 1 to shelf 1", "you do not carry mug 1"),
    ],
)
def test_reasons_say_what_can_be_known(action_text: str, reason: str) -> None:
    """An invalid action has a reason that reveals nothing behind closed doors."""
    player = Player()
    player.play("go to fridge 1")

    assert player.play(action_text) == "Nothing happens."
    assert (player.outcome.valid, player.outcome.reason) == (False, reason)


def test_hands_hold_one_thing() -> None:
    """A second thing cannot be taken, and the reason says that only one can be carried."""
    player = Player()
    player.play("go to countertop 1", "take knife 1 from countertop 1")
    player.play("take bread 1 from countertop 1")

    assert player.outcome.reason == "you can carry one object only"


def test_facts_say_what_the_text_says() -> None:
    """The facts contain the content of an open receptacle and the parts of the goal."""
    player = Player()
    player.play("go to fridge 1", "open fridge 1")

    assert player.opening.facts["task"]["state"] == "hot"
    assert player.outcome.scene.facts["content"] == ["apple 1"]
    assert player.play("close fridge 1") == "You close the fridge 1."
    assert "content" not in player.outcome.scene.facts


def test_reward_by_hand() -> None:
    """Winning earns 1, and everything else earns 0."""
    assert (reward(won=True), reward(won=False)) == (1.0, 0.0)


@pytest.mark.parametrize("version", ["0.4", "0.3"])
def test_the_contract_holds_in_both_wordings(version: str) -> None:
    """The checks of a world pass in both wordings, and no native verb leaks through another one."""
    module = "agentgym_gen.envs.alfworld:ALFWorld"
    check_world(module, tasks_per_split=1, compared_tasks=1, options={"wording_version": version})


@pytest.mark.parametrize("tier", ["easy", "medium", "hard"])
def test_the_plan_wins_from_wherever_random_moves_lead(tier: str) -> None:
    """The plan wins after any random moves, unless the thing in hand fits nowhere."""
    rng = np.random.default_rng(5)
    env = TextEnv(ALFWorld(), tier=tier, split="valid", max_turns=1_000)
    for index in range(8):
        _, info = env.reset(options={"task_id": f"alfworld/{tier}/valid/{index}"})
        for _ in range(20):
            admissible = [text for text in env.admissible_actions if rng.random() < 0.5]
            if admissible and not info["success"]:
                *_, info = env.step(admissible[int(rng.integers(len(admissible)))])
        if not info["success"]:
            assert wins(env) or holds_for_ever(env.world)


def wins(env: TextEnv) -> bool:
    """Return whether the rest of the plan wins and has only admissible commands."""
    info = {"success": False}
    for command in env.world.expert_plan() or ():
        assert command in env.world.admissible()
        *_, info = env.step(env.write(command))
    return info["success"]


def holds_for_ever(world: ALFWorld) -> bool:
    """Return whether no receptacle takes the thing in hand, as for some things of the original."""
    game = world.game
    kinds = {thing for _, thing in game.fits}
    return game.in_hand is not None and game.house.things[game.in_hand].kind not in kinds


def test_what_fits_nowhere_is_held_for_ever() -> None:
    """A thing that no receptacle takes, once in hand, leaves the expert without a plan."""
    player = Player(replace(KITCHEN, fits=(("countertop", "apple"),)))
    player.play("go to countertop 1", "take knife 1 from countertop 1")

    assert player.world.expert_plan() is None
    assert not any(text.startswith("move") for text in player.admissible())


def test_the_searching_expert_wins_without_knowing_what_is_behind_doors() -> None:
    """It wins most tasks, in more turns than the planner; a random policy wins few."""
    tasks = [f"alfworld/medium/test/{index}" for index in range(20)]
    episodes = [Episode("rftgen/ALFWorld-medium-v0", task) for task in tasks]
    style = PromptStyle("action", instruction=False)
    searching = [replace(episode, options={"expert": "search"}) for episode in episodes]
    search_walks = run(searching, ExpertPolicy(), style=style)
    random_walks = run(episodes, RandomPolicy(), style=style)

    assert sum(t.success for t in search_walks) == 20
    assert sum(t.success for t in random_walks) <= 2
    assert np.mean([len(t.turns) for t in search_walks]) > 6


def test_the_searching_expert_looks_at_a_place_before_it_puts_something_there() -> None:
    """A drawer at the place of a desk, to which it never went, may be closed."""
    task = Episode(
        "rftgen/ALFWorld-easy-v0", "alfworld/easy/test/25697", options={"expert": "search"}
    )
    (walk,) = run([task], ExpertPolicy(), style=PromptStyle("action", instruction=False))

    assert walk.success
    assert all(turn.valid for turn in walk.turns)


def test_the_searching_expert_does_not_depend_on_what_it_has_not_seen() -> None:
    """Until it opens the fridge, its actions are the same whatever is in there."""
    empty_fridge = replace(
        KITCHEN, things=(replace(APPLE, inside=(3,), places=("loc 3",)), *KITCHEN.things[1:])
    )
    actions = [search_actions(house, turns=2) for house in (KITCHEN, empty_fridge)]

    assert actions[0] == actions[1]


def search_actions(house: House, turns: int) -> list[str]:
    """Return the first actions of the searching expert in *house*."""
    player = Player(house)
    actions = []
    for _ in range(turns):
        move = next_move(player.world.game, player.world.memory)
        assert move is not None
        actions.append(player.interface.write(player.world.command(move), ()))
        player.play(actions[-1])
    return actions
