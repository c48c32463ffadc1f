"""Descriptors and measured distances as tables, for ``agentgym-gen envs --describe``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, count

from agentgym_gen.describe.distance import ExpertProfile, distance, profile
from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import ENVIRONMENTS, Registered
from agentgym_gen.errors import AgentGymGenError, MissingExtraError
from agentgym_gen.interface import PRESETS

TableRow = tuple[str, ...]
"""The cells of a row; the first row of a table is its head."""

Progress = Callable[[int, int], object]
"""Called with how many profiles are measured, and of how many."""


def descriptors(
    environments: list[Registered], number: int, measured: Callable[[], object] = int
) -> list[TableRow]:
    """Return how much there is to read and to do in each tier, over *number* training tasks.

    *measured* is called after each of them.
    """
    rows: list[TableRow] = [
        ("environment", "tier", "seen chars", "said chars", "admissible", "expert turns", "listed")
    ]
    for environment in environments:
        for tier in environment.tiers:
            expert = _profile(environment, number, tier)
            means = (expert.observation_chars, expert.action_chars, expert.admissible)
            cells = (*(f"{mean:.1f}" for mean in means), f"{expert.expert_turns:.1f}")
            rows.append((environment.name, tier, *cells, f"{expert.listed_share:.0%}"))
            measured()
    return rows


def between_environments(profiles: Mapping[str, ExpertProfile]) -> list[TableRow]:
    """Return every part of the distance between every two environments, by their *profiles*."""
    parts = ("observations", "actions", "syntax", "listing", "mean")
    rows: list[TableRow] = [("one", "other", *parts)]
    for first, second in combinations(profiles, 2):
        between = distance(profiles[first], profiles[second])
        figures = (*between.parts().values(), between.mean)
        rows.append((first, second, *(f"{figure:.2f}" for figure in figures)))
    return rows


def between_interfaces(
    environments: list[Registered],
    native: Mapping[str, ExpertProfile],
    number: int,
    measured: Callable[[], object] = int,
) -> list[TableRow]:
    """Return the mean distance of every preset from the *native* profile of each environment.

    *measured* is called after each of them.
    """
    rows: list[TableRow] = [("interface", *(environment.name for environment in environments))]
    for preset in PRESETS:
        means: list[float] = []
        for environment in environments:
            other = _profile(environment, number, interface=preset)
            means.append(distance(native[environment.name], other).mean)
            measured()
        rows.append((preset, *(f"{mean:.2f}" for mean in means)))
    return rows


def find_installed() -> tuple[list[Registered], list[str], dict[str, str]]:
    """Return the environments that can be made, and the names of those that need an extra.

    The third are the names of those that cannot be made at all, with the reasons.
    """
    installed: list[Registered] = []
    missing: list[str] = []
    broken: dict[str, str] = {}
    for environment in ENVIRONMENTS.values():
        try:
            make_text_env(environment.id(), "train", environment.test_kwargs).close()
            installed.append(environment)
        except MissingExtraError:
            missing.append(environment.name)
        except AgentGymGenError as error:
            broken[environment.name] = str(error)
    return installed, missing, broken


def description_tables(
    environments: list[Registered], number: int, progress: Progress | None = None
) -> Iterator[tuple[str, list[TableRow]]]:
    """Yield heading and rows of each table, one after the other, because each takes a while.

    Args:
        environments: What is described.
        number: How many training tasks the experts play.
        progress: Called as each profile is measured.
    """
    tiers = sum(len(environment.tiers) for environment in environments)
    total = tiers + len(environments) * (1 + len(PRESETS))
    done = count()

    def measured() -> None:
        if progress is not None:
            progress(next(done), total)

    measured()

    slow = [
        environment.name
        for environment in environments
        if tasks_played(environment, number) < number
    ]
    exception = f" (fewer of {', '.join(slow)}, where making one takes seconds)" if slow else ""
    tasks = f"{number} training task{'s' * (number > 1)}"
    yield f"Experts on {tasks}{exception}", descriptors(environments, number, measured)
    native: dict[str, ExpertProfile] = {}
    for environment in environments:
        native[environment.name] = _profile(environment, number)
        measured()
    yield "Distance between environments", between_environments(native)
    rows = between_interfaces(environments, native, number, measured)
    yield "Mean distance from the native interface", rows


def _profile(
    environment: Registered, number: int, tier: str = "", interface: str = "native"
) -> ExpertProfile:
    options = {"interface": interface, **environment.test_kwargs}
    tasks = tasks_played(environment, number)
    return profile(environment.id(tier), tasks=tasks, options=options)


def tasks_played(environment: Registered, number: int) -> int:
    """Return how many tasks of *environment* are played when *number* tasks are requested.

    There are fewer where a task takes seconds to make.
    """
    return min(number, environment.slow_tasks or number)
