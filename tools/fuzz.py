"""Send to every environment what models really write, and check what it promises of any text.

    python -m tools.fuzz --texts 320
    python -m tools.fuzz --files 10000      # damaged files instead: see tools.file_fuzz

Prints, for each environment, how many texts were sent, how many were valid, and the slowest. The
first broken promise is an error: an exception, an observation outside its space, a state changed
by an invalid text, a path of this machine in an observation, or a leaked answer. An answer leaks
when the reply to an invalid text contains an argument of the expert's plan or a secret of the task
that nothing has shown before.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from agentgym_gen import Command, TextEnv, env_ids
from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import ENVIRONMENTS
from agentgym_gen.ids import EnvId
from agentgym_gen.seeding import stream
from tools.file_fuzz import fuzz_all_files
from tools.hostile_texts import hostile_texts

NO_TURN_LIMIT = 10**9
MIN_SECRET_CHARS = 5
"""The least length of a secret; shorter ones occur in any text by chance."""

TEXTS_PER_PLAN = 50
"""After how many texts the expert's plan is compared, too; planning may take long."""


class Tally(NamedTuple):
    """The texts that were sent to one environment, in figures."""

    env_id: str
    texts: int
    valid: int
    slowest_ms: float
    slowest: str


class BrokenPromiseError(AssertionError):
    """A text has broken a promise that holds for every text."""


def main() -> None:
    """Fuzz every id, or those whose name contains a word, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=320, help="texts for each id")
    parser.add_argument("--files", type=int, help="damaged files of each kind, instead of texts")
    parser.add_argument("--only", default="", help="a part of the names of ids or kinds")
    options = parser.parse_args()
    if options.files is not None:
        fuzz_all_files(options.files, options.only)
        return
    ids = [env_id for env_id in env_ids() if options.only in env_id]
    for plain in (env_id for env_id in ids if env_id.count("-") == 1):
        fuzz(plain, 400, _test_options(plain))  # what is made once must not count as a slow text
    tallies = [fuzz(env_id, options.texts, _test_options(env_id)) for env_id in ids]
    print(
        "| environment | ids | texts | valid | slowest, ms |\n| --- | ---: | ---: | ---: | ---: |"
    )
    for name, group in _by_environment(tallies).items():
        texts, valid = sum(tally.texts for tally in group), sum(tally.valid for tally in group)
        slowest = max(tally.slowest_ms for tally in group)
        print(f"| {name} | {len(group)} | {texts:,} | {valid:,} | {slowest:.1f} |")
    worst = max(tallies, key=lambda tally: tally.slowest_ms)
    print(f"\n{sum(tally.texts for tally in tallies):,} texts; the slowest, of {worst.env_id}, was")
    print(repr(worst.slowest[:200]))


def _test_options(env_id: str) -> dict[str, object]:
    """Return the options that keep to few tasks where making one takes seconds."""
    return ENVIRONMENTS[EnvId.parse(env_id).name].test_kwargs


def _by_environment(tallies: Iterable[Tally]) -> dict[str, list[Tally]]:
    groups: dict[str, list[Tally]] = {}
    for tally in tallies:
        groups.setdefault(EnvId.parse(tally.env_id).name, []).append(tally)
    return groups


def fuzz(env_id: str, texts: int, options: Mapping[str, Any] | None = None) -> Tally:
    """Send *texts* texts to *env_id* and return the figures.

    Raises:
        BrokenPromiseError: if a text breaks a promise.
    """
    env = make_text_env(env_id, "train", {"max_turns": NO_TURN_LIMIT, **(options or {})})
    echoes: list[str] = []  # the generator below reads them anew for each text
    valid, slowest, slowest_text = 0, 0.0, ""
    _start(env, 0, echoes)
    plan, shown_texts = env.world.expert_plan(), _ShownTexts(echoes)
    for number, text in enumerate(islice(hostile_texts(stream("fuzz", env_id), echoes), texts)):
        admissible = env.admissible_actions
        started = time.process_time()
        observation, reward, _, _, info = env.step(text)
        spent = 1000 * (time.process_time() - started)
        over = info["end_reason"] is not None  # BabyAI's own step limit ends an episode, too
        if spent > slowest:
            slowest, slowest_text = spent, text
        _check_answer(env, observation, info["end_reason"], (env_id, text))
        if info["valid_action"]:
            valid += 1
            plan = None
        else:
            same = env.admissible_actions == admissible and not over
            leak = shown_texts.leak(observation, text, _secrets(env, plan))
            _check_refusal(same, reward, leak, (env_id, text))
        if over:
            _start(env, number, echoes)
            shown_texts = _ShownTexts(echoes)
        shown_texts.add(observation, *env.admissible_actions)
        if number % TEXTS_PER_PLAN == 0 or over:
            _require(
                plan in (None, env.world.expert_plan()), "the state is unchanged", env_id, text
            )
            plan = env.world.expert_plan()
        echoes[3:] = [observation[:2000], *env.admissible_actions[:50]]
    env.close()
    return Tally(env_id, texts, valid, slowest, slowest_text)


class _ShownTexts:
    """All texts that have been shown in an episode; what they contain is no secret.

    Args:
        texts: The texts at its start.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._words = ""
        self.add(*texts)

    def add(self, *texts: str) -> None:
        """Add *texts* that are shown now."""
        new = dict.fromkeys(_plain(text) for text in texts)
        self._words += "".join(f"\n{text}" for text in new if text not in self._words)

    def leak(self, observation: str, text: str, secrets: Iterable[str]) -> str | None:
        """Return a secret in *observation* that is neither in *text* nor was shown before."""
        plain, echo = _plain(observation), _plain(text)
        candidates = (secret for secret in secrets if secret in plain)
        return next((s for s in candidates if s not in echo and s not in self._words), None)


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("_", " ").split())


