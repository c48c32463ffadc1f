"""The riddle with a button that names a verb."""

from riddle_world import RiddleWorld

from agentgym_gen import Command, Outcome, Scene, Verb
from agentgym_gen.world import VerbName

AGAIN = Command("press", ("ask again",))


class ButtonWorld(RiddleWorld):
    """The riddle with one button, which names a verb."""

    verbs = (*RiddleWorld.verbs, Verb("press", "press[{button}]", synonyms=("push[{button}]",)))
    labels = {"ask again": (VerbName("ask"), " again")}  # noqa: RUF012  (a ClassVar of the base)

    def step(self, command: Command) -> Outcome:
        if command.verb == "press":
            return Outcome(Scene(("Pressed.",)), valid=command == AGAIN)
        return super().step(command)

    def admissible(self) -> tuple[Command, ...]:
        return (*super().admissible(), AGAIN)

    def normal(self, argument: str) -> str:
        return argument.lower()
