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
from agentgym_gen.env.making import make_text_env
from agentgym_gen.envs.textworld import TextWorld
from agentgym_gen.envs.textworld.engine.client import engine_pool
from agentgym_gen.envs.textworld.games.cache import GameCache
from agentgym_gen.envs.textworld.plots import plot_of
from agentgym_gen.envs.textworld.tasks import GeneratedTasks
from agentgym_gen.errors import InvalidValueError, MissingExtraError
from agentgym_gen.world import SPLITS, TIERS, Malformed
from tools.fuzz import fuzz

ROOT = pathlib.Path(__file__).parents[2]
COOKING, COIN, HUNT, DINNER = (
    *("textworld/easy/train/0", "textworld/easy/train/1"),
    *("textworld/medium/train/0", "textworld/hard/train/0"),
)


@pytest.fixture
def env() -> Iterator[TextEnv]:
    """An environment of all tiers."""
    env = TextEnv(TextWorld())
    yield env
    env.close()


def start(env: TextEnv, task_id: str) -> str:
    """Start the task and return the first observation."""
    return env.reset(options={"task_id": task_id})[0]


def win(env: TextEnv) -> tuple[list[str], float]:
    """Let the expert play to the end; return the observations and the sum of the rewards."""
    observations, total, over = [], 0.0, False
    while not over:
        observation, reward, terminated, truncated, _ = env.step(env.expert_action() or "")
        observations.append(observation)
        total, over = total + reward, terminated or truncated
    return observations, total


@pytest.mark.parametrize("task_id", [COOKING, COIN, HUNT, DINNER])
def test_the_rewards_are_the_points_of_the_game(env: TextEnv, task_id: str) -> None:
    """When the expert has won, the rewards sum up to all points of the game."""
    start(env, task_id)
    observations, total = win(env)
    info = env._info()

    assert (info["success"], info["score"]) == (True, 1.0)
    assert total == info["points"] == info["max_points"]
    last_line = observations[-1].splitlines()[-1]
    assert last_line.startswith(f"You scored {total:.0f} out of a possible")


def test_a_burnt_meal_loses(env: TextEnv) -> None:
    """The original ends the game; the score stays below 1."""
    start(env, COOKING)
    plan = [env.write(command) for command in env.world.expert_plan() or ()]
    cook = next(action for action in plan if action.startswith("cook "))
    for action in plan[: plan.index(cook) + 1]:
        env.step(action)
    observation, _, terminated, _, info = env.step(cook)

    assert "*** You lost! ***" in observation
    assert (terminated, info["end_reason"]) == (True, "failure")
    assert info["score"] < 1


