"""TextWorld as a world: the original's games, played by its own interpreter in another process."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from agentgym_gen.envs.textworld.asides import made_up
from agentgym_gen.envs.textworld.games import open_games
from agentgym_gen.envs.textworld.prose import Prose, shown
from agentgym_gen.envs.textworld.reward import reward, score
from agentgym_gen.envs.textworld.seat import Seat
from agentgym_gen.envs.textworld.speech import Speech
from agentgym_gen.envs.textworld.wording import (
    BEG_PARDON,
    NOT_A_SENTENCE,
    NOT_A_VERB,
    VERB_WORDS,
    VERBS,
    instruction,
    verbs_of,
)
from agentgym_gen.errors import missing_extra
from agentgym_gen.world import (
    Command,
    EndReason,
    Malformed,
    Message,
    MessageFact,
    Outcome,
    Scene,
    Surface,
    Task,
    Tasks,
    Verb,
    World,
    phrase_of,
    write_template,
)
from agentgym_gen.world.distractors import sample_lines

LEAST_TURNS = 25
"""The turn limit of the shortest games."""

TURNS_PER_COMMAND = 3
"""How many turns a game allows for each command of its walkthrough."""

UNKNOWN_TURNS = 100
"""The turn limit of a game without a walkthrough: that of the original's competition."""

ENDS = {"won": EndReason.SUCCESS, "lost": EndReason.FAILURE, "": None}


class TextWorld(World[Any]):
    """Explore rooms, unlock, carry and cook, in games that textworld makes and plays.

    Args:
        challenge: Play this challenge only: ``coin_collector``, ``treasure_hunter``, ``cooking``
            or ``simple``.
        first: Play the first tasks of each tier and split only, such as those that are prepared.
        list_admissible: Whether what can be done is worked out at every step. Without it a step
            takes about half the time, but nothing is listed, and no menu can be played.
        games_dir: A folder of your own games to play instead, ``.z8`` with ``.json``.
        cache_mb: How many megabytes of games the cache keeps.

    Raises:
        MissingExtraError: if textworld is not installed.
        UnknownNameError: if there is no such challenge.
        InvalidValueError: if *first* or *cache_mb* is not positive.
        DataError: if *games_dir* holds no games.
    """

    name = "TextWorld"
    verbs: tuple[Verb, ...] = VERBS
    tasks: Tasks[Any]

    def __init__(
        self,
        challenge: str | None = None,
        first: int | None = None,
        list_admissible: bool = True,
        games_dir: str | Path | None = None,
        cache_mb: int = 2000,
    ) -> None:
        if importlib.util.find_spec("textworld") is None:
            raise missing_extra("textworld", "textworld", "TextWorld")
        self.tasks, self._games = open_games(challenge, first, games_dir, cache_mb)
        self._lists = list_admissible
        self._seat = Seat(list_admissible)

    def reset(self, task: Task[Any]) -> Scene:
        """Start *task*; its game is made if it is not in the cache."""
        opening = self._seat.start(self._games.game(task.content))
        self._challenge = self._games.challenge(task.content)
        self._names = tuple(sorted({name for name in opening["names"] if name}))
        self._speech = Speech(self._names)
        self.verbs, _ = verbs_of(opening["templates"])
        self._templates = {verb.name: verb.template for verb in self.verbs}
        self._made_up: tuple[str, ...] = ()
        self._told = Prose(self.verbs, self._names).pieces
        self._commands: dict[str, Command] = {}
        self._objective = self._told(opening["objective"])
        self._most, self._length = int(opening["most"]), int(opening["length"])
        self._plan: tuple[Command, ...] | None = None
        self._points = 0
        return self._notice(opening)

    def step(self, command: Command) -> Outcome:
        """Give *command* to the game, if it is one that may reach it."""
        text = write_template(self._templates[command.verb], command.args)
        refusal = self._speech.refusal(command, text)
        if refusal is not None:
            return self._refused(refusal)
        told = self._seat.say(text)
        if not told["acted"]:
            return self._refused(shown(told["text"]))
        before = self._points
        self._plan = self._plan[1:] if self._plan and self._plan[0] == command else None
        scene = self._notice(told)
        return Outcome(
            scene,
            reward=reward(before, self._points),
            end=ENDS[told["end"]],
            score=score(self._points, self._most, told["end"] == "won"),
        )

    def admissible(self) -> tuple[Command, ...]:
        """Return what textworld says can be done, sorted by its words."""
        return self._menu

    def expert_plan(self) -> tuple[Command, ...] | None:
        """Return the rest of the walkthrough, or a way back to it and its rest."""
        if self._plan is None:
            found = self._seat.plan()
            self._plan = None if found is None else tuple(map(self._command, found))
        return self._plan

    def instruction(self) -> Message:
        """Return the original's help for the verbs of the game."""
        return instruction(self.verbs)

    def goal(self) -> Message:
        """Return the quest as the game states it; a game of the hardest kind states none."""
        return self._objective

    def turn_limit(self) -> int:
        """Return three turns for each command of the walkthrough, but at least `LEAST_TURNS`."""
        if not self._length:
            return UNKNOWN_TURNS
        return max(LEAST_TURNS, TURNS_PER_COMMAND * self._length)

    def invalid_reply(self, malformed: Malformed) -> Message:
        """Return what the original's parser answers to such a text."""
        words = malformed.text.lower().split()
        if not words:
            return (BEG_PARDON,)
        known = {phrase_of(verb.template).split()[0] for verb in self.verbs}
        return (NOT_A_SENTENCE if words[0] in known else NOT_A_VERB,)

    def surface(self) -> Surface:
        """Return what interfaces read of this world."""
        return Surface(nouns=self._nouns, distractors=self._distractors)

    def _nouns(self) -> tuple[str, ...]:
        """Return what things and doors are called, but not rooms, directions and the meal.

        The meal is named by the command that prepares it.
        """
        return tuple(name for name in self._names if name not in VERB_WORDS)

    def _distractors(self, rng: np.random.Generator, amount: int) -> tuple[str, ...]:
        """Return lines about things that no game has, in places where nobody gets to."""
        self._made_up = self._made_up or made_up(self._names)
        return sample_lines(self._made_up, amount, rng)

    def info(self) -> Mapping[str, Any]:
        """Return the challenge, and the points of the game."""
        return {
            "challenge": self._challenge,
            "points": self._points,
            "max_points": self._most,
        }

    def close(self) -> None:
        """Leave the process that plays; it ends when nobody has used it for a while."""
        self._seat.close()

    def _notice(self, told: Mapping[str, Any]) -> Scene:
        """Take note of what the game has *told* and return it as a scene."""
        self._points = told["points"]
        message = self._told(shown(told["text"]))
        facts: dict[str, object] = {"result": MessageFact(message)}
        if self._lists:
            self._menu = tuple(map(self._command, told["commands"]))
            facts |= {"place": MessageFact(self._told(told["place"])), "carrying": told["carried"]}
        else:
            self._menu = ()
        return Scene(message, {**facts, "points": f"{self._points}/{self._most}"})

    def _refused(self, text: str) -> Outcome:
        current = score(self._points, self._most, won=False)
        message = self._told(text)
        scene = Scene(message, {"result": MessageFact(message)})
        return Outcome(scene, valid=False, score=current, reason="the game does not do it")

    def _command(self, text: str) -> Command:
        known = self._commands.get(text)
        if known is None:
            read = self.read(text)
            # A game's commands have the templates of its verbs.
            known = Command(text) if isinstance(read, Malformed) else read
            self._commands[text] = known
        return known
