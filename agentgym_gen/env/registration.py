"""One table of environments, and the loop that registers their ids with Gymnasium."""

from __future__ import annotations

import re
from dataclasses import dataclass

import gymnasium

from agentgym_gen.env.reserved_options import check_loaded
from agentgym_gen.errors import InvalidValueError, NameClashError, unknown_name
from agentgym_gen.interface import PRESETS
from agentgym_gen.system.imports import load_module
from agentgym_gen.world.task import TIERS

NAMESPACE = "rftgen"
ENTRY_POINT = "agentgym_gen.env:TextEnv"
QUERY_KEYS = ("tasks", "interface")
"""The keyword arguments that may follow an id after a ``?``."""

HOW_TO_LIST = "list all with: agentgym-gen envs --ids"


@dataclass(frozen=True)
class Registered:
    """One environment of the table."""

    name: str
    """The name in ids: ``TextCraft``."""
    world: str
    """``"module:class"`` of its world."""
    tiers: tuple[str, ...] = TIERS
    """Its tiers."""
    version: int = 0
    """Its version; it rises when data, wording or reward change."""
    extra: str | None = None
    """The extra that installs its backend, if it has one."""
    costly: int | None = None
    """How many tasks of each tier and split tests play where making one takes seconds.

    Its world has the keyword `first`, which limits the tasks to so many. None: any number.
    """

    @property
    def few(self) -> dict[str, object]:
        """The keyword arguments that keep to few tasks, where making one takes seconds."""
        return {} if self.costly is None else {"first": self.costly}

    def ids(self) -> dict[str, dict[str, object]]:
        """Return every id of this environment with its keyword arguments."""
        table: dict[str, dict[str, object]] = {self._id(): {"world": self.world}}
        for tier in self.tiers:
            keywords: dict[str, object] = {"world": self.world, "tier": tier}
            table[self._id(tier)] = keywords
            for preset in PRESETS:
                table[self._id(tier, preset)] = {**keywords, "interface": preset}
        return table

    def _id(self, *parts: str) -> str:
        return f"{NAMESPACE}/{'-'.join((self.name, *parts))}-v{self.version}"


ENVIRONMENTS: dict[str, Registered] = {}
"""The registered environments by name."""

BUNDLED = (
    Registered("ALFWorld", "agentgym_gen.envs.alfworld:ALFWorld"),
    Registered("WebShop", "agentgym_gen.envs.webshop:WebShop"),
    Registered("SearchQA", "agentgym_gen.envs.searchqa:SearchQA"),
    Registered(
        "TextWorld",
        "agentgym_gen.envs.textworld:TextWorld",
        extra="textworld",
        costly=2,
    ),
    Registered("TextCraft", "agentgym_gen.envs.textcraft:TextCraft"),
    Registered("Sokoban", "agentgym_gen.envs.sokoban:Sokoban"),
    Registered("BabyAI", "agentgym_gen.envs.babyai:BabyAI", extra="babyai"),
)


def register(environment: Registered) -> None:
    """Register every id of *environment*; registering the same one again changes nothing.

    Raises:
        InvalidValueError: if the name cannot be part of an id.
        NameClashError: if the name belongs to another environment, or an option of a world that
            is imported already has a name that is taken.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", environment.name):
        raise InvalidValueError(
            f"Environment name {environment.name!r} must be letters and digits only"
        )
    known = ENVIRONMENTS.get(environment.name)
    if known == environment:
        return
    if known is not None:
        raise NameClashError(f"Environment {environment.name!r} is registered as {known.world!r}")
    check_loaded(environment.world)
    for env_id, keywords in environment.ids().items():
        gymnasium.register(env_id, entry_point=ENTRY_POINT, kwargs=keywords)
    ENVIRONMENTS[environment.name] = environment


def register_all() -> None:
    """Register the bundled environments."""
    for environment in BUNDLED:
        register(environment)


def env_ids() -> list[str]:
    """Return every registered id of this library, in the order of the table."""
    return [env_id for environment in ENVIRONMENTS.values() for env_id in environment.ids()]


def split_env_id(env_id: str) -> tuple[str, dict[str, str]]:
    """Return the registered id in *env_id* and the keyword arguments that follow it.

    >>> split_env_id("rftgen/TextCraft-v0?tasks=lists/easy.txt&interface=menu")
    ('rftgen/TextCraft-v0', {'tasks': 'lists/easy.txt', 'interface': 'menu'})

    Raises:
        InvalidValueError: if what follows the ``?`` is not ``name=value`` joined by ``&``.
    """
    plain, mark, query = env_id.partition("?")
    options: dict[str, str] = {}
    for pair in query.split("&") if mark else ():
        name, equals, value = pair.partition("=")
        if name not in QUERY_KEYS or not equals or not value:
            raise InvalidValueError(
                f"{pair!r} in {env_id!r} is no keyword argument of an id; they are "
                f"{', '.join(QUERY_KEYS)}, written as id?name=value&name=value"
            )
        options[name] = value
    return plain, options


def check_env_id(env_id: str) -> str:
    """Return the registered id that *env_id* means; a module before a ``:`` is imported first.

    Keyword arguments after a ``?`` stay (see `split_env_id`).

    Raises:
        UnknownNameError: if no such id is registered, with the nearest one that is.
        InvalidValueError: if the module cannot be imported, or the id is of another library.
    """
    plain, _ = split_env_id(env_id)
    query = env_id[len(plain) :]
    return _check_plain_id(plain) + query


def _check_plain_id(env_id: str) -> str:
    module, colon, short = env_id.rpartition(":")
    if colon:
        load_module(module, env_id)
    known = env_ids()
    if short in known:
        return short
    if short not in gymnasium.registry:
        raise unknown_name("environment id", short, known, HOW_TO_LIST)
    if gymnasium.registry[short].entry_point != ENTRY_POINT:
        raise InvalidValueError(f"{short!r} is not a text environment of this library")
    return short
