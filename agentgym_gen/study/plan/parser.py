"""Parses a TOML file, or a preset, into a plan; an error names the line and the key."""

from __future__ import annotations

import dataclasses
import re
import tomllib
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.env.registration import ENVIRONMENTS, HOW_TO_LIST, check_env_id
from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.study.plan.families import CustomArm, Families, expand, given_arms
from agentgym_gen.study.plan.given import GivenModel
from agentgym_gen.study.plan.plan import EnvironmentPlan, Plan, TestPlan
from agentgym_gen.study.plan.validation import FieldError, check_value, short_repr
from agentgym_gen.system.imports import load_module
from agentgym_gen.system.untrusted_files import MEGABYTE, read_text

__all__ = [
    "FAMILIES",
    "MAX_BYTES",
    "MAX_LINE_CHARS",
    "NOT_OF_SFT_CONFIG",
    "SECTIONS",
    "TABLES",
    "KeyPath",
    "line_of",
    "load_plan",
    "parse_plan",
    "preset_names",
    "preset_text",
]

TABLES = ("style", "environments", "model", "warm_start", "rft", "test")
FAMILIES = ("difficulty", "cross", "interface", "sequence", "mixture")
MAX_BYTES = MEGABYTE
"""The size above which a file is refused."""

MAX_LINE_CHARS = 1000
"""How much of a line is searched for keys."""

MAX_ITEMS = 500
"""The most items of a list: arms are products of lists."""

MAX_NUMBER = 2**53
"""The largest whole number, as in JSON."""

NOT_OF_SFT_CONFIG = ("demonstrations", "episodes", "epochs")
"""The keys of ``warm_start`` that are no fields of `SFTConfig`."""

KeyPath = tuple[object, ...]
"""The keys that lead to a value, from the outermost; a number counts the tables of an array."""

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
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: a number of 5,000 digits
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise InvalidValueError(f"{source} is not TOML: {why}") from error
    return _PlanParser(text, source).plan(table)


