"""The extras of the package: what each brings, and whether it is installed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, requires

__all__ = ["BRINGS", "Extra", "extras", "install_command"]

PACKAGE = "agentgym-gen"

BRINGS = {
    "babyai": "BabyAI",
    "textworld": "TextWorld (needs a C compiler to install)",
    "alfworld": "a check of ALFWorld against the original",
    "searchqa": "dense retrieval in SearchQA",
    "webshop": "spaCy's nouns in WebShop's reward",
    "train": "training, and models from a folder or the hub",
    "smollm2": "a pretrained model without a hub",
    "quant": "models in 8 bits",
    "study": "studies, training by a file, and pages of results",
    "ray": "studies on several machines",
    "api": "models behind a chat endpoint",
    "serve": "agentgym-gen serve",
    "parquet": "demonstrations as Parquet",
    "completion": "completion in the shell",
    "notebook": "charts in notebooks",
    "openenv": "the adapter to OpenEnv",
    "trl": "the adapter to TRL",
    "verifiers": "the adapter to verifiers",
    "inspect": "the adapter to Inspect",
    "skyrl": "the adapter to SkyRL",
    "tinker": "the adapter to tinker-cookbook",
    "gem": "the adapter to GEM",
}
"""What each extra adds, for a person who chooses; `all`, `docs` and `dev` are sums of others."""


@dataclass(frozen=True)
class Extra:
    """One extra of the package."""

    name: str
    """Its name, as in ``agentgym-gen[train]``."""
    brings: str
    """What it adds."""
    missing: tuple[str, ...]
    """The packages of it that are not installed; their versions are not compared."""

    @property
    def installed(self) -> bool:
        """Whether all of its packages are there."""
        return not self.missing


def extras() -> list[Extra]:
    """Return the extras in the order of `BRINGS`, those alone that the installed package has."""
    packages = _packages(requires(PACKAGE) or [])
    return [
        Extra(name, brings, tuple(p for p in packages[name] if not _is_installed(p)))
        for name, brings in BRINGS.items()
        if name in packages
    ]


def install_command(*names: str) -> str:
    """Return the command that installs the extras *names*.

    >>> install_command("train", "api")
    "pip install 'agentgym-gen[api,train]'"
    """
    return f"pip install '{PACKAGE}[{','.join(sorted(names))}]'"


def _packages(requirements: list[str]) -> dict[str, list[str]]:
    """Return the packages of each extra.

    >>> _packages(["numpy>=1.26", "torch>=2.6; extra == 'train'"])
    {'train': ['torch']}
    """
    packages: dict[str, list[str]] = {}
    for requirement in requirements:
        name = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"extra\s*==\s*[\"']([\w-]+)[\"']", requirement)
        if name and extra:
            packages.setdefault(extra[1], []).append(name[0])
    return packages


def _is_installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True
