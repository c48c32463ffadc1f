"""The native words of Sokoban: RAGEN's instruction, its symbols and its answer to a bad action."""

from __future__ import annotations

from agentgym_gen.envs.sokoban.board import (
    BOX,
    BOX_ON_TARGET,
    FLOOR,
    PLAYER,
    PLAYER_ON_TARGET,
    TARGET,
    WALL,
)
from agentgym_gen.world import AsciiGrid, Command, Message, Verb, VerbName

VERBS = (
    Verb("up", "Up", synonyms=("North", "Ascend", "Upward")),
    Verb("down", "Down", synonyms=("South", "Descend", "Downward")),
    Verb("left", "Left", synonyms=("West", "Port", "Leftward")),
    Verb("right", "Right", synonyms=("East", "Starboard", "Rightward")),
)
"""The four directions."""

COMMANDS = {verb.name[0]: Command(verb.name) for verb in VERBS}
"""The command of each direction, by its letter: ``u``, ``d``, ``l``, ``r``."""

RULES = (
    "You are solving the Sokoban puzzle. You are the player and you need to push all boxes to "
    "targets. When you are next to a box, you can push it by moving in the same direction. "
    "You cannot push a box through a wall, and you cannot pull a box. "
    "The answer must be one action in a turn, for example "
)
SYMBOLS: tuple[tuple[str, str], ...] = (
    (WALL, "wall"),
    (FLOOR, "empty"),
    (TARGET, "target"),
    (BOX_ON_TARGET, "box on target"),
    (BOX, "box"),
    (PLAYER, "player"),
    (PLAYER_ON_TARGET, "player on target"),
)
"""What each symbol means, in RAGEN's order."""

GLYPHS = "".join(symbol for symbol, _ in SYMBOLS)
"""The symbols."""

LEGEND: Message = (
    "\nThe meaning of each symbol in the state is:\n",
    *[
        piece
        for number, (symbol, meaning) in enumerate(SYMBOLS)
        for piece in (", " if number else "", AsciiGrid(symbol), f": {meaning}")
    ],
    "\nYour available actions are:\n",
)
"""The second part of RAGEN's instruction; the docs page says where it differs."""

INSTRUCTION: Message = (
    RULES,
    COMMANDS["r"],
    *LEGEND,
    VerbName("up"),
    ", ",
    VerbName("down"),
    ", ",
    VerbName("left"),
    ", ",
    VerbName("right"),
)
"""RAGEN's instruction for one action a turn."""

NOUNS = ("box", "player", "target", "wall")
"""The names that the instruction gives the things of the board."""

UNREADABLE = (
    "No valid action provided previously. Environment state remains the same. Please try again."
)
"""RAGEN's answer to a text that is no action; it follows the unchanged board."""
