"""What the adapters do without the packages of others; `tools/test_integrations` has the rest."""

from __future__ import annotations

import importlib
import pickle
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from systems import needs

from agentgym_gen import Session, task_rows
from agentgym_gen.errors import (
    EpisodeOverError,
    InvalidValueError,
    MissingExtraError,
    UnknownNameError,
)
from agentgym_gen.integrations.required import required
from agentgym_gen.integrations.rows import open_session
from agentgym_gen.integrations.trl import ToolEnvironment, environment_factory, rollout_func
from tools import integrations

FOLDERS = Path(__file__).parent / "integrations"
ENVS = ["rftgen/Sokoban-easy-v0", "rftgen/TextCraft-easy-v0", "rftgen/WebShop-easy-v0"]
MODULES = ("gem", "inspect", "nemo_gym", "skyrl", "tinker", "verifiers", "verl")


@pytest.mark.parametrize("interface", ["native", "symbols+json", "random"])
def test_a_row_is_the_episode_of_a_session(interface: str) -> None:
    """Task, interface and its index are those of the row, also in an environment used again."""
    env = ToolEnvironment()
    for row in task_rows(ENVS, 6, interface=interface):
        session = Session(
            row["env_id"],
            row["task_id"],
            interface_index=row["interface_index"],
            options={"interface": row["interface"]},
        )
        session.start()

        assert env.reset(**row).endswith(session._observation)
        assert env.act("up") == session.reply("Action: up").message["content"]
        assert env.result.turns == 1


@pytest.mark.parametrize("query", ["-json-v0", "-v0?interface=json"])
def test_a_row_without_an_interface_has_that_of_its_id(query: str) -> None:
    """Only an interface of the row itself takes its place."""
    row = {"env_id": f"rftgen/TextCraft-easy{query}", "task_id": "textcraft/easy/train/3"}
    sessions = [open_session(row), open_session({**row, "interface": "menu"})]
    for session in sessions:
        session.start()

    assert [str(session.env.interface) for session in sessions] == ["json", "menu"]


def test_instances_play_in_threads_as_alone() -> None:
    """As AsyncGRPOTrainer plays them: 8 at once, each with its own rows."""
    rows = task_rows(ENVS, 24, interface="random")
    factory = pickle.loads(pickle.dumps(environment_factory(reward="return")))

    def play(first: int) -> list[str]:
        env, texts = factory(), []
        for row in rows[first::8]:
            texts.append(env.reset(**row, prompt=[]))
            texts += [env.act(action) for action in ("up", "inventory", "search[red shoes]")]
        return texts

    alone = [play(first) for first in range(8)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(play, range(8))) == alone


def test_an_episode_that_is_over_takes_no_action() -> None:
    """The answer is one sentence for the model, and the reward stays."""
    env = ToolEnvironment(reward="return")
    with pytest.raises(EpisodeOverError):
        env.act("up")
    row = task_rows(["rftgen/Sokoban-easy-v0"], 1)[0]
    env.reset(**row)
    for _ in range(200):
        try:
            env.act("up")
        except EpisodeOverError:
            break
    turns, reward = env.result.turns, env.get_reward()

    assert env.result.end_reason == "turn_limit"
    with pytest.raises(EpisodeOverError, match="no more tools"):
        env.act("up")
    assert (env.result.turns, env.get_reward()) == (turns, reward)
    env.reset(**row)
    assert env.get_reward() == 0


def test_the_only_tool_is_act() -> None:
    """TRL makes a tool of every public method but `reset` and `get_reward`."""
    methods = {name for name, value in vars(ToolEnvironment).items() if callable(value)}

    assert {name for name in methods if not name.startswith("_")} == {"act", "get_reward", "reset"}
    assert "Args:" in (ToolEnvironment.act.__doc__ or "")


def test_rows_that_name_no_episode_are_refused() -> None:
    """With what is missing or unknown."""
    row = dict(task_rows(["rftgen/Sokoban-easy-v0"], 1)[0])
    with pytest.raises(InvalidValueError, match="task_id"):
        open_session({"env_id": row["env_id"]})
    with pytest.raises(UnknownNameError):
        open_session({**row, "env_id": "rftgen/Sokobann-easy-v0"})
    with pytest.raises(UnknownNameError):
        open_session({**row, "interface": "klingon"})
    for make in (environment_factory, rollout_func):
        with pytest.raises(UnknownNameError, match="points"):
            make(reward="points")


@pytest.mark.parametrize("module", MODULES)
def test_a_missing_package_is_one_sentence(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module of each adapter says what to install."""
    roots = ("gem", "inspect_ai", "resources_servers", "skyrl_gym", "tinker_cookbook")
    for root in (*roots, "verifiers", "verl"):
        monkeypatch.setitem(sys.modules, root, None)
    with pytest.raises(MissingExtraError, match="run: pip install"):
        importlib.import_module(f"agentgym_gen.integrations.{module}")


def test_what_a_package_lacks_itself_is_not_hidden() -> None:
    """Another missing module is reported as Python does."""
    with pytest.raises(ModuleNotFoundError, match="nothing_like_it"), required("verl", "verl"):
        importlib.import_module("nothing_like_it")


def test_requirements_are_read() -> None:
    """Comments give the Python and what comes without its dependencies; `newest` drops pins."""
    text = "# python: 3.12\n# no-deps: verl\n# extra: trl train\nverl==0.9.1\ntorch==2.13.0 # cpu\n"
    pinned, newest = integrations.parse(text), integrations.parse(text, newest=True)

    assert pinned == (("verl==0.9.1", "torch==2.13.0"), "3.12", ("verl",), "trl,train")
    assert newest.lines == ("verl", "torch")


@pytest.mark.parametrize("path", sorted(FOLDERS.glob("*/requirements.txt")))
def test_every_package_is_pinned(path: Path) -> None:
    """So that a test fails because of our change, and not because of theirs."""
    requirements = integrations.parse(path.read_text(encoding="utf-8"))

    assert all("==" in line for line in requirements.lines)
    assert set(requirements.no_deps) <= set(map(integrations.project, requirements.lines))
    assert list(path.parent.glob("test_*.py"))


@needs("POSIX", "locks of files that end with their process")
def test_two_runs_do_not_share_an_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second says that it waits, and goes on when the first has ended."""
    order = []

    def use(name: str) -> None:
        with integrations.held(tmp_path / "trl"):
            order.append(name)

    with integrations.held(tmp_path / "trl"):
        second = threading.Thread(target=use, args=("second",))
        second.start()
        while not (printed := capsys.readouterr().out):
            time.sleep(0.01)
        order.append("first")
    second.join()

    assert printed == "trl          waits for another run that tests it\n"
    assert order == ["first", "second"]
