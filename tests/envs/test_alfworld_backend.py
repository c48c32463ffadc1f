"""ALFWorld's reference backend: the original decides, in a child process."""

import concurrent.futures
import json
import os
import pathlib
import signal
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.envs.alfworld import ALFWorld
from agentgym_gen.envs.alfworld.official.game_reader import TASK_SENTENCE
from agentgym_gen.envs.alfworld.official.game_writer import game_text
from agentgym_gen.envs.alfworld.official.grammar import check_grammar
from agentgym_gen.envs.alfworld.tasks import GeneratedTasks
from agentgym_gen.envs.alfworld.tiers import TaskFilter
from agentgym_gen.errors import DataError, InvalidValueError, MissingExtraError, UnknownNameError

HERE = pathlib.Path(__file__).parents[3] / "shared" / "data" / "alfworld"
DATA = pathlib.Path(os.environ.get("ALFWORLD_DATA") or HERE)

Make = Callable[..., TextEnv]


@pytest.fixture
def make() -> Iterator[Make]:
    """Return a function that makes environments with the backend ``textworld``."""
    pytest.importorskip("alfworld")
    envs: list[TextEnv] = []

    def make_env(tier: str = "easy", split: str = "test", **options: object) -> TextEnv:
        options = {"backend": "textworld", **options}
        envs.append(make_text_env(f"rftgen/ALFWorld-{tier}-v0", split, options))
        return envs[-1]

    yield make_env
    for env in envs:
        env.close()


def agreeing_walk(env: TextEnv, task_id: str, steps: int) -> list[bool]:
    """Return, for each step of a walk of expert and random steps, whether the two agreed."""
    rng = np.random.default_rng(steps)
    _, info = env.reset(options={"task_id": task_id})
    agreements = [info["agrees"]]
    for turn in range(steps):
        admissible = env.admissible_actions
        random_action = admissible[int(rng.integers(len(admissible)))]
        action = env.expert_action() if turn % 2 else random_action
        *_, over, _, info = env.step(action or "look")
        agreements.append(info["agrees"])
        if over:
            break
    return agreements


@pytest.mark.slow
@pytest.mark.parametrize("interface", ["native", "synonyms+json+renamed"])
def test_both_give_the_same_answers_in_generated_games(make: Make, interface: str) -> None:
    """Text, admissible commands and end are equal through any interface."""
    env = make("hard", interface=interface)
    agreements = agreeing_walk(env, "alfworld/hard/test/5", 14)

    assert len(agreements) > 5
    assert all(agreements)


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="no official games here")
@pytest.mark.parametrize("tier", ["easy", "medium", "hard"])
def test_both_give_the_same_answers_in_an_official_game(make: Make, tier: str) -> None:
    """The answers agree when the original plays the official file itself."""
    env = make(tier, "valid", data_dir=str(DATA))
    task_id = str(env.world.tasks.make(tier, "valid", 7).id)

    assert all(agreeing_walk(env, task_id, 12))


@pytest.mark.parametrize(
    ("grammar", "task"),
    [
        ("{}", "{{__import__('os').mkdir('{bomb}')}}"),
        ("{}", "x\\u007b__import__('os').mkdir('{bomb}')\\u007d"),
        ('{{"a": [{{"rhs": "{{__import__(\'os\').mkdir(\'{bomb}\')}}"}}]}} {}', "heat an apple"),
    ],
)
def test_a_grammar_that_is_a_program_is_not_run(
    tmp_path: pathlib.Path, make: Make, grammar: str, task: str
) -> None:
    """A game whose braces hold other code than the official ones never reaches the original."""
    house = GeneratedTasks(TaskFilter(task_type="heat")).make("medium", "train", 0).content
    bomb = str(tmp_path / "exploded")
    game = json.loads(game_text(house))
    sentence = TASK_SENTENCE.sub(lambda _: task.format(bomb=bomb), game["grammar"])
    game["grammar"] = grammar.replace("{bomb}", bomb).replace("{}", sentence)
    path = tmp_path / "json_2.1.1" / "train" / "task" / "trial" / "game.tw-pddl"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(game), encoding="utf-8")
    env = make("medium", "train", data_dir=tmp_path)

    with pytest.raises(DataError, match="textworld would run what stands in it as Python"):
        env.reset(seed=0)
    assert not (tmp_path / "exploded").exists()


def test_the_grammar_of_the_installed_alfworld_is_known(make: Make) -> None:
    """A game file that was written here passes the check of its grammar."""
    house = GeneratedTasks(TaskFilter()).make("easy", "train", 0).content

    assert check_grammar(game_text(house), "x") == game_text(house)


def test_invalid_actions_get_the_originals_answer(make: Make) -> None:
    """Both answer an inadmissible command and nonsense with "Nothing happens."."""
    env = make()
    env.reset(options={"task_id": "alfworld/easy/test/3"})
    answers = [env.step(text)[0::4] for text in ("take mug 9 from shelf 99", "fly")]

    assert [(text, info["valid_action"], info["agrees"]) for text, info in answers] == [
        ("Nothing happens.", False, True)
    ] * 2


def test_where_they_differ_the_original_counts(make: Make) -> None:
    """Where the two differ, the original's text is shown, and `info` says that they differ."""
    env = make()
    env.reset(options={"task_id": "alfworld/easy/test/3"})
    env.world.game.content[0].clear()
    observation, *_, info = env.step("go to armchair 2")

    assert observation == "You arrive at armchair 2. On the armchair 2, you see a laptop 1."
    assert not info["agrees"]


def test_a_crash_ends_the_episode_and_the_next_reset_works(make: Make) -> None:
    """A crash of the original truncates the episode with the reason `backend_error`."""
    env = make()
    env.reset(seed=0)
    os.kill(env.world._reference._original._process.pid, signal.SIGKILL)
    *_, truncated, info = env.step("look")

    assert (truncated, info["end_reason"]) == (True, "backend_error")
    assert env.reset(seed=0)[1]["agrees"]


@pytest.mark.slow
def test_two_threads_do_not_meet(make: Make) -> None:
    """Two environments that play in two threads both agree with the original at every step."""
    envs = [make(), make()]
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        walks = threads.map(lambda env: agreeing_walk(env, "alfworld/easy/test/3", 8), envs)

    assert all(map(all, walks))


def test_a_python_that_breaks_the_original_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the Python versions that work."""
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))

    with pytest.raises(InvalidValueError, match=r"3\.11 or 3\.12, not 3\.13"):
        ALFWorld(backend="textworld")


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra to install."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setattr(sys, "version_info", (3, 12, 0))

    with pytest.raises(MissingExtraError, match=r"agentgym-gen\[alfworld\]"):
        ALFWorld(backend="textworld")


def test_the_original_has_one_wording() -> None:
    """Another wording than that of the installed version is an error."""
    with pytest.raises(InvalidValueError, match=r"0\.4 of the installed alfworld, not '0\.3'"):
        ALFWorld(backend="textworld", wording_version="0.3")


def test_an_unknown_backend_is_named() -> None:
    """The error lists the backends that exist."""
    with pytest.raises(UnknownNameError, match="python, textworld"):
        ALFWorld(backend="java")
