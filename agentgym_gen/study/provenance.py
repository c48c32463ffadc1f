"""Where results come from: versions, the state of the code, and hashes of models."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import agentgym_gen

PACKAGES = ("agentgym-gen", "gymnasium", "numpy", "torch", "transformers", "peft", "tokenizers")


@lru_cache(maxsize=1)
def code_state() -> dict[str, Any]:
    """Return the versions of Python and of the packages, the platform, and the commit."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: _version(name) for name in PACKAGES},
        "commit": _commit(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Return the commit that the package is imported from, or None if it was installed."""
    root = Path(agentgym_gen.__file__).parents[1]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def model_hash(folder: Path) -> str | None:
    """Return a hash of the weights in *folder*, which may be an adapter; None if it has none."""
    digest = hashlib.sha256()
    found = sorted(folder.glob("*.safetensors"))
    for path in found:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16] if found else None
