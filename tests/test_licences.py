"""The table of licences says what is installed, and nothing copyleft is where it should not be."""

import re
from pathlib import Path

import pytest

from tools.licences import BEGIN, COPYLEFT, END, OF_A_MACHINE, closure, entries, extras

PAGE = Path(__file__).parents[1] / "docs" / "dependencies.md"


def rows() -> dict[str, tuple[str, str]]:
    """Return licence and extras of every package of the page."""
    listed = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    found = re.findall(r"^\| ([a-z0-9-]+) \| (\S+) \| (.+) \| (.+) \|$", listed, re.MULTILINE)
    return {name: (licence.strip("*"), of) for name, version, licence, of in found}


def test_the_page_has_every_installed_package_with_its_licence() -> None:
    """`python -m tools.licences --write` renews it."""
    known = rows()
    for one in entries():
        if one.version and not OF_A_MACHINE.match(one.name):
            assert one.name in known, f"{one.name} ({one.licence}) is not on the page"
            assert known[one.name][0] == one.licence, one.name


def test_gpl_is_behind_the_extras_of_two_engines() -> None:
    """Neither in the core nor in `all`; LGPL is not meant."""
    found = {name: of for name, (licence, of) in rows().items() if COPYLEFT.search(licence)}

    assert found == {"jericho": "alfworld, textworld", "fast-downward-textworld": "alfworld"}


@pytest.mark.parametrize("extra", ["core", "train", "study", "babyai"])
def test_what_all_installs_has_no_gpl(extra: str) -> None:
    """As it is installed here."""
    names = set(closure(extras()[extra]))

    assert not [one for one in entries() if one.name in names and COPYLEFT.search(one.licence)]


def test_no_licence_is_unknown() -> None:
    """Each is stated, by the metadata or by hand."""
    assert [one.name for one in entries() if one.version and one.licence == "not stated"] == []
