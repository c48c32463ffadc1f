"""Failure modes by rules over a transcript, for those of the paper's categories that rules can see.

The paper (arXiv 2603.12011) names confirmation bias, guessing, state inconsistency and flaws of
logic, and had them labelled. A rule sees less, but the same in every episode:

- ``repeats_failed``: says an action that could not be carried out again, while nothing has changed
  (confirmation bias: the answer is not taken in).
- ``stops_early``: ends an episode that could have gone on, without success (confirmation bias: the
  goal is taken for reached, or given up).
- ``unseen_object``: names something in an action that could not be carried out and was never seen
  (guessing).
- ``invalid_format``: most of its actions could not be carried out.
- ``loops``: comes back to one and the same exchange three times or more (state inconsistency: where
  it has been is not kept).
- ``wanders``: acts in the rules, without any of the above, until the turns are used up.

An episode can show several. A success shows none: what went wrong in it was mended. Each rule has
an example in ``docs/study.md`` and a test.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from agentgym_gen.agents.trajectory import Trajectory

RULES_VERSION = 1
"""The version of the rules; it rises when one of them changes."""

LOOP_LENGTH = 3
"""How often one exchange is seen before it is a loop."""

CONFIRMATION = ("repeats_failed", "stops_early")
"""The modes that are counted as the paper's confirmation bias."""


def failure_modes(played: Trajectory) -> tuple[str, ...]:
    """Return the failure modes of an episode, in the order of `RULES`; none for a success."""
    if played.success or played.end_reason == "backend_error":
        return ()
    found = tuple(name for name, rule in RULES.items() if rule(played))
    return found or (("wanders",) if played.end_reason == "turn_limit" else ())


def _repeats_failed(played: Trajectory) -> bool:
    refused: set[str] = set()
    for turn in played.turns:
        if turn.valid:
            refused.clear()
        elif turn.action in refused:
            return True
        else:
            refused.add(turn.action)
    return False


def _stops_early(played: Trajectory) -> bool:
    return played.end_reason == "failure"


_NAME = re.compile(r"[A-Za-z]{3,}")


def _unseen_object(played: Trajectory) -> bool:
    seen: set[str] = set()
    for turn in played.turns:
        seen |= _words(turn.observation)
        # The first word is the verb, which the rules may have named and no observation.
        said = _words(turn.action.partition(" ")[2])
        if not turn.valid and said and not said & seen:
            return True
    return False


def _words(text: str) -> set[str]:
    return {word.lower() for word in _NAME.findall(text)}


def _invalid_format(played: Trajectory) -> bool:
    return bool(played.turns) and 2 * played.invalid_turns > len(played.turns)


def _loops(played: Trajectory) -> bool:
    valid = Counter((turn.observation, turn.action) for turn in played.turns if turn.valid)
    return max(valid.values(), default=0) >= LOOP_LENGTH


RULES: dict[str, Callable[[Trajectory], bool]] = {
    "repeats_failed": _repeats_failed,
    "stops_early": _stops_early,
    "unseen_object": _unseen_object,
    "invalid_format": _invalid_format,
    "loops": _loops,
}
"""The rules by the name of their mode; ``wanders`` is what is left."""

MODES = (*RULES, "wanders")
"""Every mode."""
