"""Sokoban's levels: tiers, splits, the solver, the expert and Boxoban's files."""

import pathlib

import gymnasium
import numpy as np
import pytest

import agentgym_gen  # noqa: F401  (registers the ids)
from agentgym_gen.agents.policy import ExpertPolicy
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import sample_task_ids
from agentgym_gen.envs.sokoban import Sokoban
from agentgym_gen.envs.sokoban.board import Level, Position, canonical_form, split_of
from agentgym_gen.envs.sokoban.solver import solve_position
from agentgym_gen.envs.sokoban.tasks import LEVEL_SPECS, GeneratedTasks
from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.seeding import stream
from agentgym_gen.world import TIERS, Task, TaskId

SPLITS = ("train", "valid", "test")
BOXOBAN = pathlib.Path(__file__).parents[3] / "shared" / "data" / "sokoban" / "boxoban"
LEVEL = "; 0\n#####\n#@$.#\n#####\n"

FINGERPRINTS = [
    ("sokoban/easy/train/0", "e7cbb4aa729fc720"),
    ("sokoban/easy/test/99999", "c58c03aac891dba0"),
    ("sokoban/medium/valid/7", "c29de791096a821f"),
    ("sokoban/hard/train/0", "3ae7818aeaae648d"),
    ("sokoban/hard/test/17", "40436dfe047ba32c"),
]

needs_boxoban = pytest.mark.skipif(not BOXOBAN.is_dir(), reason="no Boxoban sample here")


def wins(env: TextEnv, task_id: str) -> bool:
    """Return whether the expert's plan wins a task within its turn limit."""
    env.reset(options={"task_id": task_id})
    for command in env.world.expert_plan() or ():
        *_, over, _, info = env.step(env.write(command))
    return bool(over and info["success"])


def bands_hold(tier: str, split: str, count: int) -> None:
    """Check that the expert wins the first tasks, and that each is of its tier and split."""
    env = TextEnv(Sokoban(), tier=tier, split=split)
    low, high = LEVEL_SPECS[tier].pushes
    for index in range(count):
        level = env.world.tasks.make(tier, split, index).content
        assert low <= level.pushes <= high
        assert split_of(level.rows) == split
        assert wins(env, f"sokoban/{tier}/{split}/{index}")


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("tier", TIERS)
def test_expert_wins_and_bands_hold(tier: str, split: str) -> None:
    """Levels are in their tier's band and their split, and the expert wins them."""
    bands_hold(tier, split, 8)


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("tier", TIERS)
def test_expert_wins_and_bands_hold_for_many(tier: str, split: str) -> None:
    """The same holds for 30 tasks of every tier and split."""
    bands_hold(tier, split, 30)


def test_splits_share_no_level() -> None:
    """No easy level is in two splits, even rotated, mirrored or with the player elsewhere."""
    tasks = GeneratedTasks()
    levels = {
        split: {
            canonical_form(tasks.make("easy", split, index).content.rows) for index in range(100)
        }
        for split in SPLITS
    }

    assert not levels["train"] & levels["test"]
    assert not levels["train"] & levels["valid"]
    assert not levels["valid"] & levels["test"]


def test_easy_levels_are_varied() -> None:
    """More than 285 of 300 easy test tasks are different levels."""
    tasks = GeneratedTasks()

    assert len({tasks.make("easy", "test", index).content.rows for index in range(300)}) > 285


def test_rotations_and_mirrors_have_one_form() -> None:
    """All 8 symmetries, and another place of the player, have one canonical form."""
    board = np.array([list("#####"), list("#PXO#"), list("##__#"), list("#####")])
    symmetries = [np.rot90(side, times) for side in (board, board[::-1]) for times in range(4)]
    forms = {canonical_form(["".join(row) for row in symmetry]) for symmetry in symmetries}

    assert forms == {canonical_form(["#####", "#_XO#", "##P_#", "#####"])}


