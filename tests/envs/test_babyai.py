"""BabyAI: wording, actions, reward, the faults of the original, and robustness."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from babyai_play import act, admissible_texts, make_task, make_world, native, reply

from agentgym_gen import TextEnv
from agentgym_gen.envs.babyai import BabyAI
from agentgym_gen.envs.babyai.levels import AGENTGYM_LEVELS
from agentgym_gen.errors import UnknownNameError
from agentgym_gen.seeding import stream
from agentgym_gen.testing import NONSENSE, check_world
from agentgym_gen.world import EndReason, Malformed
from tools import babyai_golden

GOLDEN = pathlib.Path(__file__).parent / "golden" / "babyai_agentgym.json"
WALKS = json.loads(GOLDEN.read_text("utf-8"))["walks"]
DIFFERENT_LEVEL = "PutNextS7N4Carrying"
"""The one level that differs: minigrid's first picture still shows the thing that is carried."""


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: AGENTGYM_LEVELS[walk["item"] % 40])
def test_the_original_is_agentgyms_to_the_letter(walk: dict[str, object]) -> None:
    """A walk through each of AgentGym's 40 levels has the same texts, rewards and ends."""
    difference = babyai_golden.difference(walk)

    may_differ = AGENTGYM_LEVELS[int(str(walk["item"])) % 40] == DIFFERENT_LEVEL
    assert (difference is not None) == may_differ, difference


def test_the_first_observation_to_the_letter() -> None:
    """The first observation has AgentGym's double spaces, numbers and list."""
    env = TextEnv(BabyAI(), tier="easy")
    env.world.tasks.find = lambda task_id: make_task("PickupLoc", 3)  # type: ignore[method-assign]
    observation, _ = env.reset(options={"task_id": "babyai/easy/train/0"})

    assert observation == (
        "Your goal: pick up the purple ball\n"
        "In front of you in this room, you can see several objects: "
        "There is a green ball 1 0 steps in front of you and 1 steps to your right.  "
        "There is a red box 1 1 steps in front of you and 2 steps to your left.  "
        "The room has walls around you. You are facing a wall 2 steps away. "
        "You are not carrying anything.\n"
        'Available actions: ["turn left", "turn right", "move forward", "pickup green ball 1", '
        '"pickup red box 1", "go to green ball 1", "go to red box 1", "check available actions"]'
    )


def test_an_episode_by_hand() -> None:
    """Two turns, seven moves to the ball and picking it up earn 1 - 0.9 * 10 / 64."""
    world = make_world("PickupLoc", 3)

    assert "purple ball 1" not in reply(world, "turn right")
    act(world, "turn right")
    outcome = act(world, "pickup purple ball 1")

    assert world.info() == {"level": "PickupLoc", "steps": 10, "max_steps": 64}
    assert (outcome.end, outcome.score) == (EndReason.SUCCESS, 1.0)
    assert outcome.reward == pytest.approx(0.859375)
    assert native(world, outcome.scene.message).endswith(
        "You are carrying a purple ball.\n The task is completed."
    )


def test_a_wall_or_a_box_ahead_is_named_and_a_dark_room_shows_nothing() -> None:
    """A wall or a box straight ahead is named; in the dark nothing is."""
    openings = {
        (level, seed): native(world, world._wording.scene(world._perception).message)
        for level, seed in (("PickupLoc", 3), ("GoToRedBallGrey", 3), ("OneRoomS20", 0))
        for world in [make_world(level, seed)]
    }

    assert "You are facing a wall 2 steps away." in openings["PickupLoc", 3]
    assert "You are facing a box 2 steps away." in openings["GoToRedBallGrey", 3]
    assert openings["OneRoomS20", 0] == (
        "You cannot see any objects within sight.The room has walls around you. "
        "You are not carrying anything."
    )


