"""TextWorld as a world: the original's games, played by its own interpreter in another process."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from agentgym_gen.envs.textworld.command_filter import CommandFilter
from agentgym_gen.envs.textworld.distractors import distractor_lines
from agentgym_gen.envs.textworld.engine.client import EngineClient
from agentgym_gen.envs.textworld.game_text import VerbTagger, clean_feedback
from agentgym_gen.envs.textworld.games.sources import open_games
from agentgym_gen.envs.textworld.reward import reward, score
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
    copy_sharing,
    phrase_of,
    write_template,
)
from agentgym_gen.world.distractors import sample_lines

__all__ = [
    "DEFAULT_TURNS",
    "ENDS",
    "MIN_TURNS",
    "TURNS_PER_COMMAND",
    "TextWorld",
]

MIN_TURNS = 25
"""The turn limit of the shortest games."""

TURNS_PER_COMMAND = 3
"""How many turns a game allows for each command of its walkthrough."""

DEFAULT_TURNS = 100
"""The turn limit of a game without a walkthrough: that of the original's competition."""

ENDS = {"won": EndReason.SUCCESS, "lost": EndReason.FAILURE, "": None}


class TextWorld(World[Any]):
    """Explore rooms, unlock, carry and cook, in games that textworld generates and plays.

    Args:
        challenge: Play this challenge only: ``coin_collector``, ``treasure_hunter``, ``cooking``
            or ``simple``.
        first: Play the first tasks of each tier and split only, such as those that are prepared.
        list_admissible: Whether the admissible commands are computed at every step. Without them a
            step takes about half the time, but nothing is listed, and the syntax ``menu`` is
            impossible.
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
        self._list_admissible = list_admissible
        self._client = EngineClient(list_admissible)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy, which plays the commands again in an engine when it takes a step."""
        words = ("_names", "_filter", "_templates", "_tag_verbs", "_commands", "_distractor_lines")
        return copy_sharing(self, memo, "_games", "_objective", "_plan", "_admissible", *words)

    def reset(self, task: Task[Any]) -> Scene:
        """Start *task*; its game is built if it is not in the cache."""
        opening = self._client.start(self._games.game(task.content))
        self._challenge = self._games.challenge(task.content)
        self._names = tuple(sorted({name for name in opening["names"] if name}))
        self._filter = CommandFilter(self._names)
        self.verbs, _ = verbs_of(opening["templates"])
        self._templates = {verb.name: verb.template for verb in self.verbs}
        self._distractor_lines: tuple[str, ...] = ()
        self._tag_verbs = VerbTagger(self.verbs, self._names).tag
        self._commands: dict[str, Command] = {}
        self._objective = self._tag_verbs(opening["objective"])
        self._max_points = int(opening["max_points"])
        self._walkthrough_length = int(opening["walkthrough_length"])
        self._plan: tuple[Command, ...] | None = None
        self._points = 0
        return self._scene(opening)

    def step(self, command: Command) -> Outcome:
        """Give *command* to the game, if it is one that may reach it."""
        text = write_template(self._templates[command.verb], command.args)
        refusal = self._filter.refusal(command, text)
        if refusal is not None:
            return self._refuse(refusal)
        answer = self._client.step(text)
        if not answer["executed"]:
            return self._refuse(clean_feedback(answer["text"]))
        points_before = self._points
        self._plan = self._plan[1:] if self._plan and self._plan[0] == command else None
        scene = self._scene(answer)
        return Outcome(
            scene,
            reward=reward(points_before, self._points),
            end=ENDS[answer["end"]],
            score=score(self._points, self._max_points, answer["end"] == "won"),
        )

    def admissible(self) -> tuple[Command, ...]:
        """Return textworld's admissible commands, sorted by their text."""
        return self._admissible

    def expert_plan(self) -> tuple[Command, ...] | None:
        """Return the rest of the walkthrough, or a way back to it and its rest."""
        if self._plan is None:
            texts = self._client.plan()
            self._plan = None if texts is None else tuple(map(self._command, texts))
        return self._plan

    def instruction(self) -> Message:
        """Return the original's help for the verbs of the game."""
        return instruction(self.verbs)

    def goal(self) -> Message:
        """Return the quest as the game states it; a game of the hardest kind states none."""
        return self._objective

    def turn_limit(self) -> int:
        """Return three turns for each command of the walkthrough, but at least `MIN_TURNS`."""
        if not self._walkthrough_length:
            return DEFAULT_TURNS
        return max(MIN_TURNS, TURNS_PER_COMMAND * self._walkthrough_length)

    def invalid_reply(self, malformed: Malformed) -> Message:
        """Return what the original's parser answers to such a text."""
        words = malformed.text.lower().split()
        if not words:
            return (BEG_PARDON,)
        first_words = {phrase_of(verb.template).split()[0] for verb in self.verbs}
        return (NOT_A_SENTENCE if words[0] in first_words else NOT_A_VERB,)

    def surface(self) -> Surface:
        """Return what interfaces read of this world."""
        return Surface(
            nouns=self._nouns,
            canonical_argument=self._filter.whole_names,
            distractors=self._distractors,
        )

    def _nouns(self) -> tuple[str, ...]:
        """Return the names of things and doors, but not of rooms, directions and the meal.

        The meal is named by the command that prepares it.
        """
        return tuple(name for name in self._names if name not in VERB_WORDS)

    def _distractors(self, rng: np.random.Generator, amount: int) -> tuple[str, ...]:
        """Return lines about things that no game has, in places that the player cannot get to."""
        self._distractor_lines = self._distractor_lines or distractor_lines(self._names)
        return sample_lines(self._distractor_lines, amount, rng)

    def info(self) -> Mapping[str, Any]:
        """Return the challenge, and the points of the game."""
        return {
            "challenge": self._challenge,
            "points": self._points,
            "max_points": self._max_points,
        }

    def close(self) -> None:
        """Leave the process that plays; it ends when no world has used it for a while."""
        self._client.close()

    def _scene(self, answer: Mapping[str, Any]) -> Scene:
        """Record the points and commands of the game's *answer* and return it as a scene."""
        self._points = answer["points"]
        message = self._tag_verbs(clean_feedback(answer["text"]))
        facts: dict[str, object] = {"result": MessageFact(message)}
        if self._list_admissible:
            self._admissible = tuple(map(self._command, answer["commands"]))
            facts["place"] = MessageFact(self._tag_verbs(answer["room"]))
            facts["carrying"] = answer["inventory"]
        else:
            self._admissible = ()
        return Scene(message, {**facts, "points": f"{self._points}/{self._max_points}"})

    def _refuse(self, text: str) -> Outcome:
        current_score = score(self._points, self._max_points, won=False)
        message = self._tag_verbs(text)
        scene = Scene(message, {"result": MessageFact(message)})
        return Outcome(scene, valid=False, score=current_score, reason="the game does not do it")

    def _command(self, text: str) -> Command:
        """Return the command that *text* of the game means, read once for each text."""
        command = self._commands.get(text)
        if command is None:
            parsed = self.read(text)
            # It always parses: a game's commands have the templates of its verbs.
            command = Command(text) if isinstance(parsed, Malformed) else parsed
            self._commands[text] = command
        return command
