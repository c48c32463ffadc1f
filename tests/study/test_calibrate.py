"""Tasks are divided by a policy's success, and the lists are played as tiers."""

from dataclasses import replace
from pathlib import Path

import pytest

from agentgym_gen.agents.policy import ExpertPolicy, RandomPolicy
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.trajectory_files import read_trajectories
from agentgym_gen.cli.main import main
from agentgym_gen.env.making import make_text_env, sample_task_ids
from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError
from agentgym_gen.seeding import stream
from agentgym_gen.study import parse_plan
from agentgym_gen.study.run.calibrate import Calibration, calibrate
from agentgym_gen.study.run.run import sample_column_tasks
from agentgym_gen.world.task_list import read_task_list, write_task_list

EASY = "rftgen/Sokoban-easy-v0"
SETTINGS = Calibration(EASY, tasks=12, samples=4, threshold=0.25, splits=("train", "test"))


@pytest.fixture(scope="module")
def stem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the stem of lists that were made with a random policy."""
    stem = tmp_path_factory.mktemp("lists") / "boards"
    calibrate(SETTINGS, RandomPolicy(), stem, model="random")
    return stem


def test_every_task_is_in_one_list(stem: Path) -> None:
    """There are 12 tasks of each split, and none is in both lists."""
    easy, hard = (read_task_list(f"{stem}.{kind}.txt") for kind in ("easy", "hard"))

    assert len(set(easy) | set(hard)) == len(easy) + len(hard) == 24
    assert sum("/test/" in task for task in (*easy, *hard)) == 12


def test_a_list_says_how_it_was_made(stem: Path) -> None:
    """It names the policy, the threshold, and the success of each task."""
    lines = Path(f"{stem}.easy.txt").read_text("utf-8").splitlines()

    assert lines[0] == (
        "# The easy tasks of rftgen/Sokoban-easy-v0 by the success of random: 4 episodes a task, "
        "easy from 0.25 on, seed 0."
    )
    assert all(float(line.split("# ")[1]) >= 0.25 for line in lines[1:])


def test_the_lists_are_on_either_side_of_the_threshold(stem: Path) -> None:
    """Played again with the same seed, hard tasks have no success in four episodes."""
    hard = [task for task in read_task_list(f"{stem}.hard.txt") if "/test/" in task]
    episodes = [Episode(EASY, task, sample) for task in hard for sample in range(4)]
    trajectories = run(episodes, RandomPolicy())

    assert sum(trajectory.success for trajectory in trajectories) == 0


def test_the_same_calibration_gives_the_same_lists(stem: Path, tmp_path: Path) -> None:
    """The files are the same text."""
    calibrate(SETTINGS, RandomPolicy(), tmp_path / "again", model="random")
    again = (tmp_path / "again.easy.txt").read_text("utf-8")

    assert again == Path(f"{stem}.easy.txt").read_text("utf-8")


def test_a_calibration_of_another_model_of_the_name_is_refused(tmp_path: Path) -> None:
    """What one has played is no success of the other."""
    never = replace(SETTINGS, env_id="rftgen/Sokoban-hard-v0", tasks=3, threshold=1.0)
    calibrate(never, RandomPolicy(), tmp_path / "mine", model="m", made_of={"hash": "a"})
    assert (tmp_path / "mine.played.json").exists(), "the test tests nothing"
    with pytest.raises(ResultExistsError, match="calibration with other settings"):
        calibrate(never, ExpertPolicy(), tmp_path / "mine", model="m", made_of={"hash": "b"})


def test_lists_are_not_overwritten(stem: Path) -> None:
    """The calibration of lists that exist is refused."""
    with pytest.raises(ResultExistsError, match="is there already; choose another --out"):
        calibrate(SETTINGS, RandomPolicy(), stem, model="random")


def test_a_policy_that_wins_everything_divides_nothing(tmp_path: Path) -> None:
    """There is one list, and a sentence says what to change."""
    lines: list[str] = []
    sizes = calibrate(SETTINGS, ExpertPolicy(), tmp_path / "x", model="expert", log=lines.append)

    assert sizes == {"easy": 24, "hard": 0}
    assert "is hard for 'expert' at a threshold of 0.25: all have a success of 1.000" in lines[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.easy.txt", "x.played.json"]


def test_another_threshold_divides_what_was_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no task is easy the command ends without an error, and its sentence leads on."""
    arguments = ["calibrate", EASY, "--model", "random", "--tasks", "12", "--samples", "4"]
    arguments += ["--split", "train", "--out", str(tmp_path / "b"), "--threshold"]
    assert main([*arguments, "1"]) == 0
    out = capsys.readouterr().out
    threshold = out.partition("up to ")[2].split()[0]

    assert f"No task of {EASY!r} is easy for 'random' at a threshold of 1; the same" in out
    assert not (tmp_path / "b.easy.txt").exists()
    monkeypatch.setattr("agentgym_gen.study.run.calibrate.run", None)  # nothing is played again
    assert main([*arguments, threshold]) == 0
    assert (tmp_path / "b.easy.txt").exists()


