"""minigrid's BabyAI bot, so that it starts in any state, never hangs and searches faster.

The bot explores as a player does: it knows what has been in view, and no more. Its sub-goals are
minigrid's. Changed are: what has been accomplished is left out, and hands are freed first, so that
it may start in the middle of an episode; a box is opened when it hides the only key to a locked
door; and every loop has a limit, counted in steps and never in seconds, so that a task that is
solved here is solved everywhere.
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
from agentgym_gen.envs.babyai.view import Place, look

REPLANS = 100
"""How often the bot may change its mind before one action."""

SEARCHED = 200_000
"""How many cells one bot may look at in its searches."""

ATTEMPTS = 3
"""How many bots try, each from where the last one was lost."""

LONGEST = 300
"""The most actions of a solution."""

GIVING_UP = (AssertionError, AttributeError, IndexError, TypeError, ValueError)
"""What minigrid's bot raises when it is lost."""


class _Lost(Exception):  # noqa: N818  (a signal, caught in this module)
    """The bot has used up a limit."""


class _Mask:
    """The cells that have been in view, in the form in which the bot asks for them."""

    def __init__(self, seen: set[Place]) -> None:
        self._seen = seen

    def __getitem__(self, place: tuple[int, int]) -> bool:
        return tuple(place) in self._seen


class _UnpackSubgoal(Subgoal):  # type: ignore[misc]  # minigrid's bot has no types
    """Open the box ahead."""

    def replan_before_action(self) -> Any:  # noqa: ANN401  (an action of minigrid)
        return self.actions.toggle

    def replan_after_action(self, action_taken: object) -> None:
        self.bot.stack.pop()


