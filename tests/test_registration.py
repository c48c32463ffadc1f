"""The table of environments."""

from inspect import signature

import gymnasium
import pytest

import agentgym_gen
from agentgym_gen import Registered, TextEnv, env_ids, register, register_all
from agentgym_gen.env.registration import check_env_id
from agentgym_gen.env.reserved_options import OF_GYMNASIUM, OF_THE_ENVIRONMENT
from agentgym_gen.envs.sokoban import Sokoban
from agentgym_gen.errors import InvalidValueError, NameClashError


def test_registering_again_changes_nothing() -> None:
    """Importing twice is harmless."""
    before = env_ids()
    register_all()

    assert env_ids() == before


def test_a_name_that_is_taken_is_an_error() -> None:
    """Nothing is overwritten."""
    before = dict(gymnasium.registry)
    with pytest.raises(NameClashError, match="'Sokoban' is registered as"):
        register(Registered("Sokoban", "somewhere:Else"))

    assert dict(gymnasium.registry) == before


class Rude(Sokoban):
    """A world whose option no id could pass on."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()


class RuderVec(Sokoban):
    """The same of Gymnasium's own."""

    def __init__(self, wrappers: str = "") -> None:
        super().__init__()


@pytest.mark.parametrize(("world", "option"), [(Rude, "seed"), (RuderVec, "wrappers")])
def test_an_option_whose_name_is_taken_is_an_error(world: type[Sokoban], option: str) -> None:
    """When the world is registered, and at the latest when it is made."""
    before, spec = dict(gymnasium.registry), f"{__name__}:{world.__name__}"
    with pytest.raises(NameClashError, match=f"an option called '{option}'"):
        register(Registered("Rude", spec))
    with pytest.raises(NameClashError, match=f"an option called '{option}'"):
        TextEnv(spec)

    assert dict(gymnasium.registry) == before


def test_the_names_that_are_taken_are_all_there_are() -> None:
    """Of `TextEnv`, of ``make`` and of ``make_vec``."""
    mine = [name for name in signature(TextEnv).parameters if name != "options"]
    theirs = {
        name for made in (gymnasium.make, gymnasium.make_vec) for name in signature(made).parameters
    }

    assert tuple(mine) == OF_THE_ENVIRONMENT
    assert set(OF_GYMNASIUM) == theirs - {"kwargs"}


@pytest.mark.parametrize("name", ["", "Two Words", "dash-ed", "a/b", "1st"])
def test_a_name_that_no_id_can_hold_is_an_error(name: str) -> None:
    """Gymnasium would parse the id otherwise than it is meant."""
    with pytest.raises(InvalidValueError, match="letters and digits only"):
        register(Registered(name, "x:Y"))


def test_the_version_is_last_in_every_id() -> None:
    """Gymnasium finds name and version."""
    for env_id in env_ids():
        spec = gymnasium.spec(env_id)
        assert (spec.namespace, spec.version) == ("rftgen", 0)
        assert spec.to_json()


def test_the_module_form_needs_no_import() -> None:
    """`gymnasium.make("agentgym_gen:rftgen/...")` works too."""
    env = gymnasium.make("agentgym_gen:rftgen/Sokoban-easy-v0")

    assert env.reset(seed=0)[0] in env.observation_space


def test_everything_public_is_exported() -> None:
    """`__all__` names what there is."""
    assert all(hasattr(agentgym_gen, name) for name in agentgym_gen.__all__)


def test_an_id_with_its_module_is_checked_after_the_import() -> None:
    """The short id comes back, ready for any use."""
    assert check_env_id("agentgym_gen:rftgen/Sokoban-easy-v0") == "rftgen/Sokoban-easy-v0"


@pytest.mark.parametrize("module", ["no_such_package", "no such", ""])
def test_a_module_that_is_missing_is_one_sentence(module: str) -> None:
    """It names the module."""
    with pytest.raises(InvalidValueError, match=f"{module!r} in '{module}:rftgen/X-v0'"):
        check_env_id(f"{module}:rftgen/X-v0")
