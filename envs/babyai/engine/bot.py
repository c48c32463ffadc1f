"""minigrid's BabyAI bot, changed so that it starts in any state, never hangs and searches faster.

The bot explores as a player does: it knows only what has been in view. Its sub-goals are
minigrid's. These are the changes:

- It may start in the middle of an episode: it leaves out instructions that are accomplished, and
  first puts down what is in the way.
- It opens a box that hides the only key to a locked door.
- Every loop has a limit, counted in steps and never in seconds, so that a task that is solved here
  is solved everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from minigrid.envs.babyai.core.verifier import (
    AfterInstr,
    OpenInstr,
    PickupInstr,
    PutNextInstr,
    SeqInstr,
)
from minigrid.utils.baby_ai_bot import (
    BabyAIBot,
    DropSubgoal,
    GoNextToSubgoal,
    Subgoal,
)

from agentgym_gen.envs.babyai.engine.game import Game
from agentgym_gen.envs.babyai.view import Position, look

MAX_REPLANS = 100
"""How often the bot may replan before one action."""

MAX_SEARCHED_CELLS = 200_000
"""How many cells one bot may visit in its searches."""

MAX_BOTS = 3
"""How many bots try, each from the state in which the last one gave up."""

MAX_ACTIONS = 300
"""The largest number of actions of a solution."""

BOT_ERRORS = (AssertionError, AttributeError, IndexError, TypeError, ValueError)
"""What minigrid's bot raises when it gives up."""


class _LimitExceeded(Exception):  # noqa: N818  (a signal, caught in this module)
    """The bot has reached one of its limits."""


class _VisibilityMask:
    """The cells that have been in view, in the form of the array that minigrid's bot indexes."""

    def __init__(self, seen_cells: set[Position]) -> None:
        self._seen_cells = seen_cells

    def __getitem__(self, position: tuple[int, int]) -> bool:
        return tuple(position) in self._seen_cells


class _OpenBoxSubgoal(Subgoal):  # type: ignore[misc]  # minigrid's bot has no types
    """Open the box ahead."""

    def replan_before_action(self) -> Any:  # noqa: ANN401  (an action of minigrid)
        return self.actions.toggle

    def replan_after_action(self, action_taken: object) -> None:
        self.bot.stack.pop()


