"""minigrid's levels as games, without pictures and prints; a game's state can be saved.

The rules (what an action does, when a mission is accomplished, what is earned) are minigrid's own
code. The picture that each of its steps draws is left out: the text is made from the grid.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import gymnasium
import minigrid  # noqa: F401  (registers the levels)
from gymnasium.envs.registration import EnvSpec, load_env_creator
from minigrid.core.roomgrid import RoomGrid
from minigrid.envs.babyai.core.roomgrid_level import RejectSampling, RoomGridLevel

from agentgym_gen.envs.babyai.levels import long_name
from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.world import copy_sharing

_SPACES = ("action_space", "observation_space")

MAX_ATTEMPTS = 1_000
"""How many grids of a level are generated for one seed before it counts as impossible."""

_KIND_LETTERS = {"wall": "W", "key": "K", "ball": "A", "box": "B"}
_KIND_LETTERS |= {"open": "O", "closed": "D", "locked": "L"}  # doors, by their state
_COLOUR_LETTERS = {"red": "r", "green": "g", "blue": "b", "purple": "p", "yellow": "y", "grey": "e"}


class _TextLevel(RoomGridLevel):  # type: ignore[misc]  # minigrid is not wholly typed
    """A level that draws no picture at a step and prints nothing when it generates a grid again."""

    level: str
    """The name by which `_level_class` returns the class."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Return the level's name and state, for copies: no module has the name of its class.

        The spaces are left out: nobody reads them, and minigrid's hold functions without a name.
        """
        state = {name: value for name, value in vars(self).items() if name not in _SPACES}
        return _blank_level, (self.level,), state

    def gen_obs(self) -> dict[str, Any]:
        """Return no picture."""
        return {}

    def _gen_grid(self, width: int, height: int) -> None:
        """Generate grid and mission again until they fit, as minigrid does."""
        for _ in range(MAX_ATTEMPTS):
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
def level_specs() -> dict[str, EnvSpec]:
    """Return the newest version of every BabyAI level, by its name without the version."""
    # Other packages, this one among them, register ids of that name in a namespace of their own.
    specs = [spec for spec in list(gymnasium.registry.values()) if spec.namespace is None]
    levels = [spec for spec in specs if spec.name.startswith("BabyAI-")]
    # The versions ascend, so the newest one of a name is the one that stays in the dictionary.
    return {spec.name: spec for spec in sorted(levels, key=lambda spec: spec.version or 0)}


@functools.cache
def _level_class(level: str) -> tuple[Any, dict[str, Any]]:
    """Return minigrid's class of *level* without pictures, and its arguments."""
    spec = level_specs().get(long_name(level))
    if spec is None:
        names = (name.removeprefix("BabyAI-") for name in level_specs())
        raise unknown_name("BabyAI level", level, names, "those of minigrid")
    original: Any = load_env_creator(str(spec.entry_point))
    attributes = {"level": level}
    text_level = type(f"Plain{original.__name__}", (_TextLevel, original), attributes)
    return text_level, dict(spec.kwargs)


def _blank_level(level: str) -> Any:  # noqa: ANN401  (as `make_level`)
    """Return an environment of *level* without any attributes."""
    level_class, _ = _level_class(level)
    return level_class.__new__(level_class)


def make_level(level: str) -> Any:  # noqa: ANN401  (minigrid's environments have no common protocol)
    """Return a fresh environment of *level*, not yet reset.

    Raises:
        UnknownNameError: if minigrid has no such level.
    """
    level_class, arguments = _level_class(level)
    return level_class(**arguments)


class Effect(NamedTuple):
    """What one action of minigrid did."""

    reward: float
    """What minigrid pays for it."""
    terminated: bool
    """Whether the mission has ended, by success or by failure."""
    truncated: bool
    """Whether minigrid's steps have run out."""


class SavedGame(NamedTuple):
    """The state of a game, to return to."""

    scalars: tuple[Any, ...]
    """The player's position and direction, what is carried, and the number of steps."""
    grid: tuple[Any, ...]
    """The content of every cell."""
    attributes: tuple[tuple[Any, dict[str, Any]], ...]
    """The attributes of every thing and of every part of the mission."""