class Scout(BabyAIBot):  # type: ignore[misc]  # minigrid's bot has no types
    """A bot that starts in the present state of a game.

    Args:
        game: The game.
        seen: The cells that have been in view; those that come into view are added.
    """

    def __init__(self, game: Game, seen: set[Place]) -> None:
        self.mission = game.env
        self._game, self._seen = game, seen
        self.vis_mask = _Mask(seen)
        self.stack: list[Any] = []
        self.bfs_counter = self.bfs_step_counter = 0
        self._has_acted = False
        self._process_obs()
        self._process_instr(game.env.instrs)
        self._unpack()
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
        for _ in range(REPLANS):
            if not self.stack:
                return None
            action = self.stack[-1].replan_before_action()
            if action is not None:
                self._remember_current_state()
                return int(action)
        raise _Lost

    def _process_obs(self) -> None:
        self._seen.update(look(self.mission.grid, *self._game.place).seen)

    def _process_instr(self, instr: Any) -> None:  # noqa: ANN401  (an Instr)
        """Push the sub-goals of what is left of *instr*, the last one first."""
        if not isinstance(instr, SeqInstr):
            super()._process_instr(instr)
            return
        parts = [(instr.instr_a, instr.a_done), (instr.instr_b, instr.b_done)]
        if isinstance(instr, AfterInstr):
            parts.reverse()
        for part, done in reversed(parts):
            if done != "success":
                self._process_instr(part)

    def _unpack(self) -> None:
        """Open a box first if it hides the only key to a locked door."""
        cells = [cell for cell in self.mission.grid.grid if cell is not None]
        locked = {cell.color for cell in cells if cell.type == "door" and cell.is_locked}
        at_hand = {cell.color for cell in cells if cell.type == "key"}
        held = self.mission.carrying
        if held is not None and held.type == "key":
            at_hand.add(held.color)
        width = self.mission.grid.width
        for at, box in enumerate(self.mission.grid.grid):
            inside = None if box is None else box.contains
            if inside is not None and inside.type == "key" and inside.color in locked - at_hand:
                self.stack.append(_UnpackSubgoal(self))
                self.stack.append(GoNextToSubgoal(self, (at % width, at // width)))

    def _free_hands(self) -> None:
        """Put down first what is in the way of the first instruction."""
        held = self.mission.carrying
        first = next(_pending(self.mission.instrs), None)
        if held is None or first is None or isinstance(first, OpenInstr):
            return
        if isinstance(first, PutNextInstr) and any(held is one for one in first.desc_move.obj_set):
            del self.stack[-2:]
            return
        wanted = getattr(first, "desc", None)
        aimed = wanted is not None and any(held is one for one in wanted.obj_set)
        if aimed or isinstance(first, PickupInstr | PutNextInstr):
            self.stack.append(DropSubgoal(self))
            self.stack.append(GoNextToSubgoal(self, self._find_drop_pos()))

    def _breadth_first_search(
        self,
        initial_states: Iterable[tuple[int, int, int, int]],
        accept_fn: Callable[[Place, Any], bool],
        ignore_blockers: bool,
    ) -> tuple[list[Place] | None, Place | None, dict[Place, Place | None]]:
        """Search as minigrid's bot does, in the same order, with a queue that is not copied."""
        grid, width, seen = self.mission.grid.grid, self.mission.grid.width, self._seen
        queue: list[tuple[int, int, int, int, Place | None]]
        queue = [(int(i), int(j), int(di), int(dj), None) for i, j, di, dj in initial_states]
        previous: dict[Place, Place | None] = {}
        for i, j, di, dj, before in queue:
            place = (i, j)
            if place in previous:
                continue
            previous[place] = before
            cell = grid[j * width + i]
            if accept_fn(place, cell):
                return _path(place, previous), place, previous
            if place in seen and (cell is None or _passable(cell, ignore_blockers)):
                for k, m in ((di, dj), (dj, di), (-dj, -di), (-di, -dj)):
                    if (i + k, j + m) not in previous:
                        queue.append((i + k, j + m, k, m, place))
        self.bfs_step_counter += len(previous)
        if self.bfs_step_counter > SEARCHED:
            raise _Lost
        return None, None, previous


def _path(place: Place, previous: dict[Place, Place | None]) -> list[Place]:
    path: list[Place] = []
    at: Place | None = place
    while at is not None:
        path.append(at)
        at = previous[at]
    return path


def _passable(cell: Any, ignore_blockers: bool) -> bool:  # noqa: ANN401  (a WorldObj)
    if cell.type == "wall":
        return False
    return bool(cell.is_open) if cell.type == "door" else ignore_blockers


def _pending(instr: Any) -> Iterator[Any]:  # noqa: ANN401  (an Instr)
    """Yield the single instructions of *instr* that are left, the first one first."""
    if not isinstance(instr, SeqInstr):
        yield instr
        return
    parts = [(instr.instr_a, instr.a_done), (instr.instr_b, instr.b_done)]
    if isinstance(instr, AfterInstr):
        parts.reverse()
    for part, done in parts:
        if done != "success":
            yield from _pending(part)


def solve(game: Game, seen: Iterable[Place] = ()) -> tuple[int, ...] | None:
    """Return minigrid's actions that accomplish the mission from here, or None.

    Args:
        game: The game; its state is the same afterwards.
        seen: The cells that have been in view so far.
    """
    saved = game.save()
    actions: list[int] = []
    try:
        # A bot is lost when it knows of a thing behind a door that was shut since. The next one
        # knows only what it sees.
        won = any(_attempt(game, set(known), actions) for known in (seen, *[()] * (ATTEMPTS - 1)))
    finally:
        game.restore(saved)
    return tuple(actions) if won else None


def _attempt(game: Game, known: set[Place], actions: list[int]) -> bool:
    """Let a bot play on, noting its *actions*, and say whether it has won."""
    try:
        bot = Scout(game, known)
        while game.steps_left > 0 and len(actions) < LONGEST:
            action = bot.next_action()
            if action is None:
                return False
            effect = game.act(action)
            actions.append(action)
            if effect.over:
                return effect.reward > 0
    except (*GIVING_UP, _Lost):
        return False
    return False
