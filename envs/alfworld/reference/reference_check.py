"""The reference backend: the original plays the same game, and what it says holds.

Our world is played beside it. Where both say the same, our message is shown, whose verbs and
commands an interface can put into other words; where they differ, the original's text is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agentgym_gen.envs.alfworld.official.grammar import check_grammar
from agentgym_gen.envs.alfworld.house import House
from agentgym_gen.envs.alfworld.official.tasks import OfficialTasks
from agentgym_gen.envs.alfworld.reference.original_process import OriginalProcess, OriginalState
from agentgym_gen.envs.alfworld.wording import NOTHING_HAPPENS
from agentgym_gen.envs.alfworld.official.game_writer import game_text
from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.world import Command, EndReason, Malformed, Outcome, Scene, Task, native_text

if TYPE_CHECKING:
    from agentgym_gen.envs.alfworld.world import ALFWorld

BACKENDS = ("python", "textworld")


def make_reference_check(backend: str, wording_version: str) -> ReferenceCheck | None:
    """Return the referee of the backend ``textworld``, or None for ``python``.

    Raises:
        UnknownNameError: if there is no such backend.
        InvalidValueError: if the original cannot speak the wording or run on this Python.
        MissingExtraError: if the original is not installed.
    """
    if backend not in BACKENDS:
        raise unknown_name("ALFWorld backend", backend, BACKENDS, "all")
    if backend == "python":
        return None
    if wording_version != "0.4":
        raise InvalidValueError(
            f"backend='textworld' speaks the wording 0.4 of the installed alfworld, not "
            f"{wording_version!r}; leave `wording_version` out"
        )
    return ReferenceCheck()


class ReferenceCheck:
    """Lets the original decide what is seen, what can be done and when the game is won."""

    def __init__(self) -> None:
        self._original = OriginalProcess()
        self.agrees = True
        """Whether ours has said the same in this episode so far."""

    def start(self, world: ALFWorld, task: Task[House], scene: Scene) -> Scene:
        """Start the original on *task*, which our *world* opens with *scene*."""
        tasks = world.tasks
        if isinstance(tasks, OfficialTasks):
            game = check_grammar(tasks.file_text(task.id), task.id.key)
        else:
            game = game_text(task.content)
        self.agrees = True
        self._state = self._original.start(game)
        return self._compared(world, scene)

    def check(self, world: ALFWorld, command: Command, outcome: Outcome) -> Outcome:
        """Return what *command* does in the original, where ours has *outcome*."""
        self._state = self._original.step(native_text((command,), world.verbs))
        won, scene = self._state.won, self._compared(world, outcome.scene)
        self.agrees = self.agrees and won == outcome.success
        return replace(
            outcome,
            scene=scene,
            reward=float(won),
            score=float(won),
            valid=self._state.text != NOTHING_HAPPENS,
            end=EndReason.SUCCESS if won else None,
        )

    def admissible(self, world: ALFWorld) -> tuple[Command, ...]:
        """Return what the original says can be done, in the order of its words."""
        read = map(world.read, self._state.commands)
        return tuple(command for command in read if not isinstance(command, Malformed))

    def close(self) -> None:
        """End the original's process."""
        self._original.close()

    def _compared(self, world: ALFWorld, scene: Scene) -> Scene:
        same = _agree(world, scene, self._state)
        self.agrees = self.agrees and same
        return scene if same else Scene((self._state.text,))


def _agree(world: ALFWorld, scene: Scene, seen: OriginalState) -> bool:
    own = [native_text((command,), world.verbs) for command in world.own_admissible()]
    return (native_text(scene.message, world.verbs), own) == (seen.text, seen.commands)
