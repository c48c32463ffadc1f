"""What a server says about itself: its environments, and the schemas of its messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agentgym_gen.agents.prompt import FORMATS
from agentgym_gen.agents.session import REWARDS
from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import ENVIRONMENTS
from agentgym_gen.errors import MissingExtraError
from agentgym_gen.ids import TIERS, EnvId
from agentgym_gen.interface import PRESETS
from agentgym_gen.server.messages import INCLUDABLE
from agentgym_gen.world import SPLITS

__all__ = ["describe_environments", "playable_ids", "schemas"]


def playable_ids() -> list[str]:
    """Return the registered ids of the environments whose extras are installed."""
    ids: list[str] = []
    for environment in ENVIRONMENTS.values():
        try:
            make_text_env(environment.id(), "train").close()
        except MissingExtraError:
            continue
        ids += environment.ids()
    return ids


def describe_environments(env_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the environments of *env_ids*, each with its ids and its splits."""
    by_name: dict[str, list[str]] = {}
    for env_id in env_ids:
        by_name.setdefault(EnvId.parse(env_id).name, []).append(env_id)
    return [
        {
            "name": name,
            "ids": ids,
            "tiers": sorted({EnvId.parse(i).tier for i in ids}, key=(*TIERS, "").index),
            "interfaces": ["native", *PRESETS],
            "splits": list(SPLITS),
        }
        for name, ids in by_name.items()
    ]


def schemas(env_ids: Sequence[str]) -> dict[str, Any]:
    """Return JSON schemas of the fields of a reset, an action, an observation and a state."""
    text, number = {"type": "string"}, {"type": "integer", "minimum": 0}
    reset: dict[str, Any] = {
        "env_id": {**text, "enum": list(env_ids), "default": env_ids[0]},
        "task_id": {**text, "description": "a task, such as textcraft/easy/train/17"},
        "split": {**text, "enum": list(SPLITS), "description": "where a task is sampled"},
        "seed": {**number, "description": "decides which task is sampled"},
        "interface": {"type": ["string", "object"], "description": "such as renamed+json"},
        "interface_index": {**number, "default": 0},
        "max_turns": {**number, "minimum": 1},
        "reward": {**text, "enum": list(REWARDS), "default": REWARDS[0]},
        "format": {**text, "enum": list(FORMATS), "default": "action"},
        "instruction": {"type": "boolean", "default": True},
        "include": {"type": "array", "items": {**text, "enum": list(INCLUDABLE)}},
        "episode_id": text,
    }
    state = {
        "episode_id": {"type": ["string", "null"]},
        "step_count": number,
        "env_id": text,
        "task_id": text,
        "interface": text,
        "turn_limit": number,
        "done": {"type": "boolean"},
        "reward": {"type": "number"},
        "success": {"type": "boolean"},
        "score": {"type": "number"},
        "invalid_turns": number,
        "end_reason": {"type": ["string", "null"]},
    }
    included: dict[str, Any] = {name: {} for name in INCLUDABLE}
    observation = {"text": {**text, "description": "what a model reads"}, **included}
    return {
        "reset": _object(reset),
        "action": _object({"text": {**text, "description": "what a model answers"}}, ["text"]),
        "observation": _object(observation, ["text"]),
        "state": _object(state, ["step_count"]),
    }


def _object(properties: dict[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}
