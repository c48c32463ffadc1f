"""What a study is, as plain data: stages, arms, models, cells, and the plan that names them.

Nothing here runs anything, and nothing imports torch or an environment.

- A *stage* is one training on one or more environments; an *arm* is a sequence of stages.
- A *model* is what is left after a stage: an arm, or the beginning of one, trained with one seed.
  Two arms that begin alike share the models of their beginning. The empty arm is the *base*.
- A *column* is an environment id that models are tested on; a *cell* is one model on one column.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.world import SPLITS

ROW_SCHEMA = 2
"""The version of the keys of a row; it rises when one changes its meaning."""

BASE = "base"
"""The name of the model before RFT."""

THEN = "_then_"
"""What stands between the stages in the name of an arm."""


@dataclass(frozen=True)
class Stage:
    """One training."""

    name: str
    """A readable name, part of folder names and row keys."""
    env_ids: tuple[str, ...]
    """What is trained on, each environment with the same share of the tasks."""
    share: float = 1.0
    """The part of the plan's training steps that it gets."""

    @property
    def label(self) -> str:
        """The name, with the share where it is not the whole."""
        return self.name if self.share == 1 else f"{self.name}@{self.share:g}"


@dataclass(frozen=True)
class Arm:
    """One way to train, and where its models are tested."""

    family: str
    """Which question it belongs to, such as ``cross``."""
    stages: tuple[Stage, ...]
    """The trainings, from the first."""
    columns: tuple[str, ...]
    """The environment ids that its last model is tested on."""
    every_stage: bool = False
    """Whether the models after its earlier stages are tested, too."""

    @property
    def name(self) -> str:
        """The stages' labels joined by ``_then_``."""
        return arm_name(self.stages)


def arm_name(stages: Sequence[Stage]) -> str:
    """Return the name of the arm with *stages*."""
    return THEN.join(stage.label for stage in stages) or BASE


def shown(name: str) -> str:
    """Return the name of an arm as a report shows it.

    >>> shown("sokoban-easy@0.5_then_sokoban-hard@0.5")
    'sokoban-easy ½ → sokoban-hard ½'
    """
    return name.replace(THEN, " → ").replace("@0.5", " ½").replace("@", " x ")


@dataclass(frozen=True)
class ModelId:
    """One trained model, or with no stage the model before RFT."""

    stages: tuple[Stage, ...]
    seed: int

    @property
    def arm(self) -> str:
        """The name of its arm."""
        return arm_name(self.stages)

    @property
    def name(self) -> str:
        """Its folder: ``sokoban-easy_then_textcraft-easy.s0``."""
        return f"{self.arm}.s{self.seed}"

    @property
    def parent(self) -> ModelId | None:
        """The model that its last stage trained, or None for the base."""
        return ModelId(self.stages[:-1], self.seed) if self.stages else None


@dataclass(frozen=True)
class Cell:
    """One model on one column."""

    model: ModelId
    column: str

    @property
    def name(self) -> str:
        """Its folder and row key: ``sokoban-easy.s0/TextCraft-easy-menu``."""
        return f"{self.model.name}/{label(self.column)}"


def environment_of(env_id: str) -> str:
    """Return the name of the environment of *env_id*.

    >>> environment_of("rftgen/Sokoban-easy-listed-v0")
    'Sokoban'
    """
    return re.split("[-?]", env_id.rpartition("/")[2])[0]


def label(env_id: str) -> str:
    """Return a readable name of *env_id*, without namespace and version.

    >>> label("rftgen/Sokoban-easy-listed-v0")
    'Sokoban-easy-listed'
    >>> label("rftgen/TextCraft-v0?tasks=lists/textcraft.hard.txt&interface=menu+listed")
    'TextCraft-textcraft.hard-menu+listed'
    """
    plain, _, query = env_id.partition("?")
    parts = [plain.split("/")[-1].rsplit("-v", 1)[0]]
    for pair in filter(None, query.split("&")):
        key, _, value = pair.partition("=")
        stem = value.split("/")[-1].removesuffix(".txt") if key == "tasks" else value
        parts.append(re.sub(r"[^A-Za-z0-9_.+,=()-]", "_", stem))
    return "-".join(parts)


@dataclass(frozen=True)
class EnvironmentPlan:
    """How a study uses one environment."""

    tier: str = "easy"
    """The tier of the families that use one; ``all`` plays all of them."""
    interface: str = "native"
    """How it is spoken to, where a family does not vary that."""
    version: int = 0
    """The version in its ids."""
    lists: str = ""
    """The beginning of the files of empirical tiers, as ``agentgym-gen calibrate`` writes them."""
    style: PromptStyle = field(default_factory=PromptStyle)
    """How its episodes are put to the model."""
    rft: Mapping[str, Any] = field(default_factory=dict)
    """The settings of a training on it alone, where they are not those of the plan."""


