"""Descriptors and measured distances as rows of tables, for `agentgym-gen envs --describe`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from agentgym_gen.distance import Heard, distance, listen
from agentgym_gen.errors import MissingExtraError
from agentgym_gen.interface import PRESETS
from agentgym_gen.registration import ENVIRONMENTS, Registered

Row = tuple[str, ...]


def descriptors(environments: list[Registered], number: int) -> list[Row]:
    """Return how much there is to read and to do in each tier, over *number* training tasks."""
    rows: list[Row] = [
        ("environment", "tier", "seen chars", "said chars", "admissible", "expert turns", "listed")
    ]
    for environment in environments:
        for tier in environment.tiers:
            heard = listen(_id(environment, tier), number=number)
            figures = (heard.observation_chars, heard.action_chars, heard.admissible)
            turns = f"{heard.expert_turns:.1f}"
            told = (*(f"{figure:.1f}" for figure in figures), turns, f"{heard.listed:.0%}")
            rows.append((environment.name, tier, *told))
    return rows


def between_environments(environments: list[Registered], number: int) -> list[Row]:
    """Return how far every two environments are apart, natively, in every part."""
    heard = {one.name: listen(_id(one), number=number) for one in environments}
    rows: list[Row] = [("one", "other", "observations", "actions", "syntax", "listing", "mean")]
    for one, other in combinations(heard, 2):
        apart = distance(heard[one], heard[other])
        figures = (*apart.parts().values(), apart.mean)
        rows.append((one, other, *(f"{figure:.2f}" for figure in figures)))
    return rows


def between_interfaces(environments: list[Registered], number: int) -> list[Row]:
    """Return how far every preset is from the native interface: the mean of the parts."""
    native = [listen(_id(one), number=number) for one in environments]
    rows: list[Row] = [("interface", *(one.name for one in environments))]
    for preset in PRESETS:
        cells = map(_mean, native, environments, [preset] * len(native), [number] * len(native))
        rows.append((preset, *cells))
    return rows


def installed() -> tuple[list[Registered], list[str]]:
    """Return the environments that can be made, and the names of the others."""
    found: list[Registered] = []
    missing: list[str] = []
    for environment in ENVIRONMENTS.values():
        try:
            listen(_id(environment), number=1)
            found.append(environment)
        except MissingExtraError:
            missing.append(environment.name)
    return found, missing


def tables(environments: list[Registered], number: int) -> Iterator[tuple[str, list[Row]]]:
    """Yield a heading and a table, one after the other, because each takes a while."""
    yield f"Experts on {number} training tasks", descriptors(environments, number)
    yield "Distance between environments", between_environments(environments, number)
    yield "Mean distance from the native interface", between_interfaces(environments, number)


def _mean(native: Heard, environment: Registered, preset: str, number: int) -> str:
    heard = listen(_id(environment), number=number, options={"interface": preset})
    return f"{distance(native, heard).mean:.2f}"


def _id(environment: Registered, tier: str = "") -> str:
    parts = "-".join(filter(None, (environment.name, tier)))
    return f"rftgen/{parts}-v{environment.version}"
