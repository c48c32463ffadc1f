"""An evaluation is played, extended, killed, resumed and refused."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from systems import needs

from agentgym_gen import PromptStyle, Registered, register
from agentgym_gen.agents.policy import Completion, RandomPolicy, Request
from agentgym_gen.agents.session import Session
from agentgym_gen.envs.sokoban.official import level_files
from agentgym_gen.envs.sokoban.official import tasks as official_tasks
from agentgym_gen.errors import (
    BackendError,
    DataError,
    InvalidValueError,
    MissingExtraError,
    PolicyError,
    ResultExistsError,
)
from agentgym_gen.evaluation import (
    Decoding,
    EvalSettings,
    Evaluation,
    column_scores,
    evaluate,
)
from agentgym_gen.evaluation.score import prompt_warning
from agentgym_gen.system.file_lock import lock_folder

EASY, ALL = "rftgen/Corridor-easy-v0", ["rftgen/Corridor-*-v0"]


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of every file in *folder*."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def play(out: Path, envs: Sequence[str] = (EASY,), **options: Any) -> Evaluation:  # noqa: ANN401
    """Play a few tasks at random."""
    model = options.pop("model", "random")
    return evaluate(model, envs, out=out, **{"tasks": 4, **options})


def test_every_episode_is_a_row_with_a_transcript(tmp_path: Path) -> None:
    """Tasks, samples and interfaces multiply, and every row says where it is from."""
    evaluation = play(tmp_path, samples=2, interfaces=["native", "json"])
    rows = evaluation.rows()

    assert len(rows) == len(evaluation.transcripts()) == evaluation.number == 4 * 2 * 2
    assert evaluation.complete
    assert {row["arm"] for row in rows} == {"random"}
    assert {row["column"] for row in rows} == {EASY, f"{EASY}?interface=json"}
    assert {row["interface"] for row in rows} == {"native", "json"}
    assert {(row["env_id"], row["split"], row["seed"]) for row in rows} == {(EASY, "test", 0)}
    assert sorted(files(tmp_path)) == [
        *("episodes.jsonl", "eval.json", "report.html", "transcripts.jsonl.gz")
    ]


def write_levels(path: Path, text: str) -> None:
    """Write levels, and forget those that were read, as another process has."""
    path.write_text(text)
    for module in (level_files, official_tasks):
        for value in vars(module).values():
            getattr(value, "cache_clear", lambda: None)()


def test_tasks_that_have_changed_since_are_not_added_to(tmp_path: Path) -> None:
    """Levels of the user's own are others now; with the old ones back, the folder is extended."""
    levels, out = tmp_path / "levels" / "hard", tmp_path / "out"
    levels.mkdir(parents=True)
    before = "\n".join(f"; {n}\n######\n#@ $.#\n######\n" for n in range(8))
    after = before.replace("#@ $.#", "#.$ @#")
    env_id = f"rftgen/Sokoban-hard-v0?levels_dir={tmp_path / 'levels'}"
    write_levels(levels / "000.txt", before)
    play(out, [env_id], tasks=2, settings=EvalSettings(split="train"))

    write_levels(levels / "000.txt", after)
    with pytest.raises(DataError, match="opens otherwise than when it was played"):
        play(out, [env_id], tasks=3, settings=EvalSettings(split="train"))
    write_levels(levels / "000.txt", before)
    assert len(play(out, [env_id], tasks=3, settings=EvalSettings(split="train")).rows()) == 3


def test_the_expert_solves_everything(tmp_path: Path) -> None:
    """The policies without a model are evaluated like one."""
    evaluation = play(tmp_path, ALL, model="expert")

    assert len(evaluation.columns) == 3
    assert all(row["success"] for row in evaluation.rows())


def test_a_prompt_to_which_nearly_no_answer_is_valid_is_suspected(tmp_path: Path) -> None:
    """The sentence names where; where actions are valid there is none."""
    (score,) = column_scores(play(tmp_path))
    warning = prompt_warning([score, replace(score, invalid=0.95)])

    assert prompt_warning([score]) == ""
    assert warning.startswith("More than 90 % of the actions in Corridor-easy could not be ")


