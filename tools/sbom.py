"""A bill of materials (SBOM, CycloneDX 1.6) of each extra: packages, versions and licences.

    python -m venv /tmp/cyclonedx && /tmp/cyclonedx/bin/pip install cyclonedx-bom
    python -m tools.sbom dist/sbom --tool /tmp/cyclonedx/bin/cyclonedx-py

cyclonedx-py describes the environment of this Python; each file has the part of it that one extra
installs. An extra of which something is not installed here is left out, and named.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from tools.licences import PLATFORM_PACKAGE, installed_by, packages, read_extras

Sbom = dict[str, Any]
"""A bill of materials as JSON."""

NAME = "agentgym-gen"


def main() -> None:
    """Write a file for each extra, and print what was written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the files are written")
    parser.add_argument("--tool", default="cyclonedx-py", help="the program of cyclonedx-bom")
    options = parser.parse_args()
    whole = describe_environment(options.tool)
    absent = {package.name for package in packages() if not package.version}
    options.folder.mkdir(parents=True, exist_ok=True)
    for extra, names in packages_of_extras().items():
        missing = sorted(
            name for name in names if name in absent and not PLATFORM_PACKAGE.match(name)
        )
        if missing:
            print(f"{extra}: left out, for {', '.join(missing)} is not installed here")
            continue
        sbom = part_of(whole, extra, names)
        path = options.folder / f"{NAME}-{extra}.cdx.json"
        path.write_text(json.dumps(sbom, indent=1) + "\n", "utf-8")
        print(f"{extra}: {len(sbom['components'])} packages in {path}")


def describe_environment(tool: str) -> Sbom:
    """Return the bill of materials of all that is installed for this Python."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sbom.json"
        command = [tool, "environment", "--output-reproducible", "--of", "JSON", "-o", str(path)]
        subprocess.run([*command, sys.executable], check=True)
        sbom: Sbom = json.loads(path.read_text("utf-8"))
    return sbom


def packages_of_extras() -> Mapping[str, list[str]]:
    """Return the packages that the core and each extra install, the core's with each of them."""
    extras = read_extras()
    return {
        extra: installed_by([*extras["core"], *lines]) for extra, lines in extras.items() if lines
    }


def part_of(whole: Sbom, extra: str, names: Iterable[str]) -> Sbom:
    """Return the part of *whole* that has the packages called *names*, as that of *extra*."""
    wanted = set(names)
    components = [c for c in whole["components"] if canonicalize_name(c["name"]) in wanted]
    refs = {component["bom-ref"] for component in components}
    own = f"{NAME}[{extra}]"
    needs = [
        {**entry, "dependsOn": [ref for ref in entry.get("dependsOn", ()) if ref in refs]}
        for entry in whole["dependencies"]
        if entry["ref"] in refs
    ]
    component = {"type": "library", "bom-ref": own, "name": NAME, "version": version(NAME)}
    component["description"] = f"with the extra {extra}" if extra != "core" else "without extras"
    metadata = {**whole["metadata"], "component": component}
    return {
        **whole,
        "metadata": metadata,
        "components": components,
        "dependencies": [*needs, {"ref": own, "dependsOn": sorted(refs)}],
    }


if __name__ == "__main__":
    main()