@dataclass(frozen=True)
class _PlanParser:
    """Turns tables into records, and finds the line of a key that is wrong."""

    text: str
    source: str

    def plan(self, table: Mapping[str, Any]) -> Plan:
        for key in table:
            if key not in SECTIONS:
                raise self._unknown_key((key,), SECTIONS)
        self._check_sections(table)
        self._check(table.get("name"), str, ("name",))
        self._check(table.get("about", ""), str, ("about",))
        seeds = self._check(table.get("seeds", [0]), tuple[int, ...], ("seeds",))
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
        test = self.record(TestPlan, table.get("test", {}), ("test",))

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
                arms=(*arms, *given_arms(given, arms)),
                given=given,
            )

        plan: Plan = self._with_location((), make_plan)
        self._check_settings(plan)
        for env_id in {*plan.columns, *(i for a in plan.arms for s in a.stages for i in s.env_ids)}:
            self._check_env_id(env_id, ())
        return plan

    def _check_arm_names(self, arms: Sequence[CustomArm]) -> None:
        """Check that no two arms have one name, also where capitals do not count."""
        owners: dict[str, str] = {}
        for number, arm in enumerate(arms):
            other = owners.setdefault(arm.name.casefold(), arm.name)
            if other is not arm.name:
                message = f"is {short_repr(arm.name)}, and another arm is called {other!r}"
                advice = "; on some disks these are one folder"
                raise self._error(("arm", number, "name"), message + advice)

    def _check_sections(self, table: Mapping[str, Any]) -> None:
        """Check that each section is a table or a list, before its keys are read."""
        for name in (*TABLES, *FAMILIES):
            self._check(table.get(name, {}), dict, (name,))
        for name, fields in table.get("environments", {}).items():
            self._check(fields, dict, ("environments", name))
            for key in ("style", "rft"):
                self._check(fields.get(key, {}), dict, ("environments", name, key))
        demonstrations = table.get("warm_start", {}).get("demonstrations", {})
        self._check(demonstrations, dict, ("warm_start", "demonstrations"))
        for env_id, number in demonstrations.items():
            self._check(number, int, ("warm_start", "demonstrations", env_id))
        for name in ("arm", "given"):
            self._check(table.get(name, ()), tuple[dict, ...], (name,))  # type: ignore[type-arg]
        self._check(table.get("modules", ()), tuple[str, ...], ("modules",))

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
                raise self._located(path, error)
            settings = {**fields, "version": ENVIRONMENTS[name].version}
            defaults = {k: v for k, v in dataclasses.asdict(style).items() if v is not None}
            merged = {**defaults, **settings.pop("style", {})}
            own_style = self.record(PromptStyle, merged, (*path, "style"))
            environments[name] = dataclasses.replace(
                self.record(EnvironmentPlan, settings, path), style=own_style
            )
        return environments

    def _check_settings(self, plan: Plan) -> None:
        """Check the settings of trainings, without importing torch."""
        from agentgym_gen.trainers.config import RFTConfig, SFTConfig

        self._check_model(plan)
        sft = {k: v for k, v in plan.warm_start.items() if k not in NOT_OF_SFT_CONFIG}
        self.record(SFTConfig, sft, ("warm_start",))
        self.record(RFTConfig, plan.rft, ("rft",))
        for name, environment in plan.environments.items():
            path = ("environments", name, "rft")
            self.record(RFTConfig, {**plan.rft, **environment.rft}, path)
        for env_id in plan.warm_start.get("demonstrations", {}):
            self._check_env_id(env_id, ("warm_start", "demonstrations", env_id))

    def _check_model(self, plan: Plan) -> None:
        """Check the table of the model: it is loaded by its name, or built."""
        from agentgym_gen.trainers.config import TinySize

        model, path = dict(plan.model), ("model",)
        if "name" in model:
            self._check(model.pop("name"), str, (*path, "name"))
            if model:
                raise self._unknown_key((*path, next(iter(model))), ["name"])
        elif model:
            if model.pop("build", None) != "tiny":
                raise self._error(path, 'has `build = "tiny"`, or the `name` of a model')
            self._check(model.pop("text_episodes", 1), int, (*path, "text_episodes"))
            self.record(TinySize, model, path)
            if not plan.warm_start.get("demonstrations"):
                raise self._error(
                    path,
                    "builds a model from the texts of expert episodes, and none are named: add "
                    '[warm_start.demonstrations] with lines such as "rftgen/Sokoban-easy-v0" = 300',
                )

    def _check_env_id(self, env_id: str, path: KeyPath) -> None:
        self._with_location(path, lambda: check_env_id(env_id))

    def record(self, cls: type[Any], table: object, path: KeyPath) -> Any:  # noqa: ANN401
        """Return a *cls* with the fields of *table*, the value of the key *path*."""
        if not isinstance(table, Mapping):
            raise self._error(path, f"is a table, not {short_repr(table)}")
        hints = typing.get_type_hints(cls)
        fields = dataclasses.fields(cls)
        values = {}
        for key, value in table.items():
            if key not in hints:
                raise self._unknown_key((*path, key), [field.name for field in fields])
            values[key] = self._check(value, hints[key], (*path, key))
        missing = [f.name for f in fields if _is_required(f) and f.name not in values]
        if missing:
            raise self._error(path, f"needs {', '.join(map(repr, missing))}")
        return self._with_location(path, lambda: cls(**values))

    def _check(self, value: object, hint: Any, path: KeyPath) -> Any:  # noqa: ANN401
        """Return *value* as a value of the type *hint*, or raise an error that names *path*."""
        if value is None:
            raise self._error(path[:-1] or path, f"needs {path[-1]!r}")
        try:
            checked = check_value(hint, _frozen(value))
        except FieldError as error:
            raise self._error((*path, *error.path), error.message) from error
        self._check_size(value, path)
        return checked

    def _check_size(self, value: object, path: KeyPath) -> None:
        """Check that lists are short, and numbers no larger than a float can count to."""
        if isinstance(value, int) and abs(value) > MAX_NUMBER:
            message = f"is a whole number of at most {MAX_NUMBER}, not {short_repr(value)}"
            raise self._error(path, message)
        if isinstance(value, list):
            if len(value) > MAX_ITEMS:
                raise self._error(path, f"has at most {MAX_ITEMS} items, not {len(value):,}")
            for item in value:
                self._check_size(item, path)

    def _with_location(self, path: KeyPath, make: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Return what *make* does; its error gets the place of the key *path*."""
        try:
            return make()
        except InvalidValueError as error:
            # Many a message begins with the key: then its own line is named.
            key = _FIRST_KEY.match(str(error))
            own_path = (*path, *key[1].split(".")) if key else path
            raise self._located(own_path, error) from error

    def _located(self, path: KeyPath, error: Exception) -> InvalidValueError:
        return InvalidValueError(f"{self._location(path)}: {error}")

    def _error(self, path: KeyPath, message: str) -> InvalidValueError:
        return InvalidValueError(f"{self._location(path)}: `{_dotted(path)}` {message}")

    def _unknown_key(self, path: KeyPath, valid_keys: Sequence[str]) -> InvalidValueError:
        return self._located(path, unknown_name("key", _dotted(path), valid_keys, "all here"))

    def _location(self, path: KeyPath) -> str:
        line = line_of(self.text, path)
        return f"{self.source}, line {line}" if line else self.source


_FIRST_KEY = re.compile(r"`([\w.]+)`")


def _frozen(value: object) -> object:
    """Return *value* with tuples in place of lists, as the fields of a plan have them."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _without_none(hint: Any) -> Any:  # noqa: ANN401
    """Return the type in the optional type *hint*."""
    return next(part for part in typing.get_args(hint) if part is not type(None))


def _dotted(path: KeyPath) -> str:
    return ".".join(str(part) for part in path if isinstance(part, str))


def line_of(text: str, path: KeyPath) -> int | None:
    """Return the number of the line at which the key *path* stands in the TOML *text*.

    A key that stands nowhere has the line of the nearest table around it.
    """
    # Reversed, so that of two equal paths the first line counts.
    lines = {key_path: number for number, key_path in reversed(list(_keys(text)))}
    # From the key itself outwards: its table, the table around that, and so on.
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


# Possessive quantifiers (`++`): a pattern that gives nothing back takes linear time on any line.
_PART = r"""(?:[\w-]++|"[^"]*+"|'[^']*+')"""
_HEADER = re.compile(rf"\s*+(\[\[?+)\s*+({_PART}(?:\s*+\.\s*+{_PART})*+)\s*+\]")
_KEY = re.compile(rf"\s*+({_PART}(?:\s*+\.\s*+{_PART})*+)\s*+=\s*+(.*)")
_INNER = re.compile(rf"(?<![\w-])({_PART})\s*+=")


def _keys(text: str) -> Iterator[tuple[int, KeyPath]]:
    """Yield the line number and the path of every key of *text*, in their order."""
    table: KeyPath = ()
    arrays: dict[str, int] = {}
    for number, full_line in enumerate(text.split("\n"), 1):
        line = full_line[:MAX_LINE_CHARS]
        header = _HEADER.match(line)
        if header:
            table = tuple(_parts(header[2]))
            if header[1] == "[[":
                arrays[header[2]] = arrays.get(header[2], -1) + 1
                table = (*table, arrays[header[2]])
            yield number, table
            continue
        key = _KEY.match(line)
        if key:
            path = (*table, *_parts(key[1]))
            yield number, path
            for inner in _INNER.findall(key[2]) if key[2].startswith("{") else ():
                yield number, (*path, *_parts(inner))


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(_PART, dotted)]
