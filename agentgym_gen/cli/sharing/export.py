"""``agentgym-gen export demos``: the experts' episodes as files for the trainers of others."""

from __future__ import annotations

import argparse
from itertools import count
from pathlib import Path

from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.cli.arguments import add_command, at_least, path
from agentgym_gen.cli.terminal import ProgressLine


def add_export(parser: argparse.ArgumentParser) -> None:
    """Add the commands of ``export`` and their arguments."""
    commands = parser.add_subparsers(required=True, metavar="WHAT")
    demos = add_command(commands, "demos", "write episodes of the experts as chat messages")
    demos.add_argument("ids", metavar="ID", nargs="+", help="such as rftgen/TextCraft-easy-v0")
    formats = "messages (default) or sharegpt, as JSON lines, or parquet, the rows of messages"
    demos.add_argument("--format", default="messages", help=formats)
    demos.add_argument("--out", type=path, default=Path("demos"), help="the folder; default demos")
    number = "tasks of each environment and split; default 200"
    demos.add_argument("--tasks", type=at_least(1), default=200, metavar="N", help=number)
    split = "train or valid, more than once for both; default train"
    demos.add_argument("--split", action="append", help=split)
    seed = "chooses the tasks; default 0"
    demos.add_argument("--seed", type=at_least(0), default=0, metavar="N", help=seed)
    interface = "preset names joined by '+', such as synonyms+json; default that of the id"
    demos.add_argument("--interface", help=interface)
    demos.add_argument("--prompt", default="react", help="react (default), action or tool")
    again = "replace an earlier export in the folder"
    demos.add_argument("--replace", action="store_true", help=again)
    demos.set_defaults(command=export)


def export(options: argparse.Namespace) -> None:
    """Write the episodes, and say how many there are."""
    from agentgym_gen.export import DemoPlan, export_demos

    plan = DemoPlan(
        tuple(options.ids),
        options.tasks,
        tuple(dict.fromkeys(options.split or ["train"])),
        seed=options.seed,
        interface=options.interface,
        style=PromptStyle(options.prompt),
    )
    line, done = ProgressLine("episodes"), count()
    total = len(set(plan.env_ids)) * plan.tasks * len(plan.splits)  # fewer where a split is small

    def show_progress() -> None:
        line.update(next(done), total)

    show_progress()
    summaries = export_demos(
        plan,
        options.out,
        format=options.format,
        replace=options.replace,
        played=show_progress,
    )
    line.clear()
    for summary in summaries:
        left_out = f"; {summary.skipped} tasks without a way were left out"
        print(f"{summary.rows} episodes in {summary.path}{left_out if summary.skipped else ''}")