REFUSALS = (
    ("PickupLoc", 3, "pickup purple ball 1", "", "there is no purple ball 1 in view"),
    ("PickupLoc", 3, "pickup green balls 1", "", "there is no green balls 1 in view"),
    ("PickupLoc", 3, "pickup green ball", "", "there is no green ball in view"),
    ("PickupLoc", 3, "toggle", "", "there is nothing to open or close right in front of you"),
    ("PickupLoc", 3, "go through red box 1", "", "red box 1 is no door"),
    (
        "PickupLoc",
        3,
        "drop",
        "You cannot drop the object, as you are not carrying anything.",
        "you are not carrying anything",
    ),
    (
        "GoToObjS6",
        2,
        "move forward",
        "There is a barrier in front of you, you can't move forward.",
        "the way ahead is blocked",
    ),
    (
        "OpenRedDoor",
        0,
        "go through red closed door 1",
        "You cannot go through red closed door 1, as it is closed. You should toggle it first.",
        "it is closed",
    ),
    ("OpenRedDoor", 0, "pickup red closed door 1", "", "a door cannot be carried"),
    (
        "BlockedUnlockPickup",
        2,
        "toggle and go through grey locked door 1",
        "You cannot toggle and go through grey locked door 1, as you are not carrying a key.",
        "you are not carrying a key",
    ),
    (
        "BlockedUnlockPickup",
        2,
        "go to grey locked door 1",
        "You cannot go to grey locked door 1, as there is no path leading to it.",
        "there is no path leading to it",
    ),
)


@pytest.mark.parametrize(("level", "seed", "text", "answer", "reason"), REFUSALS)
def test_what_cannot_be_done_is_answered(
    level: str, seed: int, text: str, answer: str, reason: str
) -> None:
    """The answer is AgentGym's, the reason is ours, and nothing changes."""
    world = make_world(level, seed)
    before = world._game.save().scalars, world.admissible()

    outcome = act(world, text)

    unknown = "The action is not recognized. Please check valid actions."
    assert not outcome.valid
    assert native(world, outcome.scene.message) == (answer or unknown)
    assert outcome.reason == reason
    assert (world._game.save().scalars, world.admissible()) == before


def test_the_key_has_to_fit() -> None:
    """A key of another colour does not open a door, and the answer says so."""
    world = make_world("UnlockLocalDist", 0)
    for text in ("pickup red key 1", "turn right", "turn right"):
        act(world, text)
    while not (doors := [name for name, _ in world._perception.named_things if "locked" in name]):
        act(
            world, "turn right" if "move forward" not in admissible_texts(world) else "move forward"
        )

    answer = reply(world, f"toggle and go through {doors[0]}")

    assert answer == (
        f"You cannot toggle and go through {doors[0]}, as the color of the key you are carrying "
        "does not match the color of door."
    )


def test_check_lists_the_actions_and_changes_nothing() -> None:
    """Every text that contains `check` asks for the list and takes no step."""
    world = make_world("GoToObjS6", 2)

    answer = reply(world, "Please CHECK")

    assert answer == (
        "You can take the following actions: turn left, turn right, check available actions"
    )
    assert world.info()["steps"] == 0


def test_going_where_one_is_changes_nothing() -> None:
    """Going to what the player faces is listed and answered as in AgentGym."""
    world = make_world("PickupLoc", 0)
    act(world, "go to red ball 1")

    assert "go to red ball 1" in admissible_texts(world)
    assert reply(world, "go to red ball 1") == "No change in state."


@pytest.mark.parametrize(
    "text", ["pick up red box 1", "PickUp  Red Box 1", " pickup red box 1\n", "pickup red box 1"]
)
def test_case_and_white_space_do_not_matter(text: str) -> None:
    """Case, white space and the spelling of `pickup` do not matter."""
    assert act(make_world("PickupLoc", 3), text).valid


