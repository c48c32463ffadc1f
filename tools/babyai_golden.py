"""Record walks in AgentGym's BabyAI, and compare ours with ``compat="original"`` against them.

    python -m tools.babyai_golden record ENVIRONMENT GOLDEN [--seeds 1] [--steps 8]
    python -m tools.babyai_golden compare GOLDEN

ENVIRONMENT is AgentGym's ``agentenv-babyai/agentenv_babyai/environment.py``. It runs here unchanged
(minigrid 3.2, numpy 2): the old ``gym``, of which it needs one name, has a stand-in, minigrid is
imported first, and its level ``GoToObjS6`` is taken in minigrid's present version. A walk goes
through each of its 40 levels: mostly listed actions, some refused ones and some that mean nothing.

``tests/envs/golden/babyai_agentgym.json`` was recorded from a transcription of that file's commit
48d77a0, typed off from a public copy and not kept, because no download was possible.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
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

WRONG = (
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
)
"""What a model might say, whether it can be done or not."""

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
    place = server.create()["id"]
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
        first = server.reset(place, number)["observation"]
        taken: list[list[Any]] = []
        while len(taken) < steps and not (taken and taken[-1][3]):
            said = choose(server.env[place], rng)
            told = server.step(place, said)
            reward = round(float(told["reward"]), 6)
            taken.append([said, told["observation"], reward, bool(told["done"])])
    return {"item": number, "first": first, "steps": taken}


def choose(env: Any, rng: np.random.Generator) -> str:  # noqa: ANN401  (AgentGym's environment)
    """Return an action: a macro action rather than a turn, and sometimes a refused one."""
    listed = list(env.action_space)[:-1]
    macros = [action for action in listed if action.split()[0] not in ("turn", "move")]
    pool = macros if macros and rng.random() < 0.6 else listed
    if rng.random() < 0.25:
        pool = [*WRONG, *env.error_message]
    return pool[int(rng.integers(len(pool)))]


def differences(walks: list[dict[str, Any]]) -> list[str]:
    """Return what ours says otherwise in *walks*: one line for the first difference of a walk."""
    return [line for recorded in walks if (line := difference(recorded))]


def difference(recorded: dict[str, Any]) -> str | None:
    """Return where ours leaves the *recorded* walk, or None if it does not."""
    seed, level = divmod(recorded["item"], len(AGENTGYM_LEVELS))
    world, task = BabyAI(compat="original"), quest(AGENTGYM_LEVELS[level], seed)
    scene, dialect = world.reset(task), EpisodeInterface(Interface(), world, task.id)
    where = f"{task.content.level} {seed}"
    menu = world.admissible()
    if (shown := dialect.show(scene, menu, 0)) != recorded["first"]:
        return f"{where}: {shown!r} for {recorded['first']!r}"
    for said, *theirs in recorded["steps"]:
        command = dialect.read(said, menu)
        if isinstance(command, Malformed):
            ours = [dialect.invalid_reply(command, menu, 1), *theirs[1:]]
        else:
            outcome = world.step(command)
            menu = world.admissible()
            told = dialect.answer(outcome, menu, 1)
            ours = [told, round(outcome.reward, 6), outcome.end is not None]
        if ours != theirs:
            return f"{where} {said!r}: {ours!r} for {theirs!r}"
    return None


def quest(level: str, seed: int) -> Task[Quest]:
    """Return the task of *level* that minigrid draws for *seed*."""
    game = backend.load("game").Game(level, seed)
    content = Quest(game.drawing(), game.env.mission, level, seed, (), 0)
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
    given = parser.parse_args()
    if given.command == "record":
        walks = record(given.environment, given.seeds, given.steps)
        text = json.dumps({"origin": ORIGIN, "walks": walks}, indent=0)
        given.golden.write_text(text + "\n", encoding="utf-8")
        return
    walks = json.loads(given.golden.read_text(encoding="utf-8"))["walks"]
    found = differences(walks)
    print(*found, sep="\n")
    steps = sum(len(recorded["steps"]) for recorded in walks)
    print(f"{len(walks)} walks, {steps} steps, {len(found)} walks differ")


if __name__ == "__main__":
    main()
