"""The checks of interfaces, on every environment: every preset and interfaces of several axes."""

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
    kwargs = options(name, number)
    amount = 1 if kwargs else number
    return sample_task_ids(f"rftgen/{name}-v0", "test", amount, stream(name), kwargs)


def options(name: str, number: int) -> dict[str, object]:
    """Return the keywords that limit `FEW` tasks of *name* to those that other tests make, too."""
    return ENVIRONMENTS[name].test_kwargs if number == FEW else {}


def check(name: str, interface: Interface, number: int) -> None:
    """Check *interface* on *number* tasks of *name*."""
    kwargs = {"interface": interface, **options(name, number)}
    env = make_text_env(f"rftgen/{name}-v0", "test", kwargs)
    for episode in records(name, number):
        check_interface(env, episode)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("interface", COMPOSED[:4], ids=str)
def test_interfaces_of_several_axes_pass_on_few_tasks(name: str, interface: Interface) -> None:
    """Four interfaces pass the checks on two tasks, on one where making a task takes seconds."""
    check(name, interface, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("interface", [*map(Interface.parse, PRESETS), *COMPOSED], ids=str)
def test_presets_and_interfaces_of_several_axes_pass_on_twenty_tasks(
    name: str, interface: Interface
) -> None:
    """Each preset and each of twenty interfaces passes the checks on twenty tasks."""
    check(name, interface, MANY)


def test_the_words_of_a_syntax_do_not_count_as_old_names() -> None:
    """The checks pass where the syntax says "in double quotes" and "double" is an old name."""
    options = {"interface": "symbols+call+renamed"}
    played = record_expert(make_text_env("rftgen/WebShop-hard-v0", "test"), "webshop/hard/test/65")
    env = make_text_env("rftgen/WebShop-hard-v0", "test", options)
    check_interface(env, played)

    assert "double" in env.world.surface().nouns()
    assert "double quotes" in env.instruction


def test_the_sampled_interfaces_have_every_value_of_every_axis() -> None:
    """The twenty interfaces have all 29 values of the axes among them."""
    values = {(axis, value) for interface in COMPOSED for axis, value in vars(interface).items()}

    assert len(values) == 3 + 5 + 4 + 3 + 2 + 3 + 3 + 4 + 2
