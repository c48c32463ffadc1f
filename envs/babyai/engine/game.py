"""minigrid's levels, without pictures and prints, and the state of one of them as values.

The rules (what an action does, when a mission is accomplished, what is earned) are minigrid's own
code. What is left out is the picture that every step of it draws: the text is made from the grid.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import gymnasium
import minigrid  # noqa: F401  (registers the levels)
from gymnasium.envs.registration import EnvSpec, load_env_creator
from minigrid.core.roomgrid import RoomGrid
from minigrid.envs.babyai.core.roomgrid_level import RejectSampling, RoomGridLevel

from agentgym_gen.envs.babyai.levels import long_name
from agentgym_gen.envs.babyai.view import STEPS
from agentgym_gen.errors import InvalidValueError, unknown_name

DRAWS = 1_000
"""How often a level is drawn for one seed before it counts as impossible."""

_SIGNS = {"wall": "W", "key": "K", "ball": "A", "box": "B", "open": "O", "closed": "D"}
_SIGNS |= {"locked": "L"}
_COLOURS = {"red": "r", "green": "g", "blue": "b", "purple": "p", "yellow": "y", "grey": "e"}


class _Plain(RoomGridLevel):  # type: ignore[misc]  # minigrid is not wholly typed
    """A level that neither draws a picture at every step nor prints when it draws again."""

    def gen_obs(self) -> dict[str, Any]:
        """Return nothing: nobody looks at the picture."""
        return {}

    def _gen_grid(self, width: int, height: int) -> None:
        """Draw grid and mission again until they fit, as minigrid does."""
        for _ in range(DRAWS):
            try:
                RoomGrid._gen_grid(self, width, height)
                self.gen_mission()
                self.validate_instrs(self.instrs)
            except (RecursionError, RejectSampling):
                continue
            self.surface = self.mission = self.instrs.surface(self)
            return
        raise InvalidValueError(f"minigrid draws no level of {type(self).__name__} for this seed")


@functools.cache
def specs() -> dict[str, EnvSpec]:
    """Return the newest version of every BabyAI level, by its name without the version."""
    known = [spec for spec in list(gymnasium.registry.values()) if spec.name.startswith("BabyAI-")]
    return {spec.name: spec for spec in sorted(known, key=lambda spec: spec.version or 0)}


@functools.cache
def _level_class(level: str) -> tuple[Any, dict[str, Any]]:
    """Return minigrid's class of *level* without pictures, and its arguments."""
    spec = specs().get(long_name(level))
    if spec is None:
        names = (name.removeprefix("BabyAI-") for name in specs())
        raise unknown_name("BabyAI level", level, names, "those of minigrid")
    made: Any = load_env_creator(str(spec.entry_point))
    return type(f"Plain{made.__name__}", (_Plain, made), {}), dict(spec.kwargs)


def make(level: str) -> Any:  # noqa: ANN401  (minigrid's environments have no common protocol)
    """Return a fresh environment of *level*, not yet reset.

    Raises:
        UnknownNameError: if minigrid has no such level.
    """
    plain, arguments = _level_class(level)
    return plain(**arguments)


class Effect(NamedTuple):
    """What one action of minigrid did."""

    changed: bool
    """Whether anything is different now."""
    reward: float
    """What minigrid pays for it."""
    over: bool
    """Whether minigrid says that the mission has ended, well or badly."""
    late: bool
    """Whether minigrid's steps have run out."""


class Saved(NamedTuple):
    """The state of a game, to return to."""

    scalars: tuple[Any, ...]
    grid: tuple[Any, ...]
    parts: tuple[tuple[Any, dict[str, Any]], ...]


class Game:
    """One episode in minigrid.

    Args:
        level: The level's name.
        seed: The seed of its random generator.
    """

    def __init__(self, level: str, seed: int) -> None:
        self.env = make(level)
        self.env.reset(seed=seed)
        x, y = self.env.agent_pos
        self.env.agent_pos = (int(x), int(y))
        things = [cell for cell in self.env.grid.grid if cell is not None and cell.type != "wall"]
        self._things = [*things, *(box.contains for box in things if box.contains is not None)]
        if self.env.carrying is not None:
            self._things.append(self.env.carrying)

    @property
    def place(self) -> tuple[int, int, int]:
        """The player's column and row, and the direction: 0 right, 1 down, 2 left, 3 up."""
        x, y = self.env.agent_pos
        return int(x), int(y), int(self.env.agent_dir)

    @property
    def carrying(self) -> Any:  # noqa: ANN401  (a WorldObj or None)
        """What is carried, or None."""
        return self.env.carrying

    @property
    def ahead(self) -> Any:  # noqa: ANN401  (a WorldObj or None)
        """What is in the cell ahead, or None."""
        env = self.env
        x, y = env.agent_pos
        dx, dy = STEPS[env.agent_dir]
        return env.grid.grid[(y + dy) * env.grid.width + x + dx]

    @property
    def steps_left(self) -> int:
        """How many actions minigrid still allows."""
        return int(self.env.max_steps - self.env.step_count)

    def act(self, action: int) -> Effect:
        """Carry out *action*, one of minigrid's numbers."""
        before = self._mark()
        _, reward, over, late, _ = self.env.step(action)
        return Effect(before != self._mark(), float(reward), bool(over), bool(late))

    def _mark(self) -> tuple[object, ...]:
        """Return what an action could change: it can reach no further than the cell ahead."""
        env, cell = self.env, self.ahead
        state = None if cell is None else (id(cell), cell.encode())
        return (env.agent_pos, env.agent_dir, id(env.carrying), state)

    def save(self) -> Saved:
        """Return the state of now, for `restore`."""
        env = self.env
        scalars = (env.agent_pos, env.agent_dir, env.carrying, env.step_count)
        parts = (*self._things, *_nodes(env.instrs))
        kept = tuple((part, dict(vars(part))) for part in parts)
        return Saved(scalars, tuple(env.grid.grid), kept)

    def restore(self, saved: Saved) -> None:
        """Return to the state that was *saved*."""
        env = self.env
        env.agent_pos, env.agent_dir, env.carrying, env.step_count = saved.scalars
        env.grid.grid[:] = saved.grid
        for part, attributes in saved.parts:
            vars(part).update(attributes)

    def drawing(self) -> tuple[str, ...]:
        """Return the world as rows of text: two letters a cell, and a last row for the player."""
        width, cells = self.env.grid.width, [_sign(cell) for cell in self.env.grid.grid]
        rows = ["".join(cells[at : at + width]) for at in range(0, len(cells), width)]
        return (*rows, f"{self.place} {_sign(self.carrying).strip()}".rstrip())


def _sign(cell: Any) -> str:  # noqa: ANN401  (a WorldObj or None)
    if cell is None:
        return "  "
    kind = cell.type
    if kind == "door":
        kind = "open" if cell.is_open else "locked" if cell.is_locked else "closed"
    inside = "" if cell.contains is None else f"({_sign(cell.contains)})"
    return _SIGNS[kind] + _COLOURS[cell.color] + inside


def _nodes(instruction: Any) -> Iterator[Any]:  # noqa: ANN401  (an Instr)
    """Yield *instruction*, its parts and what they describe: all that remembers anything."""
    yield instruction
    for name in ("instr_a", "instr_b"):
        if hasattr(instruction, name):
            yield from _nodes(getattr(instruction, name))
    for name in ("desc", "desc_move", "desc_fixed"):
        if hasattr(instruction, name):
            yield getattr(instruction, name)
