"""The contract check is itself checked: it passes a good world and catches each broken one."""

import pytest
from toy_world import Corridor, CorridorTasks, CorridorWorld

from agentgym_gen import Command, Malformed, Outcome, Scene, Task, TaskId, Verb
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.testing import ContractError, check_world
from agentgym_gen.world import Message


def test_a_good_world_passes() -> None:
    """The toy world keeps every law."""
    check_world("toy_world:CorridorWorld", options={"slow": True})


class TwoVerbsOnePhrase(CorridorWorld):
    """Two verbs that sound the same."""

    verbs = (*CorridorWorld.verbs, Verb("rest", "rest"))


class NoPlan(CorridorWorld):
    """The expert gives up."""

    def plan(self) -> tuple[Command, ...]:
        return ()


class SecretPlan(CorridorWorld):
    """The expert does what nobody is told."""

    def admissible(self) -> tuple[Command, ...]:
        return super().admissible()[-1:]


class EmptyPromise(CorridorWorld):
    """Something is listed that cannot be done."""

    def admissible(self) -> tuple[Command, ...]:
        return (*super().admissible(), Command("open", ("door 99",)))

    def step(self, command: Command) -> Outcome:
        if command.args == ("door 99",):
            return Outcome(self._scene("No."), valid=False)
        return super().step(command)


class Slow(CorridorWorld):
    """The turns do not suffice."""

    def turn_limit(self) -> int:
        return 1


class Generous(CorridorWorld):
    """Nonsense is accepted."""

    def read(self, text: str) -> Command | Malformed:
        read = super().read(text)
        return Command("wait") if isinstance(read, Malformed) else read


class Talkative(CorridorWorld):
    """The instruction has the verb as plain text."""

    def instruction(self) -> Message:
        return ("You can open doors.",)


class Forgetful(CorridorWorld):
    """The second reset differs from the first."""

    resets = 0

    def reset(self, task: Task) -> Scene:  # type: ignore[type-arg]
        self.resets += 1
        scene = super().reset(task)
        return Scene((*scene.message, str(self.resets)), scene.facts)


class OneForAll(CorridorTasks):
    """The same corridor everywhere."""

    def draw(self, task_id: TaskId, index: int) -> Corridor:
        return super().draw(TaskId(task_id.env, "easy", "train", "0"), 0)


class OneSplit(CorridorWorld):
    """All splits have the same worlds."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks = OneForAll()


class HalfWon(CorridorWorld):
    """Success without the full score."""

    def step(self, command: Command) -> Outcome:
        done = super().step(command)
        return Outcome(done.scene, done.reward, done.valid, done.end, done.score / 2)


class RudeAnswer(CorridorWorld):
    """What cannot be done is answered with the verb as plain text."""

    def step(self, command: Command) -> Outcome:
        done = super().step(command)
        return done if done.valid else Outcome(Scene(("You cannot open that.",)), valid=False)


class RudeFacts(CorridorWorld):
    """A verb is the name of a fact."""

    def reset(self, task: Task) -> Scene:  # type: ignore[type-arg]
        return Scene(super().reset(task).message, {"wait": "yes"})


class RudeRefusal(CorridorWorld):
    """Nonsense is answered with a verb."""

    def refuse(self, malformed: Malformed) -> Message:
        return ("Just wait.",)


class RudeAside(CorridorWorld):
    """Only who leaves the expert's path hears the verb."""

    def step(self, command: Command) -> Outcome:
        done = super().step(command)
        return Outcome(Scene(("You wait.",))) if command.verb == "wait" else done


@pytest.mark.parametrize(
    ("world", "law"),
    [
        (TwoVerbsOnePhrase, "No two verbs share a phrase"),
        (NoPlan, "There is a plan"),
        (SecretPlan, "The expert's command is admissible"),
        (EmptyPromise, "Every admissible command is valid"),
        (Slow, "The expert wins within the turn limit"),
        (Generous, "Nonsense is not a valid action"),
        (Talkative, "No native verb leaks"),
        (RudeAnswer, "No native verb leaks"),
        (RudeFacts, "No native verb leaks"),
        (RudeRefusal, "No native verb leaks"),
        (RudeAside, "No native verb leaks"),
        (Forgetful, "Resetting to a task always shows the same"),
        (OneSplit, "Splits share no content"),
        (HalfWon, "Success has the score 1"),
    ],
)
def test_a_broken_world_is_caught(world: type[CorridorWorld], law: str) -> None:
    """By the law that it breaks."""
    globals()[world.__name__] = world
    with pytest.raises(ContractError, match=law):
        check_world(f"{world.__module__}:{world.__name__}", tasks_per_split=2)


def test_a_check_of_no_tasks_is_refused() -> None:
    """It would pass any world."""
    with pytest.raises(InvalidValueError, match="`tasks_per_split` is at least 1, not 0"):
        check_world("toy_world:CorridorWorld", tasks_per_split=0)
