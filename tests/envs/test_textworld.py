"""TextWorld with its engine: games, crashes, threads, what is written where, and parity."""

import gc
import hashlib
import json
import os
import pathlib
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

import agentgym_gen.envs.textworld.world as worlds
from agentgym_gen.env import TextEnv
from agentgym_gen.envs.textworld import TextWorld
from agentgym_gen.envs.textworld.plots import plot_of
from agentgym_gen.envs.textworld.seat import pool
from agentgym_gen.envs.textworld.store import Store
from agentgym_gen.envs.textworld.tasks import GeneratedTasks
from agentgym_gen.errors import InvalidValueError, MissingExtraError
from agentgym_gen.world import SPLITS, TIERS
from tools.fuzz import fuzz

ROOT = pathlib.Path(__file__).parents[2]
COOKING, COIN, HUNT, DINNER = (
    *("textworld/easy/train/0", "textworld/easy/train/1"),
    *("textworld/medium/train/0", "textworld/hard/train/0"),
)


@pytest.fixture
def env() -> Iterator[TextEnv]:
    """An environment of all tiers."""
    made = TextEnv(TextWorld())
    yield made
    made.close()


def start(env: TextEnv, task_id: str) -> str:
    """Start the task and return what is seen."""
    return env.reset(options={"task_id": task_id})[0]


def win(env: TextEnv) -> tuple[list[str], float]:
    """Let the expert play to the end, and return what was seen and the rewards together."""
    seen, earned, over = [], 0.0, False
    while not over:
        observation, reward, terminated, truncated, _ = env.step(env.expert_action() or "")
        seen.append(observation)
        earned, over = earned + reward, terminated or truncated
    return seen, earned


@pytest.mark.parametrize("task_id", [COOKING, COIN, HUNT, DINNER])
def test_the_rewards_are_the_points_of_the_game(env: TextEnv, task_id: str) -> None:
    """All of them, when the expert has won."""
    start(env, task_id)
    seen, earned = win(env)
    info = env._info()

    assert (info["success"], info["score"]) == (True, 1.0)
    assert earned == info["points"] == info["max_points"]
    assert seen[-1].splitlines()[-1].startswith(f"You scored {earned:.0f} out of a possible")


def test_a_burnt_meal_loses(env: TextEnv) -> None:
    """The original ends the game; the score stays below 1."""
    start(env, COOKING)
    plan = [env.write(command) for command in env.world.expert_plan() or ()]
    cook = next(said for said in plan if said.startswith("cook "))
    for said in plan[: plan.index(cook) + 1]:
        env.step(said)
    observation, _, terminated, _, info = env.step(cook)

    assert "*** You lost! ***" in observation
    assert (terminated, info["end_reason"]) == (True, "failure")
    assert info["score"] < 1


def test_nothing_dangerous_reaches_the_game(env: TextEnv) -> None:
    """Saving, quitting, undoing, several commands and debugging are ordinary invalid actions."""
    start(env, DINNER)
    sent = []
    say = env.world._seat.say
    env.world._seat.say = lambda said: sent.append(said) or say(said)
    before = env.admissible_actions, env.world.expert_plan()
    for said in (
        *(
            "save",
            "restore",
            "quit",
            "y",
            "restart",
            "undo",
            "script",
            "again",
            "g",
            "wait",
            "xyzzy",
        ),
        *("open trunk then go east", "open trunk. go east", "look; look", "look\nlook", "take all"),
        *("tw-extra-infos description", "tw-trace-actions", "restrict commands", "tw-print state"),
        *(
            "open it",
            "take trunk and drawer",
            "actions on",
            "showme antique trunk",
            "abstract it to bed",
        ),
    ):
        _, reward, terminated, truncated, info = env.step(said)
        assert (info["valid_action"], reward, terminated, truncated) == (False, 0.0, False, False)

    assert sent == []
    assert (env.admissible_actions, env.world.expert_plan()) == before


def test_the_parser_answers_in_its_own_words(env: TextEnv) -> None:
    """To the letter, with nothing done."""
    start(env, DINNER)
    told = {
        said: env.step(said)[0] for said in ("", "fly", "open", "open moon", "go up", "go east")
    }

    assert told == {
        "": "I beg your pardon?",
        "fly": "That's not a verb I recognise.",
        "open": "I didn't understand that sentence.",
        "open moon": "You can't see any such thing.",
        "go up": "You can't go that way.",
        "go east": "You have to open the wooden door first.",
    }


@pytest.mark.parametrize("task_id", [COIN, HUNT, DINNER])
def test_the_expert_wins_from_where_chance_has_led(env: TextEnv, task_id: str) -> None:
    """After ten steps that the expert did not choose, none of which eats anything."""
    start(env, task_id)
    rng = env.task.id.stream("astray")
    for _ in range(10):
        listed = [said for said in env.admissible_actions if not said.startswith("eat ")]
        _, _, over, *_ = env.step(listed[int(rng.integers(len(listed)))])
        if over:
            start(env, task_id)
    win(env)

    assert env._info()["success"]


