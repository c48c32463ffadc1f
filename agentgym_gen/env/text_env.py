"""The Gymnasium face of a world: texts in, texts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

import gymnasium

from agentgym_gen.env.reserved_options import check_options
from agentgym_gen.env.spaces import Unicode
from agentgym_gen.errors import BackendError, EpisodeOverError, InvalidValueError, unknown_name
from agentgym_gen.interface import Dialect, Interface, Randomized, parse_interface
from agentgym_gen.system.imports import load_module
from agentgym_gen.world import Command, EndReason, Malformed, Message, Outcome, World
from agentgym_gen.world.task import Task, TaskId
from agentgym_gen.world.task_list import read_task_list

MAX_OBSERVATION_CHARS = 16384
"""The longest observation; a longer one is cut with a visible mark."""

INFO_KEYS = (
    "task_id",
    "interface",
    "goal",
    "admissible_actions",
    "valid_action",
    "success",
    "score",
    "turn",
    "end_reason",
)
"""The keys that every ``info`` has; a world may add its own, always the same ones."""


RESET_OPTIONS = ("task_id", "draw")
"""What `TextEnv.reset` takes as options."""

MAX_DRAW = 1 << 31
"""How many draws of an interface a task has when `TextEnv.reset` draws the task, too."""


class TextEnv(gymnasium.Env[str, str]):
    """A world, an interface and a stream of tasks as a Gymnasium environment.

    Observations and actions are texts. ``terminated`` is the world's end, ``truncated`` the turn
    limit or a `BackendError` of the world. A text that is no command costs a turn, and what the
    world's `malformed_reward` says; it is answered by an observation, the state of the world is
    unchanged and ``info["valid_action"]`` is False.

    Args:
        world: A world, or ``"module:class"`` of one.
        tier: The difficulty tier; None plays all tiers.
        split: ``train``, ``valid`` or ``test``.
        tasks: The ids of the only tasks that are played, or the file of a list of them (see
            `agentgym_gen.world.task_list`); those of other tiers and splits are left out. None
            plays all.
        interface: An `Interface`, preset names joined by ``+``, a mapping from axis to value, or a
            `Randomized`, of which every episode draws one.
        max_turns: The turn limit of every episode; None takes each task's own.
        seed: The seed of the order of tasks when the first reset gives none.
        render_mode: ``"ansi"`` or None; `render` returns the last observation.
        **options: The world's own keyword arguments.

    Raises:
        UnknownNameError: if there is no such tier, split or interface.
        InvalidValueError: if `max_turns` is not positive, or `tasks` has none of this split.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 4}  # noqa: RUF012  (Gymnasium's own form)

    def __init__(  # noqa: PLR0913  (the keyword arguments that every id accepts)
        self,
        world: str | World[Any],
        *,
        tier: str | None = None,
        split: str = "train",
        tasks: str | Path | Sequence[str] | None = None,
        interface: Interface | Randomized | str | Mapping[str, object] = "native",
        max_turns: int | None = None,
        seed: int | None = None,
        render_mode: str | None = None,
        **options: object,
    ) -> None:
        self.world: World[Any] = load_world(world, options)
        self.interfaces: Interface | Randomized = parse_interface(interface)
        self.tiers = self._known_tiers(tier)
        self.split = self._known_split(split)
        self.task_list = None if tasks is None else self._own_tasks(tasks)
        if render_mode not in (None, "ansi"):
            raise unknown_name("render mode", render_mode, ["ansi"], "or None")
        self.render_mode = render_mode
        self._space = self.observation_space = Unicode(MAX_OBSERVATION_CHARS)
        self.action_space = Unicode(MAX_OBSERVATION_CHARS)
        self._max_turns = None if max_turns is None else _whole("max_turns", max_turns, 1)
        self._seed = seed
        self._task: Task[Any] | None = None
        self._over = True

    @property
    def instruction(self) -> str:
        """The rules of the current episode, which a model reads before the first observation."""
        self._started()
        return self._dialect.instruction()

    @property
    def syntax_rule(self) -> str:
        """How actions are to be written, a part of `instruction` in words of no world; or empty."""
        self._started()
        return self._dialect.rule()

    @property
    def task(self) -> Task[Any]:
        """The current task."""
        return self._started()

    @property
    def interface(self) -> Interface:
        """The interface of the current episode."""
        if isinstance(self.interfaces, Interface):
            return self.interfaces
        self._started()
        return self._interface

    @property
    def turn_limit(self) -> int:
        """How many turns the current episode allows."""
        self._started()
        return self._limit

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Start an episode: the task ``options["task_id"]``, or one drawn from this split.

        Where interfaces are drawn, ``options["draw"]`` is the number of the draw: the same task and
        number have the same interface. It is 0 for a task that is named, else drawn with the task.

        Raises:
            InvalidValueError: if *options* is no mapping, the task is unknown or belongs to
                another tier or split, or the draw is no number from 0 on.
        """
        super().reset(seed=self._first_seed(seed))
        task, draw = self._choose(options)
        self._interface = self._drawn(task.id, draw)
        self._spoken = str(self._interface)
        scene = self.world.reset(task)
        self._task, self._over, self._turn = task, False, 0
        self._limit = self._max_turns or self.world.turn_limit()
        self._dialect = Dialect(self._interface, self.world, task.id)
        self._goal = self._dialect.tell(self.world.goal())
        self._menu = self.world.admissible()
        self._listed = self._dialect.listed(self._menu)
        self._observation = self._clip(self._dialect.show(scene, self._menu, 0))
        self._score, self._valid = 0.0, True
        self._end: EndReason | None = None
        return self._observation, self._info()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Take one turn.

        Raises:
            EpisodeOverError: if the episode has ended or never began.
            InvalidValueError: if *action* is not a text.
        """
        if self._over:
            raise EpisodeOverError(
                "This episode has not begun or is over; call `reset()` before `step()`"
            )
        if not isinstance(action, str):
            raise InvalidValueError(f"An action is a text, not {action!r}")
        self._turn += 1
        try:
            reward = self._play(action)
        except BackendError as error:
            # The one boundary: a world whose backend failed is an episode that was cut off.
            reward = self._break_off(error)
        if self._end is None and self._turn >= self._limit:
            self._end = EndReason.TURN_LIMIT
        terminated = self._end in (EndReason.SUCCESS, EndReason.FAILURE)
        truncated = self._end in (EndReason.TURN_LIMIT, EndReason.BACKEND_ERROR)
        self._over = terminated or truncated
        return self._observation, reward, terminated, truncated, self._info()

    def render(self) -> str | None:
        """Return the last observation in the ``ansi`` mode."""
        return self._observation if self.render_mode == "ansi" and self._task else None

    def close(self) -> None:
        """Release what the world holds; a later `reset` works again."""
        self.world.close()

    @property
    def admissible_actions(self) -> list[str]:
        """What can be done now, as it has to be said."""
        self._started()
        return list(self._listed)

    def write(self, command: Command) -> str:
        """Return *command* as it has to be said in the current episode."""
        self._started()
        return self._dialect.write(command, self._menu)

    def read(self, text: str) -> Command | Malformed:
        """Return the command that *text* means in the current episode, or why it means none."""
        self._started()
        return self._dialect.read(_encodable(text), self._menu)

    def tell(self, message: Message | str) -> str:
        """Return what a world says, in the words of the current episode."""
        self._started()
        return self._dialect.tell(message)

    def expert_action(self) -> str | None:
        """Return what the expert would say now, or None if it sees no way to the goal."""
        self._started()
        plan = self.world.plan()
        return self.write(plan[0]) if plan else None

    def _play(self, action: str) -> float:
        said = self.read(action)
        if isinstance(said, Malformed):
            return self._refuse(said)
        return self._carry_out(Command(said.verb, tuple(map(_encodable, said.args))))

    def _refuse(self, malformed: Malformed) -> float:
        self._valid = False
        self._observation = self._clip(self._dialect.refuse(malformed, self._menu, self._turn))
        return self.world.malformed_reward

    def _break_off(self, error: BackendError) -> float:
        self._valid, self._end = False, EndReason.BACKEND_ERROR
        self._set_menu(())
        told = f"The software behind this world has failed, and the episode is over: {error}"
        self._observation = self._clip(_encodable(told))
        return 0.0

    def _carry_out(self, command: Command) -> float:
        outcome: Outcome = self.world.step(command)
        self._valid, self._score, self._end = outcome.valid, outcome.score, outcome.end
        if outcome.valid:
            self._set_menu(self.world.admissible() if outcome.end is None else ())
        self._observation = self._clip(self._dialect.answer(outcome, self._menu, self._turn))
        return outcome.reward

    def _set_menu(self, menu: tuple[Command, ...]) -> None:
        if menu != self._menu:
            self._menu, self._listed = menu, self._dialect.listed(menu)

    def _info(self) -> dict[str, Any]:
        return {
            "task_id": str(self.task.id),
            "interface": self._spoken,
            "goal": self._goal,
            "admissible_actions": list(self._listed),
            "valid_action": self._valid,
            "success": self._end is EndReason.SUCCESS,
            "score": self._score,
            "turn": self._turn,
            "end_reason": None if self._end is None else str(self._end),
            **self.world.info(),
        }

    def _clip(self, text: str) -> str:
        return self._space.clip(text)

    def _first_seed(self, seed: int | None) -> int | None:
        first, self._seed = self._seed, None
        return first if seed is None else seed

    def _choose(self, given: Mapping[str, Any] | None) -> tuple[Task[Any], int]:
        """Return the task to be played, and which draw of its interfaces."""
        if given is not None and not isinstance(given, Mapping):
            raise InvalidValueError(f"`options` is a mapping or None, not {given!r}")
        options = dict(given or {})
        wanted, draw = options.pop("task_id", None), options.pop("draw", None)
        if options:
            raise unknown_name("reset option", next(iter(options)), RESET_OPTIONS, "all")
        if draw is not None:
            draw = _whole("draw", draw, 0)
        if wanted is not None:
            task = self.world.tasks.find(wanted)
            self._check_belongs(task.id)
            return task, draw or 0
        task = self._drawn_task()
        if draw is None and isinstance(self.interfaces, Randomized):
            draw = int(self.np_random.integers(MAX_DRAW))
        return task, draw or 0

    def _drawn_task(self) -> Task[Any]:
        if self.task_list is not None:
            number = int(self.np_random.integers(len(self.task_list)))
            return self.world.tasks.find(self.task_list[number])
        tier = self.tiers[int(self.np_random.integers(len(self.tiers)))]
        size = self.world.tasks.size(tier, self.split)
        if size < 1:
            raise InvalidValueError(
                f"{self.world.name} has no tasks in the split {self.split!r} of {tier!r}; play "
                "another split or tier, or give it data that have some"
            )
        return self.world.tasks.make(tier, self.split, int(self.np_random.integers(size)))

    def _drawn(self, task_id: TaskId, draw: int) -> Interface:
        if isinstance(self.interfaces, Interface):
            return self.interfaces
        return self.interfaces.draw(task_id.stream(f"interface {draw}"))

    def _check_belongs(self, task_id: TaskId) -> None:
        if task_id.tier not in self.tiers or task_id.split != self.split:
            raise InvalidValueError(
                f"Task {str(task_id)!r} does not belong to this environment, which plays the "
                f"split {self.split!r} of {', '.join(self.tiers)}; make one with split="
                f"{task_id.split!r} and tier={task_id.tier!r}"
            )

    def _own_tasks(self, tasks: str | Path | Sequence[str]) -> tuple[str, ...]:
        listed = read_task_list(tasks) if isinstance(tasks, str | Path) else tuple(tasks)
        ids = [TaskId.parse(text) for text in listed]
        env = self.world.tasks.env
        own = [i for i in ids if i.env == env and i.tier in self.tiers and i.split == self.split]
        if not own:
            raise InvalidValueError(
                f"None of the {len(ids)} tasks of `tasks` belongs to the split {self.split!r} of "
                f"{env} ({', '.join(self.tiers)})"
            )
        return tuple(map(str, own))

    def _known_tiers(self, tier: str | None) -> tuple[str, ...]:
        tiers = self.world.tasks.tiers
        if tier is not None and tier not in tiers:
            raise unknown_name("tier", tier, tiers, "list them with: agentgym-gen envs")
        return tiers if tier is None else (tier,)

    def _known_split(self, split: str) -> str:
        if split not in self.world.tasks.splits:
            known = self.world.tasks.splits
            raise unknown_name("split", split, known, "list them with: agentgym-gen envs")
        return split

    def _started(self) -> Task[Any]:
        if self._task is None:
            raise EpisodeOverError("No episode has begun; call `reset()` first")
        return self._task


