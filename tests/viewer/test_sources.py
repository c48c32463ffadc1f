"""Every kind of folder is opened; what is none is refused with a sentence."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from played_folders import play, register_corridor, write_eval, write_lines, write_study

from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.agents.trajectory_files import write_trajectories
from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.evaluation import Evaluation
from agentgym_gen.study.results.rows import make_transcript
from agentgym_gen.viewer import View, open_sources
from agentgym_gen.viewer.episodes import ViewedEpisode, from_row


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register_corridor()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an evaluation, a study, a training and a file of trajectories."""
    root = tmp_path_factory.mktemp("runs")
    write_eval(root / "eval")
    write_study(root / "study")
    (root / "training").mkdir()
    write_lines(root / "training" / "trajectories.jsonl")
    return root


def episodes(*paths: Path) -> list[ViewedEpisode]:
    """Return the episodes of *paths*."""
    return [episode for source in open_sources(paths) for _, episode in source.read()]


def test_an_evaluation_has_its_rows_and_texts(folders: Path) -> None:
    """As many as were played, in their order, each with its turns."""
    rows = Evaluation.open(folders / "eval").rows()
    shown = episodes(folders / "eval")

    assert [(e.task_id, e.interface, e.success) for e in shown] == [
        (row["task_id"], row["interface"], row["success"]) for row in rows
    ]
    assert all(len(e.turns) == e.number > 0 for e in shown)
    assert {(e.environment, e.tier, e.split, e.arm) for e in shown} == {
        ("Corridor", "easy", "test", "random")
    }


def test_marks_and_the_error_of_an_episode_are_read_from_its_texts(folders: Path) -> None:
    """A transcript has them where there is something to say; others are as before."""
    plain = play(1)[0]
    turn = replace(plain.turns[0], lenient=True)
    truncated = replace(turn, completion=replace(turn.completion, truncated=True))
    marked = replace(plain, turns=(truncated, *plain.turns[1:]), error="The server is gone")
    row = Evaluation.open(folders / "eval").rows()[0]
    shown = [from_row("eval", row, make_transcript(t), "eval") for t in (marked, plain)]

    assert [(e.error, e.turns[0].lenient, e.turns[0].truncated) for e in shown] == [
        ("The server is gone", True, True),
        ("", False, False),
    ]
    assert not {"error", "lenient", "truncated"} & {*make_transcript(plain), *_turn_keys(plain)}


def _turn_keys(trajectory: Trajectory) -> set[str]:
    return {key for turn in make_transcript(trajectory)["turns"] for key in turn}


def test_a_study_has_the_episodes_of_its_arms(folders: Path) -> None:
    """The base and the arm, with the seed."""
    shown = episodes(folders / "study")

    assert {e.arm for e in shown} == {"base", "sokoban-easy"}
    assert {e.seed for e in shown} == {"0"}
    assert all(len(e.turns) == e.number for e in shown)


def test_trajectories_have_tokens_and_labels(folders: Path) -> None:
    """A training's folder is read by its file."""
    shown = episodes(folders / "training")

    assert {(e.arm, e.step, e.run) for e in shown} == {("mine", "3", "training")}
    turn = shown[0].turns[0]
    assert len(turn.tokens) == len(turn.logprobs) > 0
    assert turn.tokens[0] == "<0>"


def test_tokens_without_texts_are_shown_by_number(tmp_path: Path) -> None:
    """A file that was written without a tokenizer."""
    write_trajectories(tmp_path / "a.jsonl", play(1))

    assert episodes(tmp_path / "a.jsonl")[0].turns[0].tokens[0] == "0"


def test_a_folder_of_folders_opens_all(folders: Path) -> None:
    """Each is called by its name."""
    assert [source.name for source in open_sources([folders])] == ["eval", "study", "training"]


def test_a_calibration_is_opened_by_its_stem(tmp_path: Path) -> None:
    """As the command that made it named it."""
    write_lines(tmp_path / "craft.trajectories.jsonl")

    assert len(episodes(tmp_path / "craft")) == 4