def test_a_task_does_not_depend_on_earlier_tasks() -> None:
    """An id is the same level in a used and in a new instance."""
    used = GeneratedTasks()
    for index in range(5):
        used.make("medium", "train", index)

    assert used.make("medium", "test", 3) == GeneratedTasks().find("sokoban/medium/test/3")


@pytest.mark.parametrize(("task_id", "fingerprint"), FINGERPRINTS)
def test_fingerprints(task_id: str, fingerprint: str) -> None:
    """Published task ids stay the same levels; a change needs a new version."""
    assert GeneratedTasks().find(task_id).fingerprint[:16] == fingerprint


@pytest.mark.parametrize(
    ("rows", "pushes"),
    [
        (["#####", "#PXO#", "#####"], 1),
        (["#######", "#_____#", "#_OX_P#", "#_____#", "#######"], 1),
        (["######", "#PX__#", "#__O_#", "#____#", "######"], 0),
        (["########", "#P_____#", "#_X__O_#", "#_X__O_#", "#______#", "########"], 6),
        (["#######", "#__O__#", "#_X___#", "#P____#", "#######"], 2),
    ],
)
def test_solver_needs_the_fewest_pushes(rows: list[str], pushes: int) -> None:
    """The solver needs as many pushes as counted by hand, or finds no solution."""
    moves = solve_position(Position.parse(rows))

    assert sum(move.isupper() for move in moves or "") == pushes


@pytest.mark.parametrize(
    "rows",
    [
        ["#####", "#X_O#", "#_P_#", "#####"],
        ["######", "#_OO_#", "#PXX_#", "#_XX_#", "#_OO_#", "######"],
    ],
)
def test_a_deadlock_has_no_plan(rows: list[str]) -> None:
    """With a box in a corner or a block of four boxes, there is no plan."""
    world = Sokoban()
    world.reset(Task(TaskId("sokoban", "easy", "train", "0"), Level(tuple(rows), "R")))
    world._plan._is_push_off_plan = True

    assert world.expert_plan() is None


@pytest.mark.parametrize("tier", TIERS)
def test_plan_wins_from_wherever_the_player_strayed(tier: str) -> None:
    """After random moves the plan, if there is one, still wins."""
    rng = np.random.default_rng(3)
    env = TextEnv(Sokoban(), tier=tier, split="valid", max_turns=1_000)
    for index in range(6):
        env.reset(options={"task_id": f"sokoban/{tier}/valid/{index}"})
        over = False
        for _ in range(8):
            admissible = env.world.admissible()
            command = admissible[int(rng.integers(len(admissible)))]
            *_, over, _, info = env.step(env.write(command))
            if over or env.world.expert_plan() is None:
                break
        for command in () if over else env.world.expert_plan() or ():
            *_, over, _, info = env.step(env.write(command))
        assert over == info["success"]
        assert over or env.world.expert_plan() is None


@needs_boxoban
@pytest.mark.parametrize(("tier", "split"), [("easy", "test"), ("medium", "valid")])
def test_boxoban_samples_are_solved(tier: str, split: str) -> None:
    """The expert wins official levels in the Gymnasium environment."""
    env_id = f"rftgen/Sokoban-{tier}-v0"
    env = gymnasium.make(env_id, split=split, levels_dir=str(BOXOBAN)).unwrapped
    assert isinstance(env, TextEnv)
    for index in range(10):
        assert wins(env, str(env.world.tasks.make(tier, split, index).id))


@needs_boxoban
def test_boxoban_ids_name_the_file_and_the_level() -> None:
    """The key of a task is the file's stem and the level's number in it."""
    tasks = Sokoban(levels_dir=BOXOBAN).tasks

    assert tasks.size("medium", "test") == 500
    assert str(tasks.make("medium", "test", 8).id) == "sokoban/medium/test/000-17"
    assert tasks.find("sokoban/medium/test/000-17") == tasks.make("medium", "test", 8)


def boxoban_in(folder: pathlib.Path, text: str) -> Sokoban:
    """Return a world that plays one file with *text* as its hard levels."""
    (folder / "hard").mkdir()
    (folder / "hard" / "000.txt").write_text(text, encoding="utf-8")
    return Sokoban(levels_dir=folder)


