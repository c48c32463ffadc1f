"""How far interfaces and environments are apart."""

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


def heard(*, seen: str = "a b", said: str = "go x", listed: float = 0.0) -> ExpertProfile:
    """Return one turn."""
    return ExpertProfile((seen,), (said,), listed, len(seen), len(said), 1.0, 1.0)


def test_the_parts_by_hand() -> None:
    """Shares 1/2, 1/2 against 1/4, 1/4, 1/2 have 1/2 in common; 4 of 6 edits; all against none."""
    one = heard(seen="red dog", said="go to x", listed=1.0)
    other = heard(seen="red dog cat cat", said='go("x")')
    found = distance(one, other)

    # The words "go", "to", "x" and "go", "(", quote, "x", quote, ")" share 1/6 + 1/6.
    assert found.observations == pytest.approx(1 / 2)
    assert found.actions == pytest.approx(2 / 3)
    # The forms are "a" and a("a"): five insertions, in units of six characters.
    assert found.syntax == pytest.approx(5 / 6)
    assert found.listing == 1.0
    assert found.mean == pytest.approx((1 / 2 + 2 / 3 + 5 / 6 + 1) / 4)


def test_the_distance_is_one_of_forms_not_of_words() -> None:
    """Other words in the same form are no other syntax."""
    found = distance(heard(said="go to desk 1"), heard(said="walk over to bed 22"))

    assert (found.syntax, found.actions) == (0.0, pytest.approx(1 - 1 / 5))


@pytest.mark.parametrize("interface", ["native", "symbols+json", "menu+data"])
def test_it_is_zero_to_itself_and_the_same_both_ways(interface: str) -> None:
    """And from 0 to 1."""
    one = profile(EASY, tasks=3)
    other = profile(EASY, tasks=3, options={"interface": interface})
    there, back = distance(one, other).parts(), distance(other, one).parts()

    assert there == pytest.approx(back)
    assert all(0 <= part <= 1 for part in there.values())
    assert distance(other, other) == Distance(0.0, 0.0, 0.0, 0.0)


def test_each_axis_moves_its_own_part() -> None:
    """The syntax that of actions, the form that of observations, the listing that of lists."""
    native = profile("rftgen/Sokoban-easy-v0", tasks=3)

    def apart(interface: str) -> Distance:
        options = {"interface": interface}
        return distance(native, profile("rftgen/Sokoban-easy-v0", tasks=3, options=options))

    assert apart("call").observations == 0 < apart("call").syntax
    assert apart("data").actions == 0 < apart("data").observations
    assert (apart("listed").listing, apart("menu").listing, apart("data").listing) == (1, 1, 0)
    assert apart("symbols").actions == 1.0


def test_what_is_heard_is_the_experts_episodes() -> None:
    """On the same tasks through every interface."""
    native, called = (profile(EASY, tasks=4, options={"interface": i}) for i in ("native", "call"))

    assert native.expert_turns == called.expert_turns == len(native.actions) / 4
    assert native.admissible == called.admissible
    assert math.isclose(native.action_chars * len(native.actions), len("".join(native.actions)))
    with pytest.raises(InvalidValueError, match="`number` is at least 1, not 0"):
        profile(EASY, tasks=0)


def test_what_is_costly_is_described_by_few_tasks() -> None:
    """As many as tests make; fewer when fewer are asked for."""
    quick = ENVIRONMENTS["Sokoban"]
    slow = replace(quick, costly=2)

    assert [tasks_played(one, 20) for one in (quick, slow)] == [20, 2]
    assert tasks_played(slow, 1) == 1


def test_the_tables_have_a_row_for_everything() -> None:
    """Three tiers an environment, every pair, every preset."""
    two = [ENVIRONMENTS["TextCraft"], ENVIRONMENTS["Sokoban"]]
    heard = {one.name: profile(f"rftgen/{one.name}-v0", tasks=1) for one in two}

    assert len(descriptors(two, 1)) == 1 + 6
    assert [row[:2] for row in between_environments(heard)][1:] == [("TextCraft", "Sokoban")]
    assert [row[0] for row in between_interfaces(two[:1], heard, 1)][1:4] == [
        "synonyms",
        "symbols",
        "json",
    ]
