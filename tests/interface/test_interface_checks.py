"""The laws of interfaces: every environment, every preset, and interfaces drawn from all axes."""

import functools

import pytest

from agentgym_gen.env.making import make_text_env, sample_task_ids
from agentgym_gen.env.registration import BUNDLED, ENVIRONMENTS
from agentgym_gen.interface import PRESETS, Interface
from agentgym_gen.seeding import stream
from agentgym_gen.testing.interface_checks import (
    ExpertEpisode,
    check_interface,
    record_expert,
    sample_interfaces,
)

NAMES = [environment.name for environment in BUNDLED]
COMPOSED = sample_interfaces(20, stream("axes"))
FEW, MANY = 2, 20


@functools.cache
def records(name: str, number: int) -> tuple[ExpertEpisode, ...]:
    """Return native episodes of *number* test tasks of *name*, of all tiers."""
    env = make_text_env(f"rftgen/{name}-v0", "test", options(name, number))
    return tuple(record_expert(env, task) for task in tasks_of(name, number))


def tasks_of(name: str, number: int) -> list[str]:
    """Return *number* test tasks of *name*, or one of `FEW` where making one takes seconds."""
    few = options(name, number)
    return sample_task_ids(f"rftgen/{name}-v0", "test", 1 if few else number, stream(name), few)


def options(name: str, number: int) -> dict[str, object]:
    """Return what keeps `FEW` tasks of *name* to those that other tests make, too."""
    return ENVIRONMENTS[name].test_kwargs if number == FEW else {}


def check(name: str, interface: Interface, number: int) -> None:
    """Check *interface* on *number* tasks of *name*."""
    asked = {"interface": interface, **options(name, number)}
    env = make_text_env(f"rftgen/{name}-v0", "test", asked)
    for played in records(name, number):
        check_interface(env, played)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("interface", COMPOSED[:4], ids=str)
def test_the_laws_hold_for_interfaces_that_change_everything(
    name: str, interface: Interface
) -> None:
    """On two tasks, one where it is costly; `check_world` has the presets."""
    check(name, interface, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("interface", [*map(Interface.parse, PRESETS), *COMPOSED], ids=str)
def test_the_laws_hold_on_twenty_tasks(name: str, interface: Interface) -> None:
    """For each preset and each of twenty interfaces that change several axes."""
    check(name, interface, MANY)


def test_the_words_of_a_syntax_are_no_leak() -> None:
    """A call has its arguments "in double quotes" where a bed is double, too."""
    options = {"interface": "symbols+call+renamed"}
    played = record_expert(make_text_env("rftgen/WebShop-hard-v0", "test"), "webshop/hard/test/65")
    env = make_text_env("rftgen/WebShop-hard-v0", "test", options)
    check_interface(env, played)

    assert "double" in env.world.surface().nouns()
    assert "double quotes" in env.instruction


def test_the_drawn_interfaces_reach_every_value_of_every_axis() -> None:
    """Twenty are enough for it."""
    seen = {(axis, value) for interface in COMPOSED for axis, value in vars(interface).items()}

    assert len(seen) == 3 + 5 + 4 + 3 + 2 + 3 + 3 + 4 + 2
