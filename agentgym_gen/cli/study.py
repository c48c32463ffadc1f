"""``agentgym-gen study run | status | report | replication | show``: a generalization study."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agentgym_gen.cli.arguments import add_command, at_least, path
from agentgym_gen.cli.terminal import print_json, print_line
from agentgym_gen.cli.training.memory_table import print_memory
from agentgym_gen.describe.printable import printable_line
from agentgym_gen.errors import DataError, InvalidValueError, TrainingError, unknown_name
from agentgym_gen.system.processors import usable_processors

if TYPE_CHECKING:
    from agentgym_gen.study import Study
    from agentgym_gen.study.report.document import Document

PRESETS = ("quick", "seven", "small-cpu", "small", "paper-3b", "paper-7b")
"""The presets, from the smallest to the largest."""


def add_study(parser: argparse.ArgumentParser) -> None:
    """Add the commands of ``study`` and their arguments."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(add_command(commands, "run", "run what is not yet done, and write the report"))
    for name, command, summary in (
        ("status", _print_status, "say how far the study is, and what failed"),
        ("report", _write_report, "write the report of the results so far"),
    ):
        subparser = add_command(commands, name, summary)
        _add_source(subparser)
        subparser.set_defaults(command=command)
        if name == "status":
            subparser.add_argument("--json", action="store_true", help="print the status as JSON")
    _add_replication(
        add_command(commands, "replication", "compare two runs with other training seeds")
    )
    show = add_command(commands, "show", "print a preset, to begin a plan of your own")
    show.add_argument("preset", metavar="PRESET", help=", ".join(PRESETS))
    show.set_defaults(command=_print_preset)


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_source(parser)
    number = at_least(1)
    parser.add_argument("--yes", action="store_true", help="do not ask before it starts")
    seed_help = "the training seeds; default those of the plan"
    parser.add_argument("--seeds", type=at_least(0), nargs="+", metavar="SEED", help=seed_help)
    side = "jobs side by side; default one a processor"
    parser.add_argument("--workers", type=number, metavar="N", help=side)
    parser.add_argument("--executor", default="local", help="local (default) or ray")
    parser.add_argument("--address", default="", help="the Ray cluster to join; default a new one")
    ignore = "start although the memory is likely too small"
    parser.add_argument("--ignore-memory", action="store_true", help=ignore)
    # Errors are about keys of the plan, such as `seeds`, and not about the option of that name.
    parser.set_defaults(command=run_study, resumable=True, option_names={})


def _add_replication(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", metavar="FIRST", help="the results folder of a study")
    parser.add_argument("second", metavar="SECOND", help="that of the same plan, other seeds")
    parser.add_argument("--out", type=path, help="the folder of the page; default SECOND")
    parser.set_defaults(command=_write_replication)


def _add_source(parser: argparse.ArgumentParser) -> None:
    source = f"a TOML file, a results folder, or a preset: {', '.join(PRESETS)}"
    parser.add_argument("study", metavar="STUDY", help=source)
    parser.add_argument("--out", type=path, help="the results folder; default runs/NAME")


def _open_study(options: argparse.Namespace, seeds: Sequence[int] | None = None) -> Study:
    from agentgym_gen.study import Study

    folder = Path(options.study)
    has_results = (folder / "plan.json").is_file()
    if has_results and options.out not in (None, folder):
        raise InvalidValueError(f"{folder} holds results already; --out is for a plan")
    study = Study.open(folder) if has_results else Study(options.study, options.out)
    if seeds is not None:
        study = Study(dataclasses.replace(study.plan, seeds=tuple(seeds)), study.out)
    return study


def _open_results(options: argparse.Namespace) -> Study:
    """Return the study that is named; where its folder has results, with the seeds of these.

    Raises:
        ResultExistsError: if they are of another plan.
    """
    from agentgym_gen.study import Study
    from agentgym_gen.study.run.run import check_folder

    study = _open_study(options)
    if (study.out / "plan.json").is_file():
        seeds = Study.open(study.out).plan.seeds
        study = Study(dataclasses.replace(study.plan, seeds=seeds), study.out)
    check_folder(study.plan, study.out)
    return study


def run_study(options: argparse.Namespace) -> None:
    """Say what a study costs, ask, run it and write its report."""
    from agentgym_gen.study.report.markup import check_installed
    from agentgym_gen.study.run.cost import estimate_cost, remaining_trainings
    from agentgym_gen.study.run.executors import EXECUTORS
    from agentgym_gen.study.run.memory import plan_memory
    from agentgym_gen.study.run.run import check_folder

    if options.executor not in EXECUTORS:
        raise unknown_name("executor", options.executor, EXECUTORS)
    check_installed()
    study = _open_study(options, options.seeds)
    workers = options.workers or usable_processors()
    check_folder(study.plan, study.out)
    print_line(f"Study {study.plan.name} in {study.out}, {workers} jobs at a time")
    print_line(f"To do: {estimate_cost(study.plan, study.out, workers)}")
    memories = plan_memory(study.plan, remaining_trainings(study.plan, study.out))
    # Ray places jobs on other machines, of whose memory nothing is known here.
    processes = workers if options.executor == "local" else 1
    print_memory(memories, processes)
    for memory in [] if options.ignore_memory else memories:
        memory.check_fits(processes)
    if not options.yes:
        _ask_to_start()
    outcome = study.run(
        workers=workers, executor=options.executor, address=options.address, log=print_line
    )
    if outcome.failed:
        with contextlib.suppress(DataError):  # without results of the base there is no report
            _print_report(study)
        raise TrainingError(
            f"{len(outcome.failed)} jobs failed, the first is {next(iter(outcome.failed))!r}, and "
            f"{len(outcome.blocked)} need them; see failure.json in their folders, mend the cause, "
            "and run the study again: it goes on from there"
        )
    _print_report(study)


def _ask_to_start() -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise InvalidValueError("Nobody is there to be asked; add --yes to start at once")
    try:
        answer = input("Start? [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise KeyboardInterrupt


def _print_status(options: argparse.Namespace) -> None:
    from agentgym_gen.study.run.status import status_lines, study_status

    study = _open_results(options)
    if options.json:
        print_json(dataclasses.asdict(study_status(study.plan, study.out)))
    else:
        print_line("\n".join(status_lines(study.plan, study.out)))


def _write_report(options: argparse.Namespace) -> None:
    _print_report(_open_results(options))


def _write_replication(options: argparse.Namespace) -> None:
    from agentgym_gen.study import Study
    from agentgym_gen.study.report.replication import make_replication

    first, second = Study.open(options.first), Study.open(options.second)
    document = make_replication((first.plan, first.out), (second.plan, second.out))
    _print_document(document, options.out or second.out, "replication")


def _print_report(study: Study) -> None:
    """Write the report of *study*, and print what it says in short and where it is."""
    from agentgym_gen.study.report.report import make_report

    _print_document(make_report(study.plan, study.out), study.out, "report")


def _print_document(document: Document, out: Path, name: str) -> None:
    from agentgym_gen.study.report.report import save_report

    written = save_report(document, out, name)
    print_line("\nIn short")
    for sentence in document.summary:
        print_line(f"- {printable_line(sentence)}")
    print_line(f"Written to {written}")


def _print_preset(options: argparse.Namespace) -> None:
    from agentgym_gen.study import preset_text

    print(preset_text(options.preset), end="")