def _secrets(env: TextEnv, plan: Sequence[Command] | None) -> list[str]:
    """Return what the reply to an invalid text may not contain, in the words of the episode."""
    content = env.task.content
    secrets = [*getattr(content, "answers", ()), *getattr(content, "attributes", ())]
    secrets += [getattr(content, "asin", ""), *(arg for step in plan or () for arg in step.args)]
    words = {
        _plain(text)
        for secret in map(str, secrets)
        for text in (secret, env.render_message(secret))
    }
    return sorted(word for word in words if len(word) >= MIN_SECRET_CHARS)


def _check_answer(env: TextEnv, observation: str, end: str | None, where: tuple[str, str]) -> None:
    _require(observation in env.observation_space, "an observation fits its space", *where)
    _require(_shows_no_path(observation), "no path is shown", *where)
    _require(end != "backend_error", "no text breaks an engine", *where)


def _check_refusal(same: bool, reward: float, leak: str | None, where: tuple[str, str]) -> None:
    _require(same, "an invalid text changes nothing", *where)
    _require(reward <= 0, "an invalid text earns nothing", *where)
    _require(leak is None, f"no refusal tells {leak!r}", *where)


def _start(env: TextEnv, number: int, echoes: list[str]) -> None:
    """Reset *env*, and replace *echoes* by all that is shown then."""
    observation, info = env.reset(seed=number)
    echoes[:] = [env.instruction, str(info["goal"]), observation[:2000]]
    echoes += info["admissible_actions"]


def _require(holds: bool, promise: str, env_id: str, text: str) -> None:
    if not holds:
        raise BrokenPromiseError(f"Not kept: {promise} ({env_id}, {text[:200]!r})")


_MACHINE_PATHS = {str(Path.home()), str(Path.cwd()), sys.prefix}
_TRACES = {*_MACHINE_PATHS, "site-packages", "Traceback (most recent"}
_PATHS = re.compile("|".join(map(re.escape, sorted(trace for trace in _TRACES if len(trace) > 1))))


def _shows_no_path(observation: str) -> bool:
    return _PATHS.search(observation) is None


if __name__ == "__main__":
    main()