def test_nothing_dangerous_reaches_the_game(env: TextEnv) -> None:
    """Saving, quitting, undoing, several commands and debugging are ordinary invalid actions."""
    start(env, DINNER)
    sent = []
    step = env.world._client.step
    env.world._client.step = lambda text: sent.append(text) or step(text)
    before = env.admissible_actions, env.world.expert_plan()
    for action in (
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
        _, reward, terminated, truncated, info = env.step(action)
        assert (info["valid_action"], reward, terminated, truncated) == (False, 0.0, False, False)

    assert sent == []
    assert (env.admissible_actions, env.world.expert_plan()) == before


def test_old_names_are_refused_in_parts_and_capitals() -> None:
    """The parser takes a part of a name for the name, and any case."""
    _, tier, split, _ = DINNER.split("/")
    renamed = make_text_env(f"rftgen/TextWorld-{tier}-v0", split, {"interface": "renamed"})
    renamed.reset(options={"task_id": DINNER})
    names = [name for name in renamed.world._names if name in renamed.world._nouns()]
    spellings = {*names} | {name.upper() for name in names}
    spellings |= {f"the {name}" for name in names} | {name.split()[-1] for name in names}
    spellings |= {f"some the {name.split()[-1]}" for name in names}
    spellings |= {name.replace(" ", "  ") for name in names}
    for spelling in sorted(spellings):
        command = renamed.read(f"examine {spelling}")

        assert isinstance(command, Malformed), spelling
    renamed.close()


def test_the_parser_answers_in_its_own_words(env: TextEnv) -> None:
    """An invalid or refused action gets the original's reply, to the letter."""
    start(env, DINNER)
    actions = ("", "fly", "open", "open moon", "go up", "go east")

    assert {action: env.step(action)[0] for action in actions} == {
        "": "I beg your pardon?",
        "fly": "That's not a verb I recognise.",
        "open": "I didn't understand that sentence.",
        "open moon": "You can't see any such thing.",
        "go up": "You can't go that way.",
        "go east": "You have to open the wooden door first.",
    }


@pytest.mark.parametrize("task_id", [COIN, HUNT, DINNER])
def test_the_expert_wins_after_random_steps(env: TextEnv, task_id: str) -> None:
    """The expert still wins after ten random steps, none of which eats anything."""
    start(env, task_id)
    rng = env.task.id.stream("astray")
    for _ in range(10):
        actions = [text for text in env.admissible_actions if not text.startswith("eat ")]
        _, _, over, *_ = env.step(actions[int(rng.integers(len(actions)))])
        if over:
            start(env, task_id)
    win(env)

    assert env._info()["success"]


def test_without_the_list_everything_else_works() -> None:
    """With `list_admissible=False` no action is listed, and the expert still wins."""
    env = TextEnv(TextWorld(list_admissible=False))
    start(env, COIN)
    win(env)

    assert env._info()["success"]
    assert env.admissible_actions == []
    env.close()


@pytest.fixture(autouse=True, scope="module")
def _own_engines() -> Iterator[None]:
    """Engines of this module only: worlds of other tests may still fill those of the process."""
    from agentgym_gen.envs.textworld.engine import client

    pools = client._POOLS
    client._POOLS = {}
    yield
    client._POOLS = pools


def test_a_dead_engine_ends_the_episode_and_the_next_one_works(env: TextEnv) -> None:
    """Only the world that finds its engine dead loses its episode; others of it continue."""
    second_env = TextEnv(TextWorld())
    start(second_env, HUNT)
    second_env.step("look")
    start(env, COIN)
    pid = env.world._client._engine.pid
    assert second_env.world._client._engine.pid == pid
    os.kill(pid, 9)
    _, reward, terminated, truncated, info = env.step("look")
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert info["end_reason"] == "backend_error"

    win(second_env)
    assert second_env._info()["success"]
    start(env, COIN)
    win(env)
    assert env._info()["success"]
    second_env.close()


def test_an_engine_that_died_unnoticed_is_replaced(env: TextEnv) -> None:
    """A reset and a plan start another engine without an error."""
    start(env, COIN)
    plan = env.world.expert_plan()
    os.kill(env.world._client._engine.pid, 9)
    env.world._plan = None
    assert env.world.expert_plan() == plan

    os.kill(env.world._client._engine.pid, 9)
    start(env, COIN)
    assert env.step("look")[4]["valid_action"]


def test_a_copy_goes_on_where_the_original_was(env: TextEnv) -> None:
    """A pickled copy repeats the commands of the episode in another session of an engine."""
    start(env, HUNT)
    for action in env.admissible_actions[:2]:
        env.step(action)
    copy = pickle.loads(pickle.dumps(env))

    assert copy.step("look") == env.step("look")
    assert copy.world.expert_plan() == env.world.expert_plan()
    copy.close()


def test_no_process_is_left_behind() -> None:
    """A program that ends without closing its worlds leaves neither engine nor zombie."""
    program = (
        "import gymnasium\n"
        "env = gymnasium.make('agentgym_gen:rftgen/TextWorld-easy-v0', first=1)\n"
        "env.reset(seed=0)\n"
        "print(env.unwrapped.world._client._engine.pid)\n"
    )
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )

    assert not pathlib.Path(f"/proc/{int(process.stdout)}").exists()


