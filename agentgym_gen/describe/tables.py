"""Descriptors and measured distances as rows of tables, for `agentgym-gen envs --describe`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from agentgym_gen.describe.distance import Heard, distance, listen
from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import ENVIRONMENTS, Registered
from agentgym_gen.errors import MissingExtraError
from agentgym_gen.interface import PRESETS

Row = tuple[str, ...]


def descriptors(environments: list[Registered], number: int) -> list[Row]:
    """Return how much there is to read and to do in each tier, over *number* training tasks."""
    rows: list[Row] = [
        ("environment", "tier", "seen chars", "said chars", "admissible", "expert turns", "listed")
    ]
    for environment in environments:
        for tier in environment.tiers:
            heard = _listened(environment, number, tier)
            figures = (heard.observation_chars, heard.action_chars, heard.admissible)
            turns = f"{heard.expert_turns:.1f}"
            told = (*(f"{figure:.1f}" for figure in figures), turns, f"{heard.listed:.0%}")
            rows.append((environment.name, tier, *told))
    return rows


def between_environments(heard: Mapping[str, Heard]) -> list[Row]:
    """Return how far every two environments are apart in every part, by what is *heard* in each."""
    rows: list[Row] = [("one", "other", "observations", "actions", "syntax", "listing", "mean")]
    for one, other in combinations(heard, 2):
        apart = distance(heard[one], heard[other])
        figures = (*apart.parts().values(), apart.mean)
        rows.append((one, other, *(f"{figure:.2f}" for figure in figures)))
    return rows


def between_interfaces(
    environments: list[Registered], native: Mapping[str, Heard], number: int
) -> list[Row]:
    """Return how far every preset is from the *native* interface: the mean of the parts."""
    rows: list[Row] = [("interface", *(one.name for one in environments))]
    for preset in PRESETS:
        means = [
            distance(native[one.name], _listened(one, number, interface=preset)).mean
            for one in environments
        ]
        rows.append((preset, *(f"{mean:.2f}" for mean in means)))
    return rows


def installed() -> tuple[list[Registered], list[str]]:
    """Return the environments that can be made, and the names of the others."""
    found: list[Registered] = []
    missing: list[str] = []
    for environment in ENVIRONMENTS.values():
        try:
            make_text_env(_id(environment), "train", environment.test_kwargs).close()
            found.append(environment)
        except MissingExtraError:
            missing.append(environment.name)
    return found, missing


def tables(environments: list[Registered], number: int) -> Iterator[tuple[str, list[Row]]]:
    """Yield a heading and a table, one after the other, because each takes a while."""
    fewer = [one.name for one in environments if tasks_played(one, number) < number]
    but = f" (fewer of {', '.join(fewer)}, where making one takes seconds)" if fewer else ""
    tasks = f"{number} training task{'s' * (number > 1)}"
    yield f"Experts on {tasks}{but}", descriptors(environments, number)
    native = {one.name: _listened(one, number) for one in environments}
    yield "Distance between environments", between_environments(native)
    told = between_interfaces(environments, native, number)
    yield "Mean distance from the native interface", told


def _listened(
    environment: Registered, number: int, tier: str = "", interface: str = "native"
) -> Heard:
    options = {"interface": interface, **environment.test_kwargs}
    number = tasks_played(environment, number)
    return listen(_id(environment, tier), number=number, options=options)


def tasks_played(environment: Registered, number: int) -> int:
    """Return how many tasks are played of *number* that are asked for."""
    return min(number, environment.slow_tasks or number)


def _id(environment: Registered, tier: str = "") -> str:
    parts = "-".join(filter(None, (environment.name, tier)))
    return f"rftgen/{parts}-v{environment.version}"
