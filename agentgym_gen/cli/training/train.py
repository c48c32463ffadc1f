"""``agentgym-gen train``: a warm start and reinforcement fine-tuning, described by a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from agentgym_gen.cli.arguments import Parser, path
from agentgym_gen.cli.terminal import print_line
from agentgym_gen.cli.training.memory_table import print_memory


def add_train(parser: Parser) -> None:
    """Add the arguments of ``train``."""
    parser.add_argument("config", metavar="CONFIG.toml", type=path, help="what is trained, and how")
    override = "a value in place of the file's, such as rft.learning_rate=1e-4"
    parser.add_argument("overrides", metavar="KEY=VALUE", nargs="*", default=[], help=override)
    parser.add_argument("--out", type=path, help="folder of the run; default runs/train-CONFIG")
    dry_run = "print the settings, the size of the model and the memory, and train nothing"
    parser.add_argument("--dry-run", action="store_true", help=dry_run)
    ignore = "start although the memory is likely too small"
    parser.add_argument("--ignore-memory", action="store_true", help=ignore)
    parser.spread = "overrides"
    parser.set_defaults(command=train, resumable=True)


def train(options: argparse.Namespace) -> None:
    """Train what the file says, or go on with it; or say what that would be."""
    from agentgym_gen.training import dry_run, load_training_plan, run_training
    from agentgym_gen.training.run import check_folder

    plan = load_training_plan(options.config, options.overrides)
    out = options.out or Path("runs") / f"train-{options.config.stem}"
    check_folder(plan, out)
    estimate = dry_run(plan)
    if options.dry_run:
        print_line(f"{plan.to_toml().strip()}\n")
    print_line("\n".join(estimate.lines()))
    print_memory(estimate.trainings)
    if not options.ignore_memory:
        estimate.check_fits()
    if options.dry_run:
        return
    print_line(f"Training into {out}")
    model = run_training(plan, out, print_line)
    print_line(f"The model is in {model}")
    print_line(f"Measure it: agentgym-gen eval {model} {next(iter(plan.envs))}")
