"""One table of environments, and the loop that registers their ids with Gymnasium."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

import gymnasium

from agentgym_gen.env.reserved_options import (
    IN_QUERIES,
    check_known,
    check_loaded,
    check_query,
)
from agentgym_gen.env.world_loading import world_class
from agentgym_gen.errors import InvalidValueError, NameClashError, UnknownNameError, unknown_name
from agentgym_gen.ids import TIERS, EnvId, split_query
from agentgym_gen.interface import PRESETS
from agentgym_gen.system.imports import load_module, modules_that_need

__all__ = [
    "BUNDLED",
    "ENTRY_POINT",
    "ENVIRONMENTS",
    "HOW_TO_LIST",
    "PLUGIN_GROUP",
    "Registered",
    "check_env_id",
    "env_ids",
    "register",
    "register_all",
    "register_plugins",
]

ENTRY_POINT = "agentgym_gen.env:TextEnv"

PLUGIN_GROUP = "agentgym_gen.worlds"
"""The group of entry points by which installed packages name their worlds."""

PACKAGE = "agentgym-gen"
"""The name under which this library is installed."""

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
    slow_tasks: int | None = None
    """How many tasks of each tier and split tests play, if making one takes seconds.

    Its world has the keyword `first`, which limits the tasks to this number. None: any number.
    """
    lists_actions: bool = False
    """Whether its native interface lists the admissible actions at every turn."""

    @property
    def test_kwargs(self) -> dict[str, object]:
        """The keyword arguments that limit tests to few tasks, if making one takes seconds."""
        return {} if self.slow_tasks is None else {"first": self.slow_tasks}

    def id(self, tier: str = "", interface: str = "") -> str:
        """Return the id of this environment in *tier*, or in all, through a preset *interface*."""
        return str(EnvId(self.name, tier, interface, self.version))

    def ids(self) -> dict[str, dict[str, object]]:
        """Return every id of this environment with its keyword arguments."""
        table: dict[str, dict[str, object]] = {self.id(): {"world": self.world}}
        for tier in self.tiers:
            keywords: dict[str, object] = {"world": self.world, "tier": tier}
            table[self.id(tier)] = keywords
            for preset in PRESETS:
                table[self.id(tier, preset)] = {**keywords, "interface": preset}
        return table


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
        slow_tasks=2,
    ),
    Registered("TextCraft", "agentgym_gen.envs.textcraft:TextCraft"),
    Registered("Sokoban", "agentgym_gen.envs.sokoban:Sokoban"),
    Registered("BabyAI", "agentgym_gen.envs.babyai:BabyAI", extra="babyai", lists_actions=True),
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
    registered = ENVIRONMENTS.get(environment.name)
    if registered == environment:
        return
    if registered is not None:
        raise NameClashError(
            f"Environment {environment.name!r} is registered as {registered.world!r}"
        )
    check_loaded(environment.world)
    for env_id, keywords in environment.ids().items():
        gymnasium.register(env_id, entry_point=ENTRY_POINT, kwargs=keywords)
    ENVIRONMENTS[environment.name] = environment


def register_all() -> None:
    """Register the bundled environments, and those of installed packages."""
    for environment in BUNDLED:
        register(environment)
    register_plugins(entry_points(group=PLUGIN_GROUP))


def register_plugins(plugins: Iterable[EntryPoint]) -> None:
    """Register the worlds that *plugins* name, without importing their packages.

    The name of an entry point is that in ids, its value the ``module:class`` of the world. One that
    cannot be registered is left out, with a warning that names it.
    """
    for plugin in plugins:
        try:
            register(Registered(plugin.name, plugin.value))
        except (InvalidValueError, NameClashError) as error:
            package = plugin.dist.name if plugin.dist else "an installed package"
            warnings.warn(
                f"The world {plugin.name!r} of {package} is left out: {error}", stacklevel=2
            )


def env_ids() -> list[str]:
    """Return every registered id of this library, in the order of the table."""
    return [env_id for environment in ENVIRONMENTS.values() for env_id in environment.ids()]


def check_env_id(env_id: str) -> str:
    """Return the registered id that *env_id* means; a module before a ``:`` is imported first.

    Keyword arguments after a ``?`` stay (see `EnvId`).

    Raises:
        UnknownNameError: if no such id is registered, with the nearest one that is, or its world
            has no option of the name of a keyword argument.
        InvalidValueError: if the module cannot be imported, the id is of another library, or a
            keyword argument cannot stand in an id.
    """
    plain, query = split_query(env_id)
    registered = _check_plain_id(plain)
    check_query(query, env_id)
    if "interface" in query and EnvId.parse(plain).interface:
        raise InvalidValueError(
            f"{env_id!r} names two interfaces; leave one, or join their presets by '+'"
        )
    options = query.keys() - IN_QUERIES
    if options:
        factory = world_class(gymnasium.registry[registered].kwargs["world"])
        check_known(factory, sorted(options), IN_QUERIES)
    return registered + env_id[len(plain) :]


def _unknown_id(env_id: str) -> UnknownNameError:
    """Return the error for an id that is not registered.

    If its environment is not known at all, it may be that of an installed package which registers
    it when it is imported, so such packages are named as the part before the ``:``.
    """
    error = unknown_name("environment id", env_id, env_ids(), HOW_TO_LIST)
    match = re.match(r"(?:.*/)?([A-Za-z][A-Za-z0-9]*)", env_id)
    if match is None or match[1] in ENVIRONMENTS:
        return error
    ids = [f"{module}:{env_id}" for module in modules_that_need(PACKAGE)]
    return UnknownNameError(f"{error}; perhaps {' or '.join(map(repr, ids))}") if ids else error


def _check_plain_id(env_id: str) -> str:
    module, colon, short = env_id.rpartition(":")
    if colon:
        load_module(module, env_id)
    if short not in gymnasium.registry:
        raise _unknown_id(short)
    if gymnasium.registry[short].entry_point != ENTRY_POINT:
        raise InvalidValueError(f"{short!r} is not a text environment of this library")
    return short
