"""``agentgym-gen play``: a person plays an environment."""

from __future__ import annotations

import argparse
import sys

from agentgym_gen.cli.arguments import add_interface, add_task, env_options, task_id
from agentgym_gen.cli.terminal import print_line
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.world import TaskId

HELP = "? lists what can be done, ! asks the expert, q ends"


def add_play(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``play``."""
    add_task(parser)
    add_interface(parser)
    parser.set_defaults(command=play)


def play(options: argparse.Namespace) -> None:
    """Play one episode with the actions that are typed in."""
    task = task_id(options)
    env = make_text_env(options.id, TaskId.parse(task).split, env_options(options))
    observation, info = env.reset(options={"task_id": task})
    print_line(f"{task}\n\n{env.instruction}\n\n{HELP}\n\n{observation}")
    while info["end_reason"] is None:
        action = _read_action(env)
        if action is None:
            print("You left.")
            return
        observation, reward, _, _, info = env.step(action)
        print_line(f"{observation}\n[turn {info['turn']}, reward {reward:g}]")
    print(f"The end: {info['end_reason']}, score {info['score']:.2f}")


def _read_action(env: TextEnv) -> str | None:
    """Return the next action, answering ``?`` and ``!`` before; None is to leave."""
    while sys.stdin is not None and sys.stdout is not None:
        try:
            line = input("> ").strip()
        except EOFError:
            return None
        if line == "q":
            return None
        if line == "?":
            print_line("\n".join(f"  {action}" for action in env.admissible_actions))
        elif line == "!":
            hint = env.expert_action()
            print_line(f"  {hint}" if hint else "  The expert sees no way from here.")
        elif line:
            return line
    return None
