"""Arguments that several commands take, and what they mean."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agentgym_gen.env.making import sample_task_ids
from agentgym_gen.seeding import stream
from agentgym_gen.world import SPLITS, TaskId


class Parser(argparse.ArgumentParser):
    """A parser, the values of whose last argument may stand after options, too."""

    spread = ""
    """The name of that argument, which takes any number of values; empty for none."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401
        """Parse *args* as argparse does, and add what it leaves over to the last argument."""
        parsed, rest = super().parse_known_args(args, namespace)
        if self.spread:
            words = [word for word in rest if not word.startswith("-")]
            rest = [word for word in rest if word.startswith("-")]
            setattr(parsed, self.spread, [*getattr(parsed, self.spread), *words])
        return parsed, rest


def at_least(least: int) -> Callable[[str], int]:
    """Return the type of an argument that is a whole number from *least* on."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) < least:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number from {least} to 999999999"
            )
        return int(text)

    return number


def path(text: str) -> Path:
    """Return *text* as a path; an empty text is refused, since it would be the working folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty, and should be a path")
    return Path(text)


def add_task(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that choose an environment and one of its tasks."""
    parser.add_argument("id", metavar="ID", help="for example rftgen/TextCraft-easy-v0")
    parser.add_argument("--split", default="train", help=", ".join(SPLITS))
    parser.add_argument("--task", help="a task id, such as textcraft/easy/test/17")
    seed = "which task is drawn without --task"
    parser.add_argument("--seed", type=at_least(0), default=0, metavar="N", help=seed)


def add_interface(parser: argparse.ArgumentParser) -> None:
    """Add the argument that chooses an interface."""
    parser.add_argument("--interface", help="preset names joined by '+', such as synonyms+json")


def task_id(options: argparse.Namespace, number: int = 0) -> str:
    """Return the id of the task that *options* choose.

    Args:
        options: The parsed arguments of `add_task`.
        number: Which of the sampled tasks, if no task was named.
    """
    if options.task is not None:
        return str(TaskId.parse(options.task))
    rng = stream("cli", options.id, options.split, options.seed, number)
    return sample_task_ids(options.id, options.split, 1, rng)[0]


def env_options(options: argparse.Namespace) -> dict[str, object]:
    """Return the options of the environment that `add_interface` has parsed."""
    return {} if options.interface is None else {"interface": options.interface}
