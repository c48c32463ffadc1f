"""The checks of a world: a good world passes, and each check catches a broken one."""

import pytest
from toy_world import Corridor, CorridorTasks, CorridorWorld

from agentgym_gen import Command, Malformed, Outcome, Scene, Task, TaskId, Verb
from agentgym_gen.errors import InvalidValueError, UnknownNameError
from agentgym_gen.testing import ContractError, check_world
from agentgym_gen.world import Message


def test_a_good_world_passes() -> None:
    """The toy world passes every check."""
    check_world("toy_world:CorridorWorld", options={"slow": True})


class TwoVerbsOnePhrase(CorridorWorld):
    """Two verbs have the same phrase."""

    verbs = (*CorridorWorld.verbs, Verb("rest", "rest"))


class NoPlan(CorridorWorld):
    """The expert has no plan."""

    def expert_plan(self) -> tuple[Command, ...]:
        return ()


class SecretPlan(CorridorWorld):
    """The expert's command is not listed as admissible."""

    def admissible(self) -> tuple[Command, ...]:
        return super().admissible()[-1:]


class EmptyPromise(CorridorWorld):
    """A command that cannot be carried out is listed as admissible."""

    def admissible(self) -> tuple[Command, ...]:
        return (*super().admissible(), Command("open", ("door 99",)))

    def step(self, command: Command) -> Outcome:
        if command.args == ("door 99",):
            return Outcome(self._scene("No."), valid=False)
        return super().step(command)


class TooFewTurns(CorridorWorld):
    """The turn limit is too low for the expert."""

    def turn_limit(self) -> int:
        return 1


class Generous(CorridorWorld):
    """Nonsense is accepted as a command."""

    def read(self, text: str) -> Command | Malformed:
        parsed = super().read(text)
        return Command("wait") if isinstance(parsed, Malformed) else parsed


class Talkative(CorridorWorld):
    """The instruction has a verb as plain text."""

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
    """Every task is the same corridor."""

    def generate(self, task_id: TaskId, index: int) -> Corridor:
        return super().generate(TaskId(task_id.env, "easy", "train", "0"), 0)


class OneSplit(CorridorWorld):
    """All splits have the same content."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks = OneForAll()


class MisnamedTasks(CorridorTasks):
    """`make` counts from the other end than `task_id` does."""

    def make(self, tier: str, split: str, index: int) -> Task[Corridor]:
        return super().make(tier, split, self.size(tier, split) - 1 - index)


class Misnamed(CorridorWorld):
    """A task has another name when it is sampled than when it is made."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks = MisnamedTasks()


class HalfWon(CorridorWorld):
    """Success has half the score."""

    def step(self, command: Command) -> Outcome:
        outcome = super().step(command)
        score = outcome.score / 2
        return Outcome(outcome.scene, outcome.reward, outcome.valid, outcome.end, score)


class RudeAnswer(CorridorWorld):
    """The answer to an inadmissible command has a verb as plain text."""

    def step(self, command: Command) -> Outcome:
        outcome = super().step(command)
        if outcome.valid:
            return outcome
        return Outcome(Scene(("You cannot open that.",)), valid=False)


class RudeFacts(CorridorWorld):
    """The name of a fact is a verb as plain text."""

    def reset(self, task: Task) -> Scene:  # type: ignore[type-arg]
        return Scene(super().reset(task).message, {"wait": "yes"})


class RudeRefusal(CorridorWorld):
    """The answer to nonsense has a verb as plain text."""

    def invalid_reply(self, malformed: Malformed) -> Message:
        return ("Just wait.",)


class RudeOffPath(CorridorWorld):
    """A text that the expert never sees has a verb as plain text."""

    def step(self, command: Command) -> Outcome:
        outcome = super().step(command)
        return Outcome(Scene(("You wait.",))) if command.verb == "wait" else outcome


class NoTests(CorridorTasks):
    """The test split has no task."""

    def size(self, tier: str, split: str) -> int:
        return 0 if split == "test" else super().size(tier, split)


