"""Each failure mode is found in a transcript that shows it."""

import pytest

from agentgym_gen.agents.policy import Completion
from agentgym_gen.agents.trajectory import Trajectory, Turn
from agentgym_gen.study.results.failures import MODES, failure_modes

TurnSpec = tuple[str, str, bool]
"""An observation, an action, and whether the action was valid."""


def episode(*specs: TurnSpec, end: str = "turn_limit") -> Trajectory:
    """Return an episode with the turns of *specs*."""
    turns = [
        Turn(observation, Completion(action), action, 0.0, valid)
        for observation, action, valid in specs
    ]
    return Trajectory(
        "x", "x/easy/test/0", "native", 0, tuple(turns), "", end == "success", 0.0, end
    )


ROOM = "You see a desk and a drawer."


@pytest.mark.parametrize(
    ("turns", "end", "modes"),
    [
        ([(ROOM, "go to desk", True)], "success", ()),
        ([(ROOM, "go to desk", True)], "backend_error", ()),
        ([(ROOM, "go to desk", True)], "turn_limit", ("wanders",)),
        ([(ROOM, "go to desk", True)], "failure", ("stops_early",)),
        (
            [(ROOM, "open desk", False), (ROOM, "open desk", False), (ROOM, "go to desk", True),
             (ROOM, "open drawer", True), (ROOM, "look", True)],
            "turn_limit",
            ("repeats_failed",),
        ),
        (
            [(ROOM, "open desk", False), (ROOM, "go to desk", True), (ROOM, "open desk", False),
             (ROOM, "open drawer", True)],
            "turn_limit",
            ("wanders",),
        ),
        (
            [(ROOM, "take lamp", False), (ROOM, "go to desk", True), (ROOM, "look", True)],
            "turn_limit",
            ("unseen_object",),
        ),
        (
            [(ROOM, "take desk lamp", False), (ROOM, "look", True), (ROOM, "wait", True)],
            "turn_limit",
            ("wanders",),
        ),
        (
            [(ROOM, "I think", False), (ROOM, "desk", False), (ROOM, "look", True)],
            "turn_limit",
            ("unseen_object", "invalid_format"),
        ),
        ([(ROOM, "look", True)] * 3, "turn_limit", ("loops",)),
    ],
)  # fmt: skip
def test_a_mode_is_what_its_rule_says(
    turns: list[TurnSpec], end: str, modes: tuple[str, ...]
) -> None:
    """Each mode has an example, and so has each exception from a rule."""
    assert failure_modes(episode(*turns, end=end)) == modes


def test_the_modes_have_one_order() -> None:
    """The order is that of the documentation, with wandering last."""
    worst = episode(*[(ROOM, "take lamp", False)] * 4, end="failure")

    assert failure_modes(worst) == MODES[:4]
    assert MODES[-1] == "wanders"
