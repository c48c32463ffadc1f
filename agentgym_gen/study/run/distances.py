"""Measures how far interfaces are apart, once for a study; the report is made from its file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from agentgym_gen.describe.distance import ExpertProfile, distance, profile
from agentgym_gen.errors import DataError, DiskFullError
from agentgym_gen.study.analysis.descriptors import held_out_cells
from agentgym_gen.study.plan.plan import Plan
from agentgym_gen.study.results.distances import DISTANCES, read_distances, write_distances
from agentgym_gen.study.run.schedule import Log


def measure_distances(plan: Plan, out: Path, log: Log) -> None:
    """Write the distances that the report of *plan* needs into *out*, unless they are there.

    For each held-out cell with another interface than the trained one, the expert plays training
    tasks of the column through both. An error is printed: the report does without the distances.

    Raises:
        DiskFullError: if the disk is full.
    """
    pairs = dict.fromkeys(filter(None, (cell.interfaces for cell in held_out_cells(plan.arms))))
    if not pairs or _are_measured(out):
        return
    cached = lru_cache(maxsize=None)(_profile)
    try:
        distances = {
            (column, interface): distance(cached(column), cached(column, interface)).mean
            for column, interface in pairs
        }
        write_distances(out, distances)
    except DiskFullError:
        raise
    except Exception as error:  # noqa: BLE001  (the boundary: the rows do not need distances)
        log(f"The distances between interfaces were not measured: {error}")


def _are_measured(out: Path) -> bool:
    """Return whether *out* has distances that can be read."""
    try:
        return (out / DISTANCES).exists() and bool(read_distances(out))
    except DataError:
        return False


def _profile(column: str, interface: str = "") -> ExpertProfile:
    """Return the profile of *column* through *interface*, or through its own."""
    return profile(column, options={"interface": interface} if interface else None)
