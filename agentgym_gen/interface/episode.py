"""An interface bound to one episode: it renders observations and parses actions."""

from __future__ import annotations

from collections.abc import Mapping

from agentgym_gen.interface.axes import Interface
from agentgym_gen.interface.codec import ActionCodec
from agentgym_gen.interface.format import FORMATS, ObservationFormat
from agentgym_gen.interface.functions import EpisodeFunctions
from agentgym_gen.interface.layout import ObservationLayout
from agentgym_gen.world import Command, Malformed, Message, Outcome, Piece, Scene, TaskId, World


class EpisodeInterface:
    """Renders the observations of one episode and parses its actions.

    It combines an `ActionCodec` (wording, syntax and names) and an `ObservationLayout` (distractors
    and listing). The two axes that shape the observation itself, form and feedback, are here.

    Args:
        interface: The axes.
        world: The world of the episode, already reset to the task.
        task_id: The task, whose streams sample words and distractors.
    """

    def __init__(self, interface: Interface, world: World[object], task_id: TaskId) -> None:
        self._feedback = interface.feedback
        # The native syntax is refused in the original's own words; any other adds the reason.
        self._explains = interface.feedback == "explained" or interface.syntax != "native"
        surface = world.surface()
        self._verbs = world.verbs
        self._codec = ActionCodec(interface, world, surface, task_id)
        self._layout = ObservationLayout(interface, surface, self._codec, task_id)
        new_format = FORMATS.get(interface.form)
        self._scenes: ObservationFormat | None = None
        self._answers: ObservationFormat | None = None
        if new_format is not None:
            self._scenes = new_format(self._codec.render_piece)
            self._answers = new_format(_unchanged)

    def show(self, scene: Scene, admissible: tuple[Command, ...], turn: int) -> str:
        """Return the observation of *scene* at *turn* (0 is the reset)."""
        return self._layout.lay_out(self._render_scene(scene), admissible, turn)

    def answer(self, outcome: Outcome, admissible: tuple[Command, ...], turn: int) -> str:
        """Return the observation after a command with *outcome*."""
        if outcome.valid or self._feedback == "native":
            return self.show(outcome.scene, admissible, turn)
        if self._feedback == "silent":
            return self._layout.lay_out("", admissible, turn)
        note = f"Not done: {self.render(outcome.reason or 'it cannot be done now')}"
        return self._layout.lay_out(self._render_scene(outcome.scene, note), admissible, turn)

    def invalid_reply(
        self,
        malformed: Malformed,
        admissible: tuple[Command, ...],
        turn: int,
        *,
        explains: bool = False,
    ) -> str:
        """Return the observation after text that is not a command.

        Args:
            malformed: The text.
            admissible: The commands that can be carried out now.
            turn: The number of the turn.
            explains: Whether the reason is added where the interface alone would leave it out.
        """
        if self._feedback == "silent":
            return self._layout.lay_out("", admissible, turn)
        note = f"Not understood: {malformed.reason}" if self._explains or explains else ""
        text = self._format_text(self._codec.invalid_reply(malformed), note)
        return self._layout.lay_out(text, admissible, turn)

    def read(self, text: str, admissible: tuple[Command, ...]) -> Command | Malformed:
        """Return the command that *text* spells in this episode, or why it spells none."""
        return self._codec.read(text, admissible)

    def write(self, command: Command, admissible: tuple[Command, ...]) -> str:
        """Return *command* as the text of an action."""
        return self._codec.write(command, admissible)

    def write_all(self, admissible: tuple[Command, ...]) -> list[str]:
        """Return the admissible commands as texts of actions."""
        return self._codec.write_all(admissible)

    def functions(self, admissible: tuple[Command, ...]) -> EpisodeFunctions:
        """Return the verbs as functions that a model can call."""
        return EpisodeFunctions(self._codec, self._verbs, admissible)

    def render(self, message: Message | str) -> str:
        """Return *message* as text of this episode."""
        return self._codec.render(message)

    def instruction(self) -> str:
        """Return the rules of the world and of this interface."""
        return self._codec.instruction()

    def rule(self) -> str:
        """Return the part of the instruction that describes the syntax; may be empty."""
        return self._codec.rule()

    def _render_scene(self, scene: Scene, note: str = "") -> str:
        if self._scenes is None or not scene.facts:
            return self._format_text(self.render(scene.message), note)
        return self._scenes.write(_with_note(scene.facts, note))

    def _format_text(self, text: str, note: str) -> str:
        """Return *text*, which is rendered already, and *note* in the form of this episode."""
        if self._answers is None:
            return f"{text}\n({note}.)".lstrip("\n") if note else text
        return self._answers.write(_with_note({"result": text}, note))


def _unchanged(text: Piece) -> str:
    return str(text)


def _with_note(facts: Mapping[str, object], note: str) -> Mapping[str, object]:
    return {**facts, "note": note} if note else facts
