"""Record walks in gym-sokoban 0.0.6, with which tests/envs/test_sokoban.py compares our rules.

Runs in a scratch environment, not in this project's (gym-sokoban needs the old gym):

    pip install gym-sokoban==0.0.6 gym==0.26.2 requests tqdm imageio
    python tools/sokoban_golden.py tests/envs/golden/sokoban_gym.json
"""

import json
import pathlib
import sys

import numpy as np
from gym_sokoban.envs.sokoban_env import SokobanEnv

SYMBOLS = "#_O√XP"
"""The symbols of gym-sokoban's numbers of cells, as RAGEN writes them."""

WALKS = (
    (("######", "##___#", "#__PO#", "#_X__#", "#____#", "######"), "lldRRdrU"),
    (("######", "#O__##", "#_X__#", "#P_X_#", "#_O__#", "######"), ""),
    (("#######", "#PXO__#", "#__XO_#", "#_____#", "#######"), "rrdlldrrurrulldd"),
    (("#######", "#O_O__#", "#___P_#", "#__XX_#", "#__#__#", "#_#####", "#######"), ""),
    (
        (
            "##########",
            "#___O___##",
            "#_O____###",
            "#____#####",
            "#OX__###_#",
            "#_X______#",
            "#XX____O_#",
            "#P#__#####",
            "##########",
            "##########",
        ),
        "URRRRRulluullldRRddlUdlUrrrUdllUrrUdllUrrU",
    ),
)
"""Rooms, and moves that are made there; without moves, a random walk is recorded."""


def main(path: str) -> None:
    """Write the transcripts of all walks to *path*."""
    rng = np.random.default_rng(6)
    walks = [
        record(rows, moves.lower() or "".join(rng.choice(list("udlr"), size=80)))
        for rows, moves in WALKS
    ]
    origin = "gym-sokoban 0.0.6 (MIT, Schrader 2018), recorded by tools/sokoban_golden.py"
    text = json.dumps({"origin": origin, "walks": walks}, ensure_ascii=False, indent=1)
    pathlib.Path(path).write_text(text + "\n", encoding="utf-8")


def record(rows: tuple[str, ...], moves: str) -> dict[str, object]:
    """Return the boards, rewards and ends that *moves* lead to."""
    env = SokobanEnv(dim_room=(len(rows), len(rows[0])), max_steps=10_000, reset=False)
    state = np.array([[SYMBOLS.index(symbol) for symbol in row] for row in rows])
    env.room_state = state
    env.room_fixed = np.where(state == 0, 0, np.where(np.isin(state, (2, 3)), 2, 1))
    env.num_boxes = int(np.isin(state, (3, 4)).sum())
    env.player_position = np.argwhere(state == 5)[0]
    env.num_env_steps = 0
    steps = []
    for move in moves:
        _, reward, done, _ = env.step("udlr".index(move) + 1, observation_mode="tiny_rgb_array")
        steps.append([move, board(env), round(float(reward), 6), bool(done)])
    return {"rows": rows, "steps": steps}


def board(env: SokobanEnv) -> str:
    """Return the room as text, with the player on a target as RAGEN shows it."""
    hidden = (env.room_state == 5) & (env.room_fixed == 2)
    cells = np.where(hidden, 6, env.room_state)
    return "\n".join("".join((SYMBOLS + "S")[cell] for cell in row) for row in cells)


if __name__ == "__main__":
    main(sys.argv[1])
