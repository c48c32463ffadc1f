"""The process that builds games: ``python -m agentgym_gen.envs.textworld.engine.builder``.

textworld's game makers draw from a generator that is global to a process, and Inform 7 writes into
the home folder: in a process of its own neither affects anything else. A game counts as built when
its walkthrough has been played in the interpreter and has won.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from agentgym_gen.envs.textworld.engine.interpreter import Interpreter
from agentgym_gen.envs.textworld.engine.patches import apply_patches
from agentgym_gen.envs.textworld.tasks import CANDIDATES
from agentgym_gen.envs.textworld.wording import PHRASES
from agentgym_gen.system.child_process import serve

_VERB = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, PHRASES))})(?!\w)", re.IGNORECASE)


class UnsuitableGameError(Exception):
    """Seeds that make a game which is no task."""


def answer(request: dict[str, Any]) -> int:
    """Build the game of *request* in its folder and return which of the candidates it is.

    Candidates that make a game which is no task are passed over, however many they are; of those
    that make no game `CANDIDATES` are, because then it is not the seeds that are at fault.

    Raises:
        RuntimeError: if no candidate makes a task, with the reason of the last ones.
    """
    # The compilers' files go there, too: if we are killed, the parent removes the whole folder.
    tempfile.tempdir = request["folder"]
    reasons: list[str] = []
    failures = 0
    for number, seeds in enumerate(request["candidates"]):
        try:
            _build(request["challenge"], request["settings"], seeds, Path(request["folder"]))
        except Exception as error:  # noqa: BLE001  (the makers raise whatever they run into)
            reasons.append(f"{type(error).__name__}: {error}")
            failures += not isinstance(error, UnsuitableGameError)
            if failures == CANDIDATES:
                break
        else:
            return number
    raise RuntimeError("; ".join(reasons[-CANDIDATES:]))


def make_game(
    challenge: str,
    settings: dict[str, Any],
    seeds: dict[str, int],
    options: Any = None,  # noqa: ANN401  (textworld has no types)
) -> Any:  # noqa: ANN401
    """Return the original's game of a challenge, which is not compiled yet.

    It draws from the generator of numpy that the process shares.

    Args:
        challenge: Which one, without ``tw-``.
        settings: The arguments of its maker.
        seeds: The seeds of the four generators.
        options: ``GameOptions`` that are completed; None for new ones.

    Raises:
        UnsuitableGameError: if a treasure hunt is over sooner than its level says, or the name of
            a thing contains a verb.
    """
    from textworld import GameOptions
    from textworld.challenges import CHALLENGES

    options = options or GameOptions()
    options.seeds = seeds
    _, make, _ = CHALLENGES[f"tw-{challenge}"]
    game = make(settings, options)
    walkthrough = game.walkthrough or []
    if challenge == "treasure_hunter" and len(walkthrough) < options.quest_length:
        raise UnsuitableGameError(f"the walkthrough has {len(walkthrough)} commands only")
    ambiguous = [name for name in game.objects_names if _VERB.search(name)]
    if ambiguous:
        raise UnsuitableGameError(f"things are called like verbs: {ambiguous}")
    return game


def _build(challenge: str, settings: dict[str, Any], seeds: dict[str, int], folder: Path) -> None:
    from textworld import GameOptions
    from textworld.generator import compile_game

    options = GameOptions()
    options.path = str(folder / "game.z8")
    options.force_recompile = True
    game = make_game(challenge, settings, seeds, options)
    with tempfile.TemporaryDirectory() as home:
        # Inform 7 keeps its census of extensions in the home folder.
        os.environ["HOME"] = home
        compile_game(game, options)
    (folder / "game.ni").unlink()
    _check_winning(folder / "game.z8", game.walkthrough or [])


def _check_winning(path: Path, walkthrough: list[str]) -> None:
    """Play *walkthrough*.

    Raises:
        UnsuitableGameError: if it does not win.
    """
    interpreter = _interpreter()
    feedback = interpreter.start(path, hashlib.sha256(path.read_bytes()).hexdigest())
    for command in walkthrough:
        feedback = interpreter.step(command)
    if feedback.end != "won":
        raise UnsuitableGameError(f"the walkthrough does not win: {json.dumps(walkthrough)}")


@functools.cache
def _interpreter() -> Interpreter:
    return Interpreter()


def main() -> None:
    """Serve until the parent leaves."""
    apply_patches()
    serve(answer)


if __name__ == "__main__":
    main()