def test_more_tasks_and_interfaces_extend_a_folder(tmp_path: Path) -> None:
    """What was played stays, and the folder is the same as if all had been played at once."""
    small = play(tmp_path / "a", tasks=2).rows()
    play(tmp_path / "a", tasks=5)
    extended = play(tmp_path / "a", tasks=3, interfaces=["call", "native"], samples=2)
    play(tmp_path / "b", tasks=5, interfaces=["native"], samples=2)
    play(tmp_path / "b", tasks=3, interfaces=["call"], samples=2)

    assert [row for row in small if row not in extended.rows()] == []
    assert len(extended.rows()) == 5 * 2 + 3 * 2
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_what_was_played_is_not_played_again(tmp_path: Path) -> None:
    """The same call a second time asks the model nothing."""
    play(tmp_path)
    before, ended = files(tmp_path), []
    play(tmp_path, progress=lambda done, total, success: ended.append(done))

    assert ended == []
    assert files(tmp_path) == before


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    """One episode at a time and many at once leave the same bytes."""
    for workers in (1, 7):
        play(tmp_path / str(workers), ALL, workers=workers)

    assert files(tmp_path / "1") == files(tmp_path / "7")


CHANGES = ("open", "os.rename", "os.remove", "os.truncate")


def play_until_killed(out: Path, at: int) -> int:
    """Play in a forked process that is killed with -9 before change *at* of its folder.

    Returns its exit code, or minus the signal.
    """
    child = os.fork()
    if child == 0:
        left = at

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            if event in CHANGES and str(out) in str(arguments[0]):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            play(out, ALL, workers=5)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


@needs("POSIX", "a fork")
def test_an_evaluation_killed_at_ten_moments_ends_with_the_same_rows(tmp_path: Path) -> None:
    """Killed again and again, a folder ends with the same bytes as without a kill."""
    play(tmp_path / "undisturbed", ALL)
    out = tmp_path / "killed"
    codes = [play_until_killed(out, at) for at in (1, 3, 8, 9, 14, 15, 20, 24, 27, 30)]
    codes += [play_until_killed(out, at) for at in (12, 13, 16)]
    play(out, ALL)

    assert codes.count(-signal.SIGKILL) >= 10
    assert files(out) == files(tmp_path / "undisturbed")


def test_half_a_line_is_played_again(tmp_path: Path) -> None:
    """A row that was cut in the middle costs its episode and no other."""
    whole, ended = files(tmp_path) if play(tmp_path).complete else {}, []
    path = tmp_path / "episodes.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    play(tmp_path, progress=lambda done, total, success: ended.append((done, total)))

    assert ended == [(0, 1), (1, 1)]
    assert files(tmp_path) == whole


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"model": "expert"}, r"another model\.label: 'random', and this one is 'expert'"),
        ({"label": "mine"}, r"another model\.label: 'random'"),
        ({"settings": EvalSettings(split="valid")}, r"another settings\.split: 'test'"),
        ({"settings": EvalSettings(seed=3)}, r"another settings\.seed: 0, and this one is 3"),
        ({"settings": EvalSettings(max_turns=3)}, r"another settings\.max_turns: None"),
        ({"settings": EvalSettings(style=PromptStyle("action"))}, r"settings\.format: 'react'"),
        ({"settings": EvalSettings(decoding=Decoding(0.5))}, r"settings\.temperature: 0\.0"),
    ],
)
def test_other_results_in_a_folder_are_refused(
    tmp_path: Path, change: dict[str, Any], key: str
) -> None:
    """The error names the key that differs, and nothing is changed."""
    play(tmp_path)
    before = files(tmp_path)
    with pytest.raises(ResultExistsError, match=f"{key}.*choose another folder with --out"):
        play(tmp_path, **change)

    assert files(tmp_path) == before


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """Neither rows without a record nor other files are taken for an evaluation."""
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(ResultExistsError, match=r"holds 'plan\.json' and no eval\.json"):
        play(tmp_path)


def test_two_runs_in_one_folder_are_refused(tmp_path: Path) -> None:
    """The second one is told which process holds the folder."""
    with lock_folder(tmp_path, "x"), pytest.raises(ResultExistsError, match="Another run writes"):
        play(tmp_path)


