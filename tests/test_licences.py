"""The table of licences is complete, and copyleft packages come with named extras only."""

import re
from pathlib import Path

import pytest

from tools.licences import (
    BEGIN,
    COPYLEFT,
    END,
    PLATFORM_PACKAGE,
    installed_by,
    packages,
    read_extras,
)

PAGE = Path(__file__).parents[1] / "docs" / "dependencies.md"


def rows() -> dict[str, tuple[str, str]]:
    """Return licence and extras of every package of the page."""
    table = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    cells = re.findall(r"^\| ([a-z0-9-]+) \| (\S+) \| (.+) \| (.+) \|$", table, re.MULTILINE)
    return {name: (licence.strip("*"), extras) for name, version, licence, extras in cells}


def test_the_page_has_every_installed_package_with_its_licence() -> None:
    """The table of the page agrees with what is installed here."""
    listed = rows()
    for package in packages():
        if package.version and not PLATFORM_PACKAGE.match(package.name):
            advice = "run: python -m tools.licences --write"
            assert package.name in listed, f"{package.name} is not on the page; {advice}"
            assert listed[package.name][0] == package.licence, package.name


def test_gpl_is_behind_the_extras_of_two_engines() -> None:
    """GPL packages come with the extras of two engines only; LGPL is not counted."""
    extras = {
        name: extras for name, (licence, extras) in rows().items() if COPYLEFT.search(licence)
    }

    assert extras == {"jericho": "alfworld, textworld", "fast-downward-textworld": "alfworld"}


@pytest.mark.parametrize("extra", ["core", "train", "study", "babyai"])
def test_what_all_installs_has_no_gpl(extra: str) -> None:
    """No package that the core or an extra of `all` installs here is under the GPL."""
    names = set(installed_by(read_extras()[extra]))
    licences = {package.name: package.licence for package in packages() if package.name in names}

    assert not [name for name, licence in licences.items() if COPYLEFT.search(licence)]


def test_no_licence_is_unknown() -> None:
    """The licence of every installed package is stated by its metadata or by hand."""
    installed = [package for package in packages() if package.version]

    assert [package.name for package in installed if package.licence == "not stated"] == []