def test_without_the_list_everything_else_works() -> None:
    """Nothing is listed, and the expert wins all the same."""
    env = TextEnv(TextWorld(list_admissible=False))
    start(env, COIN)
    win(env)

    assert env._info()["success"]
    assert env.admissible_actions == []
    env.close()


def test_a_dead_engine_ends_the_episode_and_the_next_one_works(env: TextEnv) -> None:
    """Of the world that meets it; another one in the same process goes on as if nothing was."""
    other = TextEnv(TextWorld())
    start(other, HUNT)
    other.step("look")
    start(env, COIN)
    process = env.world._seat._engine.pid
    assert other.world._seat._engine.pid == process
    os.kill(process, 9)
    _, reward, terminated, truncated, info = env.step("look")
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert info["end_reason"] == "backend_error"

    win(other)
    assert other._info()["success"]
    start(env, COIN)
    win(env)
    assert env._info()["success"]
    other.close()


def test_an_engine_that_died_unnoticed_is_no_matter(env: TextEnv) -> None:
    """A reset and a plan start another one."""
    start(env, COIN)
    plan = env.world.expert_plan()
    os.kill(env.world._seat._engine.pid, 9)
    env.world._plan = None
    assert env.world.expert_plan() == plan

    os.kill(env.world._seat._engine.pid, 9)
    start(env, COIN)
    assert env.step("look")[4]["valid_action"]


def test_a_copy_goes_on_where_the_original_was(env: TextEnv) -> None:
    """In a process of its own choice: it says again what was said."""
    start(env, HUNT)
    for said in env.admissible_actions[:2]:
        env.step(said)
    copy = pickle.loads(pickle.dumps(env))

    assert copy.step("look") == env.step("look")
    assert copy.world.expert_plan() == env.world.expert_plan()
    copy.close()


