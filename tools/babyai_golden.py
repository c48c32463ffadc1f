"""Record walks in AgentGym's BabyAI, and compare ours with ``compat="original"`` against them.

    python -m tools.babyai_golden record ENVIRONMENT GOLDEN [--seeds 1] [--steps 8]
    python -m tools.babyai_golden compare GOLDEN

ENVIRONMENT is AgentGym's ``agentenv-babyai/agentenv_babyai/environment.py``. It runs here unchanged
(minigrid 3.2, numpy 2): a stand-in replaces the old ``gym``, of which it needs one name; minigrid
is imported first; its level ``GoToObjS6`` is taken in minigrid's present version. A walk goes
through each of its 40 levels: mostly listed actions, some refused ones and some that mean nothing.

``tests/envs/golden/babyai_agentgym.json`` was recorded from a transcription of that file's commit
48d77a0. It was typed from a public copy, because no download was possible, and was not kept. Its
actions went past the rule of AgentGym's client, which `record` now applies.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import re
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from agentgym_gen.envs.babyai import BabyAI
from agentgym_gen.envs.babyai.engine import backend
from agentgym_gen.envs.babyai.levels import AGENTGYM_LEVELS
from agentgym_gen.envs.babyai.tasks import Quest
from agentgym_gen.interface import EpisodeInterface, Interface
from agentgym_gen.seeding import stream
from agentgym_gen.world import Malformed, Task, TaskId

UNUSUAL_ACTIONS = (
    "",
    "fly",
    "Turn Left ",
    "pick up red ball 1",
    "pickup red ball 9",
    "pickup red ball",
    "go to red balls 1",
    "GO TO GREY KEY 1",
    "go to  red ball 1",
    "go through red closed door 1",
    "drop",
    "toggle",
    "move forward",
    "please check",
    "turn left.",
    '"move forward"',
)
"""What a model might write, whether it can be carried out or not."""

ORIGIN = "AgentGym's agentenv-babyai, commit 48d77a0, with minigrid 3.2.0: tools/babyai_golden.py"


def record(path: Path, seeds: int, steps: int) -> list[dict[str, Any]]:
    """Return walks of *steps* steps through every level with *seeds* seeds each."""
    server = load(path).BabyAIEnv()
    numbers = [seed * len(AGENTGYM_LEVELS) + n for n in range(40) for seed in range(seeds)]
    return [walk(server, number, steps) for number in numbers]


def load(path: Path) -> Any:  # noqa: ANN401  (AgentGym's module)
    """Return AgentGym's module at *path*."""
    backend.load("game")
    sys.modules.setdefault("gym", types.SimpleNamespace(Env=object))  # type: ignore[arg-type]
    spec = importlib.util.spec_from_file_location("agentgym_babyai", path)
    if spec is None or spec.loader is None:
        sys.exit(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.all_levels[4] = "BabyAI-GoToObjS6-v1"
    return module


def walk(server: Any, number: int, steps: int) -> dict[str, Any]:  # noqa: ANN401  (AgentGym's)
    """Return a walk through AgentGym's item *number*."""
    rng = stream("babyai golden", number)
    server_id = server.create()["id"]
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
        first = server.reset(server_id, number)["observation"]
        rows: list[list[Any]] = []
        while len(rows) < steps and not (rows and rows[-1][3]):
            action = choose(server.env[server_id], rng)
            result = server.step(server_id, sent_by_client(action))
            reward = round(float(result["reward"]), 6)
            rows.append([action, result["observation"], reward, bool(result["done"])])
    return {"item": number, "first": first, "steps": rows}


def choose(env: Any, rng: np.random.Generator) -> str:  # noqa: ANN401  (AgentGym's environment)
    """Return an action: a macro action rather than a turn, and sometimes a refused one."""
    listed = list(env.action_space)[:-1]
    macros = [action for action in listed if action.split()[0] not in ("turn", "move")]
    pool = macros if macros and rng.random() < 0.6 else listed
    if rng.random() < 0.25:
        pool = [*UNUSUAL_ACTIONS, *env.error_message]
    return pool[int(rng.integers(len(pool)))]


def sent_by_client(action: str) -> str:
    """Return *action* as AgentGym's client (``agentenv/envs/babyai.py``) sends it on."""
    return " ".join(re.sub(r"[^A-Za-z0-9, ]+", "", action).split())


def differences(walks: list[dict[str, Any]]) -> list[str]:
    """Return one line for every walk in which ours differs: its first difference."""
    return [line for recorded in walks if (line := difference(recorded))]


def difference(recorded: dict[str, Any]) -> str | None:
    """Return the first difference between ours and the *recorded* walk, or None."""
    seed, level = divmod(recorded["item"], len(AGENTGYM_LEVELS))
    world, task = BabyAI(compat="original"), make_task(AGENTGYM_LEVELS[level], seed)
    scene, interface = world.reset(task), EpisodeInterface(Interface(), world, task.id)
    where = f"{task.content.level} {seed}"
    admissible = world.admissible()
    if (observation := interface.show(scene, admissible, 0)) != recorded["first"]:
        return f"{where}: {observation!r} for {recorded['first']!r}"
    for action, *theirs in recorded["steps"]:
        command = interface.read(action, admissible)
        if isinstance(command, Malformed):
            observation = interface.invalid_reply(command, admissible, 1)
            ours = [observation, round(world.malformed_reward, 6), False]
        else:
            outcome = world.step(command)
            admissible = world.admissible()
            observation = interface.answer(outcome, admissible, 1)
            ours = [observation, round(outcome.reward, 6), outcome.end is not None]
        if ours != theirs:
            return f"{where} {action!r}: {ours!r} for {theirs!r}"
    return None


def make_task(level: str, seed: int) -> Task[Quest]:
    """Return the task of *level* that minigrid generates for *seed*."""
    game = backend.load("game").Game(level, seed)
    content = Quest(game.grid_rows(), game.env.mission, level, seed, (), 0)
    return Task(TaskId("babyai", "hard", "train", "0"), content)


def main() -> None:
    """Record or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record")
    recording.add_argument("environment", type=Path)
    recording.add_argument("golden", type=Path)
    recording.add_argument("--seeds", type=int, default=1)
    recording.add_argument("--steps", type=int, default=8)
    commands.add_parser("compare").add_argument("golden", type=Path)
    args = parser.parse_args()
    if args.command == "record":
        walks = record(args.environment, args.seeds, args.steps)
        text = json.dumps({"origin": ORIGIN, "walks": walks}, indent=0)
        args.golden.write_text(text + "\n", encoding="utf-8")
        return
    walks = json.loads(args.golden.read_text(encoding="utf-8"))["walks"]
    lines = differences(walks)
    print(*lines, sep="\n")
    steps = sum(len(recorded["steps"]) for recorded in walks)
    print(f"{len(walks)} walks, {steps} steps, {len(lines)} walks differ")


if __name__ == "__main__":
    main()
