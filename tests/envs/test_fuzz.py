"""What models really write breaks no environment, and no invalid text changes a state."""

import pytest
from riddle_world import RiddleWorld
from toy_world import CorridorWorld

from agentgym_gen import Command, Malformed, Outcome, Registered, env_ids, register
from agentgym_gen.env.registration import BUNDLED, ENVIRONMENTS
from agentgym_gen.ids import EnvId
from tools.fuzz import BrokenPromiseError, fuzz

NAMES = [environment.name for environment in BUNDLED]
IDS = [i for i in env_ids() if EnvId.parse(i).name in NAMES]


@pytest.mark.parametrize("env_id", IDS)
def test_no_text_breaks_a_promise(env_id: str) -> None:
    """25 texts break no promise of an id; ``python -m tools.fuzz`` sends many more."""
    options = ENVIRONMENTS[EnvId.parse(env_id).name].test_kwargs

    assert fuzz(env_id, 25, options).texts == 25


class Crashing(CorridorWorld):
    """A letter that is not ASCII raises an exception."""

    def read(self, text: str) -> Command | Malformed:
        text.encode("ascii")
        return super().read(text)


class Moving(CorridorWorld):
    """A command that is called invalid is carried out."""

    def step(self, command: Command) -> Outcome:
        outcome = super().step(command)
        return Outcome(outcome.scene, outcome.reward, False, outcome.end, outcome.score)


class LeaksPath(CorridorWorld):
    """The reply to nonsense shows a path of this machine."""

    def invalid_reply(self, malformed: Malformed) -> tuple[str, ...]:
        return (f"See {__import__('sys').prefix}/lib",)


class LeaksAnswer(RiddleWorld):
    """The reply to nonsense contains the answer."""

    def invalid_reply(self, malformed: Malformed) -> tuple[str, ...]:
        return (f"No. It is {self._secret}.",)


@pytest.mark.parametrize(
    ("world", "error"),
    [
        (Crashing, UnicodeEncodeError),
        (Moving, BrokenPromiseError),
        (LeaksPath, BrokenPromiseError),
        (LeaksAnswer, BrokenPromiseError),
    ],
)
def test_the_fuzzer_finds_what_is_broken(
    world: type[CorridorWorld | RiddleWorld], error: type[Exception]
) -> None:
    """Each faulty world fails within 300 texts."""
    globals()[world.__name__] = world
    register(Registered(f"Fuzzed{world.__name__}", f"{world.__module__}:{world.__name__}"))

    with pytest.raises(error):
        fuzz(f"rftgen/Fuzzed{world.__name__}-easy-v0", 300)
