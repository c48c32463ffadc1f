"""The texts that are the same in all games: verbs, instruction, answers of the parser."""

from __future__ import annotations

from collections.abc import Iterable

from agentgym_gen.world import Command, Message, Verb, VerbName, phrase_of

VERBS = (
    Verb("look", "look", synonyms=("glance", "peer", "gaze")),
    Verb("inventory", "inventory", synonyms=("belongings", "possessions", "holdings")),
    Verb(
        "go",
        "go {direction}",
        ("direction",),
        ("walk {direction}", "head {direction}", "travel {direction}"),
    ),
    Verb(
        "examine",
        "examine {thing}",
        ("thing",),
        ("inspect {thing}", "study {thing}", "survey {thing}"),
    ),
    Verb("eat", "eat {food}", ("food",), ("consume {food}", "swallow {food}", "devour {food}")),
    Verb(
        "drink", "drink {liquid}", ("liquid",), ("sip {liquid}", "gulp {liquid}", "quaff {liquid}")
    ),
    Verb(
        "open", "open {thing}", ("thing",), ("unlatch {thing}", "unseal {thing}", "uncover {thing}")
    ),
    Verb("close", "close {thing}", ("thing",), ("shut {thing}", "latch {thing}", "seal {thing}")),
    Verb(
        "unlock",
        "unlock {thing} with {key}",
        ("thing", "key"),
        ("unbolt {thing} by {key}", "unfasten {thing} by {key}", "unbar {thing} by {key}"),
    ),
    Verb(
        "lock",
        "lock {thing} with {key}",
        ("thing", "key"),
        ("bolt {thing} by {key}", "fasten {thing} by {key}", "bar {thing} by {key}"),
    ),
    Verb(
        "take",
        "take {object}",
        ("object, or object from holder",),
        ("grab {object}", "fetch {object}", "collect {object}"),
    ),
    Verb(
        "drop",
        "drop {object}",
        ("object",),
        ("discard {object}", "shed {object}", "ditch {object}"),
    ),
    Verb(
        "put",
        "put {object} on {supporter}",
        ("object", "supporter"),
        (
            "place {object} on {supporter}",
            "set {object} on {supporter}",
            "lay {object} on {supporter}",
        ),
    ),
    Verb(
        "insert",
        "insert {object} into {container}",
        ("object", "container"),
        (
            "stow {object} into {container}",
            "tuck {object} into {container}",
            "slip {object} into {container}",
        ),
    ),
    Verb(
        "cook",
        "cook {food} with {heat}",
        ("food", "source of heat"),
        ("heat {food} by {heat}", "sear {food} by {heat}", "toast {food} by {heat}"),
    ),
    Verb(
        "slice",
        "slice {food} with {knife}",
        ("food", "knife"),
        ("carve {food} by {knife}", "shave {food} by {knife}", "pare {food} by {knife}"),
    ),
    Verb(
        "chop",
        "chop {food} with {knife}",
        ("food", "knife"),
        ("hack {food} by {knife}", "hew {food} by {knife}", "cleave {food} by {knife}"),
    ),
    Verb(
        "dice",
        "dice {food} with {knife}",
        ("food", "knife"),
        ("cube {food} by {knife}", "mince {food} by {knife}", "shred {food} by {knife}"),
    ),
    Verb("prepare_meal", "prepare meal", (), ("assemble meal", "serve meal", "arrange meal")),
)
"""Every verb of the original's challenges; a game has those of its own rules."""

PHRASES = tuple(phrase_of(verb.template) for verb in VERBS)

VERB_WORDS = frozenset(word for phrase in PHRASES for word in phrase.split())
"""The words of the verbs' phrases; a thing with such a name, the meal, is never renamed."""

DIRECTIONS = ("north", "south", "east", "west")

_PURPOSES: dict[str, Message] = {
    "look": ("describe the current room",),
    "inventory": ("print the player's ", VerbName("inventory")),
    "go": ("move the player north, east, south or west",),
    "examine": (VerbName("examine"), " something more closely"),
    "eat": (VerbName("eat"), " edible food"),
    "drink": (VerbName("drink"), " something drinkable"),
    "open": (VerbName("open"), " a door or a container"),
    "close": (VerbName("close"), " a door or a container"),
    "unlock": (VerbName("unlock"), " a door or a container with a key"),
    "lock": (VerbName("lock"), " a door or a container with a key"),
    "take": (
        *(VerbName("take"), " an object that is on the floor, or "),
        *(VerbName("take"), " an object from a container or a supporter"),
    ),
    "drop": (VerbName("drop"), " an object on the floor"),
    "put": ("place an object on a supporter",),
    "insert": ("place an object into a container",),
    "cook": (VerbName("cook"), " cookable food with something providing heat"),
    "slice": (VerbName("slice"), " cuttable food with something sharp"),
    "chop": (VerbName("chop"), " cuttable food with something sharp"),
    "dice": (VerbName("dice"), " cuttable food with something sharp"),
    "prepare_meal": ("combine ingredients from the ", VerbName("inventory"), " into a meal"),
}
"""The original's help, verb by verb."""

INTRODUCTION = (
    "You are playing a text-based game. Each turn you say one command, and the game tells you what "
    "happens.\nAvailable commands:"
)


def verbs_of(templates: Iterable[str]) -> tuple[tuple[Verb, ...], tuple[str, ...]]:
    """Return the verbs of a game's command *templates*, and the templates that have no verb."""
    verb_by_phrase = {phrase_of(verb.template): verb for verb in VERBS}
    # A game's templates name each direction: `go north` is a template without an argument.
    verb_by_phrase |= {f"go {direction}": verb_by_phrase["go"] for direction in DIRECTIONS}
    phrases = {template: phrase_of(template) for template in templates}
    names = {verb_by_phrase[phrase].name for phrase in phrases.values() if phrase in verb_by_phrase}
    unknown = tuple(t for t, phrase in phrases.items() if phrase not in verb_by_phrase)
    return tuple(verb for verb in VERBS if verb.name in names), unknown


def instruction(verbs: tuple[Verb, ...]) -> Message:
    """Return the rules of a game with *verbs*: the original's help for them."""
    lines = [
        piece for verb in verbs for piece in ("\n  ", _usage(verb), ": ", *_PURPOSES[verb.name])
    ]
    return (INTRODUCTION, *lines)


def _usage(verb: Verb) -> Command:
    """Return *verb* as the instruction shows it: ``put <object> on <supporter>``."""
    hints = ("object",) if verb.name == "take" else verb.hints
    return Command(verb.name, tuple(f"<{hint}>" for hint in hints))


BEG_PARDON = "I beg your pardon?"
NOT_A_VERB = "That's not a verb I recognise."
NOT_A_SENTENCE = "I didn't understand that sentence."
NO_SUCH_THING = "You can't see any such thing."
NO_SUCH_WAY = "You can't go that way."
"""An answer of the original's parser, like those above."""
