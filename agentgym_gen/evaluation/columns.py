"""What is played: environment ids or patterns, times interfaces, with a sample of tasks each."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env, sample_task_ids
from agentgym_gen.env.registration import ENVIRONMENTS, HOW_TO_LIST, check_env_id, env_ids
from agentgym_gen.errors import InvalidValueError, MissingExtraError, unknown_name
from agentgym_gen.evaluation.results import Column
from agentgym_gen.ids import TIERS, EnvId
from agentgym_gen.interface import parse_interface
from agentgym_gen.seeding import stream

__all__ = ["Selection", "expand_patterns", "merge_columns", "select_columns"]


@dataclass(frozen=True)
class Selection:
    """What is played, and what is left out."""

    columns: tuple[Column, ...]
    """The environments and interfaces, with their tasks."""
    left_out: tuple[str, ...] = ()
    """The environment ids that are not played, because an extra is not installed."""


def select_columns(
    patterns: Sequence[str],
    *,
    interfaces: Sequence[str] = (),
    split: str = "test",
    tasks: int = 100,
    samples: int = 1,
    seed: int = 0,
) -> Selection:
    """Return what *patterns* and *interfaces* mean.

    The tasks of an environment are the same through every interface, and more tasks of the same
    seed begin with fewer.

    Args:
        patterns: Environment ids, or patterns of them such as ``rftgen/*-easy-v0``.
        interfaces: The interfaces that each is played through; none takes that of each id.
        split: The split of the tasks.
        tasks: How many tasks of each id; an id that has fewer is played whole.
        samples: How often each task is played.
        seed: The root of the choice of tasks.

    Raises:
        UnknownNameError: if an id, a pattern, an interface or the split means nothing.
        InvalidValueError: if a number is below 1, or an interface is named for an id that has one.
        MissingExtraError: if the extra of an environment that was named by its id is absent.
    """
    if tasks < 1 or samples < 1:
        raise InvalidValueError(
            f"`tasks` and `samples` are 1 or more, not {tasks!r} and {samples!r}"
        )
    columns: dict[str, Column] = {}
    left_out: list[str] = []
    for env_id, exact in expand_patterns(patterns):
        try:
            env = make_text_env(env_id, split)
        except MissingExtraError:
            if exact:
                raise
            left_out.append(env_id)
            continue
        task_ids = _sample(env, env_id, split, tasks, seed)
        for interface in _interfaces_of(env_id, env, interfaces):
            column = Column(_plain(env_id), interface, task_ids, samples)
            columns.setdefault(column.name, column)
        env.close()
    return Selection(_sorted(columns.values()), tuple(left_out))


def expand_patterns(patterns: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield the ids that *patterns* mean, each once, and whether it was named as such.

    Raises:
        UnknownNameError: if an id is not registered, or nothing matches a pattern.
        InvalidValueError: if there is no pattern.
    """
    if isinstance(patterns, str) or not patterns:
        raise InvalidValueError(f"Name environments, such as 'rftgen/*-easy-v0', not {patterns!r}")
    yielded: set[str] = set()
    for pattern in patterns:
        # a question mark is a wildcard, unless options such as `?max_turns=5` follow it
        plain, *options = re.split(r"(?=\?\w+=)", pattern, maxsplit=1)
        exact = not set(plain) & set("*[?")
        matches = [plain] if exact else _matches(plain)
        matches = [check_env_id("".join((env_id, *options))) for env_id in matches]
        if not matches:
            tiers = [f"rftgen/*-{tier}-v0" for tier in TIERS]
            environments = [f"rftgen/{name}-*-v0" for name in ENVIRONMENTS]
            accepted = [*tiers, *environments]
            raise unknown_name("pattern of environment ids", pattern, accepted, HOW_TO_LIST)
        for env_id in matches:
            if env_id not in yielded:
                yielded.add(env_id)
                yield env_id, exact


def _matches(pattern: str) -> list[str]:
    """Return the ids that match *pattern*: of single tiers and native, or if none does, any."""
    ids = env_ids()
    plain = [i for i in ids if (parts := EnvId.parse(i)).tier and not parts.interface]
    return fnmatch.filter(plain, pattern) or fnmatch.filter(ids, pattern)


def merge_columns(old: Sequence[Column], new: Sequence[Column]) -> tuple[Column, ...]:
    """Return what is played when *new* extends *old*: all tasks and samples of both."""
    merged = {column.name: column for column in old}
    for column in new:
        before = merged.get(column.name, column)
        longer, shorter = sorted((before.task_ids, column.task_ids), key=len, reverse=True)
        task_ids = tuple(dict.fromkeys((*longer, *shorter)))
        samples = max(before.samples, column.samples)
        merged[column.name] = Column(column.env_id, column.interface, task_ids, samples)
    return _sorted(merged.values())


def _sorted(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return *columns* in the order of the table of ids, whichever were named first."""
    places = {env_id: place for place, env_id in enumerate(env_ids())}

    def place(column: Column) -> tuple[int, bool, str]:
        plain = EnvId.parse(column.env_id).plain
        return places.get(plain, len(places)), column.interface != "native", column.name

    return tuple(sorted(columns, key=place))


def _sample(env: TextEnv, env_id: str, split: str, number: int, seed: int) -> tuple[str, ...]:
    rng = stream("eval tasks", env.world.tasks.env, *env.tiers, split, entropy=seed)
    bare = str(EnvId.parse(env_id).replace(interface=""))
    number = min(number, max(1, _useful_number(env, split)))
    # where a tier has too few tasks, the sample repeats some
    return tuple(dict.fromkeys(sample_task_ids(bare, split, number, rng)))


def _useful_number(env: TextEnv, split: str) -> int:
    """Return how large a sample has every task of *env*: the tiers take turns in it."""
    if env.task_list is not None:
        return len(env.task_list)
    return len(env.tiers) * max(env.world.tasks.size(tier, split) for tier in env.tiers)


def _interfaces_of(env_id: str, env: TextEnv, interfaces: Sequence[str]) -> list[str]:
    own = str(env.interfaces)
    if not interfaces:
        return [own]
    parsed = EnvId.parse(env_id)
    if parsed.interface or "interface" in dict(parsed.query):
        raise InvalidValueError(
            f"{env_id!r} has an interface; leave it out of the id, or the option `interfaces`"
        )
    return list(dict.fromkeys(str(parse_interface(text)) for text in interfaces))


def _plain(env_id: str) -> str:
    """Return *env_id* without its interface, but with its list of tasks."""
    parsed = EnvId.parse(env_id)
    query = tuple(pair for pair in parsed.query if pair[0] != "interface")
    return str(parsed.replace(interface="", query=query))