def test_no_process_is_left_behind() -> None:
    """A program that played and forgot its worlds leaves neither engine nor zombie."""
    program = (
        "import gymnasium\n"
        "env = gymnasium.make('agentgym_gen:rftgen/TextWorld-easy-v0', first=1)\n"
        "env.reset(seed=0)\n"
        "print(env.unwrapped.world._seat._engine.pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )

    assert not pathlib.Path(f"/proc/{int(done.stdout)}").exists()


def test_a_forgotten_world_leaves_its_engine() -> None:
    """Without being closed, and its interpreter is used again."""
    env = TextEnv(TextWorld())
    start(env, COIN)
    engine, number = env.world._seat._engine, env.world._seat._world
    assert number in engine.worlds
    del env
    gc.collect()

    assert number not in engine.worlds


def test_worlds_of_one_thread_share_a_process() -> None:
    """Starting one costs a second and 70 MB."""
    envs = [TextEnv(TextWorld()) for _ in range(3)]
    for env in envs:
        start(env, COIN)

    assert len({env.world._seat._engine.pid for env in envs}) == 1
    assert pool() is pool()
    for env in envs:
        env.close()


def test_without_textworld_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the command."""
    monkeypatch.setattr(worlds.importlib.util, "find_spec", lambda name: None)

    with pytest.raises(MissingExtraError, match=r"run: pip install 'agentgym-gen\[textworld\]'"):
        TextWorld()


def test_options_that_do_not_go_together_are_named(tmp_path: pathlib.Path) -> None:
    """One's own games have no challenges."""
    with pytest.raises(InvalidValueError, match="leave out the filters"):
        TextWorld(games_dir=tmp_path, challenge="cooking")
    with pytest.raises(InvalidValueError, match="`cache_mb` is a positive number, not 0"):
        TextWorld(cache_mb=0)


def test_ones_own_games_are_played(tmp_path: pathlib.Path) -> None:
    """Any folder: here one with a game that the cache has."""
    kept = Store().game(GeneratedTasks().find(COIN).content)
    for ending in (".z8", ".json"):
        path = kept.path.with_suffix(ending)
        (tmp_path / f"mine{ending}").write_bytes(path.read_bytes())
    env = TextEnv(TextWorld(games_dir=tmp_path))
    start(env, "textworld/easy/train/mine")
    win(env)

    assert (env._info()["success"], env._info()["challenge"]) == (True, "own")
    env.close()


def test_seeds_tell_the_plot() -> None:
    """The way to the coin and the dish of the simple game are those of the games that are made."""
    for task_id in (COIN, DINNER):
        content = GeneratedTasks().find(task_id).content
        kept = Store().game(content)
        card = json.loads((kept.path.parent / "card.json").read_text())
        walk = json.loads(kept.path.with_suffix(".json").read_text())["metadata"]["walkthrough"]
        plot = plot_of(content.level, content.candidates[card["candidate"]])
        if task_id == COIN:
            assert walk == [*(f"go {way}" for way in plot or ()), "take coin"]
        else:
            holder, _, dish = plot or ("", "", "")
            assert walk[0] == f"open {holder}"
            assert walk[-1] == f"put {dish} on stove"


def test_no_two_splits_have_a_game_in_common() -> None:
    """Neither what is where nor what is said is the same in any two of eighteen games."""
    seen: dict[str, str] = {}
    for tier in TIERS:
        for split in SPLITS:
            for index in range(2):
                task = GeneratedTasks().make(tier, split, index)
                text = Store().game(task.content).path.with_suffix(".json").read_text()
                game = json.loads(text)
                world = sorted(json.dumps(fact, sort_keys=True) for fact in game["world"])
                told = repr((world, game["infos"], game["objective"]))
                other = seen.setdefault(hashlib.sha256(told.encode()).hexdigest(), str(task.id))
                assert other == str(task.id)

    assert len(seen) == 18


@pytest.mark.slow
@pytest.mark.parametrize("challenge", ["cooking", "coin_collector", "treasure_hunter", "simple"])
def test_500_texts_change_nothing_they_should_not(challenge: str) -> None:
    """In every challenge: what models write, and echoes of the game."""
    few = {"challenge": challenge, "first": 1}

    assert fuzz("rftgen/TextWorld-easy-v0", 500, few).texts == 500


@pytest.mark.slow
@pytest.mark.parametrize("tier", TIERS)
def test_every_step_is_textworlds_own(tier: str) -> None:
    """Text, admissible commands, points and end, in walks through two games of every tier."""
    arguments = ["--tier", tier, "--split", "train", "--first", "2", "--steps", "40"]
    done = subprocess.run(
        [sys.executable, "-m", "tools.textworld_parity", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.endswith("no difference\n"), done.stdout + done.stderr


@pytest.mark.slow
def test_resets_leave_no_memory_in_the_engine(env: TextEnv) -> None:
    """300 resets to two games in turn: less than 3 MB, where one interpreter weighs 2."""
    for task_id in (COIN, HUNT) * 20:
        start(env, task_id)
    before = resident_mb(env)
    for task_id in (COIN, HUNT) * 150:
        start(env, task_id)

    assert resident_mb(env) - before < 3


def resident_mb(env: TextEnv) -> float:
    """Return the memory of the engine."""
    pages = pathlib.Path(f"/proc/{env.world._seat._engine.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.slow
def test_making_and_playing_write_into_the_cache_only(tmp_path: pathlib.Path) -> None:
    """Not into the working directory, and not into the home folder, which Inform 7 likes to do."""
    home, here, cache = (tmp_path / name for name in ("home", "here", "cache"))
    home.mkdir()
    here.mkdir()
    program = (
        "import gymnasium\n"
        "env = gymnasium.make('agentgym_gen:rftgen/TextWorld-easy-v0', first=1,"
        " challenge='coin_collector')\n"
        "env.reset(seed=0)\nenv.step('save')\nenv.step('look')\nenv.close()\n"
    )
    environ = {**os.environ, "HOME": str(home), "AGENTGYM_GEN_CACHE": str(cache)}
    environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *sys.path])
    subprocess.run([sys.executable, "-c", program], cwd=here, env=environ, check=True)

    assert [*home.iterdir(), *here.iterdir()] == []
    assert [p.name for p in sorted((cache / "textworld").glob("coin*/*"))] == [
        *("card.json", "game.json", "game.z8")
    ]


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_making_faster_makes_the_same_games(place: int) -> None:
    """Facts, names, texts, quests and walkthrough are those of the unchanged textworld."""
    program = (
        "import json, sys\n"
        "from agentgym_gen.envs.textworld.quick import quicken\n"
        "from agentgym_gen.envs.textworld.tasks import GeneratedTasks\n"
        "from textworld import GameOptions\n"
        "from textworld.challenges import CHALLENGES\n"
        "quicken() if sys.argv[1] == 'fast' else None\n"
        f"brief = GeneratedTasks().make('easy', 'valid', {place}).content\n"
        "options = GameOptions()\n"
        "options.seeds = brief.candidates[0]._asdict()\n"
        "make = CHALLENGES['tw-' + brief.level.challenge][1]\n"
        "game = make(dict(brief.level.settings), options)\n"
        "print(json.dumps(game.serialize(), sort_keys=True))\n"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    environ["PYTHONHASHSEED"] = "0"
    fast, slow = (
        subprocess.run(
            [sys.executable, "-c", program, how], env=environ, capture_output=True, check=True
        ).stdout
        for how in ("fast", "slow")
    )

    assert len(fast) > 5000
    assert fast == slow


def test_an_idle_engine_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A while after its last world, and a new world starts another one."""
    from agentgym_gen.envs.textworld import seat

    monkeypatch.setattr(seat, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(seat, "_POOLS", {})
    env = TextEnv(TextWorld())
    start(env, COIN)
    engine = env.world._seat._engine
    env.close()
    for _ in range(100):
        if engine.pid is None:
            break
        time.sleep(0.05)

    assert engine.pid is None
    start(env, COIN)
    assert env.step("look")[4]["valid_action"]
    env.close()
