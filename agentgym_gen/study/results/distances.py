"""The file of the measured distances between interfaces.

``distances.json`` of a results folder says how far the interface of each column is from each
interface that an arm was trained through; a regression of transfer needs these distances, and
cannot measure them from rows. `agentgym_gen.study.run.distances` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.system.files import write_json
from agentgym_gen.system.untrusted_files import parse_json, read_text

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
    path = out / DISTANCES
    if not path.exists():
        return {}
    record = parse_json(read_text(path), str(path))
    try:
        return {(row["column"], row["interface"]): _share(row) for row in record["distances"]}
    except (LookupError, TypeError, ValueError) as error:
        raise DataError(f"Cannot read {path}: it has no distances between interfaces") from error


def _share(row: Mapping[str, Any]) -> float:
    distance = float(row["distance"])
    if not 0 <= distance <= 1:
        raise InvalidValueError(f"A distance is 0 to 1, not {distance!r}")
    return distance