def test_a_forgotten_world_leaves_its_engine() -> None:
    """A world that is collected without being closed is removed from its engine."""
    env = TextEnv(TextWorld())
    start(env, COIN)
    engine, number = env.world._client._engine, env.world._client._world
    assert number in engine.worlds
    del env
    gc.collect()

    assert number not in engine.worlds


def test_worlds_of_one_thread_share_a_process() -> None:
    """Three worlds of one thread play in one process, which takes 70 MB."""
    envs = [TextEnv(TextWorld()) for _ in range(3)]
    for env in envs:
        start(env, COIN)

    assert len({env.world._client._engine.pid for env in envs}) == 1
    assert engine_pool() is engine_pool()
    for env in envs:
        env.close()


def test_without_textworld_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error of a missing textworld names the command that installs it."""
    monkeypatch.setattr(worlds.importlib.util, "find_spec", lambda name: None)

    with pytest.raises(MissingExtraError, match=r"run: pip install 'agentgym-gen\[textworld\]'"):
        TextWorld()


def test_options_that_do_not_go_together_are_named(tmp_path: pathlib.Path) -> None:
    """The error names the option that is wrong or does not go with another one."""
    with pytest.raises(InvalidValueError, match="leave out the filters"):
        TextWorld(games_dir=tmp_path, challenge="cooking")
    with pytest.raises(InvalidValueError, match="`cache_mb` is a positive number, not 0"):
        TextWorld(cache_mb=0)


def test_custom_games_are_played(tmp_path: pathlib.Path) -> None:
    """Games of any folder are played: here of one with a copy of a game of the cache."""
    cached = GameCache().game(GeneratedTasks().find(COIN).content)
    for ending in (".z8", ".json"):
        path = cached.path.with_suffix(ending)
        (tmp_path / f"mine{ending}").write_bytes(path.read_bytes())
    env = TextEnv(TextWorld(games_dir=tmp_path))
    start(env, "textworld/easy/train/mine")
    win(env)

    assert (env._info()["success"], env._info()["challenge"]) == (True, "own")
    env.close()


def test_the_plot_follows_from_the_seeds() -> None:
    """The route to the coin and the dish of the simple game are those of the games built."""
    for task_id in (COIN, DINNER):
        content = GeneratedTasks().find(task_id).content
        cached = GameCache().game(content)
        card = json.loads((cached.path.parent / "card.json").read_text())
        walk = json.loads(cached.path.with_suffix(".json").read_text())["metadata"]["walkthrough"]
        plot = plot_of(content.level, content.candidates[card["candidate"]])
        if task_id == COIN:
            assert walk == [*(f"go {way}" for way in plot or ()), "take coin"]
        else:
            holder, _, dish = plot or ("", "", "")
            assert walk[0] == f"open {holder}"
            assert walk[-1] == f"put {dish} on stove"


@pytest.mark.slow
@pytest.mark.parametrize("task_id", ["textworld/hard/train/785", "textworld/medium/train/410"])
def test_a_task_whose_first_candidates_are_unsuitable_can_be_made(task_id: str) -> None:
    """All six seeds of its fingerprint make a food called like a verb; a later one serves."""
    content = GeneratedTasks().find(task_id).content
    program = (
        "import json, sys\n"
        "from agentgym_gen.envs.textworld.engine.builder import UnsuitableGameError, make_game\n"
        "from agentgym_gen.envs.textworld.engine.patches import apply_patches\n"
        "challenge, settings, candidates = json.load(sys.stdin)\n"
        "apply_patches()\n"
        "for number, seeds in enumerate(candidates):\n"
        "    try:\n"
        "        make_game(challenge, settings, seeds)\n"
        "    except UnsuitableGameError:\n"
        "        continue\n"
        "    print(number)\n"
        "    break\n"
    )
    seeds = content.seeds()
    request = [
        content.level.challenge,
        dict(content.level.settings),
        [candidate._asdict() for candidate in seeds],
    ]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    answer = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(request),
        env=environ,
        capture_output=True,
        check=True,
        text=True,
    ).stdout

    assert seeds[:6] == list(content.candidates)
    assert int(answer) >= 6


def test_no_two_splits_have_a_game_in_common() -> None:
    """No two of eighteen games have the same things in the same places and the same texts."""
    owners: dict[str, str] = {}
    for tier in TIERS:
        for split in SPLITS:
            for index in range(2):
                task = GeneratedTasks().make(tier, split, index)
                text = GameCache().game(task.content).path.with_suffix(".json").read_text()
                game = json.loads(text)
                world = sorted(json.dumps(fact, sort_keys=True) for fact in game["world"])
                content = repr((world, game["infos"], game["objective"]))
                digest = hashlib.sha256(content.encode()).hexdigest()
                assert owners.setdefault(digest, str(task.id)) == str(task.id)

    assert len(owners) == 18


@pytest.mark.slow
@pytest.mark.parametrize("challenge", ["cooking", "coin_collector", "treasure_hunter", "simple"])
def test_500_texts_change_nothing_they_should_not(challenge: str) -> None:
    """In every challenge, texts such as models write and echoes of the game are harmless."""
    options = {"challenge": challenge, "first": 1}

    assert fuzz("rftgen/TextWorld-easy-v0", 500, options).texts == 500


@pytest.mark.slow
@pytest.mark.parametrize("tier", TIERS)
def test_every_step_is_as_in_textworld(tier: str) -> None:
    """Walks through two games of a tier have textworld's text, commands, points and end."""
    arguments = ["--tier", tier, "--split", "train", "--first", "2", "--steps", "40"]
    process = subprocess.run(
        [sys.executable, "-m", "tools.textworld_parity", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.stdout.endswith("no difference\n"), process.stdout + process.stderr


@pytest.mark.slow
def test_resets_leave_no_memory_in_the_engine(env: TextEnv) -> None:
    """300 resets to two games in turn leave less than 3 MB; one interpreter takes 2 MB."""
    for task_id in (COIN, HUNT) * 20:
        start(env, task_id)
    before = resident_mb(env)
    for task_id in (COIN, HUNT) * 150:
        start(env, task_id)

    assert resident_mb(env) - before < 3


def resident_mb(env: TextEnv) -> float:
    """Return the memory of the engine."""
    pages = pathlib.Path(f"/proc/{env.world._client._engine.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.slow
def test_building_and_playing_write_into_the_cache_only(tmp_path: pathlib.Path) -> None:
    """Nothing is written into the working directory, or into the home as Inform 7 would."""
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
def test_the_patches_build_the_same_games(place: int) -> None:
    """Facts, names, texts, quests and walkthrough are those of the unchanged textworld."""
    program = (
        "import json, sys\n"
        "from agentgym_gen.envs.textworld.engine.patches import apply_patches\n"
        "from agentgym_gen.envs.textworld.tasks import GeneratedTasks\n"
        "from textworld import GameOptions\n"
        "from textworld.challenges import CHALLENGES\n"
        "apply_patches() if sys.argv[1] == 'fast' else None\n"
        f"spec = GeneratedTasks().make('easy', 'valid', {place}).content\n"
        "options = GameOptions()\n"
        "options.seeds = spec.candidates[0]._asdict()\n"
        "make = CHALLENGES['tw-' + spec.level.challenge][1]\n"
        "game = make(dict(spec.level.settings), options)\n"
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
    """An engine ends a while after its last world; a new world starts another one."""
    from agentgym_gen.envs.textworld.engine import client

    monkeypatch.setattr(client, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(client, "_POOLS", {})
    env = TextEnv(TextWorld())
    start(env, COIN)
    engine = env.world._client._engine
    env.close()
    for _ in range(100):
        if engine.pid is None:
            break
        time.sleep(0.05)

    assert engine.pid is None
    start(env, COIN)
    assert env.step("look")[4]["valid_action"]
    env.close()
