"""The registry of environments."""

from inspect import signature

import gymnasium
import pytest

import agentgym_gen
from agentgym_gen import Registered, TextEnv, env_ids, register, register_all
from agentgym_gen.env.registration import BUNDLED, check_env_id
from agentgym_gen.env.reserved_options import OF_GYMNASIUM, OF_THE_ENVIRONMENT
from agentgym_gen.envs.sokoban import Sokoban
from agentgym_gen.errors import InvalidValueError, NameClashError


def test_registering_again_changes_nothing() -> None:
    """A second registration of the bundled environments adds no id."""
    before = env_ids()
    register_all()

    assert env_ids() == before


def test_a_name_that_is_taken_is_an_error() -> None:
    """A name that is registered for another world is an error, and the registry is unchanged."""
    before = dict(gymnasium.registry)
    with pytest.raises(NameClashError, match="'Sokoban' is registered as"):
        register(Registered("Sokoban", "somewhere:Else"))

    assert dict(gymnasium.registry) == before


class ReservedOfEnv(Sokoban):
    """A world with an option that is called like one of `TextEnv`."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()


class ReservedOfGymnasium(Sokoban):
    """A world with an option that is called like one of ``gymnasium.make_vec``."""

    def __init__(self, wrappers: str = "") -> None:
        super().__init__()


@pytest.mark.parametrize(
    ("world", "option"), [(ReservedOfEnv, "seed"), (ReservedOfGymnasium, "wrappers")]
)
def test_an_option_with_a_reserved_name_is_an_error(world: type[Sokoban], option: str) -> None:
    """A reserved name is an error when the world is registered and when it is made."""
    before, spec = dict(gymnasium.registry), f"{__name__}:{world.__name__}"
    with pytest.raises(NameClashError, match=f"an option called '{option}'"):
        register(Registered("Reserved", spec))
    with pytest.raises(NameClashError, match=f"an option called '{option}'"):
        TextEnv(spec)

    assert dict(gymnasium.registry) == before


def test_the_reserved_names_are_complete() -> None:
    """The reserved names are the parameters of `TextEnv`, of ``make`` and of ``make_vec``."""
    of_env = [name for name in signature(TextEnv).parameters if name != "options"]
    makers = (gymnasium.make, gymnasium.make_vec)
    of_gymnasium = {name for maker in makers for name in signature(maker).parameters}

    assert tuple(of_env) == OF_THE_ENVIRONMENT
    assert set(OF_GYMNASIUM) == of_gymnasium - {"kwargs"}


@pytest.mark.parametrize("name", ["", "Two Words", "dash-ed", "a/b", "1st"])
def test_a_name_that_no_id_can_hold_is_an_error(name: str) -> None:
    """A name with other characters than letters and digits, or a digit first, is an error."""
    with pytest.raises(InvalidValueError, match="letters and digits only"):
        register(Registered(name, "x:Y"))


def test_the_version_is_last_in_every_id() -> None:
    """Gymnasium parses the namespace and the version of every id."""
    for env_id in env_ids():
        spec = gymnasium.spec(env_id)
        assert (spec.namespace, spec.version) == ("rftgen", 0)
        assert spec.to_json()


def test_the_module_form_needs_no_import() -> None:
    """`gymnasium.make("agentgym_gen:rftgen/...")` makes an environment without an import."""
    env = gymnasium.make("agentgym_gen:rftgen/Sokoban-easy-v0")

    assert env.reset(seed=0)[0] in env.observation_space


def test_everything_public_is_exported() -> None:
    """Every name in `__all__` is there."""
    assert all(hasattr(agentgym_gen, name) for name in agentgym_gen.__all__)


def test_an_id_with_its_module_is_checked_after_the_import() -> None:
    """The check of an id with its module returns the id without it."""
    assert check_env_id("agentgym_gen:rftgen/Sokoban-easy-v0") == "rftgen/Sokoban-easy-v0"


@pytest.mark.parametrize("module", ["no_such_package", "no such", ""])
def test_a_missing_module_is_named(module: str) -> None:
    """The error for an id whose module cannot be imported names the module."""
    with pytest.raises(InvalidValueError, match=f"{module!r} in '{module}:rftgen/X-v0'"):
        check_env_id(f"{module}:rftgen/X-v0")


@pytest.mark.parametrize("environment", BUNDLED, ids=lambda environment: environment.name)
def test_the_table_says_which_native_interface_lists_the_actions(environment: Registered) -> None:
    """It does where the first observation through `listed` is the native one."""
    task = {"task_id": str(make(environment, "native").world.tasks.make("easy", "train", 0).id)}
    native, listed = (
        make(environment, interface).reset(options=task)[0] for interface in ("native", "listed")
    )

    assert environment.lists_actions == (native == listed)


def make(environment: Registered, interface: str) -> TextEnv:
    """Return the easy environment through *interface*."""
    env = gymnasium.make(environment.id("easy"), interface=interface, **environment.test_kwargs)
    assert isinstance(env.unwrapped, TextEnv)
    return env.unwrapped
