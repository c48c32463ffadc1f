"""From a TOML file, or the name of a preset, to a plan. A mistake is named by line and key."""

from __future__ import annotations

import dataclasses
import math
import re
import tomllib
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.env.registration import ENVIRONMENTS, HOW_TO_LIST, check_env_id
from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.study.families import Families, OwnArm, expand
from agentgym_gen.study.plan import EnvironmentPlan, Plan, TestPlan
from agentgym_gen.system.imports import load_module
from agentgym_gen.system.untrusted_files import MEGABYTE, read_text

TABLES = ("style", "environments", "model", "warm_start", "rft", "test")
FAMILIES = ("difficulty", "cross", "interface", "sequence", "mixture")
MOST_BYTES = MEGABYTE
"""The size above which a file is no plan."""

LONGEST_LINE = 1000
"""How much of a line is looked at for the keys in it."""

SECTIONS = (
    *("name", "about", "modules", "seeds", "model", "style", "environments", "warm_start", "rft"),
    *("test", *FAMILIES, "arm"),
)


def preset_names() -> list[str]:
    """Return the names of the presets."""
    folder = resources.files("agentgym_gen.study") / "presets"
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name[-5:] == ".toml")


def preset_text(name: str) -> str:
    """Return the TOML of the preset *name*.

    Raises:
        UnknownNameError: if there is none.
    """
    if name not in preset_names():
        raise unknown_name("study", name, preset_names(), "the presets; or name a .toml file")
    folder = resources.files("agentgym_gen.study") / "presets"
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
    return parse_plan(read_text(path, max_bytes=MOST_BYTES), str(path))


