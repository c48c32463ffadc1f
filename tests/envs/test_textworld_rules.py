"""TextWorld without its engine: what is shown and may be said, the tasks, the expert."""

import json
import pathlib
import re
from collections import Counter
from typing import NamedTuple

import pytest

from agentgym_gen.envs.textworld.asides import KINDS, made_up
from agentgym_gen.envs.textworld.expert import Deed, Expert, Quest
from agentgym_gen.envs.textworld.levels import CHALLENGES, CYCLES, Level
from agentgym_gen.envs.textworld.own import OwnGames, OwnTasks
from agentgym_gen.envs.textworld.plots import Seeds, belongs, plot_of
from agentgym_gen.envs.textworld.prose import Prose, shown
from agentgym_gen.envs.textworld.reward import reward, score
from agentgym_gen.envs.textworld.speech import Speech
from agentgym_gen.envs.textworld.tasks import GeneratedTasks
from agentgym_gen.envs.textworld.wording import (
    NO_SUCH_THING,
    NO_SUCH_WAY,
    PHRASES,
    VERBS,
    instruction,
    verbs_of,
)
from agentgym_gen.errors import DataError, InvalidValueError, UnknownNameError
from agentgym_gen.world import SPLITS, TIERS, Command, VerbName, native_text

STATUS = ">" + " " * 80 + "-= Kitchen =-0/1"
ENDING = (
    "Done.\n\n              *** The End ***\n\nYou scored 1.\n\n\nWould you like to RESTART, "
    f"RESTORE a saved game, QUIT or UNDO the last command?\n{STATUS}"
)
BANNER = "\n\n    ________  ___\n   |  \\$$$$$$| $$  |\n    \\$$$    >$$\n\n"


@pytest.mark.parametrize(
    ("feedback", "text"),
    [
        (f"\nYou drop the key.\n\n\n{STATUS}", "You drop the key."),
        (f"{BANNER}Find the coin.\n\n-= Attic =-\nDusty.\n\n\n\n{STATUS}", None),
        ("\nYou can't go that way.\n\n\n\n>", "You can't go that way."),
        (
            "\nRecipe\n------\n\n\n\nmix > stir\n  bake\n>  -= A =--2/13",
            "Recipe\n------\n\nmix > stir\n  bake",
        ),
        (ENDING, "Done.\n\n*** The End ***\n\nYou scored 1."),
    ],
)
def test_only_what_the_game_tells_is_shown(feedback: str, text: str | None) -> None:
    """No banner, prompt, status line, question about restarting, and one blank line at most."""
    assert shown(feedback) == (text or "Find the coin.\n\n-= Attic =-\nDusty.")


def test_verbs_in_prose_are_mentions() -> None:
    """In any case, as whole phrases, but not inside the name of a thing or of another word."""
    text = "Open it! The cook book is OPEN, opened; prepare meal and look."
    found = Prose(VERBS, ("cook book",)).pieces(text)

    assert found == (
        VerbName("open", capital=True),
        " it! The cook book is ",
        VerbName("open", native="OPEN"),
        ", opened; ",
        VerbName("prepare_meal"),
        " and ",
        VerbName("look"),
        ".",
    )
    assert native_text(found, VERBS) == text


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("go, goat and ego", [(0, "go")]),
        ("Closed? Close the door, close it.", [(8, "close"), (24, "close")]),
        ("prepare meal, prepare, a meal", [(0, "prepare_meal")]),
        ("İ go ... İİ open", [(2, "go"), (12, "open")]),
        ("Cook the meal with a cook book or a cook.", [(0, "cook"), (36, "cook")]),
        ("open_door, re-open", [(14, "open")]),
    ],
)
def test_a_mention_is_a_whole_word_of_its_own(text: str, mentions: list[tuple[int, str]]) -> None:
    """Not a part of another word or of a name, at whatever place of the text."""
    found, place = [], 0
    for piece in Prose(VERBS, ("cook book", "meal", "old key")).pieces(text):
        if isinstance(piece, VerbName):
            found.append((place, piece.verb))
        place += len(native_text((piece,), VERBS))

    assert found == mentions


