"""The riddle with a button that names a verb."""

from dataclasses import replace

from riddle_world import RiddleWorld

from agentgym_gen import Command, Outcome, Scene, Verb
from agentgym_gen.world import Surface, VerbName

AGAIN = Command("press", ("ask again",))


class ButtonWorld(RiddleWorld):
    """The riddle with one button, which names a verb."""

    verbs = (*RiddleWorld.verbs, Verb("press", "press[{button}]", synonyms=("push[{button}]",)))

    def step(self, command: Command) -> Outcome:
        if command.verb == "press":
            return Outcome(Scene(("Pressed.",)), valid=command == AGAIN)
        return super().step(command)

    def admissible(self) -> tuple[Command, ...]:
        return (*super().admissible(), AGAIN)

    def surface(self) -> Surface:
        labels = {"ask again": (VerbName("ask"), " again")}
        return replace(super().surface(), verb_labels=labels, canonical_argument=str.lower)
