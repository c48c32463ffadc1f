"""``agentgym-gen new world NAME``: the first files of a package with a world."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from agentgym_gen.cli.arguments import add_command, path
from agentgym_gen.cli.terminal import print_line


def add_new(parser: argparse.ArgumentParser) -> None:
    """Add what can be made, and its arguments."""
    commands = parser.add_subparsers(required=True, metavar="WHAT")
    world = add_command(commands, "world", "write a package with a world that passes its own tests")
    name = "the environment's name, as in ids and classes, such as Lamps"
    world.add_argument("name", metavar="NAME", help=name)
    out = "where the folder NAME-world is made; default here"
    world.add_argument("--out", type=path, default=Path(), metavar="FOLDER", help=out)
    world.set_defaults(command=new_world)


def new_world(options: argparse.Namespace) -> None:
    """Write the package, and say what to do with it."""
    from agentgym_gen.scaffold import WorldPackage, write_world_package

    folder = write_world_package(options.name, options.out)
    for text in sorted(WorldPackage(options.name).texts()):
        print_line(f"{folder / text}")
    print_line(
        f"\nIts world is a working example. Install it, run its tests, and watch it:\n\n"
        f"  cd {shlex.quote(str(folder))}\n"
        f"  pip install -e '.[test]'\n"
        f"  pytest\n"
        f"  agentgym-gen demo rftgen/{options.name}-easy-v0"
    )
