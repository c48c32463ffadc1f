"""A training as plain data: what is trained on what, and with which settings.

Nothing here runs anything, and nothing imports torch or an environment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from agentgym_gen.agents.prompt import PromptStyle

if TYPE_CHECKING:
    from agentgym_gen.trainers.config import RFTConfig, SFTConfig, TinySize

__all__ = ["TINY_NAMES", "TrainingPlan"]

TINY_NAMES = ("tiny", "rftgen-tiny")
"""The names of a model that is built with random weights, instead of loaded."""


@dataclass(frozen=True)
class TrainingPlan:
    """What `agentgym-gen train` does."""

    model: str
    """A folder, a name on the hub, ``smollm2``, or ``tiny``."""
    envs: Mapping[str, float]
    """The environments that are trained on, by id, with their weights."""
    size: TinySize | None = None
    """The size of a tiny model; None for one that is loaded."""
    text_episodes: int = 200
    """How many expert episodes of each environment make the vocabulary of a tiny model."""
    style: PromptStyle = field(default_factory=PromptStyle)
    """How prompts are written."""
    warm_start: SFTConfig | None = None
    """The settings of the warm start on demonstrations; None means no warm start."""
    demonstrations: Mapping[str, int] = field(default_factory=dict)
    """How many episodes the expert of each environment id plays for it."""
    epsilon: Mapping[str, float] = field(default_factory=dict)
    """The probability of a turn at random in them, by environment id; 0 where it is missing."""
    rft: RFTConfig | None = None
    """The settings of reinforcement fine-tuning; None means the warm start alone."""
    modules: tuple[str, ...] = ()
    """Modules that are imported first, because they register environments."""

    @property
    def seed(self) -> int:
        """The seed of the model that reinforcement fine-tuning starts from."""
        settings = self.warm_start or self.rft
        return settings.seed if settings else 0

    def as_dict(self) -> dict[str, Any]:
        """Return what differs from the defaults, as plain data."""
        data: dict[str, Any] = json.loads(json.dumps(_changed(self), default=dict))
        return data

    def key(self) -> str:
        """Return the hash of everything that the result depends on."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()[:16]

    def to_toml(self) -> str:
        """Return the plan with every setting, in the form that a file has it.

        Settings that are None have no line.
        """
        size = {} if self.size is None else {"text_episodes": self.text_episodes, **_all(self.size)}
        tables: dict[str, Mapping[str, Any]] = {
            "": {"modules": self.modules} if self.modules else {},
            "model": {"name": self.model, **size},
            "envs": self.envs,
            "style": _all(self.style),
            "warm_start": _all(self.warm_start) if self.warm_start else {},
            "warm_start.demonstrations": self.demonstrations if self.warm_start else {},
            "warm_start.epsilon": self.epsilon,
            "rft": _all(self.rft) if self.rft else {},
        }
        return "\n".join(line for name, table in tables.items() for line in _lines(name, table))


def _changed(record: Any) -> dict[str, Any]:  # noqa: ANN401  (any dataclass)
    """Return the fields of *record* that have not their defaults, those of its parts as well."""
    changed: dict[str, Any] = {}
    for part in fields(record):
        value = getattr(record, part.name)
        default = part.default
        if default is MISSING and part.default_factory is not MISSING:
            default = part.default_factory()
        if value != default or isinstance(value, bool) != isinstance(default, bool):
            changed[part.name] = _changed(value) if is_dataclass(value) else value
    return changed


def _all(record: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        part.name: getattr(record, part.name)
        for part in fields(record)
        if part.name != "output_dir"
    }


def _lines(name: str, table: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a table, after an empty line and its head."""
    values = {key: value for key, value in table.items() if value is not None}
    if not values:
        return
    if name:
        yield ""
        yield f"[{name}]"
    for key, value in values.items():
        shown = dict(value) if key == "chat_template_kwargs" else value
        yield f"{key if key.isidentifier() else json.dumps(key)} = {_toml(shown)}"


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{json.dumps(str(key))} = {_toml(part)}" for key, part in value.items())
        return f"{{{pairs}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # a basic string of TOML, as of JSON
    return str(value).lower() if isinstance(value, bool) else repr(value)
