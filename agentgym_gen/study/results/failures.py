"""Failure modes of an episode, found by rules over its transcript.

The paper (arXiv 2603.12011) names confirmation bias, guessing, state inconsistency and flaws of
logic, and had episodes labelled. Rules find fewer failures than labellers, but judge every episode
alike:

- ``repeats_failed``: repeats an invalid action before a valid one was made (confirmation bias: the
  answer of the environment is ignored).
- ``stops_early``: ends an episode that could have gone on, without success (confirmation bias: the
  goal is taken for reached, or given up).
- ``unseen_object``: an invalid action names nothing that any observation has shown (guessing).
- ``invalid_format``: more than half of its actions were invalid.
- ``loops``: the same observation and the same valid action three times or more (state
  inconsistency: the model does not keep where it has been).
- ``wanders``: none of the above, and the turns or the model's context are used up.

An episode can have several modes. A success has none: whatever went wrong in it was mended. Each
rule has an example in ``docs/study.md`` and a test.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from agentgym_gen.agents.trajectory import Trajectory

__all__ = [
    "CONFIRMATION_BIAS",
    "LOOP_LENGTH",
    "MODES",
    "RULES",
    "RULES_VERSION",
    "failure_modes",
]

RULES_VERSION = 1
"""The version of the rules; it rises when one of them changes."""

LOOP_LENGTH = 3
"""How often one observation is answered with one action before that is a loop."""

CONFIRMATION_BIAS = ("repeats_failed", "stops_early")
"""The modes that are counted as the paper's confirmation bias."""

UNANSWERED = ("backend_error", "policy_error")
"""The ends for which the model is not to blame."""

TRUNCATED = ("turn_limit", "context_limit")
"""The ends of an episode that might have gone on."""


def failure_modes(trajectory: Trajectory) -> tuple[str, ...]:
    """Return the failure modes of *trajectory*, in the order of `RULES`; none for a success."""
    if trajectory.success or trajectory.end_reason in UNANSWERED:
        return ()
    modes = tuple(name for name, rule in RULES.items() if rule(trajectory))
    return modes or (("wanders",) if trajectory.end_reason in TRUNCATED else ())


def _repeats_failed(trajectory: Trajectory) -> bool:
    invalid_actions: set[str] = set()
    for turn in trajectory.turns:
        if turn.valid:
            invalid_actions.clear()
        elif turn.action in invalid_actions:
            return True
        else:
            invalid_actions.add(turn.action)
    return False


def _stops_early(trajectory: Trajectory) -> bool:
    return trajectory.end_reason == "failure"


_WORD = re.compile(r"[A-Za-z]{3,}")


def _unseen_object(trajectory: Trajectory) -> bool:
    observed_words: set[str] = set()
    for turn in trajectory.turns:
        observed_words |= _words(turn.observation)
        # Without the first word: that is the verb, which an instruction may name.
        argument_words = _words(turn.action.partition(" ")[2])
        if not turn.valid and argument_words and not argument_words & observed_words:
            return True
    return False


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


def _invalid_format(trajectory: Trajectory) -> bool:
    return bool(trajectory.turns) and 2 * trajectory.invalid_turns > len(trajectory.turns)


def _loops(trajectory: Trajectory) -> bool:
    valid = Counter((turn.observation, turn.action) for turn in trajectory.turns if turn.valid)
    return max(valid.values(), default=0) >= LOOP_LENGTH


RULES: dict[str, Callable[[Trajectory], bool]] = {
    "repeats_failed": _repeats_failed,
    "stops_early": _stops_early,
    "unseen_object": _unseen_object,
    "invalid_format": _invalid_format,
    "loops": _loops,
}
"""The rules by the name of their mode; ``wanders`` needs none."""

MODES = (*RULES, "wanders")
"""Every mode."""
