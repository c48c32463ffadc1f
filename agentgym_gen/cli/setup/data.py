"""``agentgym-gen data``: prepare a model or data, once."""

from __future__ import annotations

import argparse

from agentgym_gen.cli.arguments import at_least
from agentgym_gen.cli.terminal import print_line
from agentgym_gen.system.prepare import PREPARATIONS, PrepareRequest, prepare


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``data``."""
    kinds = "; ".join(
        f"{name}: {preparation.summary}" for name, preparation in PREPARATIONS.items()
    )
    parser.add_argument("name", metavar="NAME", help=kinds)
    number = at_least(1)
    ahead = "of textworld: make the first N games of each tier and split"
    parser.add_argument("--prepare", type=number, metavar="N", help=ahead)
    parser.add_argument("--tier", help="of textworld: of this tier only")
    parser.add_argument("--split", help="of textworld: of this split only")
    side = "of textworld: processes side by side; default one a processor"
    parser.add_argument("--workers", type=number, metavar="N", help=side)
    parser.set_defaults(command=prepare_data, resumable=True)


def prepare_data(options: argparse.Namespace) -> None:
    """Prepare the model or the data that *options* name."""
    request = PrepareRequest(options.prepare, options.tier, options.split, options.workers)
    prepare(options.name, print_line, request)
