"""Where results come from: versions, the state of the code, and hashes of models."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

from agentgym_gen.system.versions import versions

PACKAGES = ("agentgym-gen", "gymnasium", "numpy", "torch", "transformers", "peft", "tokenizers")
"""The packages whose versions a result records."""


@lru_cache(maxsize=1)
def code_state() -> dict[str, Any]:
    """Return the versions of Python and of the packages, the platform, and the commit."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": versions(PACKAGES),
        "commit": _commit(),
    }


def _commit() -> str | None:
    """Return the commit that the package is imported from, or None if it was installed."""
    root = Path(__file__).parents[3]  # of agentgym_gen/study/results/provenance.py
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return process.stdout.strip()


def model_hash(folder: Path) -> str | None:
    """Return a hash of the weights in *folder*, which may be an adapter; None if it has none."""
    paths = sorted(folder.glob("*.safetensors"))
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16] if paths else None
