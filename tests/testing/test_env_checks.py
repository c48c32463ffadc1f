"""The contract of an environment id: every id keeps it, and each law bites."""

from collections.abc import Iterator
from typing import Any

import gymnasium
import pytest
from toy_world import Corridor, CorridorWorld

from agentgym_gen import Command, Malformed, Outcome, Registered, Scene, Task, TextEnv, register
from agentgym_gen.env.registration import BUNDLED, ENTRY_POINT
from agentgym_gen.testing import ContractError, check_env, check_leaks
from agentgym_gen.world import EndReason

TOY = "rftgen/ContractToy-easy-v0"


@pytest.fixture(autouse=True, scope="module")
def _toy() -> None:
    register(Registered("ContractToy", "toy_world:CorridorWorld"))


def test_a_good_environment_passes() -> None:
    """The toy keeps every law, and leaves nothing behind."""
    check_env(TOY)
    assert check_leaks(TOY, resets=200) < 100


class Drifting(CorridorWorld):
    """Every world object tells another story."""

    worlds = 0

    def __init__(self) -> None:
        super().__init__()
        Drifting.worlds += 1
        self._number = Drifting.worlds

    def step(self, command: Command) -> Outcome:
        done = super().step(command)
        return Outcome(Scene((f"{self._number}",)), done.reward, done.valid, done.end, done.score)


class Chatty(CorridorWorld):
    """A key of `info` comes and goes."""

    def info(self) -> dict[str, Any]:
        return {"luck": 1} if self._at == 1 else {}


class Boastful(CorridorWorld):
    """The full score without success."""

    def step(self, command: Command) -> Outcome:
        done = super().step(command)
        return Outcome(done.scene, done.reward, done.valid, done.end, 1.0)


class Endless(CorridorWorld):
    """A score of more than 1."""

    def step(self, command: Command) -> Outcome:
        done = super().step(command)
        return Outcome(done.scene, done.reward, done.valid, done.end, 7.0)


class Closing(CorridorWorld):
    """What was closed stays closed."""

    closed = False

    def close(self) -> None:
        self.closed = True

    def reset(self, task: Task[Corridor]) -> Scene:
        shown = super().reset(task)
        return Scene(("closed",)) if self.closed else shown


class Quitter(CorridorWorld):
    """Nonsense ends the episode."""

    def read(self, text: str) -> Command | Malformed:
        return Command("give_up") if "xyzzy" in text else super().read(text)

    def step(self, command: Command) -> Outcome:
        if command.verb == "give_up":
            return Outcome(Scene(("You leave.",)), end=EndReason.FAILURE)
        return super().step(command)


class Hoarder(CorridorWorld):
    """Every reset is remembered for ever."""

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
    """Register the world that a test is parametrised with, for the time of the test."""
    world = request.param
    globals()[world.__name__] = world
    name = f"rftgen/{world.__name__}-v0"
    keywords = {"world": f"{world.__module__}:{world.__name__}", "tier": "easy"}
    gymnasium.register(name, entry_point=ENTRY_POINT, kwargs=keywords)
    yield name
    del gymnasium.registry[name]


@pytest.mark.parametrize(
    ("env_id", "law"),
    [
        (Drifting, "Gymnasium's checker has nothing to say|The same seed and actions"),
        (Chatty, "`info` always has the same keys"),
        (Boastful, "The score is 1 exactly on success"),
        (Endless, "A score is 0 to 1"),
        (Closing, "An environment that was closed can be reset"),
        (Quitter, "truncated at the turn limit and only there"),
    ],
    indirect=["env_id"],
)
def test_a_broken_environment_is_caught(env_id: str, law: str) -> None:
    """By the law that it breaks."""
    with pytest.raises(ContractError, match=law):
        check_env(env_id)


@pytest.mark.parametrize("tier", ["easy", pytest.param("hard", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", [one.name for one in BUNDLED if one.costly is None])
def test_resets_leave_nothing_behind(name: str, tier: str) -> None:
    """In no environment: neither memory nor open files. TextWorld has a test of its engine."""
    assert check_leaks(f"rftgen/{name}-{tier}-v0", resets=300) < 100


@pytest.mark.parametrize(
    ("env_id", "law"), [(Hoarder, "no memory"), (Opener, "no file")], indirect=["env_id"]
)
def test_a_leak_is_caught(env_id: str, law: str) -> None:
    """Of memory and of open files."""
    with pytest.raises(ContractError, match=f"A reset leaves {law}"):
        check_leaks(env_id, resets=100)


def test_the_end_flags_have_to_agree_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that ends without saying so is caught."""
    honest = TextEnv.step

    def silent(self: TextEnv, action: str) -> tuple[Any, ...]:
        *seen, _, truncated, info = honest(self, action)
        return (*seen, False, truncated, info)

    monkeypatch.setattr(TextEnv, "step", silent)
    with pytest.raises(ContractError, match="`terminated` agrees with `end_reason`"):
        check_env(TOY, episodes=20)