def test_distractors_speak_of_what_no_game_has() -> None:
    """28 kinds with 19 traits in four places; none has a word that names a verb."""
    lines = made_up(("meal", "old key"))
    words = set(re.findall(r"\w+", " ".join(lines).lower()))

    assert (len(KINDS), len(lines), len(set(lines))) == (28, 28 * 19 * 4, 28 * 19 * 4)
    assert words & {word for phrase in PHRASES for word in phrase.split()} == set()
    assert lines[1] == (
        "You see an accordion far below the window, slightly dusty. It is out of reach, and that's "
        "that."
    )


def test_distractors_speak_of_nothing_that_ones_own_game_has() -> None:
    """Neither of its things nor of its places, by whatever words."""
    lines = " ".join(made_up(("Harp", "glass", "window", "cuckoo", "reach", "see")))

    assert len(lines) > 50_000
    assert re.findall(r"(?i)\b(?:harp|glass|window|cuckoo|reach|see)\b", lines) == []


def refusal(verb: str, *args: str) -> str | None:
    """Return what is answered without the game to a command in a house with two things."""
    words = " ".join((verb, *args))
    return Speech(("old key", "BBQ", "salt and pepper")).refusal(Command(verb, args), words)


@pytest.mark.parametrize(
    "said", ["old key", "key", "the old key", "bbq", "salt and pepper", "Old  KEY"]
)
def test_things_may_be_called_by_their_words(said: str) -> None:
    """In any case, with an article, and wholly even if the parser has a use for a word of it."""
    assert refusal("examine", said) is None


@pytest.mark.parametrize(
    ("said", "reaches"),
    [
        *(("Henderson's key", True), ("the henderson's key from chair", True)),
        *(("key from chair", True), ("chair", True), ("a henderson's key", True)),
        *(("henderson's", False), ("henderson's key's", False), ("'key' from chair", False)),
        *(("henderson's key and chair", False), ("key from henderson's", False)),
    ],
)
def test_an_apostrophe_stands_in_whole_names_only(said: str, reaches: bool) -> None:
    """Also where a thing is taken from another one."""
    speech = Speech(("Henderson's key", "chair"))

    assert (speech.refusal(Command("take", (said,)), f"take {said}") is None) == reaches


@pytest.mark.parametrize(
    "said",
    [
        *("", "it", "all", "key and bbq", "key then go north", "key. save", "key, bbq", "chest"),
        *("old key\nquit", 'key"', "again", "everything but key", "key " * 40, "kéy", "key; undo"),
    ],
)
def test_nothing_else_reaches_the_game(said: str) -> None:
    """Not the parser's own words, two commands, punctuation, or what is nowhere in the game."""
    assert refusal("take", said) == NO_SUCH_THING


def test_taking_names_the_holder() -> None:
    """Once; other verbs have no such word."""
    assert refusal("take", "old key from bbq") is None
    assert refusal("take", "key from it") == NO_SUCH_THING
    assert refusal("drop", "old key from bbq") == NO_SUCH_THING


@pytest.mark.parametrize(("said", "answer"), [("north", None), ("WEST", None), ("up", NO_SUCH_WAY)])
def test_there_are_four_directions(said: str, answer: str | None) -> None:
    """Rooms and things are none."""
    assert refusal("go", said) == answer
    assert refusal("go", "old key") == NO_SUCH_WAY


def test_a_game_has_the_verbs_of_its_rules() -> None:
    """In our order; a command that we have no verb for is told."""
    verbs, strange = verbs_of(["take {o}", "go north", "take {o} from {c}", "juggle {o}", "look"])

    assert [verb.name for verb in verbs] == ["look", "go", "take"]
    assert strange == ("juggle {o}",)
    assert "cook" not in native_text(instruction(verbs), verbs)


def test_no_synonym_is_a_phrase_of_the_original() -> None:
    """It would be refused natively and mean another verb."""
    synonyms = {template.split(" {")[0] for verb in VERBS for template in verb.synonyms}

    assert not synonyms & set(PHRASES)


def test_points_are_the_reward() -> None:
    """And the score is 1 for a win alone."""
    assert (reward(2, 3), reward(3, 3)) == (1.0, 0.0)
    assert [score(points, 4, won=False) for points in (0, 1, 4)] == [0.0, 0.25, 0.99]
    assert (score(0, 0, won=False), score(0, 0, won=True)) == (0.0, 1.0)