def test_the_thresholds_that_are_named_divide_the_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two of three episodes won at most, 0.667 would call no task easy, and 0.666 does."""

    def two_of_three(_: object, task_ids: list[str], *__: object) -> dict[str, float]:
        return {task_id: (number % 2) * 2 / 3 for number, task_id in enumerate(task_ids)}

    monkeypatch.setattr("agentgym_gen.study.run.calibrate._success_rates", two_of_three)
    lines: list[str] = []
    settings = replace(SETTINGS, threshold=1.0)
    calibrate(settings, RandomPolicy(), tmp_path / "x", model="random", log=lines.append)

    assert "with a --threshold above 0 and up to 0.666 divides them" in lines[-1]


def test_the_progress_of_a_calibration_counts_its_episodes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard error has a line each tenth, of all splits together, with the time that is left."""
    arguments = ["calibrate", EASY, "--model", "random", "--tasks", "5", "--samples", "2"]
    assert main([*arguments, "--out", str(tmp_path / "b")]) == 0
    lines = capsys.readouterr().err.splitlines()

    assert len(lines) == 10
    assert lines[-1] == "30/30 episodes, 0 s left"
    assert all(line.endswith(" left") for line in lines)


@pytest.mark.parametrize("settings", [{"tasks": 0}, {"samples": 0}, {"threshold": 0.0}])
def test_a_calibration_with_invalid_settings_is_refused(settings: dict[str, float]) -> None:
    """The error comes when the record is made."""
    with pytest.raises(InvalidValueError):
        Calibration(EASY, **settings)  # type: ignore[arg-type]


def test_a_list_can_be_used_as_a_tier(stem: Path) -> None:
    """An id, the sampling of tasks, and the columns of a study accept it."""
    env_id = f"rftgen/Sokoban-v0?tasks={stem}.easy.txt&interface=listed"
    easy = [task for task in read_task_list(f"{stem}.easy.txt") if "/test/" in task]
    env = make_text_env(env_id, "test")
    _, info = env.reset(seed=0)

    assert info["task_id"] in easy
    assert str(env.interface) == "listed"
    sample = sample_task_ids(env_id, "test", len(easy), stream("x"))
    assert sorted(sample) == sorted(easy)
    plan = parse_plan(
        f'name = "x"\nseeds = [0]\n[environments.Sokoban]\nlists = "{stem}"\n'
        f'[test]\ntasks = {len(easy)}\n[difficulty]\nenvironments = ["Sokoban"]\n'
    )
    assert sorted(sample_column_tasks(plan, plan.columns[0])) == sorted(easy)


def test_the_command_writes_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes the lists and prints how many tasks they have."""
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
    """The error names the file and the line."""
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises((DataError, InvalidValueError), match=message):
        read_task_list(tmp_path / "list.txt")


def test_a_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    """What is read has no comments."""
    write_task_list(tmp_path / "l.txt", ["a/b/c/2", "a/b/c/1"], ["two tasks"])

    assert read_task_list(tmp_path / "l.txt") == ("a/b/c/2", "a/b/c/1")
    with pytest.raises(DataError, match="No such file"):
        read_task_list(tmp_path / "other.txt")


def test_a_list_without_a_task_of_the_split_is_refused() -> None:
    """The error names the number of tasks and the split."""
    with pytest.raises(InvalidValueError, match="None of the 1 tasks of `tasks` belongs to the sp"):
        make_text_env(EASY, "train", {"tasks": ["sokoban/easy/test/3"]})


@pytest.mark.parametrize("query", ["tasks", "tasks=", "split=test", "interface=a&"])
def test_the_query_of_an_id_is_checked(query: str) -> None:
    """A query is name=value, and the name is an option of ids."""
    with pytest.raises(InvalidValueError, match="is no keyword argument of an id"):
        make_text_env(f"{EASY}?{query}", "test")


KEPT = Calibration(EASY, tasks=3, samples=2, threshold=0.5, splits=("train",), keep_episodes=True)


def test_the_episodes_of_a_calibration_are_kept(tmp_path: Path) -> None:
    """Each once, also where it goes on after a stop; the success of each is that of the lists."""
    stem = tmp_path / "boards"
    calibrate(KEPT, ExpertPolicy(), stem, model="expert")  # all are easy: it can go on
    path = tmp_path / "boards.trajectories.jsonl"
    first = path.read_bytes()
    episodes = list(read_trajectories(path))
    # Killed in the middle of the next batch, whose success is not written yet.
    stray = first.replace(episodes[0].task_id.encode(), b"sokoban/easy/train/99999")
    path.write_bytes(first + stray + b'{"half')
    calibrate(KEPT, ExpertPolicy(), stem, model="expert")

    assert len(episodes) == 6
    assert all(episode.success for episode in episodes)
    kept = [episode.task_id for episode in read_trajectories(path)]
    assert "sokoban/easy/train/99999" not in kept
    assert set(kept) == {episode.task_id for episode in episodes}


def test_kept_episodes_are_not_overwritten(tmp_path: Path) -> None:
    """Those of another calibration stay where they are."""
    path = tmp_path / "boards.trajectories.jsonl"
    path.write_text("mine")

    with pytest.raises(ResultExistsError, match=r"boards\.trajectories\.jsonl is there already"):
        calibrate(KEPT, RandomPolicy(), tmp_path / "boards", model="random")
    assert path.read_text() == "mine"
