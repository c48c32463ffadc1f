"""The commands that measure and prepare: ``agentgym-gen study | calibrate | data``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.env.registration import check_env_id
from agentgym_gen.errors import InvalidValueError, TrainingError, unknown_name
from agentgym_gen.system.prepare import PREPARATIONS, Order, prepare
from agentgym_gen.system.processors import usable_processors
from agentgym_gen.world import SPLITS

if TYPE_CHECKING:
    from agentgym_gen.study import Study


def at_least(least: int) -> Callable[[str], int]:
    """Return what reads a whole number from *least* on, or says what is wrong."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) < least:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number from {least} to 999999999"
            )
        return int(text)

    return number


def place(text: str) -> Path:
    """Return *text* as a path; nothing at all would be the working folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty, and should be a path")
    return Path(text)


def add_study(parser: argparse.ArgumentParser) -> None:
    """Add ``study run | status | report | show``."""
    parts = parser.add_subparsers(required=True, metavar="COMMAND")
    started = parts.add_parser("run", help="run what is not yet done, and write the report")
    _add_study_source(started)
    number = at_least(1)
    started.add_argument("--yes", action="store_true", help="do not ask before it starts")
    started.add_argument(
        "--workers", type=number, help="jobs side by side; default one a processor"
    )
    started.add_argument("--executor", default="local", help="local or ray")
    started.add_argument("--address", default="", help="the Ray cluster to join; default a new one")
    started.set_defaults(command=run_study)
    for name, command, told in (
        ("status", _study_status, "say how far it is"),
        ("report", _study_report, "write the report of what is there"),
    ):
        other = parts.add_parser(name, help=told)
        _add_study_source(other)
        other.set_defaults(command=command)
    printed = parts.add_parser("show", help="print a preset, to begin a plan of your own")
    printed.add_argument("preset", metavar="PRESET")
    printed.set_defaults(command=_study_show)


def _add_study_source(parser: argparse.ArgumentParser) -> None:
    known = "a TOML file, a results folder, or a preset: quick, small, paper-3b, paper-7b"
    parser.add_argument("study", metavar="STUDY", help=known)
    parser.add_argument("--out", type=place, help="the results folder; default runs/NAME")


def add_calibrate(parser: argparse.ArgumentParser) -> None:
    """Add ``calibrate``."""
    number = at_least(1)
    parser.add_argument("id", metavar="ENV", help="for example rftgen/TextCraft-v0")
    parser.add_argument("--model", required=True, help="random, expert, a folder or a hub name")
    parser.add_argument("--out", type=place, help="where the lists go; default lists/ENV")
    parser.add_argument("--tasks", type=number, default=200, metavar="N", help="tasks of a split")
    parser.add_argument("--samples", type=number, default=8, metavar="N", help="episodes of a task")
    parser.add_argument("--threshold", type=float, default=0.5, help="easy from this success on")
    parser.add_argument("--split", action="append", help="only these splits; default all")
    parser.add_argument("--format", default="react", help="react, action or tool")
    parser.add_argument("--temperature", type=float, default=1.0, help="of a model")
    parser.add_argument("--max-new-tokens", type=number, default=256, help="of a model")
    parser.set_defaults(command=_calibrate)


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add ``data``."""
    kinds = "; ".join(f"{name}: {one.summary}" for name, one in PREPARATIONS.items())
    parser.add_argument("name", metavar="NAME", help=kinds)
    number = at_least(1)
    ahead = "make the first N tasks of each tier and split ahead"
    parser.add_argument("--prepare", type=number, metavar="N", help=ahead)
    parser.add_argument("--tier", help="of this tier only")
    parser.add_argument("--split", help="of this split only")
    side = "processes side by side; default one a processor"
    parser.add_argument("--workers", type=number, metavar="N", help=side)
    parser.set_defaults(command=_data)


def _data(options: argparse.Namespace) -> None:
    order = Order(options.prepare, options.tier, options.split, options.workers)
    prepare(options.name, say, order)


def _open_study(options: argparse.Namespace) -> Study:
    from agentgym_gen.study import Study

    folder = Path(options.study)
    if (folder / "plan.json").is_file():
        return Study.open(folder)
    return Study(options.study, options.out)


def run_study(options: argparse.Namespace) -> None:
    """Say what a study costs, ask, run it and write its report."""
    from agentgym_gen.study.run.cost import estimate_cost
    from agentgym_gen.study.run.executors import EXECUTORS
    from agentgym_gen.study.run.run import check_folder

    if options.executor not in EXECUTORS:
        raise unknown_name("executor", options.executor, EXECUTORS, "all")
    study = _open_study(options)
    workers = options.workers or usable_processors()
    check_folder(study.plan, study.out)
    say(f"Study {study.plan.name} in {study.out}, {workers} jobs at a time")
    say(f"To do: {estimate_cost(study.plan, study.out, workers)}")
    if not options.yes:
        _ask_to_go_on()
    outcome = study.run(
        workers=workers, executor=options.executor, address=options.address, log=say
    )
    say(f"\nWritten to {study.report()}")
    if outcome.failed:
        raise TrainingError(
            f"{len(outcome.failed)} jobs failed, the first is {next(iter(outcome.failed))!r}, and "
            f"{len(outcome.blocked)} need them; see failure.json in their folders, mend the cause, "
            "and run the study again: it goes on from there"
        )


def _ask_to_go_on() -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise InvalidValueError("Nobody is there to be asked; add --yes to start at once")
    if input("Start? [y/N] ").strip().lower() not in ("y", "yes"):
        raise KeyboardInterrupt


def _study_status(options: argparse.Namespace) -> None:
    from agentgym_gen.study.run.status import status_lines

    study = _open_study(options)
    print("\n".join(status_lines(study.plan, study.out)))


def _study_report(options: argparse.Namespace) -> None:
    print(f"Written to {_open_study(options).report()}")


def _study_show(options: argparse.Namespace) -> None:
    from agentgym_gen.study import preset_text

    print(preset_text(options.preset), end="")


def _calibrate(options: argparse.Namespace) -> None:
    from agentgym_gen.study.run.calibrate import Calibration, calibrate, resolve_policy

    name = check_env_id(options.id).rpartition("/")[2].rsplit("-v", 1)[0].lower()
    stem = options.out or Path("lists") / name
    splits = tuple(options.split or SPLITS)
    asked = Calibration(options.id, options.tasks, options.samples, options.threshold, splits)
    policy = resolve_policy(options.model, options.temperature, options.max_new_tokens)
    style = PromptStyle(format=options.format)
    sizes = calibrate(asked, policy, stem, model=options.model, style=style, log=say)
    for kind, size in sizes.items():
        print(f"{size} tasks in {stem}.{kind}.txt")


RESUMABLE = (run_study, _calibrate, _data)
"""The commands that go on where they were stopped."""


def say(line: str) -> None:
    """Print *line* at once."""
    print(line, flush=True)