def test_levels_of_any_size_are_read(tmp_path: pathlib.Path) -> None:
    """A small level is read, and the symbols of its file become RAGEN's."""
    level = boxoban_in(tmp_path, LEVEL).tasks.find("sokoban/hard/train/000-0").content

    assert level == Level(("#####", "#PXO#", "#####"), "R")


@pytest.mark.parametrize("key", ["000-1", "001-0", "0", "000-x", "-"])
def test_an_unknown_level_is_an_error(tmp_path: pathlib.Path, key: str) -> None:
    """A key that names no level is an error that contains the key."""
    tasks = boxoban_in(tmp_path, LEVEL).tasks

    with pytest.raises(InvalidValueError, match=f"sokoban/hard/train/{key}"):
        tasks.find(f"sokoban/hard/train/{key}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "holds no level"),
        ("nothing\n", "holds no level"),
        (LEVEL + LEVEL, "two levels of the same number"),
        ("; 0\n", "0 players"),
        ("; 0\n#####\n#@$?#\n#####\n", "unknown symbols"),
        ("; 0\n#####\n#@@$.#\n#####\n", "2 players"),
        ("; 0\n#####\n#@$$.#\n#####\n", "2 boxes, 1 targets"),
        ("; 0\n####\n#@*#\n####\n", "solved already"),
        ("; 0\n#####\n#@$.#\n## ##\n", "walk off"),
        ("; 0\n######\n#@$.\n######\n#.####$", "a box or a target is not enclosed by walls"),
        ("; 0\n#####\n#$@.#\n#####\n", "no solution"),
    ],
)
def test_a_broken_file_is_one_clear_error(tmp_path: pathlib.Path, text: str, fault: str) -> None:
    """The error names the file and says what is wrong with it."""
    tasks = boxoban_in(tmp_path, text).tasks

    with pytest.raises(DataError, match=fault) as raised:
        tasks.make("hard", "train", 0)
    assert "000.txt" in str(raised.value)


def test_a_boxoban_folder_has_a_tier_for_every_existing_folder(tmp_path: pathlib.Path) -> None:
    """An environment of all tiers samples and plays the levels of the existing folders only."""
    boxoban_in(tmp_path, LEVEL + LEVEL.replace("0", "1", 1))
    options = {"levels_dir": str(tmp_path)}
    tasks = sample_task_ids("rftgen/Sokoban-v0", "train", 2, stream("x"), options)
    trajectories = run(
        [Episode("rftgen/Sokoban-v0", t, options=options) for t in tasks], ExpertPolicy()
    )

    assert sorted(tasks) == ["sokoban/hard/train/000-0", "sokoban/hard/train/000-1"]
    assert all(trajectory.success for trajectory in trajectories)


def test_a_relative_folder_follows_the_working_directory(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same relative name in two working directories means two folders."""
    sizes = []
    for number, text in enumerate((LEVEL, LEVEL + LEVEL.replace("0", "1", 1))):
        (tmp_path / str(number) / "levels").mkdir(parents=True)
        boxoban_in(tmp_path / str(number) / "levels", text)
        monkeypatch.chdir(tmp_path / str(number))
        sizes.append(Sokoban(levels_dir="levels").tasks.size("hard", "train"))

    assert sizes == [1, 2]


def test_a_folder_that_is_no_path_is_an_error() -> None:
    """The error shows the wrong value."""
    with pytest.raises(InvalidValueError, match="`levels_dir` is a path or None, not 3"):
        Sokoban(levels_dir=3)  # type: ignore[arg-type]


def test_a_missing_folder_is_one_clear_error(tmp_path: pathlib.Path) -> None:
    """The error names the folder, or Boxoban's layout if the folder is empty."""
    with pytest.raises(DataError, match="nowhere"):
        Sokoban(levels_dir=tmp_path / "nowhere")
    with pytest.raises(DataError, match="unfiltered"):
        Sokoban(levels_dir=tmp_path).tasks.size("easy", "train")
