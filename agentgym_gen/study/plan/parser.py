"""Parses a TOML file, or a preset, into a plan; an error names the line and the key."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.env.registration import ENVIRONMENTS, HOW_TO_LIST, check_env_id
from agentgym_gen.errors import unknown_name
from agentgym_gen.ids import EnvId, option_query
from agentgym_gen.study.plan.families import CustomArm, Families, expand, given_arms
from agentgym_gen.study.plan.given import GivenModel
from agentgym_gen.study.plan.plan import EnvironmentPlan, Plan, TestPlan
from agentgym_gen.study.plan.tables import MAX_BYTES, KeyPath, TableReader, parse_toml
from agentgym_gen.study.plan.validation import short_repr
from agentgym_gen.system.imports import load_module
from agentgym_gen.system.untrusted_files import read_text

__all__ = [
    "FAMILIES",
    "NOT_OF_SFT_CONFIG",
    "SECTIONS",
    "TABLES",
    "load_plan",
    "parse_plan",
    "preset_names",
    "preset_text",
]

TABLES = ("style", "environments", "model", "warm_start", "rft", "test")
FAMILIES = ("difficulty", "cross", "interface", "sequence", "mixture")
NOT_OF_SFT_CONFIG = ("demonstrations", "epsilon")
"""The keys of ``warm_start`` that are no fields of `SFTConfig`."""

ADD_DEMONSTRATIONS = (
    'add [warm_start.demonstrations] with lines such as "rftgen/Sokoban-easy-v0" = 300'
)
"""What helps a warm start that shows nothing."""

NOT_OF_A_STUDY = {
    "seed": "is no setting of a study: it is each of the plan's `seeds`",
    "output_dir": "is no setting of a study: it is a folder of the results",
    "save_best": "is no setting of a study: every model is tested with its last weights, so that "
    "all have had as many steps",
}
"""The settings of trainings that a study decides itself, and what an error says of each."""

OWN_KEYS = {"tasks": "lists", "interface": "interface"}
"""Keyword arguments of ids that an environment has keys of its own for, and these."""

SECTIONS = (
    *("name", "about", "modules", "seeds", "model", "style", "environments", "warm_start", "rft"),
    *("test", *FAMILIES, "arm", "given"),
)


def preset_names() -> list[str]:
    """Return the names of the presets."""
    folder = resources.files("agentgym_gen.study.plan") / "presets"
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name[-5:] == ".toml")


def preset_text(name: str) -> str:
    """Return the TOML of the preset *name*.

    Raises:
        UnknownNameError: if there is none.
    """
    if name not in preset_names():
        raise unknown_name("study", name, preset_names(), "the presets; or name a .toml file")
    folder = resources.files("agentgym_gen.study.plan") / "presets"
    return (folder / f"{name}.toml").read_text(encoding="utf-8")


def load_plan(source: str | Path) -> Plan:
    """Return the plan in the TOML file *source*, or the preset of that name.

    Raises:
        UnknownNameError: if it is neither a file nor the name of a preset.
        DataError: if the file cannot be read.
        InvalidValueError: if it is not TOML or not a plan; the line and the key are named.
    """
    path = Path(source)
    if path.suffix != ".toml" and not path.is_file():
        return parse_plan(preset_text(str(source)), f"preset {str(source)!r}")
    return parse_plan(read_text(path, max_bytes=MAX_BYTES), str(path))


def parse_plan(text: str, source: str = "the plan") -> Plan:
    """Return the plan that the TOML *text* spells; *source* is what errors call it."""
    return _PlanParser(text, source).plan(parse_toml(text, source))


@dataclass(frozen=True)
class _PlanParser(TableReader):
    """Turns the tables of a plan into records."""

    def plan(self, table: Mapping[str, Any]) -> Plan:
        from agentgym_gen.trainers.sampling.answer_length import answer_length

        for key in table:
            if key not in SECTIONS:
                raise self.unknown_key((key,), SECTIONS)
        self._check_sections(table)
        self.check(table.get("name"), str, ("name",))
        self.check(table.get("about", ""), str, ("about",))
        seeds = self.check(table.get("seeds", [0]), tuple[int, ...], ("seeds",))
        for module in table.get("modules", ()):
            load_module(str(module), self.source)
        style = self.record(PromptStyle, table.get("style", {}), ("style",))
        environments = self._environments(table.get("environments", {}), style)
        family_tables = {name: table[name] for name in FAMILIES if name in table}
        families = Families(
            **{name: self._family(name, fields) for name, fields in family_tables.items()},
            custom=tuple(
                self.record(CustomArm, arm, ("arm", number))
                for number, arm in enumerate(table.get("arm", ()))
            ),
        )
        given = tuple(
            self.record(GivenModel, model, ("given", number))
            for number, model in enumerate(table.get("given", ()))
        )
        self._check_arm_names(families.custom)
        styles = [environment.style for environment in environments.values()] or [style]
        default = {"max_new_tokens": max(answer_length(style, None) for style in styles)}
        test = self.record(TestPlan, {**default, **table.get("test", {})}, ("test",))

        def make_plan() -> Plan:
            arms = expand(families, environments)
            return Plan(
                name=table["name"],
                about=table.get("about", ""),
                modules=tuple(table.get("modules", ())),
                seeds=seeds,
                model=table.get("model", {}),
                warm_start=table.get("warm_start", {}),
                rft=table.get("rft", {}),
                environments=environments,
                test=test,
                arms=(*arms, *given_arms(given, arms, environments)),
                given=given,
            )

        plan: Plan = self.with_location((), make_plan)
        self._check_settings(plan)
        env_ids = {*plan.columns, *(i for a in plan.arms for s in a.stages for i in s.env_ids)}
        for env_id in env_ids:
            self._check_env_id(env_id, ())
        if table.get("style"):
            self._check_style_reaches({*env_ids, *plan.warm_start.get("demonstrations", ())}, plan)
        return plan

    def _check_style_reaches(self, env_ids: Iterable[str], plan: Plan) -> None:
        """Check that every one of *env_ids* has a table, from which episodes have their style."""
        for name in sorted({EnvId.parse(env_id).name for env_id in env_ids}):
            if name not in plan.environments:
                message = f"does not reach {name}, which the plan names in an id alone"
                raise self.error(("style",), f"{message}; add [environments.{name}]")

    def _check_arm_names(self, arms: Sequence[CustomArm]) -> None:
        """Check that no two arms have one name, also where capitals do not count."""
        owners: dict[str, str] = {}
        for number, arm in enumerate(arms):
            other = owners.setdefault(arm.name.casefold(), arm.name)
            if other is not arm.name:
                message = f"is {short_repr(arm.name)}, and another arm is called {other!r}"
                advice = "; on some disks these are one folder"
                raise self.error(("arm", number, "name"), message + advice)

    def _check_sections(self, table: Mapping[str, Any]) -> None:
        """Check that each section is a table or a list, before its keys are read."""
        for name in (*TABLES, *FAMILIES):
            self.check(table.get(name, {}), dict, (name,))
        for name, fields in table.get("environments", {}).items():
            self.check(fields, dict, ("environments", name))
            for key in ("style", "rft", "options"):
                self.check(fields.get(key, {}), dict, ("environments", name, key))
            self._check_options(fields.get("options", {}), ("environments", name, "options"))
        self._check_demonstrations(table.get("warm_start", {}))
        for name in ("arm", "given"):
            self.check(table.get(name, ()), tuple[dict, ...], (name,))  # type: ignore[type-arg]
        self.check(table.get("modules", ()), tuple[str, ...], ("modules",))

    def _check_demonstrations(self, table: Mapping[str, Any]) -> None:
        """Check how many episodes there are of each id, and how often they act at random."""
        numbers, epsilons = table.get("demonstrations", {}), table.get("epsilon", {})
        for key, values in (("demonstrations", numbers), ("epsilon", epsilons)):
            self.check(values, dict, ("warm_start", key))
        for env_id, number in numbers.items():
            self.check_count(number, ("warm_start", "demonstrations", env_id))
        for env_id, epsilon in epsilons.items():
            path: KeyPath = ("warm_start", "epsilon", env_id)
            self.check_probability(epsilon, path)
            if env_id not in numbers:
                raise self.error(path, "is of an id that `demonstrations` does not name")

    def _check_options(self, options: Mapping[str, object], path: KeyPath) -> None:
        """Check that each of *options* can be written into an id, and has no key of its own."""
        for key, value in options.items():
            if key in OWN_KEYS:
                raise self.error((*path, key), f"is no option; set `{OWN_KEYS[key]}` beside them")
            if not isinstance(value, str | int):
                message = f"is a text, a whole number, true or false, not {short_repr(value)}"
                raise self.error((*path, key), message)

    def _family(self, name: str, table: object) -> Any:  # noqa: ANN401
        return self.record(_without_none(typing.get_type_hints(Families)[name]), table, (name,))

    def _environments(
        self, table: Mapping[str, Any], style: PromptStyle
    ) -> dict[str, EnvironmentPlan]:
        environments = {}
        for name, fields in table.items():
            path = ("environments", name)
            if name not in ENVIRONMENTS:
                error = unknown_name("environment", name, ENVIRONMENTS, HOW_TO_LIST)
                raise self.located(path, error)
            settings = {**fields, "version": ENVIRONMENTS[name].version}
            defaults = {k: v for k, v in dataclasses.asdict(style).items() if v is not None}
            merged = {**defaults, **settings.pop("style", {})}
            own_style = self.record(PromptStyle, merged, (*path, "style"))
            environment = self.record(EnvironmentPlan, settings, path)
            query = option_query(environment.options)
            self._check_env_id(str(EnvId(name, query=query)), (*path, "options"))
            environments[name] = dataclasses.replace(environment, style=own_style)
        return environments

    def _check_settings(self, plan: Plan) -> None:
        """Check the settings of trainings, without importing torch."""
        from agentgym_gen.trainers.config import RFTConfig, SFTConfig

        self._check_model(plan)
        sft = {k: v for k, v in plan.warm_start.items() if k not in NOT_OF_SFT_CONFIG}
        trainings: dict[KeyPath, Mapping[str, Any]] = {("rft",): plan.rft} | {
            ("environments", name, "rft"): environment.rft
            for name, environment in plan.environments.items()
        }
        for path, table in {("warm_start",): sft, **trainings}.items():
            self._check_own(table, path)
        defaults = {"lora_rank": 0} if plan.model.get("build") == "tiny" else {}
        before = self.record(SFTConfig, {**defaults, **sft}, ("warm_start",))
        for path, table in trainings.items():
            after = self.record(RFTConfig, {**defaults, **plan.rft, **table}, path)
            if plan.warm_start:
                self.check_adapter(before, after, path)
        for env_id in plan.warm_start.get("demonstrations", {}):
            self._check_env_id(env_id, ("warm_start", "demonstrations", env_id))
        if plan.warm_start and not plan.warm_start.get("demonstrations"):
            raise self.error(("warm_start",), f"has no demonstrations: {ADD_DEMONSTRATIONS}")

    def _check_own(self, table: Mapping[str, Any], path: KeyPath) -> None:
        """Check that *table* has no setting that a study decides itself."""
        for key, message in NOT_OF_A_STUDY.items():
            if key in table:
                raise self.error((*path, key), message)

    def _check_model(self, plan: Plan) -> None:
        """Check the table of the model: it is loaded by its name, or built."""
        from agentgym_gen.trainers.config import TinySize

        model, path = dict(plan.model), ("model",)
        if "name" in model:
            self.check(model.pop("name"), str, (*path, "name"))
            if model:
                raise self.unknown_key((*path, next(iter(model))), ["name"])
        elif model:
            if model.pop("build", None) != "tiny":
                raise self.error(path, 'has `build = "tiny"`, or the `name` of a model')
            self.check_count(model.pop("text_episodes", 1), (*path, "text_episodes"))
            self.record(TinySize, model, path)
            if not plan.warm_start.get("demonstrations"):
                raise self.error(
                    path,
                    "builds a model from the texts of expert episodes, and none are named: "
                    + ADD_DEMONSTRATIONS,
                )

    def _check_env_id(self, env_id: str, path: KeyPath) -> None:
        self.with_location(path, lambda: check_env_id(env_id))


def _without_none(hint: Any) -> Any:  # noqa: ANN401
    """Return the type in the optional type *hint*."""
    return next(part for part in typing.get_args(hint) if part is not type(None))