def test_two_paths_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """By as much of the path as it takes."""
    for name in ("a", "b"):
        (tmp_path / name / "run").mkdir(parents=True)
        write_lines(tmp_path / name / "run" / "trajectories.jsonl", 1)
    sources = open_sources([tmp_path / "a" / "run", tmp_path / "b" / "run"])

    assert [source.name for source in sources] == ["a/run", "b/run"]


@pytest.mark.parametrize("run", ["eval", "study"])
def test_the_rows_of_a_run_are_opened_by_its_folder(folders: Path, run: str) -> None:
    """The sentence names the folder."""
    path = next((folders / run).rglob("episodes.jsonl"))
    with pytest.raises(DataError, match=rf"open its folder: {folders / run}$"):
        open_sources([path])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "There is no .*name a folder that"),
        (lambda path: path.mkdir(), "holds no conversations; name a folder that"),
        (lambda path: path.write_text("hello"), "holds no conversations; name a folder that"),
    ],
    ids=["nothing", "empty folder", "another file"],
)
def test_what_holds_no_episodes_is_refused(tmp_path: Path, make: object, message: str) -> None:
    """The sentence says what is accepted."""
    path = tmp_path / "x.txt"
    make(path)  # type: ignore[operator]

    with pytest.raises(DataError, match=message):
        open_sources([path])


def test_a_path_is_named_once(folders: Path) -> None:
    """Also where a folder of folders has it."""
    with pytest.raises(InvalidValueError, match="named twice"):
        open_sources([folders / "eval", folders])


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_a_file_without_episodes_is_refused(tmp_path: Path, text: str) -> None:
    """There is nothing to show yet."""
    (tmp_path / "a.jsonl").write_text(text)

    with pytest.raises(DataError, match=r"There is no episode in a\.jsonl yet"):
        list(View(open_sources([tmp_path / "a.jsonl"])).read())


def test_a_damaged_cell_is_left_out_and_named(folders: Path, tmp_path: Path) -> None:
    """The other cells of the study are shown."""
    study = tmp_path / "study"
    shutil.copytree(folders / "study", study)
    row = next(study.glob("cells/base.s0/*/cell.json"))
    row.write_text("{}")
    (source,) = open_sources([study])

    assert len(source.notes) == 1
    assert source.notes[0].startswith("Left out: ")
    assert {episode.arm for _, episode in source.read()} == {"sokoban-easy"}


def test_an_unfinished_evaluation_says_so(folders: Path, tmp_path: Path) -> None:
    """It is shown as far as it was played."""
    shutil.copytree(folders / "eval", tmp_path / "eval")
    rows = (tmp_path / "eval" / "episodes.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "eval" / "episodes.jsonl").write_text("".join(rows[:2]) + rows[2][:20])
    (source,) = open_sources([tmp_path / "eval"])

    assert source.notes == ["eval is not finished: 2 of 6 episodes were played."]
    assert len(list(source.read())) == 2


@pytest.mark.parametrize("turns", ["abc", [1], [{"observation": "a"}], {"a": 1}])
def test_a_transcript_that_is_none_is_named(folders: Path, tmp_path: Path, turns: object) -> None:
    """What somebody else has written into it does not become a page."""
    shutil.copytree(folders / "eval", tmp_path / "eval")
    path = tmp_path / "eval" / "transcripts.jsonl.gz"
    texts = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    lines = "".join(json.dumps({**text, "turns": turns}) + "\n" for text in texts)
    path.write_bytes(gzip.compress(lines.encode()))

    with pytest.raises(DataError, match="Cannot read the texts of 'corridor/easy/test/"):
        episodes(tmp_path / "eval")


@pytest.mark.parametrize("kind", ["eval", "study", "training"])
def test_reading_goes_on_from_any_position(folders: Path, kind: str) -> None:
    """A chunk is read again from where it begins."""
    (source,) = open_sources([folders / kind])
    whole = list(source.read())
    for place in range(len(whole)):
        assert list(source.read(whole[place][0])) == whole[place:]
