"""Checks of a world, which its author runs.

    check_world("my_package:MyWorld")

Every check is a sentence; the first one that does not hold is raised as a `ContractError` with the
task and the command for which it fails.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import combinations, islice
from typing import Any

from agentgym_gen.env import INFO_KEYS, TextEnv, load_world
from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.interface import PRESETS, Interface
from agentgym_gen.testing.contract import require
from agentgym_gen.testing.interface_checks import (
    NONSENSE,
    check_interface,
    record_expert,
    sample_interfaces,
)
from agentgym_gen.world import (
    Command,
    EndReason,
    Task,
    TaskId,
    Verb,
    World,
    phrase_of,
    write_template,
)

__all__ = [
    "COMPARED_TASKS",
    "COMPOSED_INTERFACES",
    "SAMPLED_INTERFACES",
    "TRIED_STATES",
    "check_world",
]

TRIED_STATES = 4
"""In how many states of the expert's episode every admissible command is carried out."""

COMPARED_TASKS = 200
"""How many tasks of each tier and split are compared with those of the other splits."""

COMPOSED_INTERFACES = ("symbols+renamed+data+explained", "synonyms+call+listed+cluttered")
"""Interfaces that are checked on every task beside the presets."""

SAMPLED_INTERFACES = 2
"""How many more interfaces are sampled for each task."""


def check_world(
    world: str,
    *,
    tasks_per_split: int = 3,
    options: Mapping[str, object] | None = None,
    splits: Collection[str] | None = None,
    compared_tasks: int = COMPARED_TASKS,
) -> None:
    """Play a few tasks of every tier and split of *world* and check its contract.

    Args:
        world: ``"module:class"`` of the world.
        tasks_per_split: How many tasks of each tier and split are played.
        options: The world's own keyword arguments.
        splits: The splits whose tasks are played; None plays those of all.
        compared_tasks: How many tasks of each tier and split are made, to compare their contents.

    Raises:
        ContractError: if a check fails.
        InvalidValueError: if no task would be played.
        UnknownNameError: if the world has no such split.
    """
    if tasks_per_split < 1:
        raise InvalidValueError(f"`tasks_per_split` is at least 1, not {tasks_per_split!r}")
    keywords = dict(options or {})
    _check_names(load_world(world, keywords), splits)
    _check_verbs(load_world(world, keywords))
    _check_splits(load_world(world, keywords), max(tasks_per_split, compared_tasks))
    for task in _sample_tasks(load_world(world, keywords), tasks_per_split):
        if splits is not None and task.id.split not in splits:
            continue
        _check_reset(task, load_world(world, keywords))
        _check_expert(task, load_world(world, keywords))
        _check_admissible(task, load_world(world, keywords))
        _check_nonsense(task, world, keywords)
        _check_interfaces(task, world, keywords)


def _check_names(world: World[Any], splits: Collection[str] | None) -> None:
    if splits is not None and not splits:
        raise InvalidValueError("`splits` names one split or more, or is None for all")
    for split in splits or ():
        if split not in world.tasks.splits:
            raise unknown_name("split", split, world.tasks.splits)


def _sample_tasks(world: World[Any], number: int) -> Iterator[Task[Any]]:
    tasks = world.tasks
    for tier in tasks.tiers:
        for split in tasks.splits:
            size = tasks.size(tier, split)
            require(size > 0, "Every tier and split has a task", f"{tier}, {split}")
            count = min(number, size)
            for part in range(count):
                index = part * size // count
                task = tasks.make(tier, split, index)
                named = tasks.task_id(tier, split, index)
                require(named == task.id, "`task_id` names the task that `make` makes", task.id)
                yield task


def _check_verbs(world: World[Any]) -> None:
    names = [verb.name for verb in world.verbs]
    require(len(set(names)) == len(names), "Every verb has a name of its own", names)
    for first, second in combinations(world.verbs, 2):
        shared = _phrases(first) & _phrases(second)
        require(not shared, "No two verbs share a phrase, synonyms included", shared)
    for verb in world.verbs:
        require(bool(verb.name.isidentifier()), "A verb's name is an identifier", verb.name)
        synonyms = {phrase_of(template).lower() for template in verb.synonyms}
        native = phrase_of(verb.template).lower()
        require(native not in synonyms, "A synonym is not the native phrase", verb.name)


def _phrases(verb: Verb) -> set[str]:
    """Return the phrases of *verb*, its synonyms included, in lower case."""
    return {phrase_of(template).lower() for template in (verb.template, *verb.synonyms)}


