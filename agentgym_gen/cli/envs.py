"""``agentgym-gen envs``: list the environments, or describe them by measured figures."""

from __future__ import annotations

import argparse

from agentgym_gen.cli.arguments import at_least
from agentgym_gen.cli.terminal import print_table
from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import ENVIRONMENTS, env_ids
from agentgym_gen.errors import AgentGymGenError, MissingExtraError
from agentgym_gen.world import SPLITS

NOT_INSTALLED, BROKEN = "extra", "error"
"""The cells of the table for an environment without its extra, and for one that cannot be made."""


def add_envs(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``envs``."""
    parser.add_argument("--ids", action="store_true", help="print every id, one a line")
    described = "print what experts read and say, and how far environments and interfaces are apart"
    parser.add_argument("--describe", action="store_true", help=described)
    number = "how many tasks are played for it, 10 by default"
    parser.add_argument("--tasks", type=at_least(1), default=10, metavar="N", help=number)
    parser.set_defaults(command=list_envs)


def list_envs(options: argparse.Namespace) -> None:
    """Print the environments, their ids or their descriptions."""
    if options.ids:
        print("\n".join(env_ids()))
    elif options.describe:
        _describe(options.tasks)
    else:
        _list()


def _list() -> None:
    rows = [("environment", "tier", *(f"{split} tasks" for split in SPLITS), "id")]
    errors: dict[str, str] = {}
    for environment in ENVIRONMENTS.values():
        for tier in environment.tiers:
            env_id = environment.id(tier)
            try:
                sizes = _sizes(env_id, tier)
            except MissingExtraError:
                sizes = [NOT_INSTALLED] * len(SPLITS)
            except AgentGymGenError as error:
                sizes, errors[environment.name] = [BROKEN] * len(SPLITS), str(error)
            rows.append((environment.name, tier, *sizes, env_id))
    print_table(rows)
    print(f"\n{len(env_ids())} ids with the interface variants: agentgym-gen envs --ids")
    if any(NOT_INSTALLED in row for row in rows):
        extras = {environment.extra for environment in ENVIRONMENTS.values() if environment.extra}
        names = ",".join(sorted(extras))
        print(f"{NOT_INSTALLED}: not installed; run: pip install 'agentgym-gen[{names}]'")
    for name, sentence in errors.items():
        print(f"{BROKEN}: {name} cannot be made: {sentence}")


def _sizes(env_id: str, tier: str) -> list[str]:
    """Return how many tasks each split has."""
    tasks = make_text_env(env_id, "train").world.tasks
    return [f"{tasks.size(tier, split):,}" for split in SPLITS]


def _describe(number: int) -> None:
    from agentgym_gen.describe.tables import description_tables, find_installed

    environments, missing = find_installed()
    for heading, rows in description_tables(environments, number):
        print(f"{heading}\n")
        print_table(rows)
        print(flush=True)
    if missing:
        print(f"{NOT_INSTALLED}: {', '.join(missing)}")
