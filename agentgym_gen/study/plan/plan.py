"""A study as plain data: the plan, which names its arms, models and cells.

Nothing here runs anything, and nothing imports torch or an environment.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.ids import EnvId
from agentgym_gen.study.plan.arms import (
    BASE,
    MAX_STAGES,
    STAGE_SEPARATOR,
    Arm,
    Cell,
    ModelId,
    Stage,
    arm_from_dict,
    arm_name,
    check_stage,
    display_name,
    label,
)
from agentgym_gen.study.plan.folder_names import check_folder_name, check_names
from agentgym_gen.study.plan.given import GivenModel
from agentgym_gen.study.plan.validation import short_repr
from agentgym_gen.world import SPLITS

__all__ = [
    "BASE",
    "READABLE_SCHEMAS",
    "ROW_SCHEMA",
    "STAGE_SEPARATOR",
    "Arm",
    "Cell",
    "EnvironmentPlan",
    "ModelId",
    "Plan",
    "Stage",
    "TestPlan",
    "arm_name",
    "display_name",
    "label",
    "plan_key",
]

ROW_SCHEMA = 3
"""The version of the keys of a row; it rises when one changes its meaning, or must be there."""

READABLE_SCHEMAS = (2, 3)
"""The versions that are read: rows of schema 2 have no ``truncated_turns``."""

MAX_CONCURRENT = 64
"""How many test episodes are played at once, where `Plan.rft` does not say."""

MAX_SEED = 2**32 - 1
"""The largest training seed."""


@dataclass(frozen=True)
class EnvironmentPlan:
    """How a study uses one environment."""

    tier: str = "easy"
    """The tier that families use unless they name another; ``all`` plays all tiers."""
    interface: str = "native"
    """The interface that families use unless they name another."""
    version: int = 0
    """The version in its ids."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of the environment, texts, whole numbers and truth values.

    Its ids name them after a ``?``: ``rftgen/SearchQA-easy-v0?facts=invented``.
    """
    lists: str = ""
    """The first part of the names of its task lists, as ``agentgym-gen calibrate`` writes them."""
    style: PromptStyle = field(default_factory=PromptStyle)
    """The prompt style of its episodes."""
    rft: Mapping[str, Any] = field(default_factory=dict)
    """The settings of a training on it alone that differ from those of the plan."""


@dataclass(frozen=True)
class TestPlan:
    """How models are tested."""

    __test__ = False  # pytest would collect a class of this name

    tasks: int = 100
    """How many tasks a column has, the same for every model."""
    samples: int = 2
    """How often every task is played."""
    split: str = "test"
    """The split of the tasks."""
    temperature: float = 1.0
    """The temperature of decoding; 0 takes the most probable token."""
    max_new_tokens: int = 32
    """The most tokens of a completion; a file without it takes what its prompt formats need."""
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
    """The plan of a study.

    Raises:
        InvalidValueError: if there is nothing to train or test, a seed or a name occurs twice, or a
            name cannot be that of a folder.
    """

    name: str
    """The name of the study and of its results folder."""
    arms: tuple[Arm, ...]
    """The arms, without the base."""
    seeds: tuple[int, ...]
    """The training seeds; every arm is trained once with each."""
    test: TestPlan = field(default_factory=TestPlan)
    """How models are tested."""
    environments: Mapping[str, EnvironmentPlan] = field(default_factory=dict)
    """How each environment is used, by name."""
    model: Mapping[str, Any] = field(default_factory=dict)
    """How the model is built or loaded."""
    warm_start: Mapping[str, Any] = field(default_factory=dict)
    """The settings of the warm start on demonstrations; empty means no warm start."""
    rft: Mapping[str, Any] = field(default_factory=dict)
    """The settings of reinforcement fine-tuning (RFT)."""
    about: str = ""
    """A sentence that opens the report."""
    modules: tuple[str, ...] = ()
    """Modules that are imported first, because they register environments."""
    given: tuple[GivenModel, ...] = ()
    """The models that were trained elsewhere; each has an arm of its name."""

    def __post_init__(self) -> None:
        """Check that the plan can be run."""
        if not re.fullmatch(r"\w[\w .+=,()-]{0,99}", self.name):
            raise InvalidValueError(
                f"`name`: A study has a name of letters, digits, spaces and '_.+-', not "
                f"{short_repr(self.name)}: its "
                "folder is called by it"
            )
        if not self.arms or any(not arm.stages or not arm.columns for arm in self.arms):
            raise InvalidValueError(
                "A study trains on something and tests on something; name at least one arm family, "
                "and environments in it. `agentgym-gen eval` tests a model without training"
            )
        check_folder_name(self.name, "`name`: ")
        self._check_seeds()
        for arm in self.arms:
            if len(arm.stages) > MAX_STAGES:
                raise InvalidValueError(
                    f"An arm has at most {MAX_STAGES} stages, not {len(arm.stages)}"
                )
            for stage in arm.stages:
                check_stage(stage)
        self._check_labels()

    def given_model(self, model: ModelId) -> GivenModel | None:
        """Return the given model that *model* is, or None if it is trained here."""
        return next((given for given in self.given if given.name == model.arm), None)

    def _check_seeds(self) -> None:
        seeds = self.seeds
        if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0 or max(seeds) > MAX_SEED:
            raise InvalidValueError(
                f"`seeds` are different whole numbers from 0 to {MAX_SEED}, not "
                f"{short_repr(list(seeds))}"
            )

    def _check_labels(self) -> None:
        """Check that no two columns, and no two sequences of stages, share a name."""
        arm_names = [arm.name for arm in self.arms] + [
            arm_name(arm.stages[:n]) for arm in self.arms for n in range(1, len(arm.stages))
        ]
        for given in self.given:
            if arm_names.count(given.name) != 1:
                raise InvalidValueError(
                    f"The given model {given.name!r} needs one arm of its name, and another name "
                    "than all that is trained here"
                )
        check_names([(label(column), column) for column in self.columns])
        check_names([(model.arm, model.stages) for model in self.models])

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every column, in the order of the arms."""
        return tuple(dict.fromkeys(column for arm in self.arms for column in arm.columns))

    @property
    def max_concurrent(self) -> int:
        """How many test episodes are played at once: the setting of the trainings, if it is set."""
        return int(self.rft.get("max_concurrent", MAX_CONCURRENT))

    @cached_property
    def models(self) -> tuple[ModelId, ...]:
        """Every model, each after the one that it was trained from."""
        sequences = dict.fromkeys(
            arm.stages[:n] for arm in self.arms for n in range(len(arm.stages) + 1)
        )
        models = [ModelId(stages, seed) for seed in self.seeds for stages in sequences]
        return tuple(m for m in models if m.seed == self.seeds[0] or m.arm not in self.given_once)

    @property
    def given_once(self) -> frozenset[str]:
        """The arms of given models that are one training, however many seeds the study has."""
        return frozenset(given.name for given in self.given if not given.has_seeds)

    def columns_of(self, stages: tuple[Stage, ...]) -> tuple[str, ...]:
        """Return the columns that the models after *stages* are tested on."""
        if not stages or (self.test.all_columns and any(a.stages == stages for a in self.arms)):
            return self.columns
        tested = {
            column
            for arm in self.arms
            if arm.stages == stages or (arm.every_stage and arm.stages[: len(stages)] == stages)
            for column in arm.columns
        }
        return tuple(column for column in self.columns if column in tested)

    def cells(self, model: ModelId) -> list[Cell]:
        """Return the cells of *model*."""
        return [Cell(model, column) for column in self.columns_of(model.stages)]

    def all_cells(self) -> Iterator[Cell]:
        """Yield every cell."""
        for model in self.models:
            yield from self.cells(model)

    def style_of(self, env_id: str) -> PromptStyle:
        """Return the prompt style of episodes of *env_id*."""
        name = EnvId.parse(env_id).name
        return self.environments[name].style if name in self.environments else PromptStyle()

    def rft_of(self, stage: Stage) -> dict[str, Any]:
        """Return the RFT settings of *stage*: an environment's own where it is trained on alone."""
        names = {EnvId.parse(env_id).name for env_id in stage.env_ids}
        environment = self.environments.get(names.pop()) if len(names) == 1 else None
        return {**self.rft, **(environment.rft if environment else {})}

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as plain data, which `from_dict` reads."""
        return {**asdict(self), "row_schema": ROW_SCHEMA}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """Return the plan of *data*, which `as_dict` returned.

        Raises:
            DataError: if it is of another schema, or a field is missing or wrong.
        """
        if data.get("row_schema") not in READABLE_SCHEMAS:
            raise DataError(
                f"The study was made with rows of schema {data.get('row_schema')!r}, and this "
                f"version reads the schemas {READABLE_SCHEMAS}; report it with the version that "
                "made it"
            )
        try:
            return cls(
                name=data["name"],
                arms=tuple(arm_from_dict(arm) for arm in data["arms"]),
                seeds=tuple(data["seeds"]),
                test=TestPlan(**data["test"]),
                environments={
                    name: EnvironmentPlan(**{**fields, "style": PromptStyle(**fields["style"])})
                    for name, fields in data["environments"].items()
                },
                model=data["model"],
                warm_start=data["warm_start"],
                rft=data["rft"],
                about=data["about"],
                modules=tuple(data["modules"]),
                given=tuple(_given_from_dict(given) for given in data.get("given", ())),
            )
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise DataError(f"The plan of this study cannot be read: {error!r}") from error

    def key(self) -> str:
        """Return the hash of everything that the rows depend on."""
        return plan_key(self.as_dict())


def plan_key(data: Mapping[str, Any]) -> str:
    """Return the hash of the plan *data*, as `Plan.as_dict` returns it, without name and about."""
    hashed = {k: v for k, v in data.items() if k not in ("about", "name")}
    if not hashed.get("given"):
        hashed.pop("given", None)  # the key of a plan without any is that of earlier versions
    hashed["environments"] = {
        name: {k: v for k, v in fields.items() if v or k != "options"}  # the same of options
        for name, fields in hashed["environments"].items()
    }
    return hashlib.sha256(json.dumps(hashed, sort_keys=True).encode()).hexdigest()[:16]


def _given_from_dict(data: Mapping[str, Any]) -> GivenModel:
    lists = {key: tuple(data[key]) for key in ("trained_on", "test")}
    return GivenModel(**{**data, **lists})
