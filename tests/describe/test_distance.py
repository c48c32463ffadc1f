"""How far interfaces and environments are apart, and the tables that show it."""

import math
from dataclasses import replace

import pytest

from agentgym_gen.describe.distance import Distance, ExpertProfile, distance, profile
from agentgym_gen.describe.tables import (
    between_environments,
    between_interfaces,
    descriptors,
    tasks_played,
)
from agentgym_gen.env.registration import ENVIRONMENTS
from agentgym_gen.errors import InvalidValueError

EASY = "rftgen/TextCraft-easy-v0"


def one_turn(
    *, observation: str = "a b", action: str = "go x", listed_share: float = 0.0
) -> ExpertProfile:
    """Return the profile of one turn."""
    chars = (len(observation), len(action))
    return ExpertProfile((observation,), (action,), listed_share, *chars, 1.0, 1.0)


def test_the_parts_by_hand() -> None:
    """Shares 1/2, 1/2 and 1/4, 1/4, 1/2 have 1/2 in common; the other parts are derived below."""
    first = one_turn(observation="red dog", action="go to x", listed_share=1.0)
    second = one_turn(observation="red dog cat cat", action='go("x")')
    result = distance(first, second)

    # The words "go", "to", "x" and "go", "(", quote, "x", quote, ")" share 1/6 + 1/6.
    assert result.observations == pytest.approx(1 / 2)
    assert result.actions == pytest.approx(2 / 3)
    # The forms are "a" and a("a"): five insertions, in units of six characters.
    assert result.syntax == pytest.approx(5 / 6)
    assert result.listing == 1.0
    assert result.mean == pytest.approx((1 / 2 + 2 / 3 + 5 / 6 + 1) / 4)


def test_the_syntax_is_that_of_forms_not_of_words() -> None:
    """Two actions of other words and the same form have the syntax distance 0."""
    result = distance(one_turn(action="go to desk 1"), one_turn(action="walk over to bed 22"))

    assert (result.syntax, result.actions) == (0.0, pytest.approx(1 - 1 / 5))


@pytest.mark.parametrize("interface", ["native", "symbols+json", "menu+data"])
def test_the_distance_is_symmetric_and_zero_to_itself(interface: str) -> None:
    """Every part is 0 to 1, the same both ways, and 0 between equal profiles."""
    first = profile(EASY, tasks=3)
    second = profile(EASY, tasks=3, options={"interface": interface})
    forward, backward = distance(first, second).parts(), distance(second, first).parts()

    assert forward == pytest.approx(backward)
    assert all(0 <= part <= 1 for part in forward.values())
    assert distance(second, second) == Distance(0.0, 0.0, 0.0, 0.0)


def test_each_axis_moves_its_own_part() -> None:
    """Syntax changes the actions, format the observations, and listing the listed share."""
    native = profile("rftgen/Sokoban-easy-v0", tasks=3)

    def apart(interface: str) -> Distance:
        options = {"interface": interface}
        return distance(native, profile("rftgen/Sokoban-easy-v0", tasks=3, options=options))

    assert apart("call").observations == 0 < apart("call").syntax
    assert apart("data").actions == 0 < apart("data").observations
    assert (apart("listed").listing, apart("menu").listing, apart("data").listing) == (1, 1, 0)
    assert apart("symbols").actions == 1.0


def test_a_profile_is_of_the_experts_episodes() -> None:
    """The tasks are the same through every interface."""
    native, called = (profile(EASY, tasks=4, options={"interface": i}) for i in ("native", "call"))

    assert native.expert_turns == called.expert_turns == len(native.actions) / 4
    assert native.admissible == called.admissible
    assert math.isclose(native.action_chars * len(native.actions), len("".join(native.actions)))
    with pytest.raises(InvalidValueError, match="`tasks` is at least 1, not 0"):
        profile(EASY, tasks=0)


def test_slow_environments_are_described_by_few_tasks() -> None:
    """A slow environment plays at most as many tasks as its tests, and fewer on request."""
    quick = ENVIRONMENTS["Sokoban"]
    slow = replace(quick, slow_tasks=2)

    assert [tasks_played(environment, 20) for environment in (quick, slow)] == [20, 2]
    assert tasks_played(slow, 1) == 1


def test_the_tables_have_a_row_for_everything() -> None:
    """There is a row for every tier, every pair of environments and every preset."""
    environments = [ENVIRONMENTS["TextCraft"], ENVIRONMENTS["Sokoban"]]
    profiles = {name: profile(f"rftgen/{name}-v0", tasks=1) for name in ("TextCraft", "Sokoban")}

    assert len(descriptors(environments, 1)) == 1 + 6
    assert [row[:2] for row in between_environments(profiles)][1:] == [("TextCraft", "Sokoban")]
    assert [row[0] for row in between_interfaces(environments[:1], profiles, 1)][1:4] == [
        "synonyms",
        "symbols",
        "json",
    ]
