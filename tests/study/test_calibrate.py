"""Tasks divided by a policy's success, and played as tiers."""

from pathlib import Path

import pytest

from agentgym_gen.agents.policy import ExpertPolicy, RandomPolicy
from agentgym_gen.agents.rollout import Episode, draw_task_ids, make_text_env, run
from agentgym_gen.cli.main import main
from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError
from agentgym_gen.seeding import stream
from agentgym_gen.study import parse_plan
from agentgym_gen.study.run.calibrate import Calibration, calibrate
from agentgym_gen.study.run.run import sample_column_tasks
from agentgym_gen.world.task_list import read_task_list, write_task_list

EASY = "rftgen/Sokoban-easy-v0"
ASKED = Calibration(EASY, tasks=12, samples=4, threshold=0.25, splits=("train", "test"))


@pytest.fixture(scope="module")
def stem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the stem of lists that a random policy made."""
    stem = tmp_path_factory.mktemp("lists") / "boards"
    calibrate(ASKED, RandomPolicy(), stem, model="random")
    return stem


def test_every_task_is_in_one_list(stem: Path) -> None:
    """12 of each split, all different."""
    easy, hard = (read_task_list(f"{stem}.{kind}.txt") for kind in ("easy", "hard"))

    assert len(set(easy) | set(hard)) == len(easy) + len(hard) == 24
    assert sum("/test/" in task for task in (*easy, *hard)) == 12


def test_a_list_says_how_it_was_made(stem: Path) -> None:
    """By whom, with which threshold, and the success of each task."""
    lines = Path(f"{stem}.easy.txt").read_text().splitlines()

    assert lines[0] == (
        "# The easy tasks of rftgen/Sokoban-easy-v0 by the success of random: 4 episodes a task, "
        "easy from 0.25 on, seed 0."
    )
    assert all(float(line.split("# ")[1]) >= 0.25 for line in lines[1:])


def test_the_lists_are_on_either_side_of_the_threshold(stem: Path) -> None:
    """Played again with the same seed, hard tasks have no success of four."""
    hard = [task for task in read_task_list(f"{stem}.hard.txt") if "/test/" in task]
    played = run([Episode(EASY, t, n) for t in hard for n in range(4)], RandomPolicy())

    assert sum(trajectory.success for trajectory in played) == 0


def test_the_same_calibration_gives_the_same_lists(stem: Path, tmp_path: Path) -> None:
    """To the letter."""
    calibrate(ASKED, RandomPolicy(), tmp_path / "again", model="random")
    again = (tmp_path / "again.easy.txt").read_text()

    assert again == Path(f"{stem}.easy.txt").read_text()


def test_lists_are_not_overwritten(stem: Path) -> None:
    """Nor begun anew."""
    with pytest.raises(ResultExistsError, match="is there already; choose another --out"):
        calibrate(ASKED, RandomPolicy(), stem, model="random")


def test_a_policy_that_wins_everything_divides_nothing(tmp_path: Path) -> None:
    """The error says what to change; what was played is kept for another threshold."""
    with pytest.raises(InvalidValueError, match=r"is hard for 'expert' .* move the threshold"):
        calibrate(ASKED, ExpertPolicy(), tmp_path / "x", model="expert")
    assert [path.name for path in tmp_path.iterdir()] == ["x.played.json"]


@pytest.mark.parametrize("wrong", [{"tasks": 0}, {"samples": 0}, {"threshold": 0.0}])
def test_a_calibration_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    """When it is made."""
    with pytest.raises(InvalidValueError):
        Calibration(EASY, **wrong)  # type: ignore[arg-type]


def test_a_list_is_a_tier_everywhere(stem: Path) -> None:
    """In an id, in drawing tasks, and as a column of a study."""
    env_id = f"rftgen/Sokoban-v0?tasks={stem}.easy.txt&interface=listed"
    easy = [task for task in read_task_list(f"{stem}.easy.txt") if "/test/" in task]
    env = make_text_env(env_id, "test")
    _, info = env.reset(seed=0)

    assert info["task_id"] in easy
    assert str(env.interface) == "listed"
    drawn = draw_task_ids(env_id, "test", len(easy), stream("x"))
    assert sorted(drawn) == sorted(easy)
    plan = parse_plan(
        f'name = "x"\nseeds = [0]\n[environments.Sokoban]\nlists = "{stem}"\n'
        f'[test]\ntasks = {len(easy)}\n[difficulty]\nenvironments = ["Sokoban"]\n'
    )
    assert sorted(sample_column_tasks(plan, plan.columns[0])) == sorted(easy)


def test_the_command_writes_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And counts them."""
    arguments = ["calibrate", EASY, "--model", "random", "--tasks", "8", "--samples", "2"]
    options = ["--split", "train", "--out", str(tmp_path / "b"), "--threshold", "0.5"]
    assert main([*arguments, *options]) == 0
    out = capsys.readouterr().out

    assert "of 8 tasks are easy" in out
    assert f"tasks in {tmp_path / 'b'}.hard.txt" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no task"),
        ("# only words\n", "holds no task"),
        ("a/b/c/1\nnonsense\n", "Line 2 of .*Malformed task id 'nonsense'"),
        ("a/b/c/1\na/b/c/1 # twice\n", "Line 2 of .*stands there twice"),
    ],
)
def test_a_list_that_cannot_be_read_is_named(tmp_path: Path, text: str, message: str) -> None:
    """By its file and line."""
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises((DataError, InvalidValueError), match=message):
        read_task_list(tmp_path / "list.txt")


def test_a_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Without its comments."""
    write_task_list(tmp_path / "l.txt", ["a/b/c/2", "a/b/c/1"], ["two tasks"])

    assert read_task_list(tmp_path / "l.txt") == ("a/b/c/2", "a/b/c/1")
    with pytest.raises(DataError, match="No such file"):
        read_task_list(tmp_path / "other.txt")


def test_a_list_without_a_task_of_the_split_is_refused() -> None:
    """With what was asked for."""
    with pytest.raises(InvalidValueError, match="None of the 1 tasks of `tasks` belongs to the sp"):
        make_text_env(EASY, "train", {"tasks": ["sokoban/easy/test/3"]})


@pytest.mark.parametrize("query", ["tasks", "tasks=", "levels=3", "interface=a&"])
def test_what_follows_an_id_is_checked(query: str) -> None:
    """It is name=value, of names that are known."""
    with pytest.raises(InvalidValueError, match="is no keyword argument of an id"):
        make_text_env(f"{EASY}?{query}", "test")
