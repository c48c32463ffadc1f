"""Tests that copies of every environment go on as their originals do."""

import copy
import json
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import pytest

import agentgym_gen.env.registration as table
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.envs.alfworld.reference import original_process
from agentgym_gen.envs.babyai import BabyAI
from agentgym_gen.envs.babyai.engine.game import Game, level_specs
from agentgym_gen.envs.searchqa.corpus import Passage
from agentgym_gen.envs.webshop import WebShop
from agentgym_gen.seeding import stream
from agentgym_gen.testing.env_checks import COPIES

BUNDLED = [environment.name for environment in table.BUNDLED]
INTERFACES = ("native", "renamed+synonyms+json+distracted")
DATA = Path(__file__).parents[3] / "shared" / "data"
"""The originals' own files, where they are there."""

MOMENTS = (None, 0, 3)
"""After how many turns an environment is copied; None is before the first reset."""

PICKLE_BYTES = {"WebShop": 100_000, "SearchQA": 100_000}
"""The greatest size of a pickle; 300 kB of the others, most of it new names and distractors."""

UNPICKLED = """
import pickle, sys
from tests_of_copies import play
env = pickle.load(open(sys.argv[1], "rb"))
shown = play(env, int(sys.argv[3]))
pickle.dump(shown, open(sys.argv[2], "wb"))
env.close()
"""


def make(name: str, interface: str = "native", tier: str = "hard") -> TextEnv:
    """Return an environment, seeded, but not yet reset."""
    environment = table.ENVIRONMENTS[name]
    options = {"interface": interface, "seed": 5, **environment.test_kwargs}
    return make_text_env(environment.id(tier), "train", options)


def play(env: TextEnv, turns: int) -> list[Any]:
    """Return what *turns* turns show: the expert's and random ones alternate.

    The environment is reset first if it was not, and once more at the end.
    """
    rng = stream("copies")
    shown: list[Any] = [env.reset()] if env._episode is None else []
    for turn in range(turns):
        if env.over:
            break
        actions = env.admissible_actions or [""]
        expert = env.expert_action() if turn % 2 == 0 else None
        shown.append(env.step(expert or actions[int(rng.integers(len(actions)))]))
    return [*shown, env.reset()]


def started(name: str, interface: str, turns: int | None) -> TextEnv:
    """Return an environment after *turns* of the expert's turns; None is before a reset."""
    env = make(name, interface)
    if turns is not None:
        env.reset()
        for _ in range(turns):
            env.step(env.expert_action() or "")
    return env


@pytest.mark.parametrize("name", BUNDLED)
@pytest.mark.parametrize("interface", INTERFACES)
@pytest.mark.parametrize("turns", MOMENTS)
@pytest.mark.parametrize("way", COPIES)
def test_a_copy_goes_on_identically(name: str, interface: str, turns: int | None, way: str) -> None:
    """A copy shows what an environment shows that was never copied, and so does its original."""
    env, twin = started(name, interface, turns), started(name, interface, turns)
    duplicate = COPIES[way](env)
    shown_by_copy, shown, expected = (play(e, 6) for e in (duplicate, env, twin))
    for candidate in (duplicate, env, twin):
        candidate.close()

    assert shown_by_copy == expected
    assert shown == expected


@pytest.mark.parametrize("name", BUNDLED)
def test_a_pickle_goes_on_in_a_fresh_process(name: str, tmp_path: Path) -> None:
    """In another process an unpickled environment shows what its original shows."""
    env = started(name, INTERFACES[1], 3)
    (tmp_path / "env.pickle").write_bytes(pickle.dumps(env))
    program = UNPICKLED.replace("tests_of_copies", Path(__file__).stem)
    path = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    files = [str(tmp_path / "env.pickle"), str(tmp_path / "shown.pickle")]
    subprocess.run([sys.executable, "-c", path + program, *files, "4"], check=True, timeout=60)
    shown = pickle.loads((tmp_path / "shown.pickle").read_bytes())

    assert shown == play(env, 4)
    env.close()


@pytest.mark.parametrize("name", BUNDLED)
@pytest.mark.parametrize("interface", INTERFACES)
def test_a_pickle_is_small(name: str, interface: str) -> None:
    """Shops, corpora and books of recipes are not in a pickle."""
    env = started(name, interface, 3)
    size = len(pickle.dumps(env))
    env.close()

    assert size < PICKLE_BYTES.get(name, 300_000)


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_large_data_are_shared(copied: Callable[[TextEnv], TextEnv]) -> None:
    """Copies in one process have the very same shop, retriever and book."""
    for name, attribute in (
        ("WebShop", "_shop"),
        ("SearchQA", "_retriever"),
        ("TextCraft", "_book"),
    ):
        env = make(name)
        assert getattr(copied(env).world, attribute) is getattr(env.world, attribute)


def test_a_shop_that_the_cache_dropped_is_not_made_again() -> None:
    """A pickle finds the shop of a world that still plays, whatever the cache has kept."""
    world = WebShop(products=30)
    data = pickle.dumps(world)
    for products in (31, 32, 33):
        WebShop(products=products)

    assert pickle.loads(data)._shop is world._shop


@pytest.mark.parametrize("wording", ["agentgym", "balrog"])
@pytest.mark.parametrize("compat", ["fixed", "original"])
def test_every_wording_of_babyai_is_copied(wording: str, compat: str) -> None:
    """The plan of a copy is that of its original, in a level with doors, keys and boxes."""
    env = TextEnv(BabyAI(wording=wording, compat=compat), tier="hard", seed=3)
    env.reset()
    for _ in range(4):
        env.step(env.expert_action() or "")
    duplicate = pickle.loads(pickle.dumps(env.clone()))

    assert duplicate.world.expert_plan() == env.world.expert_plan()
    assert play(duplicate, 8) == play(env, 8)


