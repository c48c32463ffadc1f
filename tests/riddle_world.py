"""A riddle whose answer is any text: the smallest world with open verbs."""

from dataclasses import dataclass

from agentgym_gen import Command, Malformed, Outcome, Scene, Task, TaskId, Tasks, Verb, World
from agentgym_gen.world import EndReason, Message, Surface, VerbName


@dataclass(frozen=True)
class Riddle:
    """The number that has to be said."""

    secret: int


class RiddleTasks(Tasks[Riddle]):
    """Numbers of one, two and three digits."""

    env = "riddle"

    def size(self, tier: str, split: str) -> int:
        return 20

    def generate(self, task_id: TaskId, index: int) -> Riddle:
        tier, split = self.tiers.index(task_id.tier), self.splits.index(task_id.split)
        return Riddle(1000 * tier + 100 * split + index)


class RiddleWorld(World[Riddle]):
    """Ask for the number, then tell it."""

    name = "Riddle"
    verbs = (
        Verb("ask", "ask[{words}]", ("your question",), ("inquire[{words}]",), open=True),
        Verb("tell", "<tell>{number}</tell>", ("number",), ("<utter>{number}</utter>",), open=True),
        Verb("wait", "wait", (), ("idle",)),
    )

    def __init__(self) -> None:
        self.tasks = RiddleTasks()

    def reset(self, task: Task[Riddle]) -> Scene:
        self._secret, self._knows_number = f"number {task.content.secret}", False
        return Scene(self.goal())

    def step(self, command: Command) -> Outcome:
        if command.verb == "ask":
            self._knows_number = True
            return Outcome(Scene((f"It is {self._secret}.",)))
        if command.verb == "wait":
            return Outcome(Scene(("Nothing.",)))
        if not self._knows_number:
            return Outcome(Scene(("Too early.",)), valid=False, reason="nothing was asked")
        success = command.args == (self._secret,)
        end = EndReason.SUCCESS if success else EndReason.FAILURE
        return Outcome(Scene(("Over.",)), float(success), end=end, score=float(success))

    def admissible(self) -> tuple[Command, ...]:
        usages = [verb.usage for verb in self.verbs if self._knows_number or verb.name == "ask"]
        return (*usages[:2], Command("wait"))

    def expert_plan(self) -> tuple[Command, ...]:
        ask, tell = Command("ask", (f"what is {self._secret}",)), Command("tell", (self._secret,))
        return (tell,) if self._knows_number else (ask, tell)

    def instruction(self) -> Message:
        return ("You can ", self.verbs[0].usage, " or ", self.verbs[1].usage, ".")

    def goal(self) -> Message:
        return (VerbName("tell", capital=True), " the number.")

    def turn_limit(self) -> int:
        return 20

    def invalid_reply(self, malformed: Malformed) -> Message:
        return ("What?",)

    def surface(self) -> Surface:
        return Surface(nouns=riddle_nouns)


def riddle_nouns() -> tuple[str, ...]:
    """Return what an interface may rename."""
    return ("number",)
