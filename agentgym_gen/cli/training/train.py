"""``agentgym-gen train``: a warm start and reinforcement fine-tuning, described by a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from agentgym_gen.cli.arguments import Parser, at_least, path
from agentgym_gen.cli.terminal import print_line
from agentgym_gen.cli.training.memory_table import print_memory
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.system.processors import launched_processes

if TYPE_CHECKING:
    from agentgym_gen.training import TrainingPlan


def add_train(parser: Parser) -> None:
    """Add the arguments of ``train``."""
    parser.add_argument("config", metavar="CONFIG.toml", type=path, help="what is trained, and how")
    override = "a value in place of the file's, such as rft.learning_rate=1e-4"
    parser.add_argument("overrides", metavar="KEY=VALUE", nargs="*", default=[], help=override)
    parser.add_argument("--out", type=path, help="folder of the run; default runs/train-CONFIG")
    dry_run = "print the settings, the size of the model and the memory, and train nothing"
    parser.add_argument("--dry-run", action="store_true", help=dry_run)
    number = "how many processes train together, each on its own GPU where there are several"
    parser.add_argument("--processes", metavar="N", type=at_least(1), help=number)
    ignore = "start although the memory is likely too small"
    parser.add_argument("--ignore-memory", action="store_true", help=ignore)
    parser.add_argument("--launched", action="store_true", help=argparse.SUPPRESS)
    parser.spread = "overrides"
    parser.set_defaults(command=train, resumable=True)


def train(options: argparse.Namespace) -> None:
    """Train what the file says, or go on with it; or say what that would be."""
    from agentgym_gen.training import load_training_plan, run_training
    from agentgym_gen.training.run import check_folder, check_processes

    launched = launched_processes()
    if options.processes and launched.size > 1:
        raise InvalidValueError(
            f"{launched.size} processes are started already, by torchrun; leave --processes out"
        )
    processes = options.processes or launched.size
    plan = load_training_plan(options.config, options.overrides)
    out = options.out or Path("runs") / f"train-{options.config.stem}"
    check_folder(plan, out)
    check_processes(plan, processes)
    if launched.is_main and not options.launched:
        _estimate(plan, options, processes)
    if options.dry_run:
        return
    if processes > launched.size:
        from agentgym_gen.trainers.parallel.launch import launch

        arguments = ["train", str(options.config), *options.overrides, "--out", str(out)]
        launch([*arguments, "--launched"], processes)
        return
    if launched.is_main:
        print_line(f"Training into {out}")
    model = run_training(plan, out, print_line)
    if launched.is_main:
        print_line(f"The model is in {model}")
        print_line(f"Measure it: agentgym-gen eval {model} {next(iter(plan.envs))}")


def _estimate(plan: TrainingPlan, options: argparse.Namespace, processes: int) -> None:
    """Print what the training takes, and refuse what likely does not fit into memory."""
    from agentgym_gen.training import dry_run

    estimate = dry_run(plan, processes)
    if options.dry_run:
        print_line(f"{plan.to_toml().strip()}\n")
    print_line("\n".join(estimate.lines()))
    print_memory(estimate.trainings, estimate.side_by_side)
    if not options.ignore_memory:
        estimate.check_fits()
