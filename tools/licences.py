"""The licence of every package that an extra installs, as the table of docs/dependencies.md.

    python -m tools.licences            prints the table
    python -m tools.licences --write    renews it in the page

Licences are read from the metadata of the packages that are installed here; a package that is not
installed is marked so. Without a licence expression the classifiers count, then the free text.
"""

from __future__ import annotations

import argparse
import configparser
import re
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "dependencies.md"
BEGIN, END = "<!-- licences -->", "<!-- end -->"
COPYLEFT = re.compile(r"\bA?GPL")
PLATFORM_PACKAGE = re.compile(r"nvidia-|cuda-|triton$|pywin32$|colorama$")
"""Packages that are installed on some machines only."""

SPDX = {
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
"""The SPDX names of licences by their classifiers and free texts."""

BY_HAND = {
    "fast-downward-textworld": "GPL-3.0",
    "jericho": "GPL-2.0",
    "textworld": "MIT",
}
"""Licences that are missing or unclear in the metadata, from the licence files of the sources."""


@dataclass(frozen=True)
class Package:
    """One package that an extra installs."""

    name: str
    """Its canonical name."""
    version: str
    """The version that is installed here; empty if it is not installed."""
    licence: str
    """Its licence, by its SPDX name where that is known."""
    extras: tuple[str, ...]
    """The extras that install it, the core first; ``*`` marks those that name it directly."""


def main() -> None:
    """Print the table, or write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="renew the table of the page")
    text = table(packages())
    if parser.parse_args().write:
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{rest.partition(END)[2]}", "utf-8")
    else:
        print(text)


def read_extras() -> dict[str, list[str]]:
    """Return the requirements of the core and of every extra, from setup.cfg.

    The extra `all` names other extras only and has none.
    """
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    requirements = {"core": config["options"]["install_requires"]}
    requirements |= dict(config["options.extras_require"].items())
    return {
        name: [line for line in text.split("\n") if line and not line.startswith("agentgym-gen[")]
        for name, text in requirements.items()
    }


def packages() -> list[Package]:
    """Return every package that the core or an extra installs, sorted by name."""
    extras: dict[str, list[str]] = {}
    for extra, lines in read_extras().items():
        direct = {canonicalize_name(Requirement(line).name) for line in lines}
        for name in installed_by(lines):
            extras.setdefault(name, []).append(f"{extra}*" if name in direct else extra)
    return [read_package(name, tuple(extras[name])) for name in sorted(extras)]


def installed_by(lines: list[str]) -> list[str]:
    """Return the names of the packages that the requirements *lines* install here."""
    visited: set[tuple[str, str]] = set()
    todo = [(Requirement(line), "") for line in lines]
    while todo:
        requirement, extra = todo.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for requested in ("", *sorted(requirement.extras)):
            if (name, requested) not in visited:
                visited.add((name, requested))
                todo += [(Requirement(line), requested) for line in _requires(name)]
    return sorted({name for name, _ in visited})


def _requires(name: str) -> list[str]:
    try:
        return distribution(name).requires or []
    except PackageNotFoundError:
        return []


def read_package(name: str, extras: tuple[str, ...]) -> Package:
    """Return the package *name*, which *extras* install, with what is installed here."""
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        return Package(name, "", "not installed here", extras)
    version = installed.version.partition("+")[0]
    return Package(name, version, licence_of(name, installed), extras)


def licence_of(name: str, installed: Distribution) -> str:
    """Return the licence of an installed package."""
    if name in BY_HAND:
        return BY_HAND[name]
    metadata = installed.metadata
    expression = metadata.get("License-Expression")
    return expression or _from_classifiers(installed) or _from_text(metadata.get("License") or "")


def _from_classifiers(installed: Distribution) -> str:
    """Return the licence that the classifiers name, or nothing."""
    lines = installed.metadata.get_all("Classifier") or []
    names = [line.split(" :: ")[-1] for line in lines if line.startswith("License ::")]
    return " or ".join(sorted(SPDX.get(name, name) for name in names if name != "OSI Approved"))


def _from_text(text: str) -> str:
    """Return the licence in the first line of a free text."""
    first = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return SPDX.get(first, first[:40]) or "not stated"


def table(rows: list[Package]) -> str:
    """Return *rows* as a Markdown table, with copyleft licences in bold."""
    lines = ["| package | version | licence | comes with |", "| --- | --- | --- | --- |"]
    for row in rows:
        if PLATFORM_PACKAGE.match(row.name):
            continue
        licence = f"**{row.licence}**" if COPYLEFT.search(row.licence) else row.licence
        lines.append(f"| {row.name} | {row.version or '-'} | {licence} | {', '.join(row.extras)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
