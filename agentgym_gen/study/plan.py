"""What a study is: arms (what is trained) x columns (what is tested), as plain data.

Nothing here imports an environment or torch. How each model is trained is a recipe of
`agentgym_gen.trainers.recipes`, named by the study.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass

from agentgym_gen.errors import InvalidValueError, unknown_name

ROW_SCHEMA = 1
"""The version of a row's keys; it rises when one changes its meaning."""

BASE = "base"
"""The arm that every other is compared with: the model before RFT."""


@dataclass(frozen=True)
class Arm:
    """One way to train."""

    name: str
    """A readable name, part of file names and row keys."""
    env_ids: tuple[str, ...]
    """What it is trained on; nothing for the base."""


@dataclass(frozen=True)
class Study:
    """The whole plan of a study.

    Raises:
        InvalidValueError: if a name occurs twice, or there is nothing to train or to test.
    """

    name: str
    """Its name, and that of its results folder."""
    recipe: str
    """The recipe of `agentgym_gen.trainers.recipes` by which models are made and trained."""
    arms: tuple[Arm, ...]
    """What is trained, the base not included."""
    columns: tuple[str, ...]
    """The environment ids that every model is tested on, on the test split."""
    seeds: tuple[int, ...]
    """The training seeds; the replication unit."""
    tasks: int = 100
    """How many test tasks a column has, the same for every arm and seed."""
    samples: int = 2
    """How often every test task is played."""

    def __post_init__(self) -> None:
        """Check that the plan can be run."""
        for kind, names in (
            ("arm", [BASE, *(arm.name for arm in self.arms)]),
            ("column", list(self.columns)),
            ("seed", list(self.seeds)),
        ):
            if len(set(names)) < len(names) or not names:
                raise InvalidValueError(f"A study needs {kind}s, each once, not {names!r}")
        self._check_arms()
        if any(
            isinstance(seed, bool) or not isinstance(seed, int) or seed < 0 for seed in self.seeds
        ):
            raise InvalidValueError(f"Seeds are whole numbers from 0 on, not {self.seeds!r}")
        if self.tasks < 1 or self.samples < 1:
            raise InvalidValueError(
                f"A study needs tasks and samples, not {self.tasks!r} and {self.samples!r}"
            )

    def _check_arms(self) -> None:
        if not self.arms or any(not arm.env_ids for arm in self.arms):
            raise InvalidValueError("Every arm of a study names at least one environment id")
        for arm in self.arms:
            if not re.fullmatch(r"[A-Za-z0-9_-]+", arm.name):
                raise InvalidValueError(
                    f"An arm's name is letters, digits, '_' and '-', not {arm.name!r}: "
                    "files are called by it"
                )

    def key(self, recipe: str = "") -> str:
        """Return the hash of the plan and of the settings of its *recipe*.

        Two runs with one key make the same rows.
        """
        settings = [asdict(self), recipe, ROW_SCHEMA]
        return hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Cell:
    """One arm of one seed on one column."""

    arm: str
    seed: int
    column: str

    @property
    def name(self) -> str:
        """The cell's readable id: its file name and row key."""
        return f"{self.arm}.s{self.seed}.{self.column.split('/')[-1]}"


def cells(study: Study, arm: str, seed: int) -> list[Cell]:
    """Return the cells of *arm* trained with *seed*."""
    return [Cell(arm, seed, column) for column in study.columns]


QUICK = Study(
    name="quick",
    recipe="quick",
    arms=(Arm("sokoban-easy", ("rftgen/Sokoban-easy-v0",)),),
    columns=(
        "rftgen/Sokoban-easy-v0",
        "rftgen/Sokoban-medium-v0",
        "rftgen/Sokoban-easy-listed-v0",
        "rftgen/TextCraft-easy-menu-v0",
    ),
    seeds=(0, 1),
)
"""The README's first command: a tiny model, two CPU cores."""

STUDIES = {study.name: study for study in (QUICK,)}
"""The studies by name."""


def load_study(name: str) -> Study:
    """Return the study called *name*.

    Raises:
        UnknownNameError: if there is none.
    """
    if name not in STUDIES:
        raise unknown_name("study", name, STUDIES, "all presets")
    return STUDIES[name]
