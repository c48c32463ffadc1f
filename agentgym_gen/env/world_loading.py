"""A world from the ``"module:class"`` that the registry holds, with the options of an id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentgym_gen.env.option_types import typed_options
from agentgym_gen.env.reserved_options import OF_THE_ENVIRONMENT, check_known, check_options
from agentgym_gen.errors import AgentGymGenError, InvalidValueError
from agentgym_gen.system.imports import load_module
from agentgym_gen.world import World


def load_world(world: str | World[Any], options: Mapping[str, object]) -> World[Any]:
    """Return *world*, or build it from ``"module:class"`` with *options*.

    Raises:
        InvalidValueError: if there is no such class, it is no world, or it fails when it is made.
        UnknownNameError: if it has no option of a name in *options*.
        NameClashError: if one of its options has a name that is taken.
    """
    if isinstance(world, World):
        if options:
            raise InvalidValueError(f"A world that is built already takes no options: {options!r}")
        return world
    factory = world_class(world)
    check_known(factory, options, OF_THE_ENVIRONMENT[1:])
    try:
        instance: World[Any] = factory(**typed_options(factory, options))
    except AgentGymGenError:
        raise
    except Exception as error:  # somebody else's world
        raise InvalidValueError(
            f"{world!r} fails when it is made: {type(error).__name__}: {error}"
        ) from error
    return instance


def world_class(world: str) -> type[World[Any]]:
    """Return the class ``"module:class"``.

    Raises:
        InvalidValueError: if there is no such class, or it is no world.
        NameClashError: if one of its options has a name that is taken.
    """
    module, _, name = world.partition(":") if isinstance(world, str) else ("", "", "")
    if not name:
        raise InvalidValueError(f"`world` is a World or 'module:class', not {world!r}")
    factory = getattr(load_module(module, str(world)), name, None)
    if not isinstance(factory, type) or not issubclass(factory, World):
        raise InvalidValueError(f"{world!r} names no class of worlds; it must inherit from World")
    check_options(factory, world)
    return factory
