"""An interface bound to a world and a task: what is shown, and what an answer means."""

from __future__ import annotations

from collections.abc import Mapping

from agentgym_gen.interface.axes import Interface
from agentgym_gen.interface.form import FORMS, Form
from agentgym_gen.interface.page import Page
from agentgym_gen.interface.speech import Speech
from agentgym_gen.world import Command, Malformed, Message, Outcome, Piece, Scene, World
from agentgym_gen.world.task import TaskId


class Dialect:
    """How one episode is shown and spoken to.

    `Speech` has the words, `Page` what stands around an observation; the axes form and feedback,
    which make the observation itself, are here.

    Args:
        interface: The axes.
        world: The world of the episode, already reset to the task.
        task_id: The task, whose streams draw whatever is drawn.
    """

    def __init__(self, interface: Interface, world: World[object], task_id: TaskId) -> None:
        self._feedback = interface.feedback
        # A sentence is refused in the original's own words; a new syntax says what was wrong.
        self._explains = interface.feedback == "explained" or interface.syntax != "native"
        self._speech = Speech(interface, world, task_id)
        self._page = Page(interface, world, self._speech, task_id)
        made = FORMS.get(interface.form)
        self._form: Form | None = made(self._speech.say) if made else None
        self._answers: Form | None = made(_as_it_is) if made else None

    def show(self, scene: Scene, menu: tuple[Command, ...], turn: int) -> str:
        """Return what is seen at *turn* (0 is the reset), when *menu* is admissible."""
        return self._page.laid_out(self._shown(scene), menu, turn)

    def answer(self, outcome: Outcome, menu: tuple[Command, ...], turn: int) -> str:
        """Return what is seen after a command had *outcome*."""
        if outcome.valid or self._feedback == "native":
            return self.show(outcome.scene, menu, turn)
        if self._feedback == "silent":
            return self._page.laid_out("", menu, turn)
        note = f"Not done: {self.tell(outcome.reason or 'it cannot be done now')}"
        return self._page.laid_out(self._shown(outcome.scene, note), menu, turn)

    def refuse(self, malformed: Malformed, menu: tuple[Command, ...], turn: int) -> str:
        """Return the answer to a text that is no command."""
        if self._feedback == "silent":
            return self._page.laid_out("", menu, turn)
        note = f"Not understood: {malformed.reason}" if self._explains else ""
        text = self._written(self._speech.refusal(malformed), note)
        return self._page.laid_out(text, menu, turn)

    def read(self, text: str, menu: tuple[Command, ...]) -> Command | Malformed:
        """Return the command that *text* means in this dialect, or why it means none."""
        return self._speech.read(text, menu)

    def write(self, command: Command, menu: tuple[Command, ...]) -> str:
        """Return *command* as a model has to say it."""
        return self._speech.write(command, menu)

    def listed(self, menu: tuple[Command, ...]) -> list[str]:
        """Return the admissible commands as a model has to say them."""
        return self._speech.listed(menu)

    def tell(self, message: Message | str) -> str:
        """Return *message* in this dialect's words."""
        return self._speech.tell(message)

    def instruction(self) -> str:
        """Return the rules of the world and of this dialect."""
        return self._speech.instruction()

    def rule(self) -> str:
        """Return what the instruction says in the interface's own words; may be empty."""
        return self._speech.rule()

    def _shown(self, scene: Scene, note: str = "") -> str:
        if self._form is None or not scene.facts:
            return self._written(self.tell(scene.message), note)
        return self._form.write(_with_note(scene.facts, note))

    def _written(self, text: str, note: str) -> str:
        """Return *text*, which is in words already, and *note* in the form of this dialect."""
        if self._answers is None:
            return f"{text}\n({note}.)".lstrip("\n") if note else text
        return self._answers.write(_with_note({"result": text}, note))


def _as_it_is(text: Piece) -> str:
    return str(text)


def _with_note(facts: Mapping[str, object], note: str) -> Mapping[str, object]:
    return {**facts, "note": note} if note else facts