class Game:
    """One episode in minigrid.

    Args:
        level: The level's name.
        seed: The seed of its random generator.
    """

    def __init__(self, level: str, seed: int) -> None:
        self.env = make_level(level)
        self.env.reset(seed=seed)
        x, y = self.env.agent_pos
        self.env.agent_pos = (int(x), int(y))
        things = [cell for cell in self.env.grid.grid if cell is not None and cell.type != "wall"]
        self._things = [*things, *(box.contains for box in things if box.contains is not None)]
        if self.env.carrying is not None:
            self._things.append(self.env.carrying)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares the walls, of which there are hundreds and which never change.

        A general copy would take ten times as long.
        """
        cells = self.env.grid.grid
        memo.update((id(cell), cell) for cell in cells if cell is not None and cell.type == "wall")
        return copy_sharing(self, memo)

    @property
    def pose(self) -> tuple[int, int, int]:
        """The player's column and row, and the direction: 0 right, 1 down, 2 left, 3 up."""
        x, y = self.env.agent_pos
        return int(x), int(y), int(self.env.agent_dir)

    @property
    def carrying(self) -> Any:  # noqa: ANN401  (a WorldObj or None)
        """What is carried, or None."""
        return self.env.carrying

    @property
    def steps_left(self) -> int:
        """How many actions minigrid still allows."""
        return int(self.env.max_steps - self.env.step_count)

    def picture(self) -> bytes:
        """Return minigrid's picture of the view, which `act` does not draw."""
        grid, visible = self.env.gen_obs_grid()
        return bytes(grid.encode(visible).tobytes())

    def act(self, action: int) -> Effect:
        """Carry out *action*, one of minigrid's numbers."""
        _, reward, terminated, truncated, _ = self.env.step(action)
        return Effect(float(reward), bool(terminated), bool(truncated))

    def save(self) -> SavedGame:
        """Return the present state, for `restore`."""
        env = self.env
        scalars = (env.agent_pos, env.agent_dir, env.carrying, env.step_count)
        parts = (*self._things, *_instruction_parts(env.instrs))
        attributes = tuple((part, dict(vars(part))) for part in parts)
        return SavedGame(scalars, tuple(env.grid.grid), attributes)

    def restore(self, saved: SavedGame) -> None:
        """Return to the state that was *saved*."""
        env = self.env
        env.agent_pos, env.agent_dir, env.carrying, env.step_count = saved.scalars
        env.grid.grid[:] = saved.grid
        for part, attributes in saved.attributes:
            vars(part).update(attributes)

    def grid_rows(self) -> tuple[str, ...]:
        """Return the world as rows of text: two letters a cell, and a last row for the player."""
        width, cells = self.env.grid.width, [_letters(cell) for cell in self.env.grid.grid]
        rows = ["".join(cells[i : i + width]) for i in range(0, len(cells), width)]
        return (*rows, f"{self.pose} {_letters(self.carrying).strip()}".rstrip())


def _letters(cell: Any) -> str:  # noqa: ANN401  (a WorldObj or None)
    if cell is None:
        return "  "
    kind = cell.type
    if kind == "door":
        kind = "open" if cell.is_open else "locked" if cell.is_locked else "closed"
    inside = "" if cell.contains is None else f"({_letters(cell.contains)})"
    return _KIND_LETTERS[kind] + _COLOUR_LETTERS[cell.color] + inside


def _instruction_parts(instruction: Any) -> Iterator[Any]:  # noqa: ANN401  (an Instr)
    """Yield *instruction*, its parts and what they describe: whatever has a state."""
    yield instruction
    for name in ("instr_a", "instr_b"):
        if hasattr(instruction, name):
            yield from _instruction_parts(getattr(instruction, name))
    for name in ("desc", "desc_move", "desc_fixed"):
        if hasattr(instruction, name):
            yield getattr(instruction, name)
