"""The file of the measured distances between interfaces.

``distances.json`` of a results folder says how far the interface of each column is from each
interface that an arm was trained through; a regression of transfer needs these distances, and
cannot measure them from rows. `agentgym_gen.study.run.distances` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agentgym_gen.study.results.files import read_record
from agentgym_gen.system.files import write_json

__all__ = ["DISTANCES", "Distances", "read_distances", "write_distances"]

DISTANCES = "distances.json"

Distances = Mapping[tuple[str, str], float]
"""From a column and another interface, as text, to the distance between the two, 0 to 1."""


def write_distances(out: Path, distances: Distances) -> None:
    """Write *distances* into the results folder *out*.

    Raises:
        DataError: if the folder cannot be written.
    """
    rows = [
        {"column": column, "interface": interface, "distance": round(distance, 6)}
        for (column, interface), distance in distances.items()
    ]
    write_json(out / DISTANCES, {"distances": rows})


def read_distances(out: Path) -> Distances:
    """Return the distances in the results folder *out*; none if they were not measured.

    Raises:
        DataError: if the file cannot be read.
    """
    from agentgym_gen.study.results.schema import DistancesFile

    path = out / DISTANCES
    if not path.exists():
        return {}
    record = read_record(path, DistancesFile)
    return {(row["column"], row["interface"]): row["distance"] for row in record["distances"]}
