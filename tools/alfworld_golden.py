"""Compare our ALFWorld with the original, and record walks in it for the tests.

Runs in a scratch environment with alfworld (Python 3.11 or 3.12, a C compiler):

    pip install alfworld==0.4.2 textworld==1.7.0 gymnasium
    python -m tools.alfworld_golden record tests/envs/golden/alfworld_walks.json
    python -m tools.alfworld_golden compare FOLDER [--games 12] [--steps 30]

Both commands play the same walk in the original and in ours. They compare the opening, every
answer, the sorted admissible commands, the score and the end. `record` plays generated households,
`compare` the official games of a folder. The original's grammar parser and translator are memoised:
a walk is ten times faster, with the same answers. `--plain` leaves them as they are.
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
    """Play and compare, and write the walks for `record`."""
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
        options.path.write_text(to_json(walks), encoding="utf-8")
    return len(differing)


def to_json(walks: list[dict[str, Any]]) -> str:
    """Return *walks* as JSON, one step per line; lists of commands are indices into one list."""
    origin = f"recorded in textworld {textworld.__version__} with alfworld 0.4.2"
    return "".join(
        ['{"origin": "', origin, '", "walks": [\n', ",\n".join(map(_walk_to_json, walks)), "\n]}\n"]
    )


def _walk_to_json(walk: dict[str, Any]) -> str:
    admissible = [walk["opening"][1], *(step[2] for step in walk["steps"])]
    commands = sorted({command for texts in admissible for command in texts})
    index_of = {command: index for index, command in enumerate(commands)}
    indices = [[index_of[command] for command in texts] for texts in admissible]
    steps = [
        [action, answer, step_indices, score, done]
        for (action, answer, _, score, done), step_indices in zip(
            walk["steps"], indices[1:], strict=True
        )
    ]
    head = {
        "task_id": walk["task_id"],
        "commands": commands,
        "opening": [walk["opening"][0], indices[0]],
    }
    lines = ",\n".join(json.dumps(step, separators=(",", ":")) for step in steps)
    return f'{json.dumps(head)[:-1]}, "steps": [\n{lines}\n]}}'


def memoise() -> None:
    """Make the original parse each piece of its grammar and translate each game only once."""
    parse = textgen._parse_and_convert
    cache: dict[tuple[str, str | None], Any] = {}

    def parse_once(text: str, rule_name: str | None = None, **_options: bool) -> Any:  # noqa: ANN401
        key = text, rule_name
        if key not in cache:
            cache[key] = parse(text, rule_name=rule_name)
        value = cache[key]
        return list(map(copy.copy, value)) if isinstance(value, list) else value

    textgen._parse_and_convert = parse_once
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
    requested_infos = textworld.EnvInfos(won=True, admissible_commands=True)
    env = AlfredDemangler(PddlEnv(requested_infos), shuffle=False)
    env.load(str(path))
    state = env.reset()
    ours = Ours(house)
    rng = np.random.default_rng(len(name))
    differs = (state.feedback, sorted(state["admissible_commands"])) != ours.opening
    opening = [state.feedback, sorted(state["admissible_commands"])]
    steps_played: list[list[Any]] = []
    done = False
    while not done and len(steps_played) < steps and not differs:
        action = choose(rng, state["admissible_commands"], ours, len(steps_played) > 2 * steps // 3)
        state, score, done = env.step(action)
        admissible = sorted(state["admissible_commands"])
        steps_played.append([action, state.feedback, admissible, float(score), bool(done)])
        differs = steps_played[-1][1:] != ours.step(action)
        if differs:
            print(name, steps_played[-1], ours.last, sep="\n", file=sys.stderr)
    return {"task_id": name, "opening": opening, "steps": steps_played, "differs": differs}


class Ours:
    """Our world with the household *house*, giving its answers in the form of the original's."""

    def __init__(self, house: House) -> None:
        self._world = ALFWorld()
        task_id = TaskId("alfworld", "easy", "train", "0")
        scene = self._world.reset(Task(task_id, house))
        self._interface = EpisodeInterface(Interface(), self._world, task_id)
        self.opening = (self._interface.render(scene.message), self._admissible())

    def step(self, action: str) -> list[Any]:
        """Return the answer, the admissible commands, the score and whether it is over."""
        command = self._world.read(action)
        if isinstance(command, Malformed):
            answer = [
                self._interface.render(self._world.invalid_reply(command)),
                self._admissible(),
                0.0,
                False,
            ]
        else:
            outcome = self._world.step(command)
            observation = self._interface.render(outcome.scene.message)
            answer = [observation, self._admissible(), outcome.score, outcome.success]
        self.last = answer
        return answer

    def expert(self) -> str | None:
        """Return the expert's next action."""
        plan = self._world.expert_plan()
        return self._interface.write(plan[0], ()) if plan else None

    def _admissible(self) -> list[str]:
        return sorted(self._interface.write_all(self._world.admissible()))


def choose(rng: np.random.Generator, admissible: list[str], ours: Ours, late: bool) -> str:
    """Return the expert's next action, an admissible one other than `go to`, nonsense, or any."""
    local_actions = [action for action in admissible if not action.startswith("go to")]
    chance = rng.random()
    if chance < (0.8 if late else 0.25):
        return ours.expert() or "look"
    if chance < 0.85 and local_actions:
        return str(rng.choice(local_actions))
    return str(rng.choice(NONSENSE if chance < 0.88 else admissible))


if __name__ == "__main__":
    sys.exit(main())
