"""What 50 tasks of every id show first, as one hash an id: the same on every machine.

    python -m tools.golden_episodes          # writes tests/golden_episodes.json anew

The test that compares fails when any of them changes. If that was wanted, run this, and raise the
version of the environment's ids.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from agentgym_gen import env_ids
from agentgym_gen.env.making import make_text_env, sample_task_ids
from agentgym_gen.env.registration import BUNDLED, ENVIRONMENTS
from agentgym_gen.seeding import stream

PATH = Path(__file__).parents[1] / "tests" / "golden_episodes.json"
TASKS = 50


def bundled_ids() -> list[str]:
    """Return the ids of the bundled environments."""
    names = {environment.name for environment in BUNDLED}
    return [i for i in env_ids() if i.split("/")[1].split("-")[0] in names]


def plain_id(env_id: str) -> str:
    """Return the id of the same tier through the native interface.

    >>> plain_id("rftgen/Sokoban-hard-json-v0"), plain_id("rftgen/Sokoban-v0")
    ('rftgen/Sokoban-hard-v0', 'rftgen/Sokoban-v0')
    """
    *parts, version = env_id.split("-")
    return "-".join((*parts[:2], version))


def digest(env_id: str, number: int = TASKS) -> str:
    """Return the hash of what *number* test tasks of *env_id* show first and offer to do.

    All ids of a tier are asked for the same tasks.
    """
    plain = plain_id(env_id)
    found = ENVIRONMENTS[env_id.split("/")[1].split("-")[0]]
    number = min(number, found.slow_tasks or number)
    tasks = sample_task_ids(
        plain, "test", number, stream("golden episodes", plain), found.test_kwargs
    )
    env = make_text_env(env_id, "test", found.test_kwargs)
    seen = hashlib.sha256()
    for task_id in tasks:
        observation, info = env.reset(options={"task_id": task_id})
        said = (task_id, env.instruction, observation, str(info["goal"]))
        seen.update("\n".join((*said, *info["admissible_actions"])).encode())
    env.close()
    return seen.hexdigest()[:32]


def main(ids: Sequence[str]) -> None:
    """Write the hashes of *ids*, or of all."""
    known = json.loads(PATH.read_text("utf-8")) if ids and PATH.exists() else {}
    known |= {env_id: digest(env_id) for env_id in ids or bundled_ids()}
    PATH.write_text(json.dumps(known, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