def parse_plan(text: str, source: str = "the plan") -> Plan:
    """Return the plan that the TOML *text* spells; *source* is what errors call it."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: a number of 5,000 digits
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise InvalidValueError(f"{source} is not TOML: {why}") from error
    return _Reader(text, source).plan(table)


@dataclass(frozen=True)
class _Reader:
    """Turns tables into records, and knows where each key stands."""

    text: str
    source: str

    def plan(self, table: Mapping[str, Any]) -> Plan:
        for key in table:
            if key not in SECTIONS:
                raise self._unknown((key,), SECTIONS)
        self._check_kinds(table)
        self._check(table.get("name"), str, ("name",))
        self._check(table.get("seeds"), tuple[int, ...], ("seeds",))
        for module in table.get("modules", ()):
            load_module(str(module), self.source)
        style = self.record(PromptStyle, table.get("style", {}), ("style",))
        environments = self._environments(table.get("environments", {}), style)
        with_arms = {name: table[name] for name in FAMILIES if name in table}
        families = Families(
            **{name: self._family(name, found) for name, found in with_arms.items()},
            own=tuple(
                self.record(OwnArm, arm, ("arm", number))
                for number, arm in enumerate(table.get("arm", ()))
            ),
        )
        plan: Plan = self._at(
            (),
            lambda: Plan(
                name=table["name"],
                about=str(table.get("about", "")),
                modules=tuple(table.get("modules", ())),
                seeds=tuple(table["seeds"]),
                model=table.get("model", {}),
                warm_start=table.get("warm_start", {}),
                rft=table.get("rft", {}),
                environments=environments,
                test=self.record(TestPlan, table.get("test", {}), ("test",)),
                arms=expand(families, environments),
            ),
        )
        self._check_settings(plan)
        for env_id in {*plan.columns, *(i for a in plan.arms for s in a.stages for i in s.env_ids)}:
            self._at((), lambda env_id=env_id: check_env_id(env_id))  # type: ignore[misc]
        return plan

    def _check_kinds(self, table: Mapping[str, Any]) -> None:
        """Check what each section is, before anything in it is looked at."""
        for name in (*TABLES, *FAMILIES):
            self._check(table.get(name, {}), dict, (name,))
        for name, given in table.get("environments", {}).items():
            self._check(given, dict, ("environments", name))
            for key in ("style", "rft"):
                self._check(given.get(key, {}), dict, ("environments", name, key))
        shown = table.get("warm_start", {}).get("demonstrations", {})
        self._check(shown, dict, ("warm_start", "demonstrations"))
        for env_id, number in shown.items():
            self._check(number, int, ("warm_start", "demonstrations", env_id))
        self._check(table.get("arm", ()), tuple[dict, ...], ("arm",))  # type: ignore[type-arg]
        self._check(table.get("modules", ()), tuple[str, ...], ("modules",))

    def _family(self, name: str, table: object) -> Any:  # noqa: ANN401
        fields = {f.name: f.type for f in dataclasses.fields(Families)}
        kind = typing.get_type_hints(Families)[name] if name in fields else None
        cls = next(each for each in typing.get_args(kind) if each is not type(None))
        return self.record(cls, table, (name,))

    def _environments(
        self, table: Mapping[str, Any], style: PromptStyle
    ) -> dict[str, EnvironmentPlan]:
        found = {}
        for name, given in table.items():
            where = ("environments", name)
            if name not in ENVIRONMENTS:
                error = unknown_name("environment", name, ENVIRONMENTS, HOW_TO_LIST)
                raise self._wrapped(where, error)
            own = dict(given)
            own["version"] = ENVIRONMENTS[name].version
            usual = {k: v for k, v in dataclasses.asdict(style).items() if v is not None}
            merged = {**usual, **own.pop("style", {})}
            spoken = self.record(PromptStyle, merged, (*where, "style"))
            found[name] = dataclasses.replace(
                self.record(EnvironmentPlan, own, where), style=spoken
            )
        return found

    def _check_settings(self, plan: Plan) -> None:
        """Check what the trainer will be given, without loading it."""
        from agentgym_gen.trainers.config import RFTConfig, SFTConfig

        own = {"demonstrations", "episodes", "epochs"}
        for name, cls, given in (
            ("warm_start", SFTConfig, plan.warm_start),
            ("rft", RFTConfig, plan.rft),
        ):
            settings = {k: v for k, v in given.items() if name == "rft" or k not in own}
            self.record(cls, settings, (name,))
        for name, environment in plan.environments.items():
            where = ("environments", name, "rft")
            self.record(RFTConfig, {**plan.rft, **environment.rft}, where)
        for env_id in plan.warm_start.get("demonstrations", {}):
            where = ("warm_start", "demonstrations", env_id)
            self._at(where, lambda env_id=env_id: check_env_id(env_id))  # type: ignore[misc]

    def record(self, cls: type[Any], table: object, where: tuple[object, ...]) -> Any:  # noqa: ANN401
        """Return a *cls* with the fields of *table*, which stands at *where*."""
        if not isinstance(table, Mapping):
            raise self._error(where, f"is a table, not {table!r}")
        hints = typing.get_type_hints(cls)
        values = {}
        for key, value in table.items():
            if key not in hints:
                raise self._unknown((*where, key), [f.name for f in dataclasses.fields(cls)])
            values[key] = self._check(value, hints[key], (*where, key))
        lacking = [f.name for f in dataclasses.fields(cls) if _needed(f) and f.name not in values]
        if lacking:
            raise self._error(where, f"needs {', '.join(map(repr, lacking))}")
        return self._at(where, lambda: cls(**values))

    def _check(self, value: object, hint: Any, where: tuple[object, ...]) -> Any:  # noqa: ANN401
        """Return *value* as *hint* wants it."""
        if value is None:
            raise self._error(where[:-1] or where, f"needs {where[-1]!r}")
        if typing.get_origin(hint) in (types.UnionType, typing.Union):
            hint = next(each for each in typing.get_args(hint) if each is not type(None))
        if typing.get_origin(hint) is tuple:
            if not isinstance(value, Sequence) or isinstance(value, str):
                raise self._error(where, f"is a list, not {value!r}")
            inner = typing.get_args(hint)[0]
            return tuple(self._check(each, inner, where) for each in value)
        if hint is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, float) and not math.isfinite(value):
            raise self._error(where, f"is a finite number, not {value!r}")
        plain = hint if isinstance(hint, type) else object
        if not isinstance(value, plain) or (isinstance(value, bool) and plain is int):
            raise self._error(where, f"is {_KINDS.get(plain, plain.__name__)}, not {value!r}")
        return value

    def _at(self, where: tuple[object, ...], make: Callable[[], Any]) -> Any:  # noqa: ANN401
        try:
            return make()
        except InvalidValueError as error:
            raise self._wrapped(where, error) from error

    def _wrapped(self, where: tuple[object, ...], error: Exception) -> InvalidValueError:
        return InvalidValueError(f"{self._place(where)}: {error}")

    def _error(self, where: tuple[object, ...], message: str) -> InvalidValueError:
        return InvalidValueError(f"{self._place(where)}: `{_dotted(where)}` {message}")

    def _unknown(self, where: tuple[object, ...], known: Sequence[str]) -> InvalidValueError:
        return self._wrapped(where, unknown_name("key", _dotted(where), known, "all here"))

    def _place(self, where: tuple[object, ...]) -> str:
        line = line_of(self.text, where)
        return f"{self.source}, line {line}" if line else self.source


_KINDS: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a table",
}


def _needed(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _dotted(where: Sequence[object]) -> str:
    return ".".join(str(part) for part in where if isinstance(part, str))


def line_of(text: str, where: Sequence[object]) -> int | None:
    """Return the number of the line at which the key *where* stands in the TOML *text*.

    A key that stands nowhere has the line of the nearest table around it.

    Args:
        text: The file.
        where: The path of the key; a number counts the tables of an array.
    """
    wanted = list(where)
    places = {path: number for number, path in reversed(list(_keys(text)))}
    while wanted:
        found = places.get(tuple(wanted))
        if found is not None:
            return found
        wanted.pop()
    return None


_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*[\w-]+)*)\s*=\s*(.*)$")
_INNER = re.compile(r"([\w-]+|\"[^\"]*\")\s*=")


def _keys(text: str) -> Iterator[tuple[int, tuple[object, ...]]]:
    """Yield every key of *text* with its line, in their order."""
    table: tuple[object, ...] = ()
    arrays: dict[str, int] = {}
    for number, whole in enumerate(text.split("\n"), 1):
        line = whole[:LONGEST_LINE]
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
    if dotted[:1] in "\"'":
        return [dotted.strip("\"'")]
    return [part.strip().strip("\"'") for part in dotted.split(".")]
