"""What a model's name means: a policy without a model, a folder, an adapter, a hub name, a server.

The identity of a model is its content: a hash of weights, configuration and tokenizer, for an
adapter also that of its base. A chat endpoint shows no content; there it is the address and name.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agentgym_gen.agents.policy import POLICIES
from agentgym_gen.errors import DataError, InvalidValueError, unknown_name
from agentgym_gen.system.untrusted_files import check_file, parse_json, read_text

__all__ = ["KINDS", "ModelIdentity", "content_hash", "identify", "kind_of"]

KINDS = ("policy", "folder", "adapter", "hub", "endpoint")
"""What a model can be."""

CONFIG, ADAPTER_CONFIG = "config.json", "adapter_config.json"

HASHED = (
    *("*.safetensors", "pytorch_model*.bin", "adapter_model.bin", "*.gguf"),
    *(CONFIG, ADAPTER_CONFIG, "generation_config.json", "chat_template.j*"),
    *("tokenizer*.json", "special_tokens_map.json", "added_tokens.json"),
    *("*.model", "vocab.*", "merges.txt", "*.tiktoken"),
)
"""The files of a model that decide what it answers."""

MAX_WEIGHT_BYTES = 1 << 42
"""The size above which a file holds no weights."""


@dataclass(frozen=True)
class ModelIdentity:
    """Which model it is, so that results of two models are never mixed."""

    name: str
    """The name under which it was asked for."""
    kind: str
    """One of `KINDS`."""
    hash: str | None = None
    """The hash of its content; None where there is none to read."""
    base: str | None = None
    """The base of an adapter."""
    base_hash: str | None = None
    """The hash of the content of the base."""
    base_url: str | None = None
    """The address of a chat endpoint."""

    @property
    def label(self) -> str:
        """A short name: the last part of a path or of a hub name.

        >>> ModelIdentity("HuggingFaceTB/SmolLM2-135M-Instruct", "hub").label
        'SmolLM2-135M-Instruct'
        """
        return self.name.replace("\\", "/").rstrip("/").rpartition("/")[2] or self.name

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that are not None."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def identify(
    name: str | Path, *, base_url: str | None = None, base: str | Path | None = None
) -> ModelIdentity:
    """Return which model *name* means; nothing is loaded, but a hub may be asked.

    Args:
        name: ``random``, ``expert``, a folder with a model or an adapter, a name on the hub,
            ``smollm2``, or with *base_url* the name under which a server has the model.
        base_url: The address of a chat endpoint.
        base: The base of an adapter, in place of the one that its folder names.

    Raises:
        InvalidValueError: if the name is empty, or *base* is given for what is no adapter.
        DataError: if there is no such model, or the base of an adapter is absent.
        UnknownNameError: if it is nearly ``random``, ``expert`` or ``smollm2``.
        MissingExtraError: if a model is asked for, and the extra ``train`` is not installed.
    """
    text = str(name)
    if not text.strip():
        raise InvalidValueError("The name of a model is empty")
    kind = kind_of(text, base_url)
    if base is not None and kind != "adapter":
        raise InvalidValueError(f"`base` is for an adapter, and {text!r} is none ({kind})")
    if kind == "endpoint":
        return ModelIdentity(text, kind, base_url=base_url)
    if kind == "policy":
        return ModelIdentity(text, kind)
    if kind == "folder":
        return ModelIdentity(text, kind, content_hash(Path(text)))
    if kind == "adapter":
        return _identify_adapter(Path(text), None if base is None else str(base))
    return ModelIdentity(text, kind, _hub_hash(text))


def kind_of(name: str, base_url: str | None) -> str:
    """Return which of `KINDS` *name* is, before anything of it is read or a hub is asked.

    Raises:
        DataError: if it is a folder without a model, a file, or a path where nothing is.
        UnknownNameError: if it is nearly ``random``, ``expert`` or ``smollm2``.
    """
    if base_url is not None:
        return "endpoint"
    if name in POLICIES:
        return "policy"
    folder = Path(name)
    if folder.is_dir():
        if (folder / ADAPTER_CONFIG).exists():
            return "adapter"
        if (folder / CONFIG).exists():
            return "folder"
        raise DataError(
            f"The folder {name!r} holds no model: it has neither {CONFIG} nor {ADAPTER_CONFIG}"
        )
    if folder.exists():
        raise DataError(f"{name!r} is a file; a model is a folder, a name on the hub, or a policy")
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise DataError(f"There is no folder {name!r}; name one that holds a model or an adapter")
    _raise_if_misspelt(name)
    return "hub"


def _identify_adapter(folder: Path, base: str | None) -> ModelIdentity:
    base = base or _base_name(folder)
    if Path(base).is_dir():
        base_hash: str | None = content_hash(Path(base))
    else:
        try:
            base_hash = _hub_hash(base)
        except DataError as error:
            raise DataError(
                f"The adapter {str(folder)!r} needs its base {base!r}, which is no folder, and no "
                "name that the hub answers now; say where it is with --base"
            ) from error
    return ModelIdentity(str(folder), "adapter", content_hash(folder), base, base_hash)


def _base_name(folder: Path) -> str:
    path = folder / ADAPTER_CONFIG
    config = parse_json(read_text(path), str(path))
    base = config.get("base_model_name_or_path") if isinstance(config, Mapping) else None
    if not isinstance(base, str) or not base:
        raise DataError(f"{path} names no base (`base_model_name_or_path`); name it with --base")
    return base


def content_hash(folder: Path) -> str:
    """Return a hash of the files in *folder* that decide what the model answers.

    Raises:
        DataError: if a file cannot be read.
    """
    digest = hashlib.sha256()
    paths = {path for pattern in HASHED for path in folder.glob(pattern)}
    for path in sorted(paths):
        check_file(path, "The model", MAX_WEIGHT_BYTES)
        with path.open("rb") as file:
            digest.update(path.name.encode())
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _hub_hash(name: str) -> str | None:
    """Return the commit of the model called *name* on the hub, or the hash of ``smollm2``."""
    from agentgym_gen.trainers import load_model  # noqa: F401  (says which extra is missing)
    from agentgym_gen.trainers.models.hub import hub_commit
    from agentgym_gen.trainers.models.smollm2 import SMOLLM2, model_folder

    if name == SMOLLM2:
        return content_hash(model_folder())
    commit = hub_commit(name)
    return None if commit is None else commit[:16]


def _raise_if_misspelt(name: str) -> None:
    """Raise an error if *name* is nearly one that needs no hub, before a hub is asked for it."""
    accepted = (*POLICIES, "smollm2")
    if "/" in name or name in accepted:
        return
    if difflib.get_close_matches(name, accepted, n=1, cutoff=0.7):
        raise unknown_name("model", name, accepted, "or a folder, or a name on the hub")
