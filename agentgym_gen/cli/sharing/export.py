"""``agentgym-gen export``: the experts' episodes, or a model, as files for other programs."""

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
    prompt = "react (default), action, tool or function_calling"
    demos.add_argument("--prompt", default="react", help=prompt)
    again = "replace an earlier export in the folder"
    demos.add_argument("--replace", action="store_true", help=again)
    demos.set_defaults(command=export)
    _add_gguf(add_command(commands, "gguf", "write a model as a file for llama.cpp"))


def _add_gguf(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a folder, an adapter's too, or a hub name")
    parser.add_argument("file", type=path, metavar="FILE", help="such as model.gguf")
    types = "of the weights: auto (16 bits), bf16, f16, f32 or q8_0"
    parser.add_argument("--type", default="auto", help=types)
    script = "convert_hf_to_gguf.py or the folder of llama.cpp; default: the one on PATH"
    parser.add_argument("--converter", type=path, metavar="PATH", help=script)
    parser.add_argument("--replace", action="store_true", help="replace the file")
    parser.set_defaults(command=gguf)


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


def gguf(options: argparse.Namespace) -> None:
    """Convert the model, and say how large the file is."""
    from agentgym_gen.trainers import export_gguf

    file = export_gguf(
        options.model,
        options.file,
        gguf_type=options.type,
        converter=options.converter,
        replace=options.replace,
    )
    print(f"{file.stat().st_size / 2**20:,.1f} MB in {file}")