class Untested(CorridorWorld):
    """Its test split is empty."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks = NoTests()


class NothingToDo(CorridorWorld):
    """Nothing is admissible."""

    def admissible(self) -> tuple[Command, ...]:
        return ()


class UnknownVerb(CorridorWorld):
    """A command is listed whose verb the world has not."""

    def admissible(self) -> tuple[Command, ...]:
        return (*super().admissible(), Command("jump", ("door 1",)))


class UnknownPlan(CorridorWorld):
    """The expert's verb is none of the world's."""

    def expert_plan(self) -> tuple[Command, ...]:
        return (Command("jump", ("door 1",)),)


@pytest.mark.parametrize(
    ("world", "sentence"),
    [
        (Untested, "Every tier and split has a task"),
        (NothingToDo, "Something is admissible at the start"),
        (UnknownVerb, "The verb of a command is one of the world's"),
        (UnknownPlan, "The verb of a command is one of the world's"),
        (TwoVerbsOnePhrase, "No two verbs share a phrase"),
        (NoPlan, "There is a plan"),
        (SecretPlan, "The expert's command is admissible"),
        (EmptyPromise, "Every admissible command is valid"),
        (TooFewTurns, "The expert wins within the turn limit"),
        (Generous, "Nonsense is not a valid action"),
        (Talkative, "No native verb leaks"),
        (RudeAnswer, "No native verb leaks"),
        (RudeFacts, "No native verb leaks"),
        (RudeRefusal, "No native verb leaks"),
        (RudeOffPath, "No native verb leaks"),
        (Forgetful, "Resetting to a task always shows the same"),
        (OneSplit, "Splits share no content"),
        (Misnamed, "`task_id` names the task that `make` makes"),
        (HalfWon, "Success has the score 1"),
    ],
)
def test_a_broken_world_is_caught(world: type[CorridorWorld], sentence: str) -> None:
    """The error has the sentence of the check that the world breaks."""
    globals()[world.__name__] = world
    with pytest.raises(ContractError, match=sentence):
        check_world(f"{world.__module__}:{world.__name__}", tasks_per_split=2)


class ThreeShared(CorridorTasks):
    """Three of the fifty test tasks are training tasks."""

    def generate(self, task_id: TaskId, index: int) -> Corridor:
        if task_id.split == "test" and index in (11, 29, 47):
            task_id = TaskId(task_id.env, task_id.tier, "train", task_id.key)
        return super().generate(task_id, index)


class Leaking(CorridorWorld):
    """A few tasks are of two splits."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks = ThreeShared()


def test_a_few_shared_tasks_are_caught_and_named() -> None:
    """Hundreds of contents are compared, of many more tasks than are played."""
    globals()["Leaking"] = Leaking
    with pytest.raises(ContractError, match=r"corridor/easy/train/\d+ and corridor/easy/test/11"):
        check_world(f"{Leaking.__module__}:Leaking", tasks_per_split=1)
    check_world(f"{Leaking.__module__}:Leaking", tasks_per_split=1, compared_tasks=1)


class ThreeTasks(CorridorTasks):
    """A split has three tasks."""

    def size(self, tier: str, split: str) -> int:
        return 3


class LastWithoutPlan(CorridorWorld):
    """The expert has no plan for the last task of a split."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks = ThreeTasks()

    def reset(self, task: Task[Corridor]) -> Scene:
        self._last = task.id == self.tasks.task_id(task.id.tier, task.id.split, 2)
        return super().reset(task)

    def expert_plan(self) -> tuple[Command, ...]:
        return () if self._last else super().expert_plan()


def test_all_tasks_are_checked_where_there_are_fewer_than_asked_for() -> None:
    """Of three tasks the third is played too, if five are asked for."""
    globals()["LastWithoutPlan"] = LastWithoutPlan
    with pytest.raises(ContractError, match="There is a plan"):
        check_world(f"{LastWithoutPlan.__module__}:LastWithoutPlan", tasks_per_split=5)


def test_a_check_of_no_tasks_is_refused() -> None:
    """A check that plays no task would pass any world."""
    with pytest.raises(InvalidValueError, match="`tasks_per_split` is at least 1, not 0"):
        check_world("toy_world:CorridorWorld", tasks_per_split=0)
    with pytest.raises(InvalidValueError, match="`splits` names one split or more"):
        check_world("toy_world:CorridorWorld", splits=())
    with pytest.raises(UnknownNameError, match="Unknown split 'tset'"):
        check_world("toy_world:CorridorWorld", splits=("tset",))
