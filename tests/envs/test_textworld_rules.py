"""TextWorld without its engine: texts, which commands pass, the tasks, the expert."""

import json
import pathlib
import re
from collections import Counter
from typing import NamedTuple

import pytest

from agentgym_gen.envs.textworld.command_filter import CommandFilter
from agentgym_gen.envs.textworld.distractors import KINDS, distractor_lines
from agentgym_gen.envs.textworld.expert import Expert, Quest, Transition
from agentgym_gen.envs.textworld.game_text import VerbTagger, clean_feedback
from agentgym_gen.envs.textworld.games.custom import CustomGames, CustomGameTasks
from agentgym_gen.envs.textworld.levels import CHALLENGES, CYCLES, Level
from agentgym_gen.envs.textworld.plots import Seeds, is_of_split, plot_of
from agentgym_gen.envs.textworld.reward import reward, score
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
def test_only_the_story_is_shown(feedback: str, text: str | None) -> None:
    """Banner, prompt, status line, the final question and double blank lines are removed."""
    assert clean_feedback(feedback) == (text or "Find the coin.\n\n-= Attic =-\nDusty.")


def test_verbs_in_sentences_are_mentions() -> None:
    """Whole phrases in any case are mentions, but not inside a name or another word."""
    text = "Open it! The cook book is OPEN, opened; prepare meal and look."
    message = VerbTagger(VERBS, ("cook book",)).tag(text)

    assert message == (
        VerbName("open", capital=True),
        " it! The cook book is ",
        VerbName("open", native="OPEN"),
        ", opened; ",
        VerbName("prepare_meal"),
        " and ",
        VerbName("look"),
        ".",
    )
    assert native_text(message, VERBS) == text


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
    """A part of another word or of a name is no mention, wherever in the text it stands."""
    places, place = [], 0
    for piece in VerbTagger(VERBS, ("cook book", "meal", "old key")).tag(text):
        if isinstance(piece, VerbName):
            places.append((place, piece.verb))
        place += len(native_text((piece,), VERBS))

    assert places == mentions


def test_distractors_speak_of_what_no_game_has() -> None:
    """28 kinds with 19 traits in four places make a line each, without a verb's word."""
    lines = distractor_lines(("meal", "old key"))
    words = set(re.findall(r"\w+", " ".join(lines).lower()))

    assert (len(KINDS), len(lines), len(set(lines))) == (28, 28 * 19 * 4, 28 * 19 * 4)
    assert words & {word for phrase in PHRASES for word in phrase.split()} == set()
    assert lines[1] == (
        "You see an accordion far below the window, slightly dusty. It is out of reach, and that's "
        "that."
    )


def test_distractors_speak_of_nothing_that_a_custom_game_has() -> None:
    """No line has a word that is the name of a thing of the game, in whatever part of it."""
    lines = " ".join(distractor_lines(("Harp", "glass", "window", "cuckoo", "reach", "see")))

    assert len(lines) > 50_000
    assert re.findall(r"(?i)\b(?:harp|glass|window|cuckoo|reach|see)\b", lines) == []


def refusal(verb: str, *args: str) -> str | None:
    """Return the filter's refusal of a command in a house with three things."""
    words = " ".join((verb, *args))
    return CommandFilter(("old key", "BBQ", "salt and pepper")).refusal(Command(verb, args), words)


@pytest.mark.parametrize(
    "argument", ["old key", "key", "the old key", "bbq", "salt and pepper", "Old  KEY"]
)
def test_things_may_be_called_by_their_words(argument: str) -> None:
    """Any case and an article pass; a whole name may have one of the parser's own words."""
    assert refusal("examine", argument) is None


@pytest.mark.parametrize(
    ("argument", "passes"),
    [
        *(("Henderson's key", True), ("the henderson's key from chair", True)),
        *(("key from chair", True), ("chair", True), ("a henderson's key", True)),
        *(("henderson's", False), ("henderson's key's", False), ("'key' from chair", False)),
        *(("henderson's key and chair", False), ("key from henderson's", False)),
    ],
)
def test_an_apostrophe_stands_in_whole_names_only(argument: str, passes: bool) -> None:
    """An apostrophe outside a whole name is refused, also where a holder is named."""
    command_filter = CommandFilter(("Henderson's key", "chair"))
    refusal = command_filter.refusal(Command("take", (argument,)), f"take {argument}")

    assert (refusal is None) == passes


@pytest.mark.parametrize(
    "argument",
    [
        *("", "it", "all", "key and bbq", "key then go north", "key. save", "key, bbq", "chest"),
        *("old key\nquit", 'key"', "again", "everything but key", "key " * 40, "kéy", "key; undo"),
    ],
)
def test_nothing_else_reaches_the_game(argument: str) -> None:
    """The parser's own words, two commands, punctuation and unknown things are refused."""
    assert refusal("take", argument) == NO_SUCH_THING


