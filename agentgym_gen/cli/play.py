"""``agentgym-gen play``: a person plays an environment."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
from collections.abc import Callable
from typing import Any

from agentgym_gen.cli.arguments import add_interface, add_task, env_options, task_id
from agentgym_gen.cli.terminal import paint_map, print_line, wrap
from agentgym_gen.describe.printable import printable
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.world import Malformed, TaskId

HELP = """\
/list   what can be done now
/hint   what the expert would do
/undo   take back the last turn
/help   this list
/quit   leave
Anything else is an action."""

SHORT = {"?": "/list", "!": "/hint", "q": "/quit"}
"""The short forms of commands."""


def add_play(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``play``."""
    add_task(parser)
    add_interface(parser)
    parser.set_defaults(command=play)


def play(options: argparse.Namespace) -> None:
    """Play one episode with the actions that are typed in."""
    _edit_lines()
    task = task_id(options)
    env = make_text_env(options.id, TaskId.parse(task).split, env_options(options))
    observation, _ = env.reset(options={"task_id": task})
    print_line(f"{task}\n\n{wrap(env.instruction, _width())}\n\n{HELP}\n")
    _Game(env, observation).play()


class _Game:
    """An episode at the terminal, and its past turns.

    Args:
        env: An environment whose episode has just begun.
        observation: Its first observation.
    """

    def __init__(self, env: TextEnv, observation: str) -> None:
        self._start, self._env, self._observation = env.clone(), env, observation
        self._past: list[tuple[TextEnv, str]] = []
        self._commands: dict[str, Callable[[], None]] = {
            "/list": self._list,
            "/hint": self._hint,
            "/undo": self._undo,
            "/help": lambda: print(HELP),
        }

    def play(self) -> None:
        """Play until the end, or until the person leaves."""
        self._show()
        while True:
            line = _read_line()
            if line is None or line == "/quit":
                print("You left.")
                return
            if line in self._commands:
                self._commands[line]()
            elif line and self._is_action(line) and self._act(line):
                return

    def _is_action(self, line: str) -> bool:
        """Return whether *line* is to be played, and say why not."""
        if not line.isprintable():
            print("  That has keys in it which are no letters, and was not played.")
            return False
        command = f"/{line.lower()}"
        is_command = line.startswith("/") or command in (*self._commands, "/quit", "/exit")
        if is_command and isinstance(self._env.read(line), Malformed):
            print("  That is no action, and was not played. The commands are:\n")
            print(HELP)
            return False
        return True

    def _act(self, action: str) -> bool:
        """Take a turn; return whether the episode is over."""
        self._past.append((self._env.clone(), self._observation))
        self._observation, reward, _, _, info = self._env.step(action)
        self._show()
        turns = f"turn {info['turn']} of {self._env.turn_limit}"
        print(f"[{turns}, reward {reward:g}, score {info['score']:.2f}]")
        if info["end_reason"] is None:
            return False
        self._end(info)
        return True

    def _end(self, info: dict[str, Any]) -> None:
        print(f"The end: {info['end_reason']}, score {info['score']:.2f}")
        actions = []
        while not self._start.over and (action := self._start.expert_action()) is not None:
            actions.append(action)
            self._start.step(action)
        taken = info["turn"]
        turns = f"{taken} turn{'s' * (taken != 1)}; the expert takes {len(actions)}"
        print(f"You took {turns}:")
        print_line("\n".join(f"  {action}" for action in actions))

    def _list(self) -> None:
        print_line("\n".join(f"  {action}" for action in self._env.admissible_actions))

    def _hint(self) -> None:
        hint = self._env.expert_action()
        print_line(f"  {hint}" if hint else "  The expert sees no way from here.")

    def _undo(self) -> None:
        if not self._past:
            print("  No turn was taken yet.")
            return
        self._env, self._observation = self._past.pop()
        self._show()

    def _show(self) -> None:
        text = wrap(printable(self._observation), _width())
        print(paint_map(text, self._env.world.surface().glyphs))


def _edit_lines() -> None:
    """Let arrow keys edit the line and bring back earlier ones, where Python has readline."""
    if sys.stdin is not None and sys.stdin.isatty():
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  (`input` uses it when it is imported)


def _width() -> int:
    return shutil.get_terminal_size().columns


def _read_line() -> str | None:
    """Return the next line, a short form as the command that it means; None is the end."""
    if sys.stdin is None or sys.stdout is None:
        return None
    try:
        line = input("> ").strip()
    except EOFError:
        return None
    return SHORT.get(line, line)
