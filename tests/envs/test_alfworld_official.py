"""ALFWorld's official games: reading, index, faults, and comparison with the original."""

import argparse
import json
import os
import pathlib
import shutil
import zipfile

import pytest

from agentgym_gen import stream
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import sample_task_ids
from agentgym_gen.envs.alfworld import ALFWorld
from agentgym_gen.envs.alfworld.house import House
from agentgym_gen.envs.alfworld.official.game_reader import read_game
from agentgym_gen.envs.alfworld.official.game_writer import pddl_problem, write_game
from agentgym_gen.envs.alfworld.official.tasks import OfficialTasks
from agentgym_gen.envs.alfworld.tasks import GeneratedTasks
from agentgym_gen.envs.alfworld.tiers import TaskFilter, measure_difficulty
from agentgym_gen.errors import (
    DataError,
    InvalidValueError,
    MissingExtraError,
    UnknownNameError,
)
from agentgym_gen.world import TIERS

HERE = pathlib.Path(__file__).parents[3] / "shared" / "data" / "alfworld"
DATA = pathlib.Path(os.environ.get("ALFWORLD_DATA") or HERE)
GAMES = sorted((DATA / "json_2.1.1" / "valid_seen").glob("*/*/game.tw-pddl"))
TRIAL = "valid_seen/pick_heat_then_place_in_recep-Apple-None-Fridge-1/trial_1"
COUNTS = {"easy": 50, "medium": 56, "hard": 34}

# The original leaves files open.
leaves_files_open = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
needs_games = pytest.mark.skipif(len(GAMES) < 140, reason="no official games here")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTGYM_GEN_CACHE", str(tmp_path / "cache" / "agentgym_gen"))


def household() -> House:
    """Return a household with a task of the medium tier."""
    return GeneratedTasks(TaskFilter(task_type="heat")).make("medium", "train", 0).content


def text_of(house: House) -> str:
    """Return a game file with only the parts that are read."""
    grammar = '{"task": [{"rhs": "Your task is to: ' + house.task + '"}]}'
    return json.dumps({"grammar": grammar, "pddl_problem": pddl_problem(house)})


def folder_with(base: pathlib.Path, **games: str) -> pathlib.Path:
    """Return a folder in the official layout with one trial for each text."""
    for trial, text in games.items():
        path = base / "json_2.1.1" / f"{TRIAL}{trial}" / "game.tw-pddl"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return base


def test_a_folder_is_played_by_the_paths_of_its_games(tmp_path: pathlib.Path) -> None:
    """A task id contains the game's path; split, tier and household come from the file."""
    house = household()
    world = ALFWorld(data_dir=folder_with(tmp_path, a=text_of(house)))
    env = TextEnv(world, tier="medium", split="valid")
    _, info = env.reset(seed=0)

    assert info["task_id"] == f"alfworld/medium/valid/{TRIAL}a"
    assert env.task.content == house
    assert world.tasks.find(info["task_id"]) == env.task
    options = {"data_dir": str(tmp_path)}
    env_id = "rftgen/ALFWorld-medium-v0"
    assert sample_task_ids(env_id, "valid", 1, stream("x"), options) == [info["task_id"]]


@pytest.mark.parametrize("is_zipped", [False, True])
def test_valid_train_is_a_split_of_its_own(tmp_path: pathlib.Path, is_zipped: bool) -> None:
    """The games that AgentGym tests on are played by `split="valid_train"` where they are there."""
    folder = folder_with(tmp_path / "data", a=text_of(household()))
    assert "valid_train" not in OfficialTasks(folder, TaskFilter()).splits
    games = folder / "json_2.1.1" / "valid_seen"
    games.rename(games.with_name("valid_train"))
    if is_zipped:
        shutil.make_archive(str(tmp_path / "games"), "zip", folder)
        folder = tmp_path / "games.zip"
    env = TextEnv(ALFWorld(data_dir=folder), tier="medium", split="valid_train")
    _, info = env.reset(seed=0)

    key = f"{TRIAL}a".replace("valid_seen", "valid_train")
    assert info["task_id"] == f"alfworld/medium/valid_train/{key}"
    assert env.world.tasks.find(info["task_id"]) == env.task
    assert env.world.tasks.splits == ("train", "valid", "test", "valid_train")
    with pytest.raises(UnknownNameError, match="valid_train"):
        TextEnv(ALFWorld(), split="valid_train")