def test_every_level_of_minigrid_is_copied() -> None:
    """In each of the 96 levels a deep copy and a pickle carry out 40 random actions alike."""
    levels = [name.removeprefix("BabyAI-") for name in level_specs()]
    rng = stream("copies of levels")
    for level in levels:
        game = Game(level, seed=3)
        for action in rng.integers(6, size=20).tolist():
            game.act(action)
        actions = rng.integers(6, size=40).tolist()
        candidates = (copy.deepcopy(game), pickle.loads(pickle.dumps(game)), game)
        shown = [[(c.act(a), c.grid_rows()) for a in actions] for c in candidates]
        assert shown[0] == shown[1] == shown[2], level

    assert len(levels) >= 96
    assert "easy" not in levels  # that is an id of ours


class Echo:
    """A user's retriever, which nothing can copy."""

    def __init__(self) -> None:
        self._lock = __import__("threading").Lock()

    def search(self, query: str, k: int) -> list[Passage]:
        return [Passage("Echo", query)]


def test_a_users_retriever_is_shared() -> None:
    """A copy searches with the retriever that its original was given."""
    retriever = Echo()
    env = make_text_env("rftgen/SearchQA-easy-v0", "train", {"retriever": retriever})
    env.reset(seed=0)

    assert env.clone().step("<search>x</search>") == env.step("<search>x</search>")
    assert env.clone().world._retriever is retriever


def test_a_pickle_finds_a_users_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A corpus and questions of one's own are found again, also from another folder."""
    rows = [{"title": f"T{number}", "text": f"word{number}"} for number in range(50)]
    (tmp_path / "corpus.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    questions = [{"question": f"q{number}?", "answer": "a"} for number in range(30)]
    (tmp_path / "q.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in questions))
    monkeypatch.chdir(tmp_path)
    options = {"corpus": "corpus.jsonl", "questions": "q.jsonl", "seed": 1}
    env = make_text_env("rftgen/SearchQA-v0", "train", options)
    env.reset()
    data = pickle.dumps(env)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    duplicate = pickle.loads(data)

    assert duplicate.world._retriever is env.world._retriever
    assert duplicate.step("<search>word7</search>") == env.step("<search>word7</search>")
    assert duplicate.reset() == env.reset()


@pytest.mark.parametrize(
    ("name", "split", "options"),
    [
        ("WebShop", "test", {"data_dir": DATA / "webshop"}),
        ("WebShop", "train", {"products": 200}),
        ("ALFWorld", "valid", {"data_dir": DATA / "alfworld", "wording_version": "0.3"}),
        ("Sokoban-medium", "valid", {"levels_dir": DATA / "sokoban" / "boxoban"}),
    ],
)
def test_worlds_with_options_are_copied(name: str, split: str, options: dict[str, Any]) -> None:
    """Worlds with files of their own, or another shop, are copied like the others."""
    if any(isinstance(value, Path) and not value.is_dir() for value in options.values()):
        pytest.skip("no such data here")
    env = make_text_env(f"rftgen/{name}-v0", split, {"seed": 2, **options})
    env.reset()
    env.step(env.expert_action() or "")
    data = pickle.dumps(env)
    duplicate = pickle.loads(data)

    assert len(data) < 100_000
    assert env.clone().world.expert_plan() == env.world.expert_plan()
    assert play(duplicate, 3) == play(env, 3)


class FakeOriginal:
    """A child process that answers with all requests that it has had."""

    def __init__(self, module: str) -> None:
        self.requests: list[Any] = []

    def ask(self, request: Any) -> list[Any]:  # noqa: ANN401  (JSON)
        self.requests.append(request)
        return [repr(self.requests), [], False]


def test_a_copy_of_the_originals_process_plays_its_commands_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With ``backend="textworld"`` a copy of ALFWorld starts a process of its own."""
    monkeypatch.setattr(original_process, "ChildProcess", FakeOriginal)
    monkeypatch.setattr(original_process.sys, "version_info", (3, 12))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    original = original_process.OriginalProcess()
    original.start("game")
    original.step("look")
    duplicate = copy.deepcopy(original)

    assert duplicate.step("help") == original.step("help")
    assert duplicate.step("inventory") == original.step("inventory")
    assert pickle.loads(pickle.dumps(duplicate)).step("look") == duplicate.step("look")


def test_a_copy_has_its_own_random_generator() -> None:
    """`np_random` is in the same state, and sampling with the copy's leaves the original's."""
    env = make("Sokoban")
    env.reset()
    duplicate = env.clone()
    state = env.np_random.bit_generator.state

    assert duplicate.np_random.bit_generator.state == state
    duplicate.np_random.random(5)
    duplicate.action_space.sample()
    assert env.np_random.bit_generator.state == state


def test_a_wrapped_environment_is_copied() -> None:
    """``copy.deepcopy`` copies what ``gymnasium.make`` returns, wrappers included."""
    env = gymnasium.make("rftgen/TextCraft-easy-v0")
    env.reset(seed=1)
    duplicate = copy.deepcopy(env)

    assert duplicate.unwrapped is not env.unwrapped
    assert duplicate.step("inventory") == env.step("inventory")


@pytest.mark.parametrize("name", ["ALFWorld", "WebShop", "SearchQA", "TextCraft", "Sokoban"])
def test_a_clone_takes_less_than_a_millisecond(name: str) -> None:
    """The fastest of 50 clones in the middle of an episode takes less than a millisecond."""
    env = started(name, "native", 3)
    times = []
    for _ in range(50):
        start = time.perf_counter()
        env.clone()
        times.append(time.perf_counter() - start)

    assert min(times) < 1e-3
