"""Loads the model of an identity, or connects to its server, and returns it as a policy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from agentgym_gen.agents.chat_policy import ChatPolicy
from agentgym_gen.agents.policy import POLICIES, ConcurrentPolicy, Policy
from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.models.identity import ADAPTER_CONFIG, ModelIdentity
from agentgym_gen.system.untrusted_files import parse_json, read_text

if TYPE_CHECKING:
    from agentgym_gen.trainers.models.types import Model, Tokenizer

__all__ = ["Decoding", "open_policy"]


@dataclass(frozen=True)
class Decoding:
    """How completions are sampled, and how a server is asked for them.

    Raises:
        InvalidValueError: if a number is outside what is accepted.
    """

    temperature: float = 0.0
    """The temperature; 0 takes the most probable token."""
    max_tokens: int = 512
    """The most tokens of a completion."""
    plain_template: bool = False
    """Whether a model without a chat template gets a plain one; else it is refused."""
    api_key_env: str | None = None
    """The environment variable that holds the key of a server."""
    connections: int = 64
    """How many requests to a server are open at once."""
    timeout: float = 120.0
    """How many seconds an attempt at an answer may take."""
    retries: int = 4
    """How often a failed attempt is repeated."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """More fields of each request to a server."""

    def __post_init__(self) -> None:
        """Check the fields that are not checked where they are used."""
        if not 0 <= self.temperature < float("inf"):
            raise InvalidValueError(f"`temperature` is 0 or more, not {self.temperature!r}")
        if self.max_tokens < 1:
            raise InvalidValueError(f"`max_tokens` is 1 or more, not {self.max_tokens!r}")
        if not 0 < self.timeout < float("inf"):
            raise InvalidValueError(
                f"`timeout` is a positive number of seconds, not {self.timeout!r}"
            )


def open_policy(
    identity: ModelIdentity, decoding: Decoding | None = None, *, appends: bool = True
) -> Policy | ConcurrentPolicy:
    """Return the policy of the model that *identity* names.

    Args:
        identity: The model, as `identify` returns it.
        decoding: How completions are sampled; None takes the defaults.
        appends: Whether episodes are growing sequences, as in a prompt style without a window.

    Raises:
        DataError: if the model cannot be loaded.
        InvalidValueError: if it has no chat template, or one that episodes cannot be played with.
        MissingExtraError: if what it needs is not installed.
    """
    decoding = decoding or Decoding()
    if identity.kind == "policy":
        return POLICIES[identity.name]()
    if identity.base_url is not None:
        return ChatPolicy(
            identity.base_url,
            identity.name,
            api_key_env=decoding.api_key_env,
            temperature=decoding.temperature,
            max_tokens=decoding.max_tokens,
            retries=decoding.retries,
            timeout=decoding.timeout,
            connections=decoding.connections,
            extra=decoding.extra,
        )
    return _open_in_memory(identity, decoding, appends=appends)


def _open_in_memory(identity: ModelIdentity, decoding: Decoding, *, appends: bool) -> Policy:
    from agentgym_gen.trainers import ModelPolicy
    from agentgym_gen.trainers.models.chat import ChatFormat
    from agentgym_gen.trainers.models.progress_bars import hide_progress_bars

    hide_progress_bars()
    model, tokenizer = _load(identity)
    if not getattr(tokenizer, "chat_template", None) and not decoding.plain_template:
        raise InvalidValueError(
            f"The model {identity.name!r} has no chat template, so that nothing says how it reads "
            "a chat; give its tokenizer one, or choose the plain one with --plain-template"
        )
    chat = ChatFormat(tokenizer)
    if appends:
        chat.check_appends()
    return ModelPolicy(
        model,
        tokenizer,
        temperature=decoding.temperature,
        max_new_tokens=decoding.max_tokens,
    )


def _load(identity: ModelIdentity) -> tuple[Model, Tokenizer]:
    from agentgym_gen.trainers import load_model

    if identity.kind != "adapter" or identity.base is None:
        return load_model(identity.name)
    if identity.base == _named_base(Path(identity.name)):
        return load_model(identity.name)
    return _load_on(identity.base, Path(identity.name))


def _named_base(folder: Path) -> object:
    path = folder / ADAPTER_CONFIG
    return parse_json(read_text(path), str(path)).get("base_model_name_or_path")


def _load_on(base: str, adapter: Path) -> tuple[Model, Tokenizer]:
    """Return *adapter* on another base than the one that its folder names.

    transformers takes the base from the folder, so it gets a folder of links with another name.
    """
    from agentgym_gen.trainers import load_model

    config = parse_json(read_text(adapter / ADAPTER_CONFIG), str(adapter / ADAPTER_CONFIG))
    own_base = str(Path(base).resolve()) if Path(base).is_dir() else base
    with TemporaryDirectory(prefix="agentgym-gen-") as folder:
        try:
            for path in adapter.iterdir():
                if path.name != ADAPTER_CONFIG:
                    (Path(folder) / path.name).symlink_to(path.resolve())
        except OSError as error:
            raise DataError(f"Cannot link the files of {str(adapter)!r}: {error}") from error
        renamed = {**config, "base_model_name_or_path": own_base}
        (Path(folder) / ADAPTER_CONFIG).write_text(json.dumps(renamed), encoding="utf-8")
        return load_model(folder)
