"""The reference backend: the original plays the same game, and its answers count.

Our own world is played at the same time. While both give the same answer, our message is shown: its
verbs and commands are values, so that any interface can reword them. Where they differ, the
original's text is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from agentgym_gen.envs.alfworld.house import House
from agentgym_gen.envs.alfworld.official.game_writer import game_text
from agentgym_gen.envs.alfworld.official.grammar import check_grammar
from agentgym_gen.envs.alfworld.official.tasks import OfficialTasks
from agentgym_gen.envs.alfworld.reference.original_process import OriginalProcess
from agentgym_gen.envs.alfworld.wording import NOTHING_HAPPENS
from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.world import (
    Command,
    EndReason,
    Malformed,
    Outcome,
    Scene,
    Task,
    World,
    native_text,
)

BACKENDS = ("python", "textworld")


def make_reference_check(backend: str, wording_version: str) -> ReferenceCheck | None:
    """Return the check for the backend ``textworld``, or None for ``python``.

    Raises:
        UnknownNameError: if there is no such backend.
        InvalidValueError: if the original has no such wording or does not run on this Python.
        MissingExtraError: if the original is not installed.
    """
    if backend not in BACKENDS:
        raise unknown_name("ALFWorld backend", backend, BACKENDS)
    if backend == "python":
        return None
    if wording_version != "0.4":
        raise InvalidValueError(
            f"backend='textworld' speaks the wording 0.4 of the installed alfworld, not "
            f"{wording_version!r}; leave `wording_version` out"
        )
    return ReferenceCheck()


class ReferenceCheck:
    """Replaces the answers of our world by those of the original, and compares the two."""

    def __init__(self) -> None:
        self._original = OriginalProcess()
        self.agrees = True
        """Whether ours has given the same answers in this episode so far."""

    def start(
        self, world: World[House], task: Task[House], scene: Scene, admissible: Iterable[Command]
    ) -> Scene:
        """Start the original on *task* and return what is shown.

        Args:
            world: Our world, for its tasks and words.
            task: The task.
            scene: What our world shows.
            admissible: What is admissible in our world.
        """
        tasks = world.tasks
        if isinstance(tasks, OfficialTasks):
            game = check_grammar(tasks.file_text(task.id), task.id.key)
        else:
            game = game_text(task.content)
        self.agrees = True
        self._state = self._original.start(game)
        return self._compared(world, scene, admissible)

    def check(
        self,
        world: World[House],
        command: Command,
        outcome: Outcome,
        admissible: Iterable[Command],
    ) -> Outcome:
        """Return what *command* does in the original.

        Args:
            world: Our world, for its words.
            command: The command.
            outcome: What the command has done in our world.
            admissible: What is admissible in our world after it.
        """
        self._state = self._original.step(native_text((command,), world.verbs))
        won, scene = self._state.won, self._compared(world, outcome.scene, admissible)
        self.agrees = self.agrees and won == outcome.success
        return replace(
            outcome,
            scene=scene,
            reward=float(won),
            score=float(won),
            valid=self._state.text != NOTHING_HAPPENS,
            end=EndReason.SUCCESS if won else None,
        )

    def admissible(self, world: World[House]) -> tuple[Command, ...]:
        """Return the original's admissible commands, in the order of its words."""
        commands = map(world.read, self._state.commands)
        return tuple(command for command in commands if not isinstance(command, Malformed))

    def close(self) -> None:
        """End the original's process."""
        self._original.close()

    def _compared(self, world: World[House], scene: Scene, admissible: Iterable[Command]) -> Scene:
        """Return *scene* if the original shows the same, else the original's text."""
        texts = [native_text((command,), world.verbs) for command in admissible]
        ours = (native_text(scene.message, world.verbs), texts)
        is_same = ours == (self._state.text, self._state.commands)
        self.agrees = self.agrees and is_same
        return scene if is_same else Scene((self._state.text,))
