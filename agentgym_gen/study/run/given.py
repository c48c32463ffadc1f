"""Given models in the place of trained ones: recorded once, and opened when they are tested."""

from __future__ import annotations

from pathlib import Path

from agentgym_gen.agents.policy import ConcurrentPolicy, Policy
from agentgym_gen.errors import DataError
from agentgym_gen.models import Decoding, ModelIdentity, identify, open_policy
from agentgym_gen.study.plan.given import GivenModel
from agentgym_gen.study.plan.plan import TestPlan
from agentgym_gen.study.results.files import MODEL_DONE
from agentgym_gen.system.files import write_json
from agentgym_gen.system.untrusted_files import parse_json, read_text

__all__ = ["open_given", "record_given"]


def record_given(folder: Path, given: GivenModel, seed: int) -> ModelIdentity:
    """Write into *folder* which model *given* is now, and return that.

    Raises:
        DataError: if there is no such model.
    """
    identity = _identify(given, seed)
    keys = {"given": identity.as_dict(), "trained_on": list(given.trained_on)}
    write_json(folder / MODEL_DONE, keys)
    return identity


def open_given(
    folder: Path, given: GivenModel, seed: int, test: TestPlan, *, appends: bool
) -> tuple[Policy | ConcurrentPolicy, str | None]:
    """Return the policy of *given* and the hash of its content, None for that of a server.

    Args:
        folder: Where it was recorded.
        given: The model.
        seed: The training seed.
        test: How it is tested.
        appends: Whether episodes are growing sequences of tokens, without a window.

    Raises:
        DataError: if there is no such model, or it is another one than was recorded.
    """
    identity, path = _identify(given, seed), folder / MODEL_DONE
    recorded = parse_json(read_text(path), str(path)).get("given", {})
    if identity.hash != recorded.get("hash"):
        raise DataError(
            f"The given model {given.name!r} has changed: {given.source(seed)} had the hash "
            f"{recorded.get('hash')} when this study began, and has {identity.hash} now; put the "
            "old one back, or use another name and results folder"
        )
    decoding = Decoding(
        temperature=test.temperature,
        max_tokens=test.max_new_tokens,
        api_key_env=given.api_key_env or None,
    )
    return open_policy(identity, decoding, appends=appends), identity.hash


def _identify(given: GivenModel, seed: int) -> ModelIdentity:
    return identify(given.source(seed), base_url=given.base_url or None)
