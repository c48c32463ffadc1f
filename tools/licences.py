"""The licence of everything that each extra installs, as the table of docs/dependencies.md.

    python -m tools.licences            prints the table
    python -m tools.licences --write    renews it in the page

Read from the metadata of what is installed where it runs; a package that is not installed is named
as such. Where the metadata has no licence expression, its classifiers count, then its free text.
"""

from __future__ import annotations

import argparse
import configparser
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "dependencies.md"
BEGIN, END = "<!-- licences -->", "<!-- end -->"
COPYLEFT = re.compile(r"\bA?GPL")
OF_A_MACHINE = re.compile(r"nvidia-|cuda-|triton$|pywin32$|colorama$")
"""Packages that come on some machines only."""

CLASSIFIERS = {
    "Apache 2.0 License": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""How classifiers and free texts name the licences that are met here."""

BY_HAND = {
    "fast-downward-textworld": "GPL-3.0",
    "jericho": "GPL-2.0",
    "textworld": "MIT",
}
"""Licences that the metadata leaves out or only hints at, from the sources' own licence files."""


@dataclass(frozen=True)
class Entry:
    """One package that an extra installs."""

    name: str
    """Its name, canonical."""
    version: str
    """The version that is installed here; empty if it is not."""
    licence: str
    """Its licence, by SPDX where that is known."""
    extras: tuple[str, ...]
    """The extras that install it, the core first; those that name it themselves end in ``*``."""


def main() -> None:
    """Print the table, or write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="renew the table of the page")
    text = table(entries())
    if parser.parse_args().write:
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{rest.partition(END)[2]}", "utf-8")
    else:
        print(text)


def extras() -> dict[str, list[str]]:
    """Return the requirements of the core and of every extra, from setup.cfg; `all` has no own."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    found = {"core": config["options"]["install_requires"]}
    found |= dict(config["options.extras_require"].items())
    return {
        name: [line for line in text.split("\n") if line and not line.startswith("agentgym-gen[")]
        for name, text in found.items()
    }


def entries() -> list[Entry]:
    """Return every package that is installed by the core or an extra, by name."""
    found: dict[str, list[str]] = {}
    for extra, lines in extras().items():
        direct = {canonicalize_name(Requirement(line).name) for line in lines}
        for name in closure(lines):
            found.setdefault(name, []).append(f"{extra}*" if name in direct else extra)
    return [entry(name, tuple(found[name])) for name in sorted(found)]


def closure(lines: list[str]) -> list[str]:
    """Return what the requirements *lines* install here, themselves included."""
    found: dict[tuple[str, str], None] = {}
    todo = [(Requirement(line), "") for line in lines]
    while todo:
        wanted, extra = todo.pop()
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(wanted.name)
        for own in ("", *sorted(wanted.extras)):
            if (name, own) not in found:
                found[name, own] = None
                todo += [(Requirement(line), own) for line in _requires(name)]
    return sorted({name for name, _ in found})


def _requires(name: str) -> list[str]:
    try:
        return distribution(name).requires or []
    except PackageNotFoundError:
        return []


def entry(name: str, of: tuple[str, ...]) -> Entry:
    """Return the entry of the package *name*, which the extras *of* install."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return Entry(name, "", "not installed here", of)
    return Entry(name, found.version.partition("+")[0], licence(name, found), of)


def licence(name: str, found: Distribution) -> str:
    """Return the licence of an installed package."""
    if name in BY_HAND:
        return BY_HAND[name]
    said = found.metadata.get("License-Expression")
    return said or next(_classified(found), None) or _spoken(found.metadata.get("License") or "")


def _classified(found: Distribution) -> Iterator[str]:
    lines = found.metadata.get_all("Classifier") or []
    names = [line.split(" :: ")[-1] for line in lines if line.startswith("License ::")]
    known = [CLASSIFIERS.get(name, name) for name in names if name != "OSI Approved"]
    if known:
        yield " or ".join(sorted(known))


def _spoken(text: str) -> str:
    first = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return CLASSIFIERS.get(first, first[:40]) or "not stated"


def table(found: list[Entry]) -> str:
    """Return *found* as a Markdown table; copyleft in bold."""
    lines = ["| package | version | licence | comes with |", "| --- | --- | --- | --- |"]
    for one in found:
        if OF_A_MACHINE.match(one.name):
            continue
        said = f"**{one.licence}**" if COPYLEFT.search(one.licence) else one.licence
        lines.append(f"| {one.name} | {one.version or '-'} | {said} | {', '.join(one.extras)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