@pytest.mark.parametrize("tier", TIERS)
def test_challenges_are_equally_frequent(tier: str) -> None:
    """Four levels of each, in every tier, and no two tiers share a level."""
    assert Counter(level.challenge for level in CYCLES[tier]) == dict.fromkeys(CHALLENGES, 4)
    others = {level for other in TIERS if other != tier for level in CYCLES[other]}
    assert not others & set(CYCLES[tier])


def test_tasks_are_counted() -> None:
    """Sixteen levels, 250 rounds for training and 50 for the others."""
    tasks = GeneratedTasks()
    assert [tasks.size("hard", split) for split in SPLITS] == [4000, 800, 800]
    assert GeneratedTasks("cooking").size("easy", "train") == 1000
    assert GeneratedTasks("cooking", first=3).size("easy", "train") == 3


def test_a_filter_keeps_the_ids() -> None:
    """Cooking is the first level of the easy cycle, so its second task is number 4."""
    task = GeneratedTasks("cooking", first=2).make("easy", "test", 1)

    assert str(task.id) == "textworld/easy/test/4"
    assert task.content.level.challenge == "cooking"
    assert GeneratedTasks("simple", first=1).find("textworld/easy/test/4") == task
    with pytest.raises(InvalidValueError, match="No task 2"):
        GeneratedTasks("cooking", first=2).make("easy", "test", 2)


def test_wrong_filters_are_named() -> None:
    """With what is accepted."""
    with pytest.raises(UnknownNameError, match="did you mean 'cooking'"):
        GeneratedTasks("coking")
    with pytest.raises(InvalidValueError, match="`first` is a positive number or None, not 0"):
        GeneratedTasks(first=0)


def test_seeds_of_splits_never_meet() -> None:
    """They differ by their remainder, and each game has the original's settings of its split."""
    for number, split in enumerate(SPLITS):
        for index in range(16):
            content = GeneratedTasks().make("medium", split, index).content
            seeds = [seed for one in content.candidates for seed in one]
            assert {seed % 3 for seed in seeds} == {number}
            settings = dict(content.level.settings)
            assert settings.get("split", split) == split
            assert settings.get("test", split == "test") == (split == "test")


def test_plots_belong_to_one_split() -> None:
    """Whatever the seeds: the 36 shapes of the shortest chain are shared out, none twice."""
    level = Level("coin_collector", (("level", 4),))
    seen: dict[str, set[tuple[str, ...]]] = {split: set() for split in SPLITS}
    for number in range(600):
        seeds = Seeds(number, 0, 0, 0)
        (split,) = [split for split in SPLITS if belongs(level, seeds, split)]
        seen[split].add(plot_of(level, seeds) or ())

    assert sum(map(len, seen.values())) == len(set.union(*seen.values())) == 36
    assert min(map(len, seen.values())) >= 3


class Fact(NamedTuple):
    """Something that holds: a name, and arguments with a type each."""

    name: str
    arguments: tuple["Thing", ...] = ()


class Thing(NamedTuple):
    """A thing of a type."""

    name: str
    type: str = "o"


def at(room: str) -> Fact:
    """Return that the player is in *room*."""
    return Fact("at", (Thing("P", "P"), Thing(room, "r")))


def move(way: str, source: str, target: str) -> Deed:
    """Return the deed of going from *source* to *target*."""
    return Deed(
        f"go {way}", frozenset([at(source)]), frozenset([at(source)]), frozenset([at(target)])
    )


HELD, HERE, EATEN, LIT = Fact("held"), Fact("here"), Fact("eaten"), Fact("lit")
TAKE = Deed("take coin", frozenset([at("hall"), HERE]), frozenset([HERE]), frozenset([HELD]))
DROP = Deed("drop coin", frozenset([at("hall"), HELD]), frozenset([HELD]), frozenset([HERE]))
EAT = Deed("eat coin", frozenset([HELD]), frozenset([HELD]), frozenset([EATEN]))
LIGHT = Deed("light lamp", frozenset([HELD, at("den")]), frozenset(), frozenset([LIT]))


