"""What a plan is made of: stages, arms, the models that they are, and the cells of these.

- A *stage* is one training on one or more environments; an *arm* is a sequence of stages.
- A *model* is the result of a stage: an arm, or the first stages of one, trained with one seed.
  Two arms with the same first stages share the models of these. The empty arm is the *base*.
- A *column* is an environment id that models are tested on; a *cell* is one model on one column.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.ids import EnvId
from agentgym_gen.study.plan.folder_names import check_folder_name
from agentgym_gen.study.plan.validation import short_repr

BASE = "base"
"""The name of the model before RFT."""

MAX_STAGES = 20
"""The most stages of an arm."""

MAX_SHARE = 1000
"""The most trainings that one stage takes."""

STAGE_SEPARATOR = "_then_"
"""Joins the labels of stages to the name of an arm."""


@dataclass(frozen=True)
class Stage:
    """One training."""

    name: str
    """A readable name, part of folder names and row keys."""
    env_ids: tuple[str, ...]
    """The environments that it trains on, each with the same share of the tasks."""
    share: float = 1.0
    """The part of the plan's training steps that it gets."""

    @property
    def label(self) -> str:
        """The name, with the share if that is not 1: ``sokoban-easy@0.5``."""
        return self.name if self.share == 1 else f"{self.name}@{self.share:g}"


@dataclass(frozen=True)
class Arm:
    """A sequence of trainings, and where its models are tested."""

    family: str
    """The arm family that it belongs to, such as ``cross``."""
    stages: tuple[Stage, ...]
    """The trainings, in their order."""
    columns: tuple[str, ...]
    """The environment ids that its last model is tested on."""
    every_stage: bool = False
    """Whether the models after its earlier stages are tested on them, too."""

    @property
    def name(self) -> str:
        """The stages' labels joined by ``_then_``."""
        return arm_name(self.stages)


def arm_name(stages: Sequence[Stage]) -> str:
    """Return the name of the arm with *stages*."""
    return STAGE_SEPARATOR.join(stage.label for stage in stages) or BASE


def display_name(name: str) -> str:
    """Return *name*, that of an arm, as a report shows it.

    >>> display_name("sokoban-easy@0.5_then_sokoban-hard@0.5")
    'sokoban-easy ½ → sokoban-hard ½'
    """
    return name.replace(STAGE_SEPARATOR, " → ").replace("@0.5", " ½").replace("@", " x ")


@dataclass(frozen=True)
class ModelId:
    """Names one trained model, or with no stage the base."""

    stages: tuple[Stage, ...]
    """The trainings that made it, in their order."""
    seed: int
    """The training seed."""

    @property
    def arm(self) -> str:
        """The name of its arm."""
        return arm_name(self.stages)

    @property
    def name(self) -> str:
        """The name of its folder: ``sokoban-easy_then_textcraft-easy.s0``."""
        return f"{self.arm}.s{self.seed}"

    @property
    def parent(self) -> ModelId | None:
        """The model that its last stage trained, or None for the base."""
        return ModelId(self.stages[:-1], self.seed) if self.stages else None


@dataclass(frozen=True)
class Cell:
    """One model on one column."""

    model: ModelId
    """The model that is tested."""
    column: str
    """The environment id that it is tested on."""

    @property
    def name(self) -> str:
        """The name of its folder and the key of its rows: ``sokoban-easy.s0/TextCraft-easy``."""
        return f"{self.model.name}/{label(self.column)}"


def label(env_id: str) -> str:
    """Return a readable name of *env_id*, without namespace and version: `EnvId.label`.

    >>> label("rftgen/Sokoban-easy-listed-v0")
    'Sokoban-easy-listed'
    """
    return EnvId.parse(env_id).label


def check_stage(stage: Stage) -> None:
    """Raise unless folders can be called by *stage*, and its share is one.

    Raises:
        InvalidValueError: if its name, its environments or its share cannot be.
    """
    if not re.fullmatch(r"[A-Za-z0-9_.+=,()-]+", stage.name) or not stage.env_ids:
        raise InvalidValueError(
            f"A stage has a name of letters, digits and '_.+-', and environments, not "
            f"{short_repr(stage.name)} with {stage.env_ids!r}: folders are called by it"
        )
    check_folder_name(stage.name)
    if not 0 < stage.share <= MAX_SHARE:
        raise InvalidValueError(
            f"`share` is above 0 and at most {MAX_SHARE}, not {stage.share!r}: it is a part of the "
            "training steps"
        )


def arm_from_dict(data: Mapping[str, Any]) -> Arm:
    """Return the arm of *data*, as `dataclasses.asdict` returns it."""
    stages = tuple(Stage(s["name"], tuple(s["env_ids"]), s["share"]) for s in data["stages"])
    return Arm(data["family"], stages, tuple(data["columns"]), data["every_stage"])