@dataclass(frozen=True)
class TestPlan:
    """How models are tested."""

    __test__ = False  # for pytest: this is no test

    tasks: int = 100
    """How many tasks a column has, the same for every model."""
    samples: int = 2
    """How often every task is played."""
    split: str = "test"
    """Which tasks."""
    temperature: float = 1.0
    """The temperature of decoding; 0 takes the most probable token."""
    max_new_tokens: int = 32
    """The longest completion."""
    max_turns: int | None = None
    """The turn limit of tests; None takes each task's own."""
    all_columns: bool = False
    """Whether every model is tested on every column, not only on those of its families."""

    def __post_init__(self) -> None:
        """Check the fields."""
        if self.tasks < 1 or self.samples < 1 or self.max_new_tokens < 1:
            raise InvalidValueError(
                "`tasks`, `samples` and `max_new_tokens` are 1 or more, not "
                f"{self.tasks!r}, {self.samples!r} and {self.max_new_tokens!r}"
            )
        if self.max_turns is not None and self.max_turns < 1:
            raise InvalidValueError(f"`max_turns` is 1 or more, not {self.max_turns!r}")
        if self.split not in SPLITS:
            raise InvalidValueError(f"`split` is one of {', '.join(SPLITS)}, not {self.split!r}")
        if self.temperature < 0:
            raise InvalidValueError(f"`temperature` is 0 or more, not {self.temperature!r}")


@dataclass(frozen=True)
class Plan:
    """The whole plan of a study.

    Raises:
        InvalidValueError: if there is nothing to train or test, a seed or a name occurs twice, or a
            name cannot be that of a folder.
    """

    name: str
    """Its name, and that of its results folder."""
    arms: tuple[Arm, ...]
    """What is trained, the base not included."""
    seeds: tuple[int, ...]
    """The training seeds; the replication unit."""
    test: TestPlan = field(default_factory=TestPlan)
    """How models are tested."""
    environments: Mapping[str, EnvironmentPlan] = field(default_factory=dict)
    """How each environment is used, by name."""
    model: Mapping[str, Any] = field(default_factory=dict)
    """How the model is built or loaded."""
    warm_start: Mapping[str, Any] = field(default_factory=dict)
    """The settings of the warm start on demonstrations; empty makes none."""
    rft: Mapping[str, Any] = field(default_factory=dict)
    """The settings of reinforcement fine-tuning."""
    about: str = ""
    """A sentence for the report."""
    modules: tuple[str, ...] = ()
    """Modules to import first, which register environments of their own."""

    def __post_init__(self) -> None:
        """Check that the plan can be run."""
        if not re.fullmatch(r"\w[\w .+=,()-]{0,99}", self.name):
            raise InvalidValueError(
                f"A study has a name of letters, digits, spaces and '_.+-', not {self.name!r}: its "
                "folder is called by it"
            )
        if not self.arms or any(not arm.stages or not arm.columns for arm in self.arms):
            raise InvalidValueError(
                "A study trains on something and tests on something; name at least one arm family, "
                "and environments in it"
            )
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise InvalidValueError(
                f"Seeds are different whole numbers from 0 on, not {list(self.seeds)!r}"
            )
        for stage in (stage for arm in self.arms for stage in arm.stages):
            if not re.fullmatch(r"[A-Za-z0-9_.+=,()-]+", stage.name) or not stage.env_ids:
                raise InvalidValueError(
                    f"A stage has a name of letters, digits and '_.+-', and environments, not "
                    f"{stage.name!r} with {stage.env_ids!r}: folders are called by it"
                )
        self._check_labels()

    def _check_labels(self) -> None:
        known: dict[str, object] = {}
        named = [(label(column), column) for column in self.columns]
        named += [(model.arm, model.stages) for model in self.models]  # type: ignore[misc]
        for name, meant in named:
            if known.setdefault(name, meant) != meant:
                raise InvalidValueError(f"Two different things would be called {name!r}")

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every column, in the order of the arms."""
        return tuple(dict.fromkeys(column for arm in self.arms for column in arm.columns))

    @cached_property
    def models(self) -> tuple[ModelId, ...]:
        """Every model, each after the one that it was trained from."""
        sequences = dict.fromkeys(
            arm.stages[:n] for arm in self.arms for n in range(len(arm.stages) + 1)
        )
        return tuple(ModelId(stages, seed) for seed in self.seeds for stages in sequences)

    def columns_of(self, stages: tuple[Stage, ...]) -> tuple[str, ...]:
        """Return what the models after *stages* are tested on."""
        if not stages or (self.test.all_columns and any(a.stages == stages for a in self.arms)):
            return self.columns
        found = {
            column
            for arm in self.arms
            if arm.stages == stages or (arm.every_stage and arm.stages[: len(stages)] == stages)
            for column in arm.columns
        }
        return tuple(column for column in self.columns if column in found)

    def cells(self, model: ModelId) -> list[Cell]:
        """Return the cells of *model*."""
        return [Cell(model, column) for column in self.columns_of(model.stages)]

    def all_cells(self) -> Iterator[Cell]:
        """Yield every cell."""
        for model in self.models:
            yield from self.cells(model)

    def style_of(self, env_id: str) -> PromptStyle:
        """Return how episodes of *env_id* are put to the model."""
        name = environment_of(env_id)
        return self.environments[name].style if name in self.environments else PromptStyle()

    def rft_of(self, stage: Stage) -> dict[str, Any]:
        """Return the settings of the training *stage*."""
        names = {environment_of(env_id) for env_id in stage.env_ids}
        alone = self.environments.get(names.pop()) if len(names) == 1 else None
        return {**self.rft, **(alone.rft if alone else {})}

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        return {**asdict(self), "row_schema": ROW_SCHEMA}

    def key(self) -> str:
        """Return the hash of everything that decides what the rows are."""
        told = {k: v for k, v in self.as_dict().items() if k not in ("about", "name")}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