@pytest.mark.parametrize("inside", ["", "json_2.1.1/", "data/json_2.1.1/"])
def test_a_zip_archive_is_read_like_a_folder(tmp_path: pathlib.Path, inside: str) -> None:
    """Games are read from an archive, given by its own path or by its folder."""
    house = household()
    with zipfile.ZipFile(tmp_path / "games.zip", "w") as file:
        file.writestr(f"{inside}{TRIAL}/game.tw-pddl", text_of(house))

    for path in (tmp_path, tmp_path / "games.zip"):
        tasks = OfficialTasks(path, TaskFilter())
        assert tasks.size("medium", "valid") == 1
        assert tasks.make("medium", "valid", 0).content == house


def test_the_folder_of_the_environment_variable_is_played(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is read only with `games="official"`, so that ids never change their meaning."""
    folder = folder_with(tmp_path, a=text_of(household()))
    monkeypatch.setenv("ALFWORLD_DATA", str(folder / "json_2.1.1"))

    assert ALFWorld(games="official").tasks.size("medium", "valid") == 1
    assert isinstance(ALFWorld().tasks, GeneratedTasks)


def test_a_broken_file_does_not_keep_the_others_from_being_played(tmp_path: pathlib.Path) -> None:
    """A broken file is no task, is listed among the faults, and raises when it is requested."""
    good = text_of(household())
    folder = folder_with(tmp_path, a=good, b="{", c=good.replace("(:init", "(:init ("), d="{}")
    tasks = OfficialTasks(folder, TaskFilter())

    assert tasks.size("medium", "valid") == 1
    assert sorted(tasks.faults("valid")) == [f"{TRIAL}{trial}" for trial in "bcd"]
    with pytest.raises(DataError, match=f"{TRIAL}b"):
        tasks.find(f"alfworld/medium/valid/{TRIAL}b")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("Your task is to", "You may", "Your task is to"),
        ("atLocation agent1", "holds agent1", "where the agent"),
        ("objectType ?o", "likes ?o", "no kind of object"),
        ("(:domain", "(:domain (", "brackets"),
        ("inReceptacle ", "inReceptacle drawer ", "broken"),
    ],
)
def test_a_broken_problem_says_what_is_wrong(old: str, new: str, fault: str) -> None:
    """Every fault is an `InvalidValueError` that names it."""
    with pytest.raises(InvalidValueError, match=fault):
        read_game(text_of(household()).replace(old, new))


def test_a_household_that_cannot_be_won_is_a_fault(tmp_path: pathlib.Path) -> None:
    """A game whose task needs heat and that has no microwave is listed among the faults."""
    text = text_of(household()).replace("microwaveType", "cabinetType")
    tasks = OfficialTasks(folder_with(tmp_path, a=text), TaskFilter())

    with pytest.raises(InvalidValueError, match="1 of them cannot be played"):
        tasks.size("medium", "valid")
    assert "no way" in tasks.faults("valid")[f"{TRIAL}a"]


def test_the_index_is_kept_until_a_file_changes(tmp_path: pathlib.Path) -> None:
    """The index is written to the cache folder and contains the key of the game."""
    folder = folder_with(tmp_path, a=text_of(household()))
    assert OfficialTasks(folder, TaskFilter()).size("medium", "valid") == 1
    index_files = list((tmp_path / "cache" / "agentgym_gen").glob("alfworld-*.json"))

    assert len(index_files) == 1
    assert TRIAL in index_files[0].read_text("utf-8")


@pytest.mark.parametrize(
    ("task_id", "error", "fault"),
    [
        ("alfworld/hard/valid/valid_seen/x/y", DataError, "No game 'valid_seen/x/y'"),
        ("alfworld/hard/valid/train/x/y", InvalidValueError, "begins with 'valid_seen/'"),
        ("alfworld/hard/valid/0", InvalidValueError, "begins with 'valid_seen/'"),
        (f"alfworld/hard/valid/{TRIAL}a", InvalidValueError, "is of medium"),
        (f"alfworld/hard/dev/{TRIAL}a", InvalidValueError, "dev"),
        (f"sokoban/hard/valid/{TRIAL}a", InvalidValueError, "sokoban"),
    ],
)
def test_an_unknown_game_is_an_error(
    tmp_path: pathlib.Path, task_id: str, error: type[Exception], fault: str
) -> None:
    """The error says what is wrong with the id."""
    tasks = OfficialTasks(folder_with(tmp_path, a=text_of(household())), TaskFilter())

    with pytest.raises(error, match=fault):
        tasks.find(task_id)


def test_a_missing_folder_is_one_clear_error(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the folder, the split's folder, the archive or the variable."""
    monkeypatch.delenv("ALFWORLD_DATA", raising=False)
    with pytest.raises(DataError, match="ALFWORLD_DATA"):
        ALFWorld(games="official")
    with pytest.raises(DataError, match="nowhere"):
        ALFWorld(data_dir=tmp_path / "nowhere")
    with pytest.raises(DataError, match="valid_unseen"):
        ALFWorld(data_dir=tmp_path).tasks.size("easy", "test")
    (tmp_path / "broken.zip").write_text("no zip")
    with pytest.raises(DataError, match=r"broken\.zip"):
        ALFWorld(data_dir=tmp_path).tasks.size("easy", "test")


@needs_games
def test_our_shortest_plans_are_as_long_as_the_originals_walkthroughs() -> None:
    """In all 140 games of valid_seen our plan has as many commands as the walkthrough."""
    for path in GAMES:
        text = path.read_text("utf-8")
        difficulty = measure_difficulty(read_game(text))
        assert difficulty is not None
        assert difficulty.plan_length == len(json.loads(text)["walkthrough"]), path


@needs_games
def test_the_expert_wins_every_official_game() -> None:
    """In every tier the expert's plan and the original's walkthrough win every game."""
    for tier in TIERS:
        env = TextEnv(ALFWorld(data_dir=DATA), tier=tier, split="valid")
        tasks = env.world.tasks
        assert tasks.size(tier, "valid") == COUNTS[tier]
        for index in range(COUNTS[tier]):
            task = tasks.make(tier, "valid", index)
            walkthrough = json.loads(tasks._archive.read(task.id.key))["walkthrough"]
            for play in (walkthrough, None):
                assert wins(env, str(task.id), play), task.id


def wins(env: TextEnv, task_id: str, actions: list[str] | None) -> bool:
    """Return whether *actions*, or the expert's plan, win a task."""
    env.reset(options={"task_id": task_id})
    for action in actions or [env.write(command) for command in env.world.expert_plan() or ()]:
        *_, info = env.step(action)
    return info["success"]


@needs_games
@pytest.mark.parametrize("tier", TIERS)
def test_filters_work_on_official_games(tier: str) -> None:
    """Only games of the task type and the room of the filter are played."""
    tasks = ALFWorld(data_dir=DATA, task_type="clean", room="kitchen").tasks
    houses = [tasks.make(tier, "valid", n).content for n in range(tasks.size(tier, "valid"))]

    assert {(house.goal.type, house.room) for house in houses} == {("clean", "kitchen")}


def compare_with_original(folder: pathlib.Path, games: int, steps: int) -> list[dict[str, object]]:
    """Return walks through the games of *folder*, played both in the original and in ours."""
    from tools import alfworld_golden

    alfworld_golden.memoise()
    return alfworld_golden.compare(argparse.Namespace(path=folder, games=games, steps=steps))


@leaves_files_open
def test_files_that_we_write_play_in_the_original(tmp_path: pathlib.Path) -> None:
    """The original loads a file that we write and answers as ours does."""
    pytest.importorskip("alfworld")
    write_game(household(), tmp_path / "task" / "trial")

    assert [walk["differs"] for walk in compare_with_original(tmp_path, 1, 12)] == [False]


def test_writing_needs_the_originals_domain(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra, the error says how to install it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(MissingExtraError, match=r"agentgym-gen\[alfworld\]"):
        write_game(household(), tmp_path)


@leaves_files_open
@needs_games
def test_twelve_official_games_are_those_of_the_original() -> None:
    """Opening, answers, admissible commands, score and end equal the original's."""
    pytest.importorskip("alfworld")

    assert not any(walk["differs"] for walk in compare_with_original(DATA, 12, 30))


@leaves_files_open
@needs_games
@pytest.mark.slow
def test_all_official_games_are_those_of_the_original() -> None:
    """The same holds for all 140 games of valid_seen."""
    pytest.importorskip("alfworld")

    assert not any(walk["differs"] for walk in compare_with_original(DATA, 140, 30))
