"""The laws of interfaces: what holds for a task however it is shown and spoken to.

    check_interface(env, record)

plays a recorded native episode through the interface of an environment and compares everything.
`agentgym_gen.testing.check_world` does so for a world's author.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from agentgym_gen.env import TextEnv
from agentgym_gen.interface import VOCABULARIES, Interface, Randomized
from agentgym_gen.interface.randomized import DOMAIN
from agentgym_gen.interface.renaming.names import Renaming
from agentgym_gen.testing.env_checks import ContractError
from agentgym_gen.world import Command, Malformed, phrase_of

NONSENSE = (
    "",
    " ",
    "\n\n\t",
    "xyzzy frobnicate",
    "1",
    "-1",
    "{}",
    "[" * 500,
    "\x00\x1b[2J\x7f",
    "\ud83d\ude00 \U0001f600 é 漢字",
    "%s {0} \\ $(reboot) ; --",
    "a" * 100_000,
)
"""Texts that mean nothing in any world: the state must survive them."""

_NOTE = re.compile(r'(?:^note|"note"):', re.MULTILINE)

ANYTHING = Randomized(
    {
        **DOMAIN,
        "syntax": ("native", "json", "lenientjson", "call", "menu"),
        "distractors": (0, 3, "recipe"),
        "vocabulary": tuple(range(VOCABULARIES + 1)),
        "distractor_chance": (0.5, 1.0),
    }
)
"""Every interface there is, but for other numbers of distractors."""


def law(holds: bool, sentence: str, where: object) -> None:
    """Raise a `ContractError` that says *sentence* and *where*, unless it *holds*."""
    if not holds:
        raise ContractError(f"{sentence} ({where})")


@dataclass(frozen=True)
class Moment:
    """One step of an episode, without its words."""

    menu: tuple[Command, ...]
    """What was admissible before it."""
    command: Command
    """What was done."""
    result: tuple[float, bool, bool, bool, float]
    """Reward, terminated, truncated, whether the action was valid, and the score."""


@dataclass(frozen=True)
class Record:
    """An episode of the expert, played natively."""

    task_id: str
    """The task."""
    moments: tuple[Moment, ...]
    """Its steps."""


def record(env: TextEnv, task_id: str) -> Record:
    """Return the expert's episode of a task in the native *env*."""
    env.reset(options={"task_id": task_id})
    moments: list[Moment] = []
    over = False
    while not over:
        plan = env.world.expert_plan()
        law(bool(plan), "There is a plan from every state of the expert's path", task_id)
        command = plan[0] if plan else Command("")
        menu = env.world.admissible()
        law(env.expert_action() == env.write(command), "The expert says what it plans", task_id)
        _, result = _step(env, env.write(command))
        moments.append(Moment(menu, command, result))
        over = result[1] or result[2]
    return Record(task_id, tuple(moments))


def composed(number: int, rng: np.random.Generator) -> list[Interface]:
    """Return *number* interfaces that change several axes at once, drawn from all there are."""
    return [ANYTHING.sample(rng) for _ in range(number)]


def check_interface(env: TextEnv, played: Record, *, thorough: bool = False) -> None:
    """Check every law of the interface of *env* on the recorded episode *played*.

    Args:
        env: An environment of the same world, through any interface.
        played: The native episode.
        thorough: Whether everything that can be done first is done, too, to see what is said.

    Raises:
        ContractError: if one does not hold.
    """
    said = list(_replayed(env, played))
    again = [*_start(env, played.task_id)]
    law(said[: len(again)] == again, "The same task shows the same, byte by byte", _where(env))
    said += _answers_to_nonsense(env)
    said += _answers_to_anything(env) if thorough else ()
    _check_words(env, said)
    _check_distractors(env)


def _where(env: TextEnv) -> tuple[str, str]:
    return str(env.task.id), str(env.interface)


def _start(env: TextEnv, task_id: str) -> list[str]:
    observation, info = env.reset(options={"task_id": task_id})
    return [observation, env.instruction, str(info["goal"]), *env.admissible_actions]


def _step(env: TextEnv, action: str) -> tuple[str, tuple[float, bool, bool, bool, float]]:
    observation, reward, terminated, truncated, info = env.step(action)
    result = (float(reward), terminated, truncated, info["valid_action"], info["score"])
    return observation, result


