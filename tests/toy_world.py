"""A corridor of numbered doors: the smallest world that has everything a world needs."""

from dataclasses import dataclass

from agentgym_gen import Command, Malformed, Outcome, Scene, Task, TaskId, Tasks, Verb, World
from agentgym_gen.world import EndReason, Message, Surface, VerbName


@dataclass(frozen=True)
class Corridor:
    """How long the corridor is, and which door is the exit."""

    length: int
    exit: int


class CorridorTasks(Tasks[Corridor]):
    """Corridors of 3, 5 and 8 doors; the split decides which exits there are."""

    env = "corridor"

    def size(self, tier: str, split: str) -> int:
        return 50

    def generate(self, task_id: TaskId, index: int) -> Corridor:
        tier, split = self.tiers.index(task_id.tier), self.splits.index(task_id.split)
        extra = int(task_id.stream("length").integers(10))
        length = 3 + 4 * tier + 12 * extra
        length += 3 * split // 3
        return Corridor(length + 1000 * split, min(length, 2 + 2 * tier))


class CorridorWorld(World[Corridor]):
    """Walk to the exit door and open it."""

    name = "Corridor"
    verbs = (
        Verb("walk", "walk to {door}", ("door",), ("stroll over to {door}", "head for {door}")),
        Verb("open", "open {door}", ("door",), ("unlock {door}", "unbolt {door}")),
        Verb("wait", "wait", (), ("rest", "idle")),
    )

    def __init__(self, *, slow: bool = False) -> None:
        self.tasks = CorridorTasks()
        self.slow = slow

    def reset(self, task: Task[Corridor]) -> Scene:
        self._corridor, self._at = task.content, 1
        text: Message = ("You are at door 1. Goal: to ", VerbName("open"), f" {self._exit}.")
        return Scene(text, {"at": "door 1", "goal": Command("open", (self._exit,))})

    @property
    def _exit(self) -> str:
        return f"door {self._corridor.exit}"

    def step(self, command: Command) -> Outcome:
        if command.verb == "walk" and command in self.admissible():
            self._at = int(command.args[0].split()[1])
            return Outcome(self._scene(f"You are at {command.args[0]}."), score=self._score())
        if command.verb == "open" and command in self.admissible():
            success = command.args[0] == self._exit
            end = EndReason.SUCCESS if success else EndReason.FAILURE
            return Outcome(self._scene("It opens."), float(success), True, end, float(success))
        if command.verb == "wait":
            return Outcome(self._scene("Time passes."), score=self._score())
        scene = self._scene("Nothing happens.")
        return Outcome(scene, 0.0, False, None, self._score(), "there is no such door here")

    def _scene(self, text: str) -> Scene:
        return Scene((text,), {"result": text, "at": f"door {self._at}"})

    def _score(self) -> float:
        return 0.5 if self._at == self._corridor.exit else 0.0

    def admissible(self) -> tuple[Command, ...]:
        doors = (self._at - 1, self._at + 1)
        walks = (Command("walk", (f"door {d}",)) for d in doors if 1 <= d <= 9)
        return (*walks, Command("open", (f"door {self._at}",)), Command("wait"))

    def expert_plan(self) -> tuple[Command, ...]:
        step = 1 if self._corridor.exit > self._at else -1
        doors = range(self._at + step, self._corridor.exit + step, step)
        walks = tuple(Command("walk", (f"door {d}",)) for d in doors)
        return (*(walks if self._at != self._corridor.exit else ()), Command("open", (self._exit,)))

    def instruction(self) -> Message:
        return ("You can ", self.verbs[0].usage, ", ", self.verbs[1].usage, ".")

    def goal(self) -> Message:
        return (VerbName("open"), f" {self._exit}")

    def turn_limit(self) -> int:
        return 20

    def invalid_reply(self, malformed: Malformed) -> Message:
        return ("Nothing happens.",)

    def surface(self) -> Surface:
        return Surface(nouns=corridor_nouns)


def corridor_nouns() -> tuple[str, ...]:
    """Return what an interface may rename."""
    return ("door",)
