"""Hold our ALFWorld against the original, and record walks in it for the tests.

Runs in a scratch environment with alfworld (Python 3.11 or 3.12, a C compiler):

    pip install alfworld==0.4.2 textworld==1.7.0 gymnasium
    python -m tools.alfworld_golden record tests/envs/golden/alfworld_walks.json
    python -m tools.alfworld_golden compare FOLDER [--games 12] [--steps 30]

Both play one walk in the original and in ours and compare the opening, every answer, the sorted
admissible commands, the score and the end. `record` plays generated households, `compare` the
official games of a folder. The original's grammar parser and translator are memoised, which
leaves its answers as they are (`--plain` does without) and makes a walk ten times faster.
"""

from __future__ import annotations

import argparse
import copy
import functools
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import fast_downward
import numpy as np
import textworld
import textworld.envs.pddl.textgen as textgen
import textworld.logic
from alfworld.agents.environment.alfred_tw_env import AlfredDemangler
from textworld.envs import PddlEnv

from agentgym_gen.envs.alfworld import ALFWorld
from agentgym_gen.envs.alfworld.house import House
from agentgym_gen.envs.alfworld.official.game_reader import read_game
from agentgym_gen.envs.alfworld.official.game_writer import write_game
from agentgym_gen.interface import EpisodeInterface, Interface
from agentgym_gen.world import Malformed, Task, TaskId

RECORDED = (
    *("alfworld/easy/test/0", "alfworld/easy/valid/5", "alfworld/medium/train/3"),
    *("alfworld/medium/test/8", "alfworld/medium/valid/13", "alfworld/medium/train/18"),
    *("alfworld/hard/test/0", "alfworld/hard/train/2", "alfworld/hard/valid/5"),
    *("alfworld/hard/test/9", "alfworld/hard/train/14", "alfworld/hard/valid/3"),
)
NONSENSE = ("go to narnia 1", "take mug 9 from shelf 99", "Look", "go  to desk 1", "help me")