def _encodable(text: str) -> str:
    """Return *text* with its lone surrogates replaced: they could be written to no file."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _whole(name: str, value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        kind = "positive number" if least else "number from 0 on"
        raise InvalidValueError(f"`{name}` is a {kind} or None, not {value!r}")
    return int(value)


def load_world(world: str | World[Any], options: Mapping[str, object]) -> World[Any]:
    """Return *world*, or build it from ``"module:class"`` with *options*.

    Raises:
        InvalidValueError: if there is no such class, or it is no world.
        NameClashError: if one of its options has a name that is taken.
    """
    if isinstance(world, World):
        if options:
            raise InvalidValueError(f"A world that is built already takes no options: {options!r}")
        return world
    module, _, name = world.partition(":") if isinstance(world, str) else ("", "", "")
    if not name:
        raise InvalidValueError(f"`world` is a World or 'module:class', not {world!r}")
    factory = getattr(load_module(module, str(world)), name, None)
    if not isinstance(factory, type) or not issubclass(factory, World):
        raise InvalidValueError(f"{world!r} names no class of worlds; it must inherit from World")
    check_options(factory, world)
    built: World[Any] = factory(**options)
    return built


__all__ = ["INFO_KEYS", "MAX_OBSERVATION_CHARS", "TextEnv", "load_world"]
