"""Descriptors and measured distances as tables, for ``agentgym-gen envs --describe``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from agentgym_gen.describe.distance import ExpertProfile, distance, profile
from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import ENVIRONMENTS, Registered
from agentgym_gen.errors import MissingExtraError
from agentgym_gen.interface import PRESETS

TableRow = tuple[str, ...]
"""The cells of a row; the first row of a table is its head."""


def descriptors(environments: list[Registered], number: int) -> list[TableRow]:
    """Return how much there is to read and to do in each tier, over *number* training tasks."""
    rows: list[TableRow] = [
        ("environment", "tier", "seen chars", "said chars", "admissible", "expert turns", "listed")
    ]
    for environment in environments:
        for tier in environment.tiers:
            expert = _profile(environment, number, tier)
            means = (expert.observation_chars, expert.action_chars, expert.admissible)
            cells = (*(f"{mean:.1f}" for mean in means), f"{expert.expert_turns:.1f}")
            rows.append((environment.name, tier, *cells, f"{expert.listed_share:.0%}"))
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
    environments: list[Registered], native: Mapping[str, ExpertProfile], number: int
) -> list[TableRow]:
    """Return the mean distance of every preset from the *native* profile of each environment."""
    rows: list[TableRow] = [("interface", *(environment.name for environment in environments))]
    for preset in PRESETS:
        means = [
            distance(native[environment.name], _profile(environment, number, interface=preset)).mean
            for environment in environments
        ]
        rows.append((preset, *(f"{mean:.2f}" for mean in means)))
    return rows


def find_installed() -> tuple[list[Registered], list[str]]:
    """Return the environments that can be made, and the names of those that need an extra."""
    installed: list[Registered] = []
    missing: list[str] = []
    for environment in ENVIRONMENTS.values():
        try:
            make_text_env(environment.id(), "train", environment.test_kwargs).close()
            installed.append(environment)
        except MissingExtraError:
            missing.append(environment.name)
    return installed, missing


def description_tables(
    environments: list[Registered], number: int
) -> Iterator[tuple[str, list[TableRow]]]:
    """Yield heading and rows of each table, one after the other, because each takes a while."""
    slow = [
        environment.name
        for environment in environments
        if tasks_played(environment, number) < number
    ]
    exception = f" (fewer of {', '.join(slow)}, where making one takes seconds)" if slow else ""
    tasks = f"{number} training task{'s' * (number > 1)}"
    yield f"Experts on {tasks}{exception}", descriptors(environments, number)
    native = {environment.name: _profile(environment, number) for environment in environments}
    yield "Distance between environments", between_environments(native)
    rows = between_interfaces(environments, native, number)
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
