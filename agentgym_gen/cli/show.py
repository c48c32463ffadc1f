"""``agentgym-gen show``: one task through several interfaces, side by side."""

from __future__ import annotations

import argparse
import shutil
from dataclasses import replace

from agentgym_gen.cli.arguments import add_task, at_least, complete_with, task_id
from agentgym_gen.cli.terminal import NARROWEST, print_line
from agentgym_gen.describe.printable import printable
from agentgym_gen.interface import PRESETS


def add_show(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``show``."""
    add_task(parser)
    interface = "an interface, shown beside native, or several; default synonyms"
    action = parser.add_argument(
        "--interface", action="append", default=[], metavar="NAME", help=interface
    )
    complete_with(action, lambda: PRESETS)
    turns = "how many actions are shown; default 3"
    parser.add_argument("--turns", type=at_least(0), default=3, metavar="N", help=turns)
    parser.add_argument("--instruction", action="store_true", help="show the instruction, too")
    width = "characters a line; default that of the terminal"
    parser.add_argument("--width", type=at_least(NARROWEST), metavar="N", help=width)
    parser.set_defaults(command=show)


def show(options: argparse.Namespace) -> None:
    """Print the expert's first actions through every interface."""
    from agentgym_gen.describe.side_by_side import format_columns, play_columns

    task = task_id(options)
    names = options.interface
    interfaces = names if len(names) > 1 else ["native", *(names or ["synonyms"])]
    columns = [
        replace(column, texts=tuple(map(printable, column.texts)))
        for column in play_columns(
            options.id, task, interfaces, turns=options.turns, instruction=options.instruction
        )
    ]
    width = options.width or max(NARROWEST, shutil.get_terminal_size().columns)
    print_line(f"{task}\n\n{format_columns(columns, width)}")