@pytest.mark.parametrize("level", ["GoToRedBallGrey", "BlockedUnlockPickup", "BossLevel"])
def test_only_what_is_listed_can_be_done(level: str) -> None:
    """Of 400 sentences made of the world's words, those that are not listed change nothing."""
    verbs = [verb.template.split(" {")[0] for verb in BabyAI.verbs]
    parts = (verbs, ["", "red", "Grey", "gray"], ["", "locked", "closed", "open"])
    parts += (["", "ball", "KEY", "boxes", "door"], ["", "1", "2", "0", "-1", "one", "1 1"])
    rng = stream("fuzz", level)
    world = make_world(level, 0)
    for _ in range(400):
        text = " ".join(str(rng.choice(part)) for part in parts)
        command = world.read(text)
        if isinstance(command, Malformed) or command in world.admissible():
            continue
        before = world._game.save().scalars
        outcome = world.step(command)
        assert (outcome.valid, outcome.end, bool(outcome.reason)) == (False, None, True), text
        assert world._game.save().scalars == before


@pytest.mark.parametrize("text", NONSENSE)
@pytest.mark.parametrize("wording", ["agentgym", "balrog"])
def test_nonsense_is_no_command(text: str, wording: str) -> None:
    """Nonsense is malformed; an empty text gets AgentGym's answer, `No change in state`."""
    world = make_world("PickupLoc", 3, wording)
    malformed = world.read(text)

    assert isinstance(malformed, Malformed)
    if not text.strip() and wording == "agentgym":
        assert world.invalid_reply(malformed) == ("No change in state.",)


def test_a_success_is_not_lost_behind_a_door() -> None:
    """Opening the door is the mission; the original goes on through it and loses the success."""
    text = "toggle and go through red closed door 1"
    fixed, original = (
        act(make_world("OpenRedDoor", 0, compat=compat), text) for compat in ("fixed", "original")
    )

    assert (fixed.end, fixed.score) == (EndReason.SUCCESS, 1.0)
    assert (original.end, original.score, original.reward) == (None, 0.0, 0.0)


def test_a_late_success_ends_the_episode() -> None:
    """A success after 24 of 36 steps earns 0.4, which does not end the original's episode."""
    outcomes = []
    for compat in ("fixed", "original"):
        world = make_world("GoToObjS6", 0, compat=compat)
        for _ in range(20):
            act(world, "turn right")
        outcomes.append(act(world, "go to blue key 1"))
        earned = 1 - 0.9 * world.info()["steps"] / 36
        assert outcomes[-1].reward == pytest.approx(earned)
        assert 0 < earned <= 0.5

    assert [outcome.end for outcome in outcomes] == [EndReason.SUCCESS, None]


def test_the_original_pays_a_late_success_again() -> None:
    """The original pays the reward again for every command that changes nothing."""
    world = make_world("GoToObjS6", 0, compat="original")
    for _ in range(20):
        act(world, "turn right")
    reward = act(world, "go to blue key 1").reward

    assert act(world, "drop").reward == reward > 0


def test_the_end_of_minigrids_steps_is_the_end() -> None:
    """The episode ends after minigrid's 36 steps; the original goes on."""
    ends = []
    for compat in ("fixed", "original"):
        world = make_world("GoToObjS6", 2, compat=compat)
        ends.append(
            [act(world, "turn left" if turn % 2 else "turn right").end for turn in range(36)]
        )

    assert ends[0] == [None] * 35 + [EndReason.TURN_LIMIT]
    assert ends[1] == [None] * 36


@pytest.mark.parametrize(
    ("seed", "fixed", "original"),
    [
        (
            9,
            "go to the green ball and go to a door, then go to the red door",
            "go to the green ball and go to a door, and go to the red door",
        ),
        (
            1,
            "go to a key and go to the ball after you go to the red ball and go to a key",
            "go to a key and go to the ball and go to the red ball and go to a key",
        ),
    ],
)
def test_a_mission_keeps_its_order(seed: int, fixed: str, original: str) -> None:
    """The mission is minigrid's; the original replaces `then` and `after you` by `and`."""
    worlds = [make_world("GoToSeqS5R2", seed, compat=compat) for compat in ("fixed", "original")]

    assert [native(world, world.goal()) for world in worlds] == [fixed, original]


