"""``agentgym-gen compare``: what differs between models that were evaluated on the same tasks."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agentgym_gen.cli.arguments import path
from agentgym_gen.cli.terminal import print_json, print_table
from agentgym_gen.describe.printable import printable
from agentgym_gen.errors import InvalidValueError

if TYPE_CHECKING:
    from agentgym_gen.comparison import Comparison
    from agentgym_gen.study.analysis.statistics import Estimate


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``compare``."""
    folders = "folders that `agentgym-gen eval` wrote, the base first"
    parser.add_argument("folders", nargs="+", type=path, metavar="FOLDER", help=folders)
    trained_on = "an id or pattern that the models but the base were trained on; or NAME=PATTERN"
    parser.add_argument("--trained-on", action="append", metavar="ENV", help=trained_on)
    parser.add_argument("--name", action="append", help="a name for each model, in their order")
    metric = "what is compared; default success"
    parser.add_argument("--metric", default="success", choices=("success", "score"), help=metric)
    allow = "a setting that may differ, such as temperature, or version"
    parser.add_argument("--allow", action="append", metavar="SETTING", help=allow)
    parser.add_argument("--out", type=path, help="write a page, its Markdown and JSON there")
    parser.add_argument("--replace", action="store_true", help="replace an earlier page in --out")
    parser.add_argument("--json", action="store_true", help="print all numbers as JSON")
    names = {"names": "--name", "trained_on": "--trained-on", "allow": "--allow"}
    parser.set_defaults(command=print_comparison, option_names=names)


def print_comparison(options: argparse.Namespace) -> None:
    """Compare, print the table or the JSON, and write the page if a folder is named."""
    from agentgym_gen.comparison import compare, write_comparison

    if options.replace and options.out is None:
        raise InvalidValueError("--replace is about the page in --out, and none is named")
    comparison = compare(
        *options.folders,
        names=options.name or (),
        trained_on=options.trained_on or (),
        metric=options.metric,
        allow=options.allow or (),
    )
    page = None
    if options.out is not None:
        page = write_comparison(comparison, options.out, replace=options.replace)
    if options.json:
        print_json(comparison.as_dict())
        return
    for note in comparison.notes:
        print(printable(f"Note: {note}"))
    print_table(_table(comparison))
    print("Differences in points, with 95 % intervals; * p < 0.05 after Holm's adjustment.\n")
    for name in comparison.others:
        print(printable(f"{comparison.sentence(name)}."))
        for line in _details(comparison, name):
            print(printable(f"  {line}"))
    if page is not None:
        print(printable(f"Written to {page}"))


def _table(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return the score of the base and the differences, by column and in groups."""
    names = [printable(name) for name in comparison.names]
    rows = [("", f"{names[0]}, %", *names[1:])]
    for column in comparison.columns:
        rate = comparison.results.rate(comparison.base, column.name)
        differences = [comparison.differences[name, column.name] for name in comparison.others]
        rows.append(
            (printable(column.label), f"{100 * rate.value:.1f}", *map(_points, differences))
        )
    for group in comparison.groups:
        if 1 < len(group.columns) < len(comparison.columns):
            rate = comparison.rate(comparison.base, group.columns)
            means = [comparison.difference(name, group.columns) for name in comparison.others]
            title = printable(f"{group.kind} {group.name}")
            rows.append((title, f"{100 * rate.value:.1f}", *(_points(e, "") for e in means)))
    every = comparison.rate(comparison.base, [column.name for column in comparison.columns])
    overall = map(_points, comparison.overall.values())
    rows.append(("mean", f"{100 * every.value:.1f}", *overall))
    return rows


def _details(comparison: Comparison, name: str) -> Iterator[str]:
    """Yield how the model *name* did where it was trained and elsewhere, and its probes."""
    for group in comparison.held(name):
        difference = comparison.difference(name, group.columns)
        yield f"{group.name}: {_points(difference, '')}, n = {difference.tasks}"
    for probe in comparison.probes:
        if probe.model == name:
            e = probe.value
            number = f"{100 * e.value:.1f} % [{100 * e.low:.1f}, {100 * e.high:.1f}]"
            shown = number if probe.kind == "consistency" else _points(e, "")
            yield f"{probe.kind}, {probe.name}: {shown}, n = {e.tasks}"


def _points(e: Estimate, mark: str = " *") -> str:
    """Return a difference in points, with a star where it is below 0.05 after Holm."""
    star = mark if e.p < 0.05 and e.excludes_zero else ""
    return f"{100 * e.value:+.1f} [{100 * e.low:+.1f}, {100 * e.high:+.1f}]{star}"
