"""Record one hash for every id: of what 50 tasks show first, which is the same on every machine.

    python -m tools.golden_episodes          # writes tests/golden_episodes.json again

A test fails when a hash changes. If the change is intended, run this and raise the version of the
environment's ids.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from agentgym_gen import TextEnv, env_ids
from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import BUNDLED, ENVIRONMENTS
from agentgym_gen.ids import EnvId
from agentgym_gen.seeding import stream

GOLDEN = Path(__file__).parents[1] / "tests" / "golden_episodes.json"
TASKS = 50


def bundled_ids() -> list[str]:
    """Return the ids of the bundled environments."""
    names = {environment.name for environment in BUNDLED}
    return [i for i in env_ids() if EnvId.parse(i).name in names]


def plain_id(env_id: str) -> str:
    """Return the id of the same tier through the native interface.

    >>> plain_id("rftgen/Sokoban-hard-json-v0"), plain_id("rftgen/Sokoban-v0")
    ('rftgen/Sokoban-hard-v0', 'rftgen/Sokoban-v0')
    """
    *parts, version = env_id.split("-")
    return "-".join((*parts[:2], version))


def digest(env_id: str, number: int = TASKS) -> str:
    """Return the hash of the first observation and actions of *number* test tasks of *env_id*.

    All ids of a tier have the same tasks.
    """
    plain = plain_id(env_id)
    environment = ENVIRONMENTS[EnvId.parse(env_id).name]
    number = min(number, environment.slow_tasks or number)
    options = environment.test_kwargs
    env = make_text_env(env_id, "test", options)
    texts_hash = hashlib.sha256()
    for task_id in golden_tasks(plain, env, number):
        observation, info = env.reset(options={"task_id": task_id})
        texts = (task_id, env.instruction, observation, str(info["goal"]))
        texts_hash.update("\n".join((*texts, *info["admissible_actions"])).encode())
    env.close()
    return texts_hash.hexdigest()[:32]


def golden_tasks(plain: str, env: TextEnv, number: int) -> list[str]:
    """Return the ids of *number* test tasks of *env*, which is one of the tier *plain*.

    Not those of `sample_task_ids`, so that the hashes depend on the worlds only.
    """
    rng, tiers, tasks = stream("golden episodes", plain), env.tiers, env.world.tasks
    first = int(rng.integers(len(tiers))) if len(tiers) > 1 else 0
    ids: list[str] = []
    for place, tier in enumerate(tiers):
        share = number // len(tiers) + ((place - first) % len(tiers) < number % len(tiers))
        size = tasks.size(tier, "test")
        places = rng.choice(size, size=share, replace=share > size)
        ids += [str(tasks.task_id(tier, "test", int(index))) for index in places]
    return ids


def main(ids: Sequence[str]) -> None:
    """Write the hashes of *ids*, or of all."""
    hashes = json.loads(GOLDEN.read_text("utf-8")) if ids and GOLDEN.exists() else {}
    hashes |= {env_id: digest(env_id) for env_id in ids or bundled_ids()}
    GOLDEN.write_text(json.dumps(hashes, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