def test_pick_up_is_understood() -> None:
    """The original's instruction says `pick up`, which it does not take; ours takes it."""
    fixed, original = (make_world("PickupLoc", 3, compat=c) for c in ("fixed", "original"))

    assert "- pick up <obj> <id>" in native(original, original.instruction())
    assert isinstance(original.read("pick up red box 1"), Malformed)
    assert "- pickup <obj> <id>" in native(fixed, fixed.instruction())
    assert act(fixed, "pick up red box 1").valid


def test_a_number_means_the_thing_that_is_described_by_it() -> None:
    """Commands number things as the text does; the original skips those without a path."""
    fixed, original = (make_world("PickupLoc", 14, compat=c) for c in ("fixed", "original"))

    assert "pickup red ball 2" in admissible_texts(fixed)
    assert "pickup red ball 2" not in admissible_texts(original)
    assert "pickup red ball 1" in admissible_texts(original)
    assert reply(fixed, "pickup red ball 1") == (
        "You cannot pickup red ball 1, as there is no path leading to it."
    )


def test_what_is_listed_can_be_reached() -> None:
    """What no path in view leads to is not listed; the original lists it."""
    text = "pickup blue box 1"
    fixed, original = (make_world("MoveTwoAcrossS8N9", 16, compat=c) for c in ("fixed", "original"))

    assert text not in admissible_texts(fixed)
    assert text in admissible_texts(original)


def test_a_blocked_step_is_not_listed() -> None:
    """A step against a ball is not listed; the original lists it."""
    worlds = [make_world("PickupLoc", 0, compat=compat) for compat in ("fixed", "original")]
    for world in worlds:
        act(world, "go to red ball 1")

    assert ["move forward" in admissible_texts(world) for world in worlds] == [False, True]
    assert reply(worlds[0], "move forward").startswith("There is a barrier")


def test_a_box_and_an_open_door_can_be_toggled() -> None:
    """A box can be opened and an open door closed, which the original does not allow."""
    boxes = [make_world("KeyInBox", 1, compat=compat) for compat in ("fixed", "original")]
    for world in boxes:
        act(world, "go to green box 1")
    assert ["toggle" in admissible_texts(world) for world in boxes] == [True, False]
    assert "red key 1" in reply(boxes[0], "toggle")

    door = make_world("OpenDoorLoc", 0)
    doors = [name for name, thing in door._perception.named_things if thing.kind == "door"]
    assert doors
    act(door, f"go to {doors[0]}")
    act(door, "toggle")
    assert "toggle" in admissible_texts(door)


def test_balrogs_lines_to_the_letter() -> None:
    """Walls come first, then things from the left; the first observation has the mission."""
    env = TextEnv(BabyAI(wording="balrog"), tier="easy")
    env.world.tasks.find = lambda task_id: make_task("PickupLoc", 3)  # type: ignore[method-assign]
    observation, info = env.reset(options={"task_id": "babyai/easy/train/0"})

    assert observation.split("\n") == [
        "Your goal is to pick up the purple ball.",
        "a wall 2 steps forward",
        "a red box 2 steps left and 1 step forward",
        "a green ball 1 step right",
    ]
    assert info["admissible_actions"] == ["turn left", "turn right", "go forward"]
    assert "Your goal is to pick up the purple ball. The following" in env.instruction
    assert env.step("turn right")[0] == "a wall 2 steps left\na green ball 1 step forward"
    assert env.step("pick up")[0] == (
        "You carry a green ball\na wall 3 steps forward\na wall 2 steps left"
    )


def test_balrogs_open_door_has_its_article() -> None:
    """BALROG's `a open red door` is kept in the original only."""
    lines = []
    for compat in ("fixed", "original"):
        world = make_world("OpenRedDoor", 3, "balrog", compat)
        for text in ("turn left", "go forward", "toggle"):
            outcome = act(world, text)
        lines.append(native(world, outcome.scene.message).splitlines()[-1])

    assert lines == ["an open red door 1 step forward", "a open red door 1 step forward"]


