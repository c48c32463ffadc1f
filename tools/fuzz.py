"""Say to every environment what models really write, and hold it against the promises.

    python -m tools.fuzz --texts 320

Prints, for each environment, how many texts were said, how many were valid, and the slowest. The
first broken promise is an error: an exception, an observation outside its space, a state changed
by an invalid text, a path of this machine in what is shown, or the answer in what answers an
invalid text: an argument of the expert's plan, or what the task keeps to itself, that nobody has
said yet.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agentgym_gen import Command, TextEnv, env_ids
from agentgym_gen.agents.rollout import make_text_env
from agentgym_gen.env.registration import ENVIRONMENTS
from agentgym_gen.seeding import stream
from tools.hostile_texts import hostile_texts

FOREVER = 10**9
SHORTEST_SECRET = 5
"""How many letters a secret has at least; shorter ones stand in any text by chance."""

PLAN_EVERY = 50
"""After how many invalid texts the expert's plan is compared, too; planning may take long."""


class Tally(NamedTuple):
    """What was said to one environment."""

    env_id: str
    texts: int
    valid: int
    slowest_ms: float
    slowest: str


class BrokenPromiseError(AssertionError):
    """A text that did what no text may do."""


def main() -> None:
    """Fuzz every id, or those whose name contains a word, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=320, help="texts for each id")
    parser.add_argument("--only", default="", help="a part of the ids' names")
    options = parser.parse_args()
    ids = [env_id for env_id in env_ids() if options.only in env_id]
    for plain in (env_id for env_id in ids if env_id.count("-") == 1):
        fuzz(plain, 400, _few(plain))  # what is made once in a process is no property of a text
    tallies = [fuzz(env_id, options.texts, _few(env_id)) for env_id in ids]
    print(
        "| environment | ids | texts | valid | slowest, ms |\n| --- | ---: | ---: | ---: | ---: |"
    )
    for name, ones in _by_environment(tallies).items():
        texts, valid = sum(one.texts for one in ones), sum(one.valid for one in ones)
        slowest = max(one.slowest_ms for one in ones)
        print(f"| {name} | {len(ones)} | {texts:,} | {valid:,} | {slowest:.1f} |")
    worst = max(tallies, key=lambda one: one.slowest_ms)
    print(f"\n{sum(one.texts for one in tallies):,} texts; the slowest, of {worst.env_id}, was")
    print(repr(worst.slowest[:200]))


def _few(env_id: str) -> dict[str, object]:
    """Return the keywords that keep to few tasks where making one takes seconds."""
    return ENVIRONMENTS[env_id.split("/")[1].split("-")[0]].few


def _by_environment(tallies: Iterable[Tally]) -> dict[str, list[Tally]]:
    found: dict[str, list[Tally]] = {}
    for one in tallies:
        found.setdefault(one.env_id.split("/")[1].split("-")[0], []).append(one)
    return found


def fuzz(env_id: str, texts: int, options: Mapping[str, Any] | None = None) -> Tally:
    """Say *texts* texts to *env_id* and return what came of it.

    Raises:
        BrokenPromiseError: if a text did what no text may do.
    """
    env = make_text_env(env_id, "train", {"max_turns": FOREVER, **(options or {})})
    said: list[str] = []
    valid, slowest, slowest_text = 0, 0.0, ""
    _start(env, 0, said)
    plan, known = env.world.plan(), _Known(said)
    for number, text in zip(range(texts), hostile_texts(stream("fuzz", env_id), said), strict=False):
        menu = env.admissible_actions
        started = time.process_time()
        observation, reward, _, _, info = env.step(text)
        spent = 1000 * (time.process_time() - started)
        over = info["end_reason"] is not None  # BabyAI's own limit of steps ends an episode, too
        if spent > slowest:
            slowest, slowest_text = spent, text
        _hold_answer(env, observation, info["end_reason"], (env_id, text))
        if info["valid_action"]:
            valid += 1
            plan = None
        else:
            same = env.admissible_actions == menu and not over
            leak = known.leak(observation, text, _secrets(env, plan))
            _hold_refusal(same, reward, leak, (env_id, text))
        if over:
            _start(env, number, said)
            known = _Known(said)
        known.add(observation, *env.admissible_actions)
        if number % PLAN_EVERY == 0 or over:
            _hold(plan in (None, env.world.plan()), "the state is unchanged", env_id, text)
            plan = env.world.plan()
        said[3:] = [observation[:2000], *env.admissible_actions[:50]]
    env.close()
    return Tally(env_id, texts, valid, slowest, slowest_text)


class _Known:
    """All that was shown in an episode, and so is no secret.

    Args:
        shown: What was shown at its start.
    """

    def __init__(self, shown: Iterable[str]) -> None:
        self._words = ""
        self.add(*shown)

    def add(self, *shown: str) -> None:
        """Take note of what was *shown*."""
        new = dict.fromkeys(_plain(text) for text in shown)
        self._words += "".join(f"\n{text}" for text in new if text not in self._words)

    def leak(self, observation: str, text: str, secrets: Iterable[str]) -> str | None:
        """Return a secret that *observation* tells, and that neither *text* nor anybody told."""
        seen, echo = _plain(observation), _plain(text)
        told = (secret for secret in secrets if secret in seen)
        return next((s for s in told if s not in echo and s not in self._words), None)


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("_", " ").split())


def _secrets(env: TextEnv, plan: Sequence[Command] | None) -> list[str]:
    """Return what an answer to an invalid text may not tell, in the words of the episode."""
    content = env.task.content
    kept = [*getattr(content, "answers", ()), *getattr(content, "attributes", ())]
    kept += [getattr(content, "asin", ""), *(arg for step in plan or () for arg in step.args)]
    words = {_plain(said) for one in map(str, kept) for said in (one, env.tell(one))}
    return sorted(word for word in words if len(word) >= SHORTEST_SECRET)


def _hold_answer(env: TextEnv, observation: str, end: str | None, where: tuple[str, str]) -> None:
    _hold(observation in env.observation_space, "an observation fits its space", *where)
    _hold(_shows_no_path(observation), "no path is shown", *where)
    _hold(end != "backend_error", "no text breaks an engine", *where)


def _hold_refusal(same: bool, reward: float, leak: str | None, where: tuple[str, str]) -> None:
    _hold(same, "an invalid text changes nothing", *where)
    _hold(reward <= 0, "an invalid text earns nothing", *where)
    _hold(leak is None, f"no refusal tells {leak!r}", *where)


def _start(env: TextEnv, number: int, said: list[str]) -> None:
    observation, info = env.reset(seed=number)
    said[:] = [env.instruction, str(info["goal"]), observation[:2000], *info["admissible_actions"]]


def _hold(holds: bool, promise: str, env_id: str, text: str) -> None:
    if not holds:
        raise BrokenPromiseError(f"Not kept: {promise} ({env_id}, {text[:200]!r})")


_PLACES = {str(Path.home()), str(Path.cwd()), sys.prefix, "site-packages", "Traceback (most recent"}
_PATHS = re.compile("|".join(map(re.escape, sorted(place for place in _PLACES if len(place) > 1))))


def _shows_no_path(observation: str) -> bool:
    return _PATHS.search(observation) is None


if __name__ == "__main__":
    main()
