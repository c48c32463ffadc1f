"""Parses a TOML file and overrides into a training plan; an error names file, line and key."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.evaluation.columns import expand_patterns
from agentgym_gen.study.plan.tables import MAX_BYTES, KeyPath, TableReader, parse_toml
from agentgym_gen.study.plan.validation import short_repr
from agentgym_gen.system.imports import load_module
from agentgym_gen.system.untrusted_files import read_text
from agentgym_gen.training.plan import TINY_NAMES, TrainingPlan

__all__ = ["SECTIONS", "load_training_plan", "parse_training_plan"]

SECTIONS = ("modules", "seed", "envs", "model", "style", "warm_start", "rft")
"""The keys of a file."""

DEFAULT_DEMONSTRATIONS = 200
"""How many episodes the experts play for a warm start that does not say how many."""


def load_training_plan(source: str | Path, overrides: Sequence[str] = ()) -> TrainingPlan:
    """Return the training plan in the TOML file *source*.

    Args:
        source: The file.
        overrides: Values that take the place of those in the file, each as ``key=value`` with a
            dotted key: ``rft.learning_rate=1e-4``. A value that is not TOML is a text.

    Raises:
        DataError: if the file cannot be read.
        InvalidValueError: if it is not TOML or no training plan; file, line and key are named.
    """
    text = read_text(Path(source), max_bytes=MAX_BYTES)
    return parse_training_plan(text, str(source), overrides)


def parse_training_plan(
    text: str, source: str = "the file", overrides: Sequence[str] = ()
) -> TrainingPlan:
    """Return the training plan that the TOML *text* spells; *source* is what errors call it."""
    table = parse_toml(text, source)
    places: dict[KeyPath, str] = {}
    for override in overrides:
        for path, value in _override(override):
            _set(table, path, value, override)
            places[path] = f"the argument {override!r}"
    return _TrainingParser(text, source, places).plan(table)


@dataclass(frozen=True)
class _TrainingParser(TableReader):
    """Turns the tables of a file into a training plan."""

    def plan(self, table: Mapping[str, Any]) -> TrainingPlan:
        for key in table:
            if key not in SECTIONS:
                raise self.unknown_key((key,), SECTIONS)
        for name in ("model", "style", "warm_start", "rft"):
            self.check(table.get(name, {}), dict, (name,))
        modules = self.check(table.get("modules", ()), tuple[str, ...], ("modules",))
        for module in modules:
            load_module(module, self.source)
        envs = self._envs(table.get("envs"))
        model, size, text_episodes = self._model(table.get("model", {}))
        seed = self.check(table.get("seed", 0), int, ("seed",))
        # A tiny model is trained whole: it has no pretrained weights that an adapter would keep.
        defaults = {"seed": seed, **({} if size is None else {"lora_rank": 0})}
        warm_start, demonstrations, epsilon = self._warm_start(table, defaults, list(envs))
        rft = self._rft(table, defaults)
        if warm_start is not None and rft is not None:
            self.check_adapter(warm_start, rft, ("rft",))
        return TrainingPlan(
            model=model,
            size=size,
            text_episodes=text_episodes,
            envs=envs,
            style=self.record(PromptStyle, table.get("style", {}), ("style",)),
            warm_start=warm_start,
            demonstrations=demonstrations,
            epsilon=epsilon,
            rft=rft,
            modules=modules,
        )

    def _envs(self, value: object) -> dict[str, float]:
        """Return the weight of each environment: of a list of ids and patterns, or of a table."""
        if value is None:
            raise self.error(
                ("envs",), 'is missing: name environments, such as envs = ["rftgen/*-easy-v0"]'
            )
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, Mapping):
            patterns = self.check(value, tuple[str, ...], ("envs",))
            return {env_id: 1.0 for env_id, _ in self._expanded(patterns, ("envs",))}
        weights: dict[str, float] = {}
        for pattern, weight in value.items():
            path = ("envs", pattern)
            number = self.check(weight, float, path)
            if number <= 0:
                raise self.error(path, f"is a weight above 0, not {short_repr(weight)}")
            weights |= {env_id: number for env_id, _ in self._expanded((pattern,), path)}
        return weights

    def _expanded(self, patterns: Sequence[str], path: KeyPath) -> list[tuple[str, bool]]:
        expanded: list[tuple[str, bool]] = self.with_location(
            path, lambda: list(expand_patterns(patterns))
        )
        return expanded

    def _model(self, table: Mapping[str, Any]) -> tuple[str, Any, int]:
        """Return the name of the model, and for a tiny one its size and the episodes it reads."""
        from agentgym_gen.trainers.config import TinySize

        settings = dict(table)
        name = self.check(settings.pop("name", "tiny"), str, ("model", "name"))
        if not name:
            raise self.error(("model", "name"), "is a folder, a name on the hub, or `tiny`, not ''")
        if name not in TINY_NAMES:
            if settings:
                raise self.unknown_key(("model", next(iter(settings))), ["name"])
            return name, None, TrainingPlan.text_episodes
        path: KeyPath = ("model", "text_episodes")
        episodes = self.check_count(settings.pop("text_episodes", TrainingPlan.text_episodes), path)
        return name, self.record(TinySize, settings, ("model",)), episodes

    def _warm_start(
        self, table: Mapping[str, Any], defaults: Mapping[str, Any], envs: Sequence[str]
    ) -> tuple[Any, dict[str, int], dict[str, float]]:
        """Return the settings of the warm start, and of each id how many demonstrations it has.

        Last, the probability of a turn at random in them, where it is not 0.
        """
        from agentgym_gen.trainers.config import SFTConfig

        if "warm_start" not in table:
            return None, {}, {}
        settings = dict(table["warm_start"])
        numbers = settings.pop("demonstrations", DEFAULT_DEMONSTRATIONS)
        epsilons = settings.pop("epsilon", {})
        self._check_settings(settings, "warm_start")
        path: KeyPath = ("warm_start", "demonstrations")
        if isinstance(numbers, Mapping):
            each = {
                env_id: self.check(number, int, (*path, pattern))
                for pattern, number in numbers.items()
                for env_id, _ in self._expanded((pattern,), (*path, pattern))
            }
        else:
            total = self.check(numbers, int, path)
            # the first ones get one more each, until the remainder is shared out
            each = {
                env_id: total // len(envs) + (place < total % len(envs))
                for place, env_id in enumerate(envs)
            }
        if min(each.values(), default=0) < 1:
            raise self.error(path, "is 1 or more for each environment")
        sft = self.record(SFTConfig, {**defaults, **settings}, ("warm_start",))
        return sft, each, self._epsilon(epsilons, list(each))

    def _epsilon(self, values: object, env_ids: Sequence[str]) -> dict[str, float]:
        """Return the probability of a turn at random of each id: from one number, or a table."""
        path: KeyPath = ("warm_start", "epsilon")
        if not isinstance(values, Mapping):
            epsilon = self.check_probability(values, path)
            return dict.fromkeys(env_ids, epsilon) if epsilon else {}
        each: dict[str, float] = {}
        for pattern, value in values.items():
            own: KeyPath = (*path, pattern)
            epsilon = self.check_probability(value, own)
            for env_id, _ in self._expanded((pattern,), own):
                if env_id not in env_ids:
                    raise self.error(own, f"names {env_id}, of which there are no demonstrations")
                each[env_id] = epsilon
        return each

    def _rft(self, table: Mapping[str, Any], defaults: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Return the settings of reinforcement fine-tuning; a file with no table has no warm start.

        A file with a warm start alone trains by demonstrations only.
        """
        from agentgym_gen.trainers.config import RFTConfig

        if "rft" not in table and "warm_start" in table:
            return None
        settings = dict(table.get("rft", {}))
        self._check_settings(settings, "rft")
        return self.record(RFTConfig, {**defaults, **settings}, ("rft",))

    def _check_settings(self, settings: Mapping[str, Any], name: str) -> None:
        if "output_dir" in settings:
            raise self.error(
                (name, "output_dir"), "is no setting of a file: the folder is chosen with --out"
            )


def _override(text: str) -> Iterator[tuple[KeyPath, object]]:
    """Yield the key and the value of the override *text*; an inline table has several.

    Raises:
        InvalidValueError: if it is no ``key=value``.
    """
    key, equals, value = text.partition("=")
    for spelling in (value, json.dumps(value)):
        try:
            table = tomllib.loads(f"{key} = {spelling}") if equals and "\n" not in text else {}
        except (ValueError, RecursionError):
            continue
        if table:
            yield from _leaves(table, ())
            return
    raise InvalidValueError(
        f"An override is key=value with a dotted key, such as rft.max_steps=50, not {text!r}"
    )


def _leaves(table: Mapping[str, Any], path: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _set(table: dict[str, Any], path: KeyPath, value: object, override: str) -> None:
    """Set the value of the key *path* in *table*; tables on the way are made.

    Raises:
        InvalidValueError: if what is on the way is no table.
    """
    for key in path[:-1]:
        table = table.setdefault(str(key), {})
        if not isinstance(table, dict):
            raise InvalidValueError(
                f"The argument {override!r} sets a key of {key!r}, which is no table in the file"
            )
    table[str(path[-1])] = value
