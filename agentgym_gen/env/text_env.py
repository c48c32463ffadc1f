"""A world as a Gymnasium environment: text in, text out."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import gymnasium
from gymnasium.envs.registration import EnvSpec

from agentgym_gen.env.arguments import checked_integer, encodable
from agentgym_gen.env.episode import EpisodeState
from agentgym_gen.env.spaces import Unicode
from agentgym_gen.env.world_loading import load_world
from agentgym_gen.errors import BackendError, EpisodeOverError, InvalidValueError, unknown_name
from agentgym_gen.interface import EpisodeInterface, Interface, Randomized, parse_interface
from agentgym_gen.interface.functions import EpisodeFunctions
from agentgym_gen.interface.layout import MAX_OBSERVATION_CHARS
from agentgym_gen.world import Command, EndReason, Malformed, Message, Task, TaskId, World
from agentgym_gen.world.copying import copy_sharing
from agentgym_gen.world.task_list import list_tasks

__all__ = [
    "INFO_KEYS",
    "MAX_INTERFACE_INDEX",
    "RESET_OPTIONS",
    "TextEnv",
]

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


RESET_OPTIONS = ("task_id", "interface_index")
"""What `TextEnv.reset` takes as options."""

MAX_INTERFACE_INDEX = 1 << 31
"""The interface index is below this number when `TextEnv.reset` samples it."""


class TextEnv(gymnasium.Env[str, str]):
    """A world, an interface and a stream of tasks as a Gymnasium environment.

    Observations and actions are texts. ``terminated`` is the world's end, ``truncated`` the turn
    limit or a `BackendError` of the world. Invalid text costs a turn and earns the world's
    `malformed_reward`. An observation answers it, the state of the world is unchanged, and
    ``info["valid_action"]`` is False.

    Args:
        world: A world, or ``"module:class"`` of one.
        tier: The difficulty tier; None plays all tiers.
        split: ``train``, ``valid`` or ``test``.
        tasks: The ids of the only tasks that are played, or the file of a list of them (see
            `agentgym_gen.world.task_list`); those of other tiers and splits are left out. None
            plays all.
        interface: An `Interface`, preset names joined by ``+``, a mapping from axis to value, or a
            `Randomized`, from which every episode samples one.
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
        self.tiers = self._checked_tiers(tier)
        self.split = self._checked_split(split)
        self.task_list = None if tasks is None else self._own_tasks(tasks)
        if render_mode not in (None, "ansi"):
            raise unknown_name("render mode", render_mode, ["ansi"], "or None")
        self.render_mode = render_mode
        self._space = self.observation_space = Unicode(MAX_OBSERVATION_CHARS)
        self.action_space = Unicode(MAX_OBSERVATION_CHARS)
        self._max_turns = None if max_turns is None else checked_integer("max_turns", max_turns, 1)
        self._seed = seed
        self._episode: EpisodeState | None = None
        self._spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """What ``gymnasium.make`` made this environment from, as plain data."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        # `EnvSpec.to_json` would take a `Randomized` apart into a mapping that nothing reads back.
        if spec is not None and isinstance(spec.kwargs.get("interface"), Randomized):
            spec.kwargs["interface"] = str(spec.kwargs["interface"])
        self._spec = spec

    @property
    def instruction(self) -> str:
        """The rules of the current episode, which a model reads before the first observation."""
        return self._current().shown.instruction()

    @property
    def syntax_rule(self) -> str:
        """The part of `instruction` that describes the syntax, in no world's words; or empty."""
        return self._current().shown.rule()

    @property
    def functions(self) -> EpisodeFunctions:
        """The verbs of the current episode as functions that a model can call."""
        episode = self._current()
        return episode.shown.functions(episode.admissible)

    @property
    def task(self) -> Task[Any]:
        """The current task."""
        return self._current().task

    @property
    def goal(self) -> str:
        """The goal of the current episode, as text of its interface."""
        return self._current().goal

    @property
    def over(self) -> bool:
        """Whether no episode is running, so that `reset` has to come next."""
        return self._episode is None or self._episode.end is not None

    @property
    def interface(self) -> Interface:
        """The interface of the current episode."""
        if isinstance(self.interfaces, Interface):
            return self.interfaces
        return self._current().interface

    @property
    def turn_limit(self) -> int:
        """How many turns the current episode allows."""
        return self._current().turn_limit

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Start an episode: the task ``options["task_id"]``, or one sampled from this split.

        Where interfaces are sampled, ``options["interface_index"]`` says which one is played: the
        same task and index have the same interface. It is 0 for a named task, and sampled with a
        sampled task.

        Raises:
            InvalidValueError: if *options* is no mapping, the task is unknown or belongs to
                another tier or split, or the index is no number from 0 on.
        """
        super().reset(seed=self._first_seed(seed))
        task, interface_index = self._choose(options)
        interface = self.interface_of(task.id, interface_index)
        scene = self.world.reset(task)
        shown = EpisodeInterface(interface, self.world, task.id)
        admissible = self.world.admissible()
        self._episode = EpisodeState(
            task=task,
            interface=interface,
            shown=shown,
            goal=shown.render(self.world.goal()),
            turn_limit=self._max_turns or self.world.turn_limit(),
            admissible=admissible,
            actions=shown.write_all(admissible),
            observation=self._space.clip(shown.show(scene, admissible, 0)),
        )
        return self._episode.observation, self._info()

    def step(self, action: str | Malformed) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Take one turn.

        A `Malformed` is a text in which the caller has already seen that it is no action, such as a
        completion with two; it is refused with its reason.

        Raises:
            EpisodeOverError: if the episode has ended or never began.
            InvalidValueError: if *action* is not a text.
        """
        episode = self._episode
        if episode is None or episode.end is not None:
            raise EpisodeOverError(
                "This episode has not begun or is over; call `reset()` before `step()`"
            )
        if not isinstance(action, str | Malformed):
            raise InvalidValueError(f"An action is a text, not {action!r}")
        episode.turn += 1
        try:
            reward = self._play(episode, action)
        except BackendError as error:
            # The only place that catches it: a backend that fails truncates the episode.
            reward = self._break_off(episode, error)
        if episode.end is None and episode.turn >= episode.turn_limit:
            episode.end = EndReason.TURN_LIMIT
        terminated = episode.end in (EndReason.SUCCESS, EndReason.FAILURE)
        truncated = episode.end in (EndReason.TURN_LIMIT, EndReason.BACKEND_ERROR)
        return episode.observation, reward, terminated, truncated, self._info()

    def clone(self) -> Self:
        """Return a copy that goes on as this environment would, for a search over actions.

        The episode and `np_random` are in the same state; neither disturbs the other afterwards.
        ``copy.deepcopy`` does the same, and `pickle` takes the copy to another process.
        """
        return copy.deepcopy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy, for `copy.deepcopy`; see `clone`."""
        if self._episode is not None:  # the world holds the content of the task: nobody changes it
            memo[id(self._episode.task.content)] = self._episode.task.content
        return copy_sharing(self, memo, "interfaces", "task_list", "_spec")

    def render(self) -> str | None:
        """Return the last observation in the ``ansi`` mode."""
        if self.render_mode != "ansi" or self._episode is None:
            return None
        return self._episode.observation

    def close(self) -> None:
        """Release what the world holds; a later `reset` works again."""
        self.world.close()

    @property
    def admissible_actions(self) -> list[str]:
        """The admissible actions, as text."""
        return list(self._current().actions)

    def write(self, command: Command) -> str:
        """Return *command* as the text of an action in the current episode."""
        episode = self._current()
        return episode.shown.write(command, episode.admissible)

    def read(self, text: str) -> Command | Malformed:
        """Return the command that *text* spells in the current episode, or why it spells none."""
        episode = self._current()
        return episode.shown.read(encodable(text), episode.admissible)

    def render_message(self, message: Message | str) -> str:
        """Return a world's *message* as text of the current interface."""
        return self._current().shown.render(message)

    def interface_of(self, task_id: TaskId, index: int = 0) -> Interface:
        """Return the interface of *task_id*; of sampled ones, the one with this *index*."""
        if isinstance(self.interfaces, Interface):
            return self.interfaces
        return self.interfaces.sample(task_id.stream(f"interface {index}"))

    def expert_action(self) -> str | None:
        """Return the expert's next action, or None if it finds no way to the goal."""
        self._current()
        plan = self.world.expert_plan()
        return self.write(plan[0]) if plan else None

    def _play(self, episode: EpisodeState, action: str | Malformed) -> float:
        """Read *action*, carry it out or refuse it, and return the reward."""
        command = self.read(action) if isinstance(action, str) else action
        if isinstance(command, Malformed):
            episode.valid = False
            explains = command is action
            reply = episode.shown.invalid_reply(
                command, episode.admissible, episode.turn, explains=explains
            )
            episode.observation = self._space.clip(reply)
            return self.world.malformed_reward
        return self._carry_out(episode, Command(command.verb, tuple(map(encodable, command.args))))

    def _carry_out(self, episode: EpisodeState, command: Command) -> float:
        outcome = self.world.step(command)
        episode.valid, episode.score, episode.end = outcome.valid, outcome.score, outcome.end
        if outcome.valid:
            episode.allow(self.world.admissible() if outcome.end is None else ())
        answer = episode.shown.answer(outcome, episode.admissible, episode.turn)
        episode.observation = self._space.clip(answer)
        return outcome.reward

    def _break_off(self, episode: EpisodeState, error: BackendError) -> float:
        """End *episode* because the software behind the world has failed."""
        episode.valid, episode.end = False, EndReason.BACKEND_ERROR
        episode.allow(())
        sentence = f"The software behind this world has failed, and the episode is over: {error}"
        episode.observation = self._space.clip(encodable(sentence))
        return 0.0

    def _info(self) -> dict[str, Any]:
        episode = self._current()
        return {
            "task_id": str(episode.task.id),
            "interface": episode.interface_name,
            "goal": episode.goal,
            "admissible_actions": list(episode.actions),
            "valid_action": episode.valid,
            "success": episode.end is EndReason.SUCCESS,
            "score": episode.score,
            "turn": episode.turn,
            "end_reason": None if episode.end is None else str(episode.end),
            **self.world.info(),
        }

    def _first_seed(self, seed: int | None) -> int | None:
        first, self._seed = self._seed, None
        return first if seed is None else seed

    def _choose(self, options: Mapping[str, Any] | None) -> tuple[Task[Any], int]:
        """Return the task to be played, and the index of its interface."""
        if options is not None and not isinstance(options, Mapping):
            raise InvalidValueError(f"`options` is a mapping or None, not {options!r}")
        rest = dict(options or {})
        task_id, index = rest.pop("task_id", None), rest.pop("interface_index", None)
        if rest:
            raise unknown_name("reset option", next(iter(rest)), RESET_OPTIONS)
        if index is not None:
            index = checked_integer("interface_index", index, 0)
        if task_id is not None:
            task = self.world.tasks.find(task_id)
            self._check_belongs(task.id)
            return task, index or 0
        task = self._sample_task()
        if index is None and isinstance(self.interfaces, Randomized):
            index = int(self.np_random.integers(MAX_INTERFACE_INDEX))
        return task, index or 0

    def _sample_task(self) -> Task[Any]:
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

    def _check_belongs(self, task_id: TaskId) -> None:
        if task_id.tier not in self.tiers or task_id.split != self.split:
            raise InvalidValueError(
                f"Task {str(task_id)!r} does not belong to this environment, which plays the "
                f"split {self.split!r} of {', '.join(self.tiers)}; make one with split="
                f"{task_id.split!r} and tier={task_id.tier!r}"
            )

    def _own_tasks(self, tasks: str | Path | Sequence[str]) -> tuple[str, ...]:
        """Return those of *tasks* that belong to this environment, tier and split."""
        ids = list_tasks(tasks)
        env = self.world.tasks.env
        own = [i for i in ids if i.env == env and i.tier in self.tiers and i.split == self.split]
        if not own:
            raise InvalidValueError(
                f"None of the {len(ids)} tasks of `tasks` belongs to the split {self.split!r} of "
                f"{env} ({', '.join(self.tiers)})"
            )
        return tuple(map(str, own))

    def _checked_tiers(self, tier: str | None) -> tuple[str, ...]:
        tiers = self.world.tasks.tiers
        if tier is not None and tier not in tiers:
            raise unknown_name("tier", tier, tiers, "list them with: agentgym-gen envs")
        return tiers if tier is None else (tier,)

    def _checked_split(self, split: str) -> str:
        splits = self.world.tasks.splits
        if split not in splits:
            raise unknown_name("split", split, splits, "list them with: agentgym-gen envs")
        return split

    def _current(self) -> EpisodeState:
        if self._episode is None:
            raise EpisodeOverError("No episode has begun; call `reset()` first")
        return self._episode