class Failing(RandomPolicy):
    """Answers no episode after the first so many answers."""

    def __init__(self, answers: int) -> None:
        self._left = answers

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        self._left -= 1
        if self._left < 0:
            raise PolicyError("The server is gone")
        return super().act(requests)


def test_what_was_played_before_a_failure_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that cannot go on ends the run; the next one goes on and ends the same."""
    with monkeypatch.context() as patch:
        patch.setattr("agentgym_gen.evaluation.run.open_policy", lambda *_, **__: Failing(6))
        with pytest.raises(PolicyError, match="The server is gone"):
            play(tmp_path / "a", ALL, workers=3)
    kept = Evaluation.open(tmp_path / "a").rows()
    play(tmp_path / "a", ALL)
    play(tmp_path / "b", ALL)

    assert 0 < len(kept) < 12
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_the_cost_is_announced_before_anything_is_played(tmp_path: Path) -> None:
    """It has episodes, turns as a bound, and what was played before."""
    lines: list[str] = []
    play(tmp_path, tasks=2, settings=EvalSettings(max_turns=7), log=lines.append)
    play(tmp_path, tasks=5, settings=EvalSettings(max_turns=7), log=lines.append)

    assert lines == [
        "random: 2 episodes, at most 14 turns",
        "random: 3 episodes, at most 21 turns (2 were played before)",
    ]


def test_a_task_that_cannot_be_made_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cost is not known before, and its episode says what failed."""
    start, failing = Session.start, []

    def start_or_fail(session: Session) -> object:
        failing.append(len(failing))
        if len(failing) == 1:
            raise BackendError("no engine")
        return start(session)

    monkeypatch.setattr(Session, "start", start_or_fail)
    lines: list[str] = []
    play(tmp_path, tasks=2, settings=EvalSettings(max_turns=7), log=lines.append)

    assert lines == ["random: 1 episodes, at most 7 turns"]
    assert len(Evaluation.open(tmp_path).rows()) == 2


def test_what_is_left_out_of_a_pattern_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line says which extra brings it."""
    from agentgym_gen.evaluation import columns

    make, lines = columns.make_text_env, list[str]()

    def without_textworld(env_id: str, split: str) -> object:
        if "TextWorld" in env_id:
            raise MissingExtraError("absent")
        return make(env_id, split)

    monkeypatch.setattr(columns, "make_text_env", without_textworld)
    play(tmp_path / "out", (EASY, "rftgen/TextWorld-*-v0"), tasks=1, log=lines.append)

    assert lines[0] == (
        "Left out, because what they need is not installed: TextWorld; "
        "run: pip install 'agentgym-gen[textworld]'"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"envs": []}, r"Name environments, such as"),
        ({"tasks": 0}, r"`tasks` and `samples` are 1 or more, not 0 and 1"),
        (
            {"envs": [f"{EASY}?max_turns=3"], "settings": EvalSettings(max_turns=5)},
            r"max_turns=3' has a turn limit; leave it out of the id, or the option `max_turns`",
        ),
        ({"label": "a/b"}, r"A label is a short text without '/', not 'a/b'"),
        ({"panel": "core-v1"}, r"A panel is played as it is"),
        ({"panel": "core-v1", "envs": [], "tasks": 3}, r"leave out .* the number of tasks"),
        ({"model": " "}, r"The name of a model is empty"),
        ({"base": "x"}, r"`base` is for an adapter, and 'random' is none"),
    ],
)
def test_wrong_arguments_are_errors(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    """Each is one sentence, and no folder is written."""
    with pytest.raises(InvalidValueError, match=message):
        play(tmp_path / "x", **options)

    assert not (tmp_path / "x").exists()


def test_the_seed_decides_the_tasks(tmp_path: Path) -> None:
    """Another seed samples other tasks."""
    task_ids = [
        play(tmp_path / str(seed), settings=EvalSettings(seed=seed)).columns[0].task_ids
        for seed in (0, 1)
    ]

    assert task_ids[0] != task_ids[1]