def main() -> int:
    """Play and compare, and write what was played where that is wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["record", "compare"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--games", type=int, default=12)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    if not options.plain:
        memoise()
    walks = record(options.steps) if options.what == "record" else compare(options)
    differing = [walk["task_id"] for walk in walks if walk["differs"]]
    steps = sum(len(walk["steps"]) for walk in walks)
    print(f"{len(walks)} games, {steps} steps, {len(differing)} games differ: {differing}")
    if options.what == "record" and not differing:
        options.path.write_text(written(walks), encoding="utf-8")
    return len(differing)


def written(walks: list[dict[str, Any]]) -> str:
    """Return *walks* as JSON, a step a line, with every list of commands as numbers of a list."""
    origin = f"recorded in textworld {textworld.__version__} with alfworld 0.4.2"
    return "".join(
        ['{"origin": "', origin, '", "walks": [\n', ",\n".join(map(_packed, walks)), "\n]}\n"]
    )


def _packed(walk: dict[str, Any]) -> str:
    menus = [walk["opening"][1], *(step[2] for step in walk["steps"])]
    commands = sorted({said for menu in menus for said in menu})
    places = {said: place for place, said in enumerate(commands)}
    numbers = [[places[said] for said in menu] for menu in menus]
    steps = [
        [said, answer, menu, score, done]
        for (said, answer, _, score, done), menu in zip(walk["steps"], numbers[1:], strict=True)
    ]
    head = {
        "task_id": walk["task_id"],
        "commands": commands,
        "opening": [walk["opening"][0], numbers[0]],
    }
    lines = ",\n".join(json.dumps(step, separators=(",", ":")) for step in steps)
    return f'{json.dumps(head)[:-1]}, "steps": [\n{lines}\n]}}'


def memoise() -> None:
    """Let the original parse every piece of its grammar once and translate every game once."""
    parse = textgen._parse_and_convert
    known: dict[tuple[str, str | None], Any] = {}

    def parsed(text: str, rule_name: str | None = None, **_options: bool) -> Any:  # noqa: ANN401
        key = text, rule_name
        if key not in known:
            known[key] = parse(text, rule_name=rule_name)
        value = known[key]
        return list(map(copy.copy, value)) if isinstance(value, list) else value

    textgen._parse_and_convert = parsed
    query = textworld.logic.Rule.parse_conjunctive_query.__func__
    textworld.logic.Rule.parse_conjunctive_query = classmethod(functools.cache(query))
    translate = fast_downward.pddl2sas
    fast_downward.pddl2sas = functools.cache(translate)


def record(steps: int) -> list[dict[str, Any]]:
    """Return walks in generated households."""
    tasks = ALFWorld().tasks
    walks = []
    for name in RECORDED:
        house = tasks.find(name).content
        with tempfile.TemporaryDirectory() as folder:
            walks.append(walk(write_game(house, Path(folder)), house, name, steps))
    return walks


def compare(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return walks in official games, evenly spread over those of a folder."""
    games = sorted(options.path.glob("**/game.tw-pddl"))
    chosen = games[:: max(1, len(games) // options.games)][: options.games]
    return [
        walk(path, read_game(path.read_text()), "/".join(path.parts[-4:-1]), options.steps)
        for path in chosen
    ]


def walk(path: Path, house: House, name: str, steps: int) -> dict[str, Any]:
    """Play *steps* steps, a mixture of the expert's and random ones, in the original and ours."""
    wanted = textworld.EnvInfos(won=True, admissible_commands=True)
    env = AlfredDemangler(PddlEnv(wanted), shuffle=False)
    env.load(str(path))
    state = env.reset()
    ours = Ours(house)
    rng = np.random.default_rng(len(name))
    differs = (state.feedback, sorted(state["admissible_commands"])) != ours.opening
    opening = [state.feedback, sorted(state["admissible_commands"])]
    taken: list[list[Any]] = []
    done = False
    while not done and len(taken) < steps and not differs:
        said = choose(rng, state["admissible_commands"], ours, len(taken) > 2 * steps // 3)
        state, score, done = env.step(said)
        admissible = sorted(state["admissible_commands"])
        taken.append([said, state.feedback, admissible, float(score), bool(done)])
        differs = taken[-1][1:] != ours.step(said)
        if differs:
            print(name, taken[-1], ours.last, sep="\n", file=sys.stderr)
    return {"task_id": name, "opening": opening, "steps": taken, "differs": differs}


class Ours:
    """Our world with the household *house*, asked for what the original gives."""

    def __init__(self, house: House) -> None:
        self._world = ALFWorld()
        task_id = TaskId("alfworld", "easy", "train", "0")
        scene = self._world.reset(Task(task_id, house))
        self._dialect = EpisodeInterface(Interface(), self._world, task_id)
        self.opening = (self._dialect.render(scene.message), self._admissible())

    def step(self, said: str) -> list[Any]:
        """Return the answer, the admissible commands, the score and whether it is over."""
        read = self._world.read(said)
        if isinstance(read, Malformed):
            answer = [
                self._dialect.render(self._world.invalid_reply(read)),
                self._admissible(),
                0.0,
                False,
            ]
        else:
            outcome = self._world.step(read)
            told = self._dialect.render(outcome.scene.message)
            answer = [told, self._admissible(), outcome.score, outcome.success]
        self.last = answer
        return answer

    def expert(self) -> str | None:
        """Return what the expert would say."""
        plan = self._world.expert_plan()
        return self._dialect.write(plan[0], ()) if plan else None

    def _admissible(self) -> list[str]:
        return sorted(self._dialect.write_all(self._world.admissible()))


def choose(rng: np.random.Generator, menu: list[str], ours: Ours, late: bool) -> str:
    """Return the expert's next command, a busy one, nonsense, or any."""
    busy = [said for said in menu if not said.startswith("go to")]
    luck = rng.random()
    if luck < (0.8 if late else 0.25):
        return ours.expert() or "look"
    if luck < 0.85 and busy:
        return str(rng.choice(busy))
    return str(rng.choice(NONSENSE if luck < 0.88 else menu))


if __name__ == "__main__":
    sys.exit(main())