def _check_splits(world: World[Any], number: int) -> None:
    first_ids: dict[str, TaskId] = {}
    for task in _sample_tasks(world, number):
        first = first_ids.setdefault(task.fingerprint, task.id)
        both = f"{first} and {task.id}"
        require(first.split == task.id.split, "Splits share no content", both)


def _check_reset(task: Task[Any], world: World[Any]) -> None:
    copy = world.tasks.find(str(task.id))
    require(copy == task, "A task id always finds the same task", task.id)
    first = world.reset(task), world.admissible()
    require(bool(first[1]), "Something is admissible at the start", task.id)
    world.step(world.admissible()[0])
    second = world.reset(copy), world.admissible()
    require(first == second, "Resetting to a task always shows the same", task.id)


def _check_expert(task: Task[Any], world: World[Any]) -> None:
    world.reset(task)
    limit, end, score = world.turn_limit(), None, 0.0
    for _ in range(limit):
        plan = world.expert_plan()
        require(bool(plan), "There is a plan from every state of the expert's path", task.id)
        command = plan[0] if plan else Command("")
        _check_known(command, world)
        require(world.allows(command), "The expert's command is admissible", (task.id, command))
        require(_reads_back(world, command), "A command reads back from its native text", command)
        outcome = world.step(command)
        require(outcome.valid, "The expert's command is valid", (task.id, command))
        require(0.0 <= outcome.score <= 1.0, "A score is 0 to 1", (task.id, outcome.score))
        end, score = outcome.end, outcome.score
        if end is not None:
            break
    require(end is EndReason.SUCCESS, "The expert wins within the turn limit", task.id)
    require(score == 1.0, "Success has the score 1", (task.id, score))


def _check_known(command: Command, world: World[Any]) -> None:
    names = {verb.name for verb in world.verbs}
    require(command.verb in names, "The verb of a command is one of the world's", command)


def _reads_back(world: World[Any], command: Command) -> bool:
    template = next(verb.template for verb in world.verbs if verb.name == command.verb)
    return world.read(write_template(template, command.args)) == command


def _check_admissible(task: Task[Any], world: World[Any]) -> None:
    world.reset(task)
    path = world.expert_plan() or ()
    for length in islice(range(len(path)), TRIED_STATES):
        world.reset(task)
        _carry_out(world, path[:length])
        for command in world.admissible():
            world.reset(task)
            _carry_out(world, path[:length])
            _check_known(command, world)
            outcome = world.step(command)
            where = (task.id, command)
            require(outcome.valid, "Every admissible command is valid", where)
            won = outcome.end is EndReason.SUCCESS
            require((outcome.score == 1.0) == won, "The score is 1 exactly on success", where)


def _carry_out(world: World[Any], path: tuple[Command, ...]) -> None:
    for command in path:
        world.step(command)


def _check_nonsense(task: Task[Any], world: str, options: dict[str, object]) -> None:
    env = _env(task, world, options, "native")
    env.reset(options={"task_id": str(task.id)})
    before = env.world.expert_plan(), env.admissible_actions
    for text in NONSENSE[: env.turn_limit - 1]:
        observation, _, terminated, _, info = env.step(text)
        where = (task.id, text[:40])
        require(not info["valid_action"], "Nonsense is not a valid action", where)
        require(not terminated, "Nonsense does not end an episode", where)
        require(set(INFO_KEYS) <= set(info), "`info` has all its keys", where)
        require(observation in env.observation_space, "An observation fits its space", where)
    after = env.world.expert_plan(), env.admissible_actions
    require(before == after, "Nonsense leaves the state unchanged", task.id)


def _check_interfaces(task: Task[Any], world: str, options: dict[str, object]) -> None:
    expert = record_expert(_env(task, world, options, "native"), str(task.id))
    # The key of the stream stays, so that the same interfaces are checked.
    sampled = sample_interfaces(SAMPLED_INTERFACES, task.id.stream("laws"))
    for interface in (*map(Interface.parse, PRESETS), *sampled):
        check_interface(_env(task, world, options, interface), expert)
    for name in COMPOSED_INTERFACES:
        check_interface(_env(task, world, options, name), expert, thorough=True)


def _env(
    task: Task[Any], world: str, options: dict[str, object], interface: Interface | str
) -> TextEnv:
    tier, split = task.id.tier, task.id.split
    return TextEnv(world, tier=tier, split=split, interface=interface, **options)  # type: ignore[arg-type]  # the world's own keywords
