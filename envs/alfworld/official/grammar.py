"""The check of a game's grammar before the original gets it: the original runs parts of it.

textworld passes what stands in the braces of a game's grammar to `eval`. The default backend reads
only the sentence of the task. For ``backend="textworld"`` the grammar of a game file must equal, to
the letter, that of the official games or of the installed alfworld.
"""

from __future__ import annotations

import hashlib
import json
import re

from agentgym_gen.envs.alfworld.official.game_reader import TASK_SENTENCE
from agentgym_gen.envs.alfworld.official.game_writer import original_data_folder
from agentgym_gen.errors import DataError

PLAIN_SENTENCE = re.compile(r"[A-Za-z0-9 .,'-]*")
"""A sentence without any sign of the grammar, above all without braces."""

OFFICIAL_GRAMMARS = ("10da93e13b58e1a6039723f5d4a59ceae7c60772515bfab9fc603bafa7f8ee06",)
"""The SHA-256 of the grammar of the official games, version 2.1.1, with the task left out."""


def check_grammar(game: str, key: str) -> str:
    """Return the text of a game file if it is safe to give it to the original.

    Args:
        game: The text, which `read_game` has read.
        key: The key of the game, for the error.

    Raises:
        DataError: if its grammar is another one.
        MissingExtraError: if ``alfworld`` is not installed.
    """
    grammar = str(json.loads(game)["grammar"])
    installed = (original_data_folder() / "alfred.twl2").read_text(encoding="utf-8")
    known_hashes = (*OFFICIAL_GRAMMARS, _sha256(installed.replace("UNKNOWN GOAL.", "")))
    sentence = TASK_SENTENCE.search(grammar)
    is_plain = sentence is not None and PLAIN_SENTENCE.fullmatch(sentence[1])
    if not is_plain or _sha256(TASK_SENTENCE.sub("", grammar)) not in known_hashes:
        raise DataError(
            f"Game {key!r} has a grammar that is neither that of the official games nor of the "
            "installed alfworld; textworld would run what stands in it as Python, so play the game "
            "with the default backend"
        )
    return game


def _sha256(grammar: str) -> str:
    return hashlib.sha256(grammar.encode()).hexdigest()


__all__ = ["check_grammar"]