class House:
    """Hall and den side by side, an attic behind; a coin in the hall, a lamp in the den."""

    deeds = (
        *(move("east", "hall", "den"), move("west", "den", "hall")),
        *(move("north", "den", "attic"), move("south", "attic", "den")),
        *(TAKE, DROP, EAT, LIGHT),
    )
    start = frozenset([at("hall"), HERE])
    quests = (Quest((frozenset([LIT]),), (frozenset([EATEN]),)),)
    walkthrough = ("take coin", "open den", "go east", "light lamp")

    def moves(self, facts: frozenset[Fact]) -> "House.Moves":
        return House.Moves({deed.command: deed for deed in self.deeds if deed.before <= facts})

    def reverse(self, deed: Deed) -> Deed | None:
        return {TAKE: DROP, DROP: TAKE}.get(deed)

    class Moves(NamedTuple):
        """What can be done."""

        commands: dict[str, Deed]


def plan(*said: str) -> list[str] | None:
    """Return the expert's plan after *said*."""
    house, path, facts = House(), [], House.start
    for command in said:
        path.append(house.moves(facts).commands[command])
        facts = path[-1].done(facts)
    return Expert(house).plan(said, path)


@pytest.mark.parametrize(
    ("said", "rest"),
    [
        ([], ["take coin", "go east", "light lamp"]),
        (["take coin"], ["go east", "light lamp"]),
        (["go east"], ["go west", "take coin", "go east", "light lamp"]),
        (["take coin", "go east", "go north"], ["go south", "light lamp"]),
        (["take coin", "drop coin"], ["take coin", "go east", "light lamp"]),
        (["take coin", "eat coin"], None),
    ],
)
def test_the_expert_finds_back(said: list[str], rest: list[str] | None) -> None:
    """From where the player has gone or what was done; commands that do nothing are left out."""
    assert plan(*said) == rest


def write_game(folder: pathlib.Path, key: str, commands: tuple[str, ...], length: int) -> None:
    """Write the two files of a game whose rules have *commands*."""
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".z8").write_bytes(key.encode())
    rules = "".join(f'rule :: "{command}" :: "event";\n' for command in commands)
    game = {"KB": {"logic": rules}, "metadata": {"walkthrough": ["look"] * length}}
    path.with_suffix(".json").write_text(json.dumps(game))


def test_a_folder_of_games_is_played_by_its_folders(tmp_path: pathlib.Path) -> None:
    """Splits are folders, tiers the length of the walkthrough, ids the paths."""
    for key, length in {"test/a": 8, "test/b": 9, "sub/c": 17, "d": 0}.items():
        write_game(tmp_path, key, ("look", "take {o}"), length)
    tasks = OwnTasks(OwnGames(tmp_path))

    assert tasks.tiers == TIERS
    assert tasks.size("hard", "train") == 2
    assert str(tasks.make("medium", "test", 0).id) == "textworld/medium/test/test/b"
    assert tasks.find("textworld/hard/train/sub/c").content.key == "sub/c"
    with pytest.raises(InvalidValueError, match="lie in a folder of its name"):
        tasks.size("easy", "valid")
    with pytest.raises(InvalidValueError, match="No game of the folder has the task id"):
        tasks.find("textworld/easy/train/sub/c")


def test_a_folder_without_games_is_named(tmp_path: pathlib.Path) -> None:
    """And so is a game without its other file, or with commands that we cannot say."""
    with pytest.raises(
        DataError, match=r"No games in .*: a game is a file \.z8 with a file \.json"
    ):
        OwnGames(tmp_path)

    write_game(tmp_path, "a", ("juggle {o}",), 1)
    with pytest.raises(DataError, match=r"unknown commands \['juggle {o}'\]"):
        OwnGames(tmp_path)

    (tmp_path / "a.json").unlink()
    with pytest.raises(DataError, match=r"a\.z8 cannot be played"):
        OwnGames(tmp_path)


def test_a_game_that_changes_is_no_longer_that_task(tmp_path: pathlib.Path) -> None:
    """A task id never means another game."""
    write_game(tmp_path, "a", ("look",), 1)
    games = OwnGames(tmp_path)
    (tmp_path / "a.z8").write_bytes(b"another game")

    with pytest.raises(DataError, match=r"'a' of .* has changed"):
        games.game(games.all[0])
