"""What is installed with which versions: bills of materials, and the oldest versions."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools.licences import read_extras
from tools.sbom import packages_of_extras, part_of

ROOT = Path(__file__).parents[1]
OLDEST = (ROOT / "constraints-oldest.txt").read_text(encoding="utf-8")
TESTED_EXTRAS = ("core", "api", "babyai", "study", "train")

WHOLE = {
    "bomFormat": "CycloneDX",
    "metadata": {"tools": {}},
    "components": [
        {"bom-ref": "numpy==2", "name": "numpy"},
        {"bom-ref": "gymnasium==1", "name": "gymnasium"},
        {"bom-ref": "Farama==0", "name": "Farama_Notifications"},
        {"bom-ref": "torch==2", "name": "torch"},
    ],
    "dependencies": [
        {"ref": "gymnasium==1", "dependsOn": ["numpy==2", "Farama==0"]},
        {"ref": "torch==2", "dependsOn": ["numpy==2"]},
        {"ref": "numpy==2"},
    ],
}


def oldest_versions() -> dict[str, str]:
    """Return the versions of constraints-oldest.txt, by canonical name."""
    pairs = re.findall(r"^([^#\s=]+)==(\S+)$", OLDEST, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.mark.parametrize("extra", TESTED_EXTRAS)
def test_the_oldest_versions_are_those_of_the_bounds(extra: str) -> None:
    """A bound that nobody runs the tests with is a guess."""
    versions = oldest_versions()
    for line in read_extras()[extra]:
        requirement = Requirement(line)
        bound = next(s.version for s in requirement.specifier if s.operator == ">=")

        assert Version(versions[canonicalize_name(requirement.name)]) == Version(bound), line


def test_an_extra_has_its_packages_and_their_needs() -> None:
    """Nothing of another extra is in it, and no reference leads out of it."""
    names = ["numpy", "gymnasium", "farama-notifications"]
    sbom = part_of(WHOLE, "core", names)
    refs = {component["bom-ref"] for component in sbom["components"]}

    assert refs == {"numpy==2", "gymnasium==1", "Farama==0"}
    assert sbom["metadata"]["component"]["name"] == "agentgym-gen"
    assert {ref for entry in sbom["dependencies"] for ref in entry["dependsOn"]} <= refs
    assert sbom["dependencies"][-1] == {"ref": "agentgym-gen[core]", "dependsOn": sorted(refs)}


def test_every_extra_has_the_core() -> None:
    """Whoever installs an extra installs the core with it."""
    assert all({"numpy", "gymnasium"} <= set(names) for names in packages_of_extras().values())
    assert {"core", "train", "babyai"} <= packages_of_extras().keys()
