"""Checks of interfaces: what has to hold for a task through every interface.

    check_interface(env, record_expert(native_env, task_id))

plays a recorded native episode through the interface of an environment and compares every step.
`agentgym_gen.testing.check_world` runs these checks for the author of a world.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from agentgym_gen.env import TextEnv
from agentgym_gen.interface import VOCABULARIES, Interface, Randomized
from agentgym_gen.interface.randomized import DOMAIN
from agentgym_gen.interface.renaming.names import Renaming
from agentgym_gen.testing.contract import require
from agentgym_gen.world import Command, Malformed, phrase_of

__all__ = [
    "ANY_INTERFACE",
    "NONSENSE",
    "ExpertEpisode",
    "ExpertStep",
    "StepResult",
    "check_interface",
    "record_expert",
    "sample_interfaces",
]

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
"""Texts without a meaning in any world; none of them may change the state."""

_NOTE = re.compile(r'(?:^note|"note"):', re.MULTILINE)

ANY_INTERFACE = Randomized(
    {
        **DOMAIN,
        "syntax": ("native", "json", "lenientjson", "call", "menu"),
        "distractors": (0, 3, "recipe"),
        "vocabulary": tuple(range(VOCABULARIES + 1)),
        "distractor_chance": (0.5, 1.0),
    }
)
"""Every interface there is, except those with other numbers of distractors."""


class StepResult(NamedTuple):
    """What a step returns beside its texts: it has to be the same through every interface."""

    reward: float
    terminated: bool
    truncated: bool
    valid: bool
    score: float

    @property
    def ends_episode(self) -> bool:
        """Whether the episode is over."""
        return self.terminated or self.truncated


@dataclass(frozen=True)
class ExpertStep:
    """One step of the expert, without its texts."""

    admissible: tuple[Command, ...]
    """The admissible commands before the step."""
    command: Command
    """The command that the expert carried out."""
    result: StepResult
    """What the step returned."""


@dataclass(frozen=True)
class ExpertEpisode:
    """An episode of the expert through the native interface."""

    task_id: str
    """The task."""
    steps: tuple[ExpertStep, ...]
    """Its steps."""


def record_expert(env: TextEnv, task_id: str) -> ExpertEpisode:
    """Let the expert play a task in the native *env* and return the episode."""
    env.reset(options={"task_id": task_id})
    steps: list[ExpertStep] = []
    while not steps or not steps[-1].result.ends_episode:
        plan = env.world.expert_plan()
        require(bool(plan), "There is a plan from every state of the expert's path", task_id)
        command = plan[0] if plan else Command("")
        admissible = env.world.admissible()
        require(env.expert_action() == env.write(command), "The expert says what it plans", task_id)
        _, result = _step(env, env.write(command))
        steps.append(ExpertStep(admissible, command, result))
    return ExpertEpisode(task_id, tuple(steps))


def sample_interfaces(number: int, rng: np.random.Generator) -> list[Interface]:
    """Return *number* interfaces, sampled from all there are; most change several axes at once."""
    return [ANY_INTERFACE.sample(rng) for _ in range(number)]


def check_interface(env: TextEnv, expert: ExpertEpisode, *, thorough: bool = False) -> None:
    """Check the interface of *env* on a recorded episode.

    Args:
        env: An environment of the same world, through any interface.
        expert: The native episode.
        thorough: Whether every admissible first command is carried out as well, to see the texts
            that follow.

    Raises:
        ContractError: if a check fails.
    """
    texts = list(_replay(env, expert))
    start = _start_texts(env, expert.task_id)
    require(texts[: len(start)] == start, "The same task shows the same, byte by byte", _where(env))
    texts += _answers_to_nonsense(env)
    texts += _texts_after_first_commands(env) if thorough else ()
    _check_native_words(env, texts)
    _check_distractors(env)


def _where(env: TextEnv) -> tuple[str, str]:
    return str(env.task.id), str(env.interface)


def _start_texts(env: TextEnv, task_id: str) -> list[str]:
    """Reset *env* to the task and return all that is shown."""
    observation, info = env.reset(options={"task_id": task_id})
    return [observation, env.instruction, str(info["goal"]), *env.admissible_actions]


def _step(env: TextEnv, action: str) -> tuple[str, StepResult]:
    """Return the observation and the result of *action*."""
    observation, reward, terminated, truncated, info = env.step(action)
    valid, score = info["valid_action"], info["score"]
    return observation, StepResult(float(reward), terminated, truncated, valid, score)


def _replay(env: TextEnv, expert: ExpertEpisode) -> Iterator[str]:
    """Yield all texts of the episode *expert*, and check every step on the way."""
    yield from _start_texts(env, expert.task_id)
    require(env.instruction in env.observation_space, "An instruction fits its space", _where(env))
    for step in expert.steps:
        same = env.world.admissible() == step.admissible
        require(same, "The states are the same through any interface", _where(env))
        for command in (*step.admissible, step.command):
            text = env.write(command)
            require(env.read(text) == command, "What is written reads back", (*_where(env), text))
        observation, result = _step(env, env.write(step.command))
        where = (*_where(env), step.command)
        same = result == step.result
        require(same, "Rewards and ends are the same through any interface", where)
        require(observation in env.observation_space, "An observation fits its space", where)
        yield from (observation, *env.admissible_actions)


def _answers_to_nonsense(env: TextEnv) -> Iterator[str]:
    """Yield the answers to texts without a meaning and to commands that are not admissible."""
    task_id, is_menu = str(env.task.id), env.interface.syntax == "menu"
    _start_texts(env, task_id)
    before = env.world.admissible()
    for text in NONSENSE:
        if is_menu and text.strip().isdigit():
            continue  # a number is an action there
        parsed = env.read(text)
        inadmissible = isinstance(parsed, Malformed) or not env.world.allows(parsed)
        require(inadmissible, "Nonsense is no admissible command", (*_where(env), text[:40]))
    for text in ("xyzzy frobnicate", *_usages(env)):
        if env.world.allows(_command_of(env.read(text))):
            continue
        observation, result = _step(env, text)
        require(not result.valid, "What is not admissible is not valid", (*_where(env), text))
        require(observation in env.observation_space, "An observation fits its space", _where(env))
        yield observation
        if result.ends_episode:
            _start_texts(env, task_id)
    same = env.world.admissible() == before
    require(same, "Nonsense leaves the state unchanged", _where(env))


def _texts_after_first_commands(env: TextEnv) -> Iterator[str]:
    """Yield what is shown after each command that is admissible at the start."""
    task_id = str(env.task.id)
    _start_texts(env, task_id)
    for command in env.world.admissible():
        _start_texts(env, task_id)
        observation, _ = _step(env, env.write(command))
        yield from (observation, *env.admissible_actions)
    _start_texts(env, task_id)


def _command_of(parsed: Command | Malformed) -> Command:
    """Return the command that was *parsed*, or one that is never admissible."""
    return Command("") if isinstance(parsed, Malformed) else parsed


def _usages(env: TextEnv) -> Iterator[str]:
    if env.interface.syntax != "menu":
        yield from (env.write(verb.usage) for verb in env.world.verbs)


def _check_native_words(env: TextEnv, texts: Iterable[str]) -> None:
    """Check that *texts* contain no native verb or name where the interface replaces them."""
    # The syntax rule is the same whatever verbs and names an interface has.
    rule = env.syntax_rule
    unique = list(dict.fromkeys(text.replace(rule, "") if rule else text for text in texts))
    if env.interface.wording != "native":
        for verb in env.world.verbs:
            native = phrase_of(verb.template)
            word = re.compile(rf"(?<!\w){re.escape(native)}(?!\w)", re.IGNORECASE)
            leak = next((text for text in unique if word.search(text)), None)
            require(leak is None, "No native verb leaks", (*_where(env), native, leak))
    if env.interface.names != "native":
        names = Renaming(env.world.surface().nouns(), np.random.default_rng(0))
        for text in unique:
            leak = names.old_name(_NOTE.sub("", text))
            require(leak is None, "No native name leaks", (*_where(env), text))


def _check_distractors(env: TextEnv) -> None:
    """Check that no distractor of the world is an action or names something that can be used."""
    _start_texts(env, str(env.task.id))
    admissible = env.world.admissible()
    usages = {verb.usage for verb in env.world.verbs}
    arguments = {word for command in admissible if command not in usages for word in command.args}
    # The key of the stream stays, so that the same distractors are checked.
    surface = env.world.surface()
    for line in surface.distractors(env.task.id.stream("law"), 2 * surface.distractor_amount):
        text = env.render_message(line)
        parsed = env.read(text)
        is_action = isinstance(parsed, Command) and env.world.allows(parsed)
        require(not is_action, "A distractor is never admissible", (*_where(env), text))
        name = next((word for word in arguments if _contains_word(str(line), word)), None)
        require(name is None, "A distractor names nothing that can be used", (text, name))


def _contains_word(text: str, word: str) -> bool:
    """Return whether *text* contains *word*, not as a part of a longer one."""
    return word in text and bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text))
