"""What the hub says of a model, without its weights."""

from __future__ import annotations

from transformers import AutoConfig

from agentgym_gen.errors import DataError

__all__ = ["hub_commit"]


def hub_commit(name: str) -> str | None:
    """Return the commit of the model called *name* on the hub, or None where it has none.

    Raises:
        DataError: if neither the hub nor its cache has a model of that name.
    """
    try:
        config = AutoConfig.from_pretrained(name, trust_remote_code=False)
    except Exception as error:  # transformers and its hub client raise many kinds
        raise DataError(
            f"There is no model {name!r}: it is no folder, and no name that the hub answers now"
        ) from error
    commit = getattr(config, "_commit_hash", None)
    return commit if isinstance(commit, str) else None