class ResumableBot(BabyAIBot):  # type: ignore[misc]  # minigrid's bot has no types
    """A bot that starts in the present state of a game.

    Args:
        game: The game.
        seen_cells: The cells that have been in view; those that come into view are added.
    """

    def __init__(self, game: Game, seen_cells: set[Position]) -> None:
        self.mission = game.env
        self._game, self._seen_cells = game, seen_cells
        self.vis_mask = _VisibilityMask(seen_cells)
        self.stack: list[Any] = []
        self.bfs_counter = self.bfs_step_counter = 0
        self._has_acted = False
        self._process_obs()
        self._process_instr(game.env.instrs)
        # The stack is worked off from its end: what is pushed last is done first.
        self._open_key_box()
        self._free_hands()

    def next_action(self) -> int | None:
        """Return the action to take, or None if nothing seems left to do."""
        self._process_obs()
        for subgoal in self.stack:
            subgoal.update_agent_attributes()
        if self.stack and self._has_acted:
            self.stack[-1].replan_after_action(None)
        self._has_acted = True
        while self.stack and self.stack[-1].is_exploratory():
            self.stack.pop()
        for _ in range(MAX_REPLANS):
            if not self.stack:
                return None
            action = self.stack[-1].replan_before_action()
            if action is not None:
                self._remember_current_state()
                return int(action)
        raise _LimitExceeded

    def _process_obs(self) -> None:
        self._seen_cells.update(look(self.mission.grid, *self._game.pose).cells)

    def _process_instr(self, instr: Any) -> None:  # noqa: ANN401  (an Instr)
        """Push the sub-goals of what is not accomplished of *instr*, the last one first."""
        if not isinstance(instr, SeqInstr):
            super()._process_instr(instr)
            return
        for part in reversed(_unfinished_parts(instr)):
            self._process_instr(part)

    def _open_key_box(self) -> None:
        """Open a box first if it hides the only key to a locked door."""
        cells = [cell for cell in self.mission.grid.grid if cell is not None]
        locked = {cell.color for cell in cells if cell.type == "door" and cell.is_locked}
        loose_keys = {cell.color for cell in cells if cell.type == "key"}
        carried = self.mission.carrying
        if carried is not None and carried.type == "key":
            loose_keys.add(carried.color)
        width = self.mission.grid.width
        for index, box in enumerate(self.mission.grid.grid):
            inside = None if box is None else box.contains
            if inside is not None and inside.type == "key" and inside.color in locked - loose_keys:
                self.stack.append(_OpenBoxSubgoal(self))
                self.stack.append(GoNextToSubgoal(self, (index % width, index // width)))

    def _free_hands(self) -> None:
        """First put down what is carried, if the first instruction needs free hands."""
        carried = self.mission.carrying
        first = next(_unfinished(self.mission.instrs), None)
        if carried is None or first is None or isinstance(first, OpenInstr):
            return
        if isinstance(first, PutNextInstr) and _is_one_of(carried, first.desc_move.obj_set):
            del self.stack[-2:]  # go to the thing, pick it up: that is done
            return
        target = getattr(first, "desc", None)
        is_target = target is not None and _is_one_of(carried, target.obj_set)
        if is_target or isinstance(first, PickupInstr | PutNextInstr):
            self.stack.append(DropSubgoal(self))
            self.stack.append(GoNextToSubgoal(self, self._find_drop_pos()))

    def _breadth_first_search(
        self,
        initial_states: Iterable[tuple[int, int, int, int]],
        accept_fn: Callable[[Position, Any], bool],
        ignore_blockers: bool,
    ) -> tuple[list[Position] | None, Position | None, dict[Position, Position | None]]:
        """Search as minigrid's bot does, in the same order, with a queue that is not copied."""
        grid, width = self.mission.grid.grid, self.mission.grid.width
        seen_cells = self._seen_cells
        queue: list[tuple[int, int, int, int, Position | None]]
        queue = [(int(i), int(j), int(di), int(dj), None) for i, j, di, dj in initial_states]
        previous: dict[Position, Position | None] = {}
        for i, j, di, dj, before in queue:  # the queue grows while it is read
            position = (i, j)
            if position in previous:
                continue
            previous[position] = before
            cell = grid[j * width + i]
            if accept_fn(position, cell):
                return _path(position, previous), position, previous
            if position in seen_cells and (cell is None or _passable(cell, ignore_blockers)):
                # minigrid's order: ahead, the two sides, back. Its results depend on it.
                for k, m in ((di, dj), (dj, di), (-dj, -di), (-di, -dj)):
                    if (i + k, j + m) not in previous:
                        queue.append((i + k, j + m, k, m, position))
        self.bfs_step_counter += len(previous)
        if self.bfs_step_counter > MAX_SEARCHED_CELLS:
            raise _LimitExceeded
        return None, None, previous


def _path(target: Position, previous: dict[Position, Position | None]) -> list[Position]:
    path: list[Position] = []
    position: Position | None = target
    while position is not None:
        path.append(position)
        position = previous[position]
    return path


def _passable(cell: Any, ignore_blockers: bool) -> bool:  # noqa: ANN401  (a WorldObj)
    if cell.type == "wall":
        return False
    return bool(cell.is_open) if cell.type == "door" else ignore_blockers


def _unfinished(instr: Any) -> Iterator[Any]:  # noqa: ANN401  (an Instr)
    """Yield the single instructions of *instr* that are not accomplished, the first one first."""
    if not isinstance(instr, SeqInstr):
        yield instr
        return
    for part in _unfinished_parts(instr):
        yield from _unfinished(part)


def _unfinished_parts(instr: Any) -> list[Any]:  # noqa: ANN401  (a SeqInstr)
    """Return which of the two parts of *instr* are not accomplished, in the order to do them."""
    parts = [(instr.instr_a, instr.a_done), (instr.instr_b, instr.b_done)]
    if isinstance(instr, AfterInstr):
        parts.reverse()
    return [part for part, done in parts if done != "success"]


def _is_one_of(thing: Any, things: Iterable[Any]) -> bool:  # noqa: ANN401  (WorldObjs)
    """Say whether *thing* itself, and not only an equal one, is among *things*."""
    return any(thing is candidate for candidate in things)


def solve(game: Game, seen_cells: Iterable[Position] = ()) -> tuple[int, ...] | None:
    """Return minigrid's actions that accomplish the mission from here, or None.

    Args:
        game: The game; its state is the same afterwards.
        seen_cells: The cells that have been in view so far.
    """
    saved = game.save()
    actions: list[int] = []
    try:
        # A bot gives up when it knows of a thing behind a door that was shut since. So the next
        # ones start without memory: they know only what is in view.
        memories = (seen_cells, *[()] * (MAX_BOTS - 1))
        won = any(_play(game, set(memory), actions) for memory in memories)
    finally:
        game.restore(saved)
    return tuple(actions) if won else None


def _play(game: Game, seen_cells: set[Position], actions: list[int]) -> bool:
    """Let a bot play on, append its actions to *actions*, and say whether it has won."""
    try:
        bot = ResumableBot(game, seen_cells)
        while game.steps_left > 0 and len(actions) < MAX_ACTIONS:
            action = bot.next_action()
            if action is None:
                return False
            effect = game.act(action)
            actions.append(action)
            if effect.terminated:
                return effect.reward > 0
    except (*BOT_ERRORS, _LimitExceeded):
        return False
    return False