def _replayed(env: TextEnv, played: Record) -> Iterator[str]:
    """Yield all that is seen in the episode *played*, while its laws are checked."""
    yield from _start(env, played.task_id)
    law(env.instruction in env.observation_space, "An instruction fits its space", _where(env))
    for moment in played.moments:
        same = env.world.admissible() == moment.menu
        law(same, "The states are the same through any interface", _where(env))
        for command in (*moment.menu, moment.command):
            text = env.write(command)
            law(env.read(text) == command, "What is written reads back", (*_where(env), text))
        observation, result = _step(env, env.write(moment.command))
        where = (*_where(env), moment.command)
        law(result == moment.result, "Rewards and ends are the same through any interface", where)
        law(observation in env.observation_space, "An observation fits its space", where)
        yield from (observation, *env.admissible_actions)


def _answers_to_nonsense(env: TextEnv) -> Iterator[str]:
    """Yield the answers to texts that mean nothing, and to commands that cannot be done."""
    task_id, menu = str(env.task.id), env.interface.syntax == "menu"
    _start(env, task_id)
    before = env.world.admissible()
    for text in NONSENSE:
        if menu and text.strip().isdigit():
            continue
        read = env.read(text)
        nothing = isinstance(read, Malformed) or not env.world.allows(read)
        law(nothing, "Nonsense is no admissible command", (*_where(env), text[:40]))
    for text in ("xyzzy frobnicate", *_usages(env)):
        if env.world.allows(_command(env.read(text))):
            continue
        observation, result = _step(env, text)
        law(not result[3], "What is not admissible is not valid", (*_where(env), text))
        law(observation in env.observation_space, "An observation fits its space", _where(env))
        yield observation
        if result[1] or result[2]:
            _start(env, task_id)
    law(env.world.admissible() == before, "Nonsense leaves the state unchanged", _where(env))


def _answers_to_anything(env: TextEnv) -> Iterator[str]:
    """Yield the answers to all that can be done first."""
    task_id = str(env.task.id)
    _start(env, task_id)
    for command in env.world.admissible():
        _start(env, task_id)
        observation, _ = _step(env, env.write(command))
        yield from (observation, *env.admissible_actions)
    _start(env, task_id)


def _command(read: Command | Malformed) -> Command:
    return Command("") if isinstance(read, Malformed) else read


def _usages(env: TextEnv) -> Iterator[str]:
    if env.interface.syntax != "menu":
        yield from (env.write(verb.usage) for verb in env.world.verbs)


def _check_words(env: TextEnv, said: Iterable[str]) -> None:
    """Check that no native verb or name is in what was *said*, where they have others."""
    # What the interface itself says is the same whatever verbs and things are called.
    rule = env.syntax_rule
    texts = list(dict.fromkeys(text.replace(rule, "") if rule else text for text in said))
    if env.interface.wording != "native":
        for verb in env.world.verbs:
            native = phrase_of(verb.template)
            word = re.compile(rf"(?<!\w){re.escape(native)}(?!\w)", re.IGNORECASE)
            leak = next((text for text in texts if word.search(text)), None)
            law(leak is None, "No native verb leaks", (*_where(env), native, leak))
    if env.interface.names != "native":
        names = Renaming(env.world.surface().nouns(), np.random.default_rng(0))
        for text in texts:
            said = _NOTE.sub("", text)
            law(names.old_name(said) is None, "No native name leaks", (*_where(env), text))


def _check_distractors(env: TextEnv) -> None:
    """Check that nothing can be done with what the world's distractors speak of."""
    _start(env, str(env.task.id))
    menu = env.world.admissible()
    usages = {verb.usage for verb in env.world.verbs}
    arguments = {word for command in menu if command not in usages for word in command.args}
    surface = env.world.surface()
    for line in surface.distractors(env.task.id.stream("law"), 2 * surface.distractor_amount):
        text = env.render_message(line)
        read = env.read(text)
        done = isinstance(read, Command) and env.world.allows(read)
        law(not done, "A distractor is never admissible", (*_where(env), text))
        named = next((one for one in arguments if _stands_in(one, str(line))), None)
        law(named is None, "A distractor names nothing that can be used", (text, named))


def _stands_in(words: str, text: str) -> bool:
    return words in text and bool(re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text))
