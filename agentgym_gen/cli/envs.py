"""``agentgym-gen envs``: list the environments, or describe them by measured figures."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, field

from agentgym_gen.cli.arguments import at_least
from agentgym_gen.cli.setup.extras import extras, install_command
from agentgym_gen.cli.terminal import ProgressLine, print_json, print_table
from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import ENVIRONMENTS, Registered, env_ids
from agentgym_gen.errors import AgentGymGenError, InvalidValueError, MissingExtraError
from agentgym_gen.world import SPLITS

NOT_INSTALLED, BROKEN = "extra", "error"
"""The cells of the table for an environment without its extra, and for one that cannot be made."""


def add_envs(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``envs``."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--ids", action="store_true", help="print every id, one a line")
    described = "measure the environments with their experts: lengths, and distances between them"
    what.add_argument("--describe", action="store_true", help=described)
    number = "how many tasks of each environment --describe plays; default 10"
    parser.add_argument("--tasks", type=at_least(1), metavar="N", help=number)
    parser.add_argument("--json", action="store_true", help="print the same as JSON")
    parser.set_defaults(command=list_envs)


def list_envs(options: argparse.Namespace) -> None:
    """Print the environments, their ids or their descriptions."""
    if options.tasks is not None and not options.describe:
        raise InvalidValueError("--tasks is about --describe, which is not there")
    if options.ids:
        _print_ids(as_json=options.json)
    elif options.describe:
        _describe(options.tasks or 10, as_json=options.json)
    else:
        _list(as_json=options.json)


def _print_ids(*, as_json: bool) -> None:
    if as_json:
        print_json(env_ids())
    else:
        print("\n".join(env_ids()))


@dataclass(frozen=True)
class _Listed:
    """An environment of the list."""

    name: str
    extra: str | None
    installed: bool
    error: str | None
    tiers: list[_Tier] = field(default_factory=list)

    def cells(self, tier: _Tier) -> list[str]:
        """Return the cells of the table for the sizes of *tier*."""
        if tier.tasks is None:
            return [BROKEN if self.installed else NOT_INSTALLED] * len(SPLITS)
        return [f"{tier.tasks[split]:,}" for split in SPLITS]


@dataclass(frozen=True)
class _Tier:
    """A tier of an environment, and how many tasks each split has; None if it cannot be made."""

    tier: str
    id: str
    tasks: dict[str, int] | None


def _list(*, as_json: bool) -> None:
    environments = [_look_at(environment) for environment in ENVIRONMENTS.values()]
    if as_json:
        print_json(_as_json(environments))
        return
    rows = [("environment", "tier", *(f"{split} tasks" for split in SPLITS), "id")]
    for listed in environments:
        rows += [(listed.name, t.tier, *listed.cells(t), t.id) for t in listed.tiers]
    print_table(rows)
    print(f"\n{len(env_ids())} ids with the interface variants: agentgym-gen envs --ids\n")
    _print_extras()
    missing = [listed.extra for listed in environments if not listed.installed and listed.extra]
    if missing:
        print(f"{NOT_INSTALLED}: not installed; run: {install_command(*missing)}")
    for listed in environments:
        if listed.error is not None and (listed.installed or listed.extra is None):
            print(f"{BROKEN}: {listed.name} cannot be made: {listed.error}")


def _look_at(environment: Registered) -> _Listed:
    """Return what there is of *environment*, which is made for it in each tier."""
    tiers: list[_Tier] = []
    error, installed = None, True
    for tier in environment.tiers:
        env_id, sizes = environment.id(tier), None
        try:
            tasks = make_text_env(env_id, "train").world.tasks
            sizes = {split: tasks.size(tier, split) for split in SPLITS}
        except AgentGymGenError as reason:
            error, installed = str(reason), not isinstance(reason, MissingExtraError)
        tiers.append(_Tier(tier, env_id, sizes))
    return _Listed(environment.name, environment.extra, installed, error, tiers)


def _as_json(environments: list[_Listed]) -> dict[str, object]:
    """Return what ``envs --json`` prints; docs/command-line.md describes it."""
    return {
        "environments": [asdict(listed) for listed in environments],
        "extras": [
            {
                "name": extra.name,
                "brings": extra.brings,
                "installed": extra.installed,
                "missing": list(extra.missing),
                "install": install_command(extra.name),
            }
            for extra in extras()
        ],
    }


def _print_extras() -> None:
    """Print what each extra brings, and whether it is there."""
    rows: list[tuple[str, ...]] = [("extra", "installed", "brings")]
    table = extras()
    rows += [(e.name, "yes" if e.installed else "no", e.brings) for e in table]
    print_table(rows)
    absent = [extra.name for extra in table if not extra.installed]
    if absent:
        print(f"\nTo install one or several: {install_command(absent[0])}")


def _describe(number: int, *, as_json: bool) -> None:
    from agentgym_gen.describe.tables import description_tables, find_installed

    environments, missing, broken = find_installed()
    progress = ProgressLine("profiles")
    tables = description_tables(environments, number, progress.update)
    if as_json:
        print_json(
            {
                "tables": [
                    {"title": title, "head": list(rows[0]), "rows": list(map(list, rows[1:]))}
                    for title, rows in tables
                ],
                "not_installed": missing,
                "errors": broken,
            }
        )
        return
    for title, rows in tables:
        progress.clear()
        print(f"{title}\n")
        print_table(rows)
        print(flush=True)
    if missing:
        print(f"{NOT_INSTALLED}: {', '.join(missing)}")
    for name, reason in broken.items():
        print(f"{BROKEN}: {name} cannot be made: {reason}")