def test_a_blocked_low_level_action_is_refused() -> None:
    """A refused action is answered by the unchanged observation, as in BALROG."""
    world = make_world("GoToObjS6", 2, "balrog")
    before = native(world, world._wording.scene(world._perception).message)

    for text in ("go forward", "pick up", "drop", "toggle"):
        outcome = act(world, text)
        assert not outcome.valid
        assert native(world, outcome.scene.message) == before
    assert world.info()["steps"] == 0


@pytest.mark.slow
def test_balrogs_wording_keeps_the_contract() -> None:
    """All checks of the contract hold in BALROG's wording."""
    check_world(
        "agentgym_gen.envs.babyai:BabyAI",
        tasks_per_split=1,
        compared_tasks=1,
        options={"wording": "balrog"},
    )


def test_facts_say_what_the_text_says() -> None:
    """Facts have the same content as the text; the goal is in the first ones only."""
    env = TextEnv(BabyAI(), tier="easy", interface={"form": "json", "listing": "never"})
    env.world.tasks.find = lambda task_id: make_task("PickupLoc", 3)  # type: ignore[method-assign]
    observation, _ = env.reset(options={"task_id": "babyai/easy/train/0"})

    assert json.loads(observation) == {
        "goal": "pick up the purple ball",
        "objects": [
            {"object": "green ball 1", "ahead": 0, "right": 1},
            {"object": "red box 1", "ahead": 1, "right": -2},
        ],
        "facing": "wall 2 steps away",
        "carrying": "nothing",
    }
    assert "goal" not in json.loads(env.step("turn left")[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wording": "balrok"}, "Unknown wording of BabyAI 'balrok'; did you mean 'balrog'?"),
        ({"compat": "originel"}, "Unknown `compat` of BabyAI 'originel'; did you mean 'original'?"),
        ({"level": "BossLevl"}, "Unknown BabyAI level 'BossLevl'; did you mean 'BossLevel'?"),
    ],
)
def test_a_wrong_option_is_one_clear_error(options: dict[str, str], message: str) -> None:
    """A wrong option is an error that names the nearest valid value."""
    with pytest.raises(UnknownNameError) as caught:
        BabyAI(**options)
    assert str(caught.value).startswith(message)


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    """Run *code* in a new process that has no display, with warnings as errors."""
    removed = ("PYGAME_HIDE_SUPPORT_PROMPT", "DISPLAY", "SDL_VIDEODRIVER")
    env = {name: value for name, value in os.environ.items() if name not in removed}
    env["PYTHONPATH"] = os.pathsep.join(sys.path)
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_minigrid_is_loaded_late_and_in_silence() -> None:
    """Minigrid is imported when a world is made; it prints nothing and opens no display."""
    process = run_python(
        "import sys, gymnasium, agentgym_gen.envs.babyai\n"
        "assert not {'minigrid', 'pygame'} & set(sys.modules)\n"
        "env = gymnasium.make('rftgen/BabyAI-hard-v0')\n"
        "[env.reset(seed=seed) for seed in range(5)]\n"
        "import pygame\n"
        "assert not pygame.display.get_init()\n"
    )

    assert (process.stdout, process.stderr, process.returncode) == ("", "", 0)


def test_without_minigrid_one_sentence_says_what_to_install() -> None:
    """Without minigrid, import and registration work; making the world names the extra."""
    process = run_python(
        "import sys\n"
        "sys.modules['minigrid'] = None\n"
        "import gymnasium, agentgym_gen\n"
        "gymnasium.make('rftgen/BabyAI-easy-v0')\n"
    )

    assert process.stderr.splitlines()[-1] == (
        "agentgym_gen.errors.MissingExtraError: BabyAI needs 'minigrid', which is not installed; "
        "run: pip install 'agentgym-gen[babyai]'"
    )