def test_taking_names_the_holder() -> None:
    """Only `take` accepts a holder after `from`, and only one."""
    assert refusal("take", "old key from bbq") is None
    assert refusal("take", "key from it") == NO_SUCH_THING
    assert refusal("drop", "old key from bbq") == NO_SUCH_THING


@pytest.mark.parametrize(
    ("argument", "answer"), [("north", None), ("WEST", None), ("up", NO_SUCH_WAY)]
)
def test_there_are_four_directions(argument: str, answer: str | None) -> None:
    """Only the four directions pass, in any case; other words and things are refused."""
    assert refusal("go", argument) == answer
    assert refusal("go", "old key") == NO_SUCH_WAY


def test_a_game_has_the_verbs_of_its_rules() -> None:
    """The verbs come in our order; a command without a verb is returned as unknown."""
    verbs, unknown = verbs_of(["take {o}", "go north", "take {o} from {c}", "juggle {o}", "look"])

    assert [verb.name for verb in verbs] == ["look", "go", "take"]
    assert unknown == ("juggle {o}",)
    assert "cook" not in native_text(instruction(verbs), verbs)


def test_no_synonym_is_a_phrase_of_the_original() -> None:
    """A synonym that is a verb of the original would mean two verbs."""
    synonyms = {template.split(" {")[0] for verb in VERBS for template in verb.synonyms}

    assert not synonyms & set(PHRASES)


def test_points_are_the_reward() -> None:
    """The reward is the gain in points; the score is 1 for a win alone."""
    assert (reward(2, 3), reward(3, 3)) == (1.0, 0.0)
    assert [score(points, 4, won=False) for points in (0, 1, 4)] == [0.0, 0.25, 0.99]
    assert (score(0, 0, won=False), score(0, 0, won=True)) == (0.0, 1.0)


@pytest.mark.parametrize("tier", TIERS)
def test_challenges_are_equally_frequent(tier: str) -> None:
    """Every tier has four levels of each challenge, and no two tiers share a level."""
    assert Counter(level.challenge for level in CYCLES[tier]) == dict.fromkeys(CHALLENGES, 4)
    of_other_tiers = {level for name in TIERS if name != tier for level in CYCLES[name]}
    assert not of_other_tiers & set(CYCLES[tier])


def test_tasks_are_counted() -> None:
    """A split has sixteen levels times its rounds: 250 for training, 50 for the others."""
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
    """The error of a wrong filter says what is accepted."""
    with pytest.raises(UnknownNameError, match="did you mean 'cooking'"):
        GeneratedTasks("coking")
    with pytest.raises(InvalidValueError, match="`first` is a positive number or None, not 0"):
        GeneratedTasks(first=0)


def test_splits_share_no_seed() -> None:
    """Seeds differ in their remainder; each game has the original's settings of its split."""
    for number, split in enumerate(SPLITS):
        for index in range(16):
            content = GeneratedTasks().make("medium", split, index).content
            seeds = [seed for candidate in content.candidates for seed in candidate]
            assert {seed % 3 for seed in seeds} == {number}
            settings = dict(content.level.settings)
            assert settings.get("split", split) == split
            assert settings.get("test", split == "test") == (split == "test")


def test_plots_belong_to_one_split() -> None:
    """Each of the 36 shapes of the shortest chain of rooms is in exactly one split."""
    level = Level("coin_collector", (("level", 4),))
    plots: dict[str, set[tuple[str, ...]]] = {split: set() for split in SPLITS}
    for number in range(600):
        seeds = Seeds(number, 0, 0, 0)
        (split,) = [split for split in SPLITS if is_of_split(level, seeds, split)]
        plots[split].add(plot_of(level, seeds) or ())

    assert sum(map(len, plots.values())) == len(set.union(*plots.values())) == 36
    assert min(map(len, plots.values())) >= 3


class Fact(NamedTuple):
    """A proposition: a name, and arguments with a type each."""

    name: str
    arguments: tuple["Thing", ...] = ()


class Thing(NamedTuple):
    """A thing of a type."""

    name: str
    type: str = "o"


def at(room: str) -> Fact:
    """Return that the player is in *room*."""
    return Fact("at", (Thing("P", "P"), Thing(room, "r")))


def move(way: str, source: str, target: str) -> Transition:
    """Return the transition of going from *source* to *target*."""
    return Transition(
        f"go {way}", frozenset([at(source)]), frozenset([at(source)]), frozenset([at(target)])
    )


