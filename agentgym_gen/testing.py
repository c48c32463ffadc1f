"""The contract of a world, as a check that its author runs.

    check_world("my_package:MyWorld")

Every law is a sentence; the first one that does not hold is raised as a `ContractError` with the
task and the command that broke it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations, islice
from typing import Any

from agentgym_gen.contract import ContractError, check_env, check_leaks
from agentgym_gen.env import INFO_KEYS, TextEnv, load_world
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.interface import PRESETS, Interface
from agentgym_gen.task import Task
from agentgym_gen.world import Command, EndReason, World, phrase_of, write_template

NONSENSE = (
    "",
    " ",
    "\n\n\t",
    "xyzzy frobnicate",
    "1",
    "-1",
    "{}",
    "[" * 500,
    "\x00\x1b[2J\x7f",
    "\ud83d\ude00 \U0001f600 é 漢字",
    "%s {0} \\ $(reboot) ; --",
    "a" * 100_000,
)
"""Texts that mean nothing in any world: the state must survive them."""

LISTED_STATES = 4
"""In how many states of an episode every admissible command is tried."""


def check_world(
    world: str, *, tasks_per_split: int = 3, options: Mapping[str, object] | None = None
) -> None:
    """Play a few tasks of every tier and split of *world* and check every law.

    Args:
        world: ``"module:class"`` of the world.
        tasks_per_split: How many tasks of each tier and split are played.
        options: The world's own keyword arguments.

    Raises:
        ContractError: if a law does not hold.
        InvalidValueError: if no task would be played.
    """
    if tasks_per_split < 1:
        raise InvalidValueError(f"`tasks_per_split` is at least 1, not {tasks_per_split!r}")
    keywords = dict(options or {})
    _check_schema(load_world(world, keywords))
    _check_splits(load_world(world, keywords), tasks_per_split)
    for task in _sample(load_world(world, keywords), tasks_per_split):
        _check_same(task, load_world(world, keywords))
        _check_expert(task, load_world(world, keywords))
        _check_admissible(task, load_world(world, keywords))
        _check_nonsense(task, world, keywords)
        _check_interfaces(task, world, keywords)


def _law(holds: bool, sentence: str, where: object) -> None:
    if not holds:
        raise ContractError(f"{sentence} ({where})")


def _sample(world: World[Any], number: int) -> Iterator[Task[Any]]:
    tasks = world.tasks
    for tier in tasks.tiers:
        for split in tasks.splits:
            size = tasks.size(tier, split)
            for part in range(min(number, size)):
                yield tasks.make(tier, split, part * size // number)


def _check_schema(world: World[Any]) -> None:
    names = [verb.name for verb in world.verbs]
    _law(len(set(names)) == len(names), "Every verb has a name of its own", names)
    for one, other in combinations(world.verbs, 2):
        mine = {phrase_of(t).lower() for t in (one.template, *one.synonyms)}
        others = {phrase_of(t).lower() for t in (other.template, *other.synonyms)}
        shared = mine & others
        _law(not shared, "No two verbs share a phrase, synonyms included", shared)
    for verb in world.verbs:
        _law(bool(verb.name.isidentifier()), "A verb's name is an identifier", verb.name)
        phrases = {phrase_of(template).lower() for template in verb.synonyms}
        native = phrase_of(verb.template).lower()
        _law(native not in phrases, "A synonym is not the native phrase", verb.name)


def _check_splits(world: World[Any], number: int) -> None:
    seen: dict[str, str] = {}
    for task in _sample(world, number):
        where = f"{task.id.tier} {task.id.split}"
        other = seen.setdefault(task.fingerprint, where)
        _law(other.split()[1] == task.id.split, "Splits share no content", (other, where))


def _check_same(task: Task[Any], world: World[Any]) -> None:
    again = world.tasks.find(str(task.id))
    _law(again == task, "A task id always finds the same task", task.id)
    first = world.reset(task), world.admissible()
    world.step(world.admissible()[0])
    second = world.reset(again), world.admissible()
    _law(first == second, "Resetting to a task always shows the same", task.id)


def _check_expert(task: Task[Any], world: World[Any]) -> None:
    world.reset(task)
    limit, end, score = world.turn_limit(), None, 0.0
    for _ in range(limit):
        plan = world.plan()
        _law(bool(plan), "There is a plan from every state of the expert's path", task.id)
        command = plan[0] if plan else Command("")
        _law(world.allows(command), "The expert's command is admissible", (task.id, command))
        _law(_reads_back(world, command), "A command reads back from its native text", command)
        outcome = world.step(command)
        _law(outcome.valid, "The expert's command is valid", (task.id, command))
        _law(0.0 <= outcome.score <= 1.0, "A score is 0 to 1", (task.id, outcome.score))
        end, score = outcome.end, outcome.score
        if end is not None:
            break
    _law(end is EndReason.SUCCESS, "The expert wins within the turn limit", task.id)
    _law(score == 1.0, "Success has the score 1", (task.id, score))


def _reads_back(world: World[Any], command: Command) -> bool:
    template = next(verb.template for verb in world.verbs if verb.name == command.verb)
    return world.read(write_template(template, command.args)) == command


def _check_admissible(task: Task[Any], world: World[Any]) -> None:
    world.reset(task)
    path = world.plan() or ()
    for length in islice(range(len(path)), LISTED_STATES):
        world.reset(task)
        _walk(world, path[:length])
        for command in world.admissible():
            world.reset(task)
            _walk(world, path[:length])
            outcome = world.step(command)
            where = (task.id, command)
            _law(outcome.valid, "Every admissible command is valid", where)
            won = outcome.end is EndReason.SUCCESS
            _law((outcome.score == 1.0) == won, "The score is 1 exactly on success", where)


def _walk(world: World[Any], path: tuple[Command, ...]) -> None:
    for command in path:
        world.step(command)


def _check_nonsense(task: Task[Any], world: str, options: dict[str, object]) -> None:
    env = _env(task, world, options, "native")
    env.reset(options={"task_id": str(task.id)})
    before = env.world.plan(), env.admissible_actions
    for text in NONSENSE[: env.turn_limit - 1]:
        observation, _, terminated, _, info = env.step(text)
        where = (task.id, text[:40])
        _law(not info["valid_action"], "Nonsense is not a valid action", where)
        _law(not terminated, "Nonsense does not end an episode", where)
        _law(set(INFO_KEYS) <= set(info), "`info` has all its keys", where)
        _law(observation in env.observation_space, "An observation fits its space", where)
    after = env.world.plan(), env.admissible_actions
    _law(before == after, "Nonsense leaves the state unchanged", task.id)


def _check_interfaces(task: Task[Any], world: str, options: dict[str, object]) -> None:
    native = _expert_path(task, world, options, "native")
    for preset in PRESETS:
        path = _expert_path(task, world, options, preset)
        same = path == native
        _law(same, "The expert's episode is the same through any interface", (task.id, preset))
    for interface in ("synonyms", "symbols", "symbols+data+explained"):
        _check_leaks(task, world, options, interface)


def _expert_path(
    task: Task[Any], world: str, options: dict[str, object], interface: str
) -> list[tuple[Command, float, bool]]:
    env = _env(task, world, options, interface)
    env.reset(options={"task_id": str(task.id)})
    path: list[tuple[Command, float, bool]] = []
    over = False
    while not over:
        plan = env.world.plan()
        action = env.expert_action()
        if not plan or action is None:
            break
        observation, reward, over, truncated, info = env.step(action)
        where = (task.id, interface, action)
        _law(info["valid_action"], "The expert is understood through any interface", where)
        _law(observation in env.observation_space, "An observation fits its space", where)
        path.append((plan[0], float(reward), over))
        over = over or truncated
    return path


def _check_leaks(task: Task[Any], world: str, options: dict[str, object], interface: str) -> None:
    env = _env(task, world, options, interface)
    seen = [*_said_to_expert(env, task), *_said_to_beginner(env, task)]
    for verb in env.world.verbs:
        native = phrase_of(verb.template)
        word = re.compile(rf"(?<!\w){re.escape(native)}(?!\w)", re.IGNORECASE)
        leak = next((text for text in seen if word.search(text)), None)
        _law(leak is None, "No native verb leaks through a renamed wording", (native, leak))


def _said_to_expert(env: TextEnv, task: Task[Any]) -> Iterator[str]:
    """Yield all that is said in an episode of the expert."""
    observation, info = env.reset(options={"task_id": str(task.id)})
    yield from (env.instruction, observation, str(info["goal"]), *info["admissible_actions"])
    while action := env.expert_action():
        observation, _, terminated, truncated, info = env.step(action)
        yield from (observation, *info["admissible_actions"])
        if terminated or truncated:
            break


def _said_to_beginner(env: TextEnv, task: Task[Any]) -> Iterator[str]:
    """Yield the answers to all that can be done first, and to what cannot be done."""
    env.reset(options={"task_id": str(task.id)})
    usages = [env.write(verb.usage) for verb in env.world.verbs]
    for action in (*env.admissible_actions, *usages, "xyzzy frobnicate"):
        env.reset(options={"task_id": str(task.id)})
        observation, *_, info = env.step(action)
        yield from (observation, *info["admissible_actions"])


def _env(
    task: Task[Any], world: str, options: dict[str, object], interface: Interface | str
) -> TextEnv:
    place = task.id
    return TextEnv(world, tier=place.tier, split=place.split, interface=interface, **options)  # type: ignore[arg-type]  # the world's own keywords


__all__ = ["NONSENSE", "ContractError", "check_env", "check_leaks", "check_world"]
