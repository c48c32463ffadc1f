"""The record of the episode that a `TextEnv` plays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from agentgym_gen.interface import EpisodeInterface, Interface
from agentgym_gen.world import Command, EndReason, Task, copy_sharing


@dataclass
class EpisodeState:
    """What `TextEnv.reset` sets anew; the state of the world is kept by the world itself."""

    task: Task[Any]
    """The task."""
    interface: Interface
    """The axes of its interface."""
    shown: EpisodeInterface
    """The interface, bound to the world and the task."""
    goal: str
    """The goal, as text of the interface."""
    turn_limit: int
    """How many turns it allows."""
    admissible: tuple[Command, ...]
    """The commands that can be carried out now."""
    actions: list[str]
    """The same as texts of actions."""
    observation: str
    """The last observation."""
    turn: int = 0
    """How many turns were taken."""
    valid: bool = True
    """Whether the last action could be carried out."""
    score: float = 0.0
    """How much of the task is done, 0 to 1."""
    end: EndReason | None = None
    """Why it is over, or None while it goes on."""
    interface_name: str = field(init=False)
    """The text form of the interface, which every ``info`` has."""

    def __post_init__(self) -> None:
        """Write the name of the interface once."""
        self.interface_name = str(self.interface)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares the lists, which are replaced and not changed."""
        return copy_sharing(self, memo, "interface", "admissible", "actions")

    def allow(self, admissible: tuple[Command, ...]) -> None:
        """Set what can be carried out now."""
        if admissible != self.admissible:
            self.admissible, self.actions = admissible, self.shown.write_all(admissible)