HELD, HERE, EATEN, LIT = Fact("held"), Fact("here"), Fact("eaten"), Fact("lit")
TAKE = Transition("take coin", frozenset([at("hall"), HERE]), frozenset([HERE]), frozenset([HELD]))
DROP = Transition("drop coin", frozenset([at("hall"), HELD]), frozenset([HELD]), frozenset([HERE]))
EAT = Transition("eat coin", frozenset([HELD]), frozenset([HELD]), frozenset([EATEN]))
LIGHT = Transition("light lamp", frozenset([HELD, at("den")]), frozenset(), frozenset([LIT]))


class House:
    """Hall and den side by side, an attic behind; a coin in the hall, a lamp in the den."""

    actions = (
        *(move("east", "hall", "den"), move("west", "den", "hall")),
        *(move("north", "den", "attic"), move("south", "attic", "den")),
        *(TAKE, DROP, EAT, LIGHT),
    )
    initial_facts = frozenset([at("hall"), HERE])
    quests = (Quest((frozenset([LIT]),), (frozenset([EATEN]),)),)
    walkthrough = ("take coin", "open den", "go east", "light lamp")

    def transitions(self, facts: frozenset[Fact]) -> "House.Transitions":
        possible = (action for action in self.actions if action.preconditions <= facts)
        return House.Transitions({action.command: action for action in possible})

    def reverse(self, transition: Transition) -> Transition | None:
        return {TAKE: DROP, DROP: TAKE}.get(transition)

    class Transitions(NamedTuple):
        """What can be done."""

        by_command: dict[str, Transition]


def plan(*commands: str) -> list[str] | None:
    """Return the expert's plan after *commands*."""
    house, path, facts = House(), [], House.initial_facts
    for command in commands:
        path.append(house.transitions(facts).by_command[command])
        facts = path[-1].apply(facts)
    return Expert(house).plan(commands, path)


@pytest.mark.parametrize(
    ("commands", "rest"),
    [
        ([], ["take coin", "go east", "light lamp"]),
        (["take coin"], ["go east", "light lamp"]),
        (["go east"], ["go west", "take coin", "go east", "light lamp"]),
        (["take coin", "go east", "go north"], ["go south", "light lamp"]),
        (["take coin", "drop coin"], ["take coin", "go east", "light lamp"]),
        (["take coin", "eat coin"], None),
    ],
)
def test_the_expert_rejoins_the_walkthrough(commands: list[str], rest: list[str] | None) -> None:
    """The expert goes back or undoes actions; walkthrough commands without effect are skipped."""
    assert plan(*commands) == rest


def write_game(folder: pathlib.Path, key: str, commands: tuple[str, ...], length: int) -> None:
    """Write the two files of a game whose rules have *commands*."""
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".z8").write_bytes(key.encode())
    rules = "".join(f'rule :: "{command}" :: "event";\n' for command in commands)
    game = {"KB": {"logic": rules}, "metadata": {"walkthrough": ["look"] * length}}
    path.with_suffix(".json").write_text(json.dumps(game))


def test_a_folder_of_games_becomes_tasks(tmp_path: pathlib.Path) -> None:
    """Folders are splits, the length of the walkthrough is the tier, and paths are the ids."""
    for key, length in {"test/a": 8, "test/b": 9, "sub/c": 17, "d": 0}.items():
        write_game(tmp_path, key, ("look", "take {o}"), length)
    tasks = CustomGameTasks(CustomGames(tmp_path))

    assert tasks.tiers == TIERS
    assert tasks.size("hard", "train") == 2
    assert str(tasks.make("medium", "test", 0).id) == "textworld/medium/test/test/b"
    assert tasks.find("textworld/hard/train/sub/c").content.key == "sub/c"
    with pytest.raises(InvalidValueError, match="lie in a folder of its name"):
        tasks.size("easy", "valid")
    with pytest.raises(InvalidValueError, match="No game of the folder has the task id"):
        tasks.find("textworld/easy/train/sub/c")


def test_a_folder_without_games_is_named(tmp_path: pathlib.Path) -> None:
    """Errors name an empty folder, a game without its other file, and unknown commands."""
    with pytest.raises(
        DataError, match=r"No games in .*: a game is a file \.z8 with a file \.json"
    ):
        CustomGames(tmp_path)

    write_game(tmp_path, "a", ("juggle {o}",), 1)
    with pytest.raises(DataError, match=r"unknown commands \['juggle {o}'\]"):
        CustomGames(tmp_path)

    (tmp_path / "a.json").unlink()
    with pytest.raises(DataError, match=r"a\.z8 cannot be played"):
        CustomGames(tmp_path)


def test_a_game_that_changes_is_no_longer_that_task(tmp_path: pathlib.Path) -> None:
    """A changed file is an error, so that a task id never means another game."""
    write_game(tmp_path, "a", ("look",), 1)
    games = CustomGames(tmp_path)
    (tmp_path / "a.z8").write_bytes(b"another game")

    with pytest.raises(DataError, match=r"'a' of .* has changed"):
        games.game(games.all[0])
