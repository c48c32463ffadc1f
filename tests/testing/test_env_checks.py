"""The checks of an environment id: good environments pass, and each check catches a broken one."""

import threading
from collections.abc import Iterator
from typing import Any, Self

import gymnasium
import pytest
from toy_world import Corridor, CorridorWorld

from agentgym_gen import Command, Malformed, Outcome, Registered, Scene, Task, TextEnv, register
from agentgym_gen.env.registration import BUNDLED, ENTRY_POINT
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.testing import ContractError, check_env, check_leaks
from agentgym_gen.world import EndReason

TOY = "rftgen/ContractToy-easy-v0"


@pytest.fixture(autouse=True, scope="module")
def _toy() -> None:
    register(Registered("ContractToy", "toy_world:CorridorWorld"))


def test_a_good_environment_passes() -> None:
    """The toy world passes every check, and a reset of it leaves nothing behind."""
    check_env(TOY)
    assert check_leaks(TOY, resets=200) < 100


def test_keyword_arguments_reach_the_environment() -> None:
    """They are written as for `gymnasium.make`, and a wrong one is named."""
    check_env(TOY, episodes=1, slow=True, interface="json")
    with pytest.raises(InvalidValueError, match="slwo"):
        check_env(TOY, episodes=1, slwo=True)


class Drifting(CorridorWorld):
    """Every world object shows another text."""

    worlds = 0

    def __init__(self) -> None:
        super().__init__()
        Drifting.worlds += 1
        self._number = Drifting.worlds

    def step(self, command: Command) -> Outcome:
        outcome = super().step(command)
        scene = Scene((f"{self._number}",))
        return Outcome(scene, outcome.reward, outcome.valid, outcome.end, outcome.score)


class Chatty(CorridorWorld):
    """A key of `info` comes and goes."""

    def info(self) -> dict[str, Any]:
        return {"luck": 1} if self._at == 1 else {}


class Boastful(CorridorWorld):
    """The score is 1 without success."""

    def step(self, command: Command) -> Outcome:
        outcome = super().step(command)
        return Outcome(outcome.scene, outcome.reward, outcome.valid, outcome.end, 1.0)


class Endless(CorridorWorld):
    """The score is more than 1."""

    def step(self, command: Command) -> Outcome:
        outcome = super().step(command)
        return Outcome(outcome.scene, outcome.reward, outcome.valid, outcome.end, 7.0)


class Closing(CorridorWorld):
    """A world that was closed cannot be used again."""

    closed = False

    def close(self) -> None:
        self.closed = True

    def reset(self, task: Task[Corridor]) -> Scene:
        scene = super().reset(task)
        return Scene(("closed",)) if self.closed else scene


class Quitter(CorridorWorld):
    """Nonsense ends the episode."""

    def read(self, text: str) -> Command | Malformed:
        return Command("give_up") if "xyzzy" in text else super().read(text)

    def step(self, command: Command) -> Outcome:
        if command.verb == "give_up":
            return Outcome(Scene(("You leave.",)), end=EndReason.FAILURE)
        return super().step(command)


class Locking(CorridorWorld):
    """A world that holds a lock, which nothing can copy."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


class Forgetful(CorridorWorld):
    """A copy is at the first door again."""

    def __getstate__(self) -> dict[str, Any]:  # noqa: D105  (the fault)
        return {name: 1 if name == "_at" else value for name, value in vars(self).items()}


class Inseparable(CorridorWorld):
    """A copy is the same world, so that what it does happens to the original too."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:  # noqa: D105  (the fault)
        return self


class Hoarder(CorridorWorld):
    """Every reset keeps memory for ever."""

    kept: list[bytearray] = []  # noqa: RUF012  (the fault)

    def reset(self, task: Task[Corridor]) -> Scene:
        self.kept.append(bytearray(1000))
        return super().reset(task)


class Opener(CorridorWorld):
    """Every reset opens a file."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[Any] = []

    def reset(self, task: Task[Corridor]) -> Scene:
        self.files.append(open("/dev/null", "rb"))  # noqa: SIM115, PTH123  (the fault)
        return super().reset(task)

    def close(self) -> None:
        for file in self.files:
            file.close()


@pytest.fixture
def env_id(request: pytest.FixtureRequest) -> Iterator[str]:
    """The id of the world that a test is parametrised with, registered during the test."""
    world = request.param
    globals()[world.__name__] = world
    name = f"rftgen/{world.__name__}-v0"
    keywords = {"world": f"{world.__module__}:{world.__name__}", "tier": "easy"}
    gymnasium.register(name, entry_point=ENTRY_POINT, kwargs=keywords)
    yield name
    del gymnasium.registry[name]


@pytest.mark.parametrize(
    ("env_id", "sentence"),
    [
        (Drifting, "Gymnasium's checker has nothing to say|The same seed and actions"),
        (Chatty, "`info` always has the same keys"),
        (Boastful, "The score is 1 exactly on success"),
        (Endless, "A score is 0 to 1"),
        (Closing, "An environment that was closed can be reset"),
        (Quitter, "truncated at the turn limit and only there"),
        (Locking, "An environment can be copied and pickled"),
        (Forgetful, "A copy goes on as its original does"),
        (Inseparable, "A copy leaves its original alone"),
    ],
    indirect=["env_id"],
)
def test_a_broken_environment_is_caught(env_id: str, sentence: str) -> None:
    """The error has the sentence of the check that the environment breaks."""
    with pytest.raises(ContractError, match=sentence):
        check_env(env_id)


@pytest.mark.parametrize("tier", ["easy", pytest.param("hard", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "name", [environment.name for environment in BUNDLED if environment.slow_tasks is None]
)
def test_resets_leave_nothing_behind(name: str, tier: str) -> None:
    """Resets leak neither memory nor open files; TextWorld's engine has a test of its own."""
    assert check_leaks(f"rftgen/{name}-{tier}-v0", resets=300) < 100


@pytest.mark.parametrize(
    ("env_id", "leak"), [(Hoarder, "no memory"), (Opener, "no file")], indirect=["env_id"]
)
def test_a_leak_is_caught(env_id: str, leak: str) -> None:
    """A world that keeps memory, and one that keeps files open, fail the check."""
    with pytest.raises(ContractError, match=f"A reset leaves {leak}"):
        check_leaks(env_id, resets=100)


def test_the_end_flags_have_to_agree_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that ends without the flag `terminated` is caught."""
    real_step = TextEnv.step

    def silent(self: TextEnv, action: str) -> tuple[Any, ...]:
        observation, reward, _, truncated, info = real_step(self, action)
        return observation, reward, False, truncated, info

    monkeypatch.setattr(TextEnv, "step", silent)
    with pytest.raises(ContractError, match="`terminated` agrees with `end_reason`"):
        check_env(TOY, episodes=20)
