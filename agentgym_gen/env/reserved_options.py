"""The names that a world's options may not have: `TextEnv` or Gymnasium take them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable

from agentgym_gen.errors import InvalidValueError, NameClashError, unknown_name

OF_THE_ENVIRONMENT = (
    "world",
    "tier",
    "split",
    "tasks",
    "interface",
    "max_turns",
    "seed",
    "render_mode",
)
"""The keyword arguments of `TextEnv`."""

OF_GYMNASIUM = (
    "id",
    "max_episode_steps",
    "disable_env_checker",
    "num_envs",
    "vectorization_mode",
    "vector_kwargs",
    "wrappers",
)
"""Those of ``gymnasium.make`` and ``gymnasium.make_vec``."""


IN_QUERIES = ("tasks", "interface", "max_turns")
"""The keyword arguments of `TextEnv` that may follow an id after a ``?``, beside the world's."""


def check_query(names: Iterable[str], env_id: str) -> None:
    """Check that each of *names*, the keyword arguments in *env_id*, may stand there.

    Raises:
        InvalidValueError: if one belongs to whoever makes the environment.
    """
    taken = {*OF_THE_ENVIRONMENT, *OF_GYMNASIUM}.difference(IN_QUERIES)
    refused = next((name for name in names if name in taken), None)
    if refused is not None:
        raise InvalidValueError(
            f"{refused!r} in {env_id!r} is no keyword argument of an id; those are "
            f"{', '.join(IN_QUERIES)}, and the options of the environment"
        )


def check_options(factory: Callable[..., object], spec: str) -> None:
    """Check that every option of the world *factory* can be given to it by an id.

    Raises:
        NameClashError: if one has a name that `TextEnv` or Gymnasium keeps for itself.
    """
    taken = (*OF_THE_ENVIRONMENT, *OF_GYMNASIUM)
    clash = next((name for name in inspect.signature(factory).parameters if name in taken), None)
    if clash is not None:
        whose = "`TextEnv`" if clash in OF_THE_ENVIRONMENT else "Gymnasium"
        raise NameClashError(
            f"World {spec!r} has an option called {clash!r}, which {whose} takes for itself, so "
            f"that no id could pass it on; give it another name. Taken are: {', '.join(taken)}"
        )


def check_known(
    factory: Callable[..., object], names: Iterable[str], beside: Iterable[str]
) -> None:
    """Check that the world *factory* has an option of each of *names*.

    Args:
        factory: The class of the world.
        names: The names of the options.
        beside: The keyword arguments of `TextEnv` that may be given beside them.

    Raises:
        UnknownNameError: if it has none of a name, with the nearest one that there is.
    """
    parameters = inspect.signature(factory).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return  # the world itself checks what it collects
    accepted = (*parameters, *beside)
    for name in names:
        if name not in parameters:
            raise unknown_name("keyword argument", name, accepted, "those of this environment")


def check_loaded(spec: str) -> None:
    """Check the options of the world ``"module:class"`` if its module is imported already.

    A world that is not imported yet is checked when it is made: registering imports nothing.

    Raises:
        NameClashError: as `check_options`.
    """
    module, _, name = spec.partition(":")
    factory = getattr(sys.modules.get(module), name, None)
    if isinstance(factory, type):
        check_options(factory, spec)
