"""The syntaxes: ways to write an action."""

import string
import time

import numpy as np
import pytest

from agentgym_gen import Command, Malformed, Verb
from agentgym_gen.interface.syntax import SYNTAXES
from agentgym_gen.world import read_templates

VERBS = (
    Verb("put", "put {object} in/on {place}", ("object", "place")),
    Verb("go_to", "go to {place}"),
    Verb("look", "look"),
)
TEMPLATES = {verb.name: verb.template for verb in VERBS}
COMMANDS = (
    Command("put", ("mug 1", "desk 2")),
    Command("go_to", ('a "quoted" \\ place, with commas',)),
    Command("go_to", ("it's [here] {now}",)),
    Command("look"),
)
WRITTEN = {
    "native": ("put mug 1 in/on desk 2", "look"),
    "json": (
        '{"action": "put", "arguments": {"object": "mug 1", "place": "desk 2"}}',
        '{"action": "look", "arguments": {}}',
    ),
    "lenientjson": (
        '{"action": "put", "arguments": {"object": "mug 1", "place": "desk 2"}}',
        '{"action": "look", "arguments": {}}',
    ),
    "call": ('put("mug 1", "desk 2")', "look()"),
    "menu": ("1", "4"),
}


@pytest.mark.parametrize("name", SYNTAXES)
def test_parsing_is_the_inverse_of_writing(name: str) -> None:
    """A command that is written and parsed is the same, whatever its arguments contain."""
    syntax = SYNTAXES[name](VERBS, TEMPLATES)

    assert [syntax.read(syntax.write(c, COMMANDS), COMMANDS) for c in COMMANDS] == list(COMMANDS)


@pytest.mark.parametrize("name", ["json", "call"])
@pytest.mark.parametrize("argument", ["a\nb", "t\tx", "\x01", "\u2028", 'q"x\\y', "\\n", "\\u0001"])
def test_control_characters_are_parsed(name: str, argument: str) -> None:
    """An argument with control characters is the same after writing and parsing."""
    syntax = SYNTAXES[name](VERBS, TEMPLATES)
    command = Command("go_to", (argument,))

    assert syntax.read(syntax.write(command, ()), ()) == command


def test_single_quotes_are_parsed_too() -> None:
    """A call may have single quotes, in which a backslash escapes a quote."""
    syntax = SYNTAXES["call"](VERBS, TEMPLATES)

    assert syntax.read("go_to('it\\'s \"here\"')", ()) == Command("go_to", ('it\'s "here"',))


@pytest.mark.parametrize("name", SYNTAXES)
@pytest.mark.parametrize(
    "fragment",
    [
        "put x in/on ",
        "put ",
        " in/on ",
        '{"action": ',
        "[",
        "go_to(",
        'go_to("',
        '"a",',
        "\\",
        ") ",
    ],
)
def test_parsing_is_fast(name: str, fragment: str) -> None:
    """A text of 100,000 characters is parsed within 50 ms, whatever it repeats."""
    syntax = SYNTAXES[name](VERBS, TEMPLATES)
    for beginning in ("", "put ", 'go_to("'):
        text = beginning + fragment * (100_000 // len(fragment))
        start = time.process_time()
        syntax.read(text, COMMANDS)
        assert time.process_time() - start < 0.05


def test_slots_take_as_little_as_they_can() -> None:
    """The first slot of a template ends at the first place that fits, as in a lazy pattern."""
    templates = {"move": "move {thing} to {place} now"}

    assert read_templates("Move a TO b to c  now", templates) == Command("move", ("a", "b to c"))
    assert read_templates("move to to to now", templates) == Command("move", ("to", "to"))
    assert isinstance(read_templates("move a to now", templates), Malformed)


@pytest.mark.parametrize("name", SYNTAXES)
def test_each_syntax_looks_as_documented(name: str) -> None:
    """The first and the last command are written exactly as the docs say."""
    syntax = SYNTAXES[name](VERBS, TEMPLATES)

    assert (syntax.write(COMMANDS[0], COMMANDS), syntax.write(COMMANDS[-1], COMMANDS)) == WRITTEN[
        name
    ]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("json", "look", "not one JSON object"),
        ("json", "[" * 5000, "not one JSON object"),
        ("json", "[1]", "exactly the fields"),
        ("json", '{"action": "look"}', "exactly the fields"),
        ("json", '{"action": "fly", "arguments": {}}', "none of the known actions"),
        ("json", '{"action": ["look"], "arguments": {}}', "none of the known actions"),
        ("json", '{"action": "go to", "arguments": {"x": "desk"}}', "exactly the fields ['place']"),
        ("json", '{"action": "go to", "arguments": {"place": 1}}', "every argument is a text"),
        ("json", '{"action": "go to", "arguments": {"place": ""}}', "every argument is a text"),
        ("call", "look", "not one function call"),
        ("call", "fly()", "no function 'fly'"),
        ("call", "go_to(desk)", "takes 1 quoted texts"),
        ("call", 'go_to("desk",)', "takes 1 quoted texts"),
        ("call", 'go_to("a", "b")', "takes 1 quoted texts"),
        ("call", 'go_to("\\x")', "takes 1 quoted texts"),
        ("call", "go_to(" + "(" * 5000 + ")", "takes 1 quoted texts"),
        ("menu", "5", "numbers 1 to 4"),
        ("menu", "0", "numbers 1 to 4"),
        ("menu", "look", "not the number"),
        ("menu", "²", "not the number"),
        ("menu", "9" * 5000, "not the number"),
        ("native", "fly", "none of the known actions"),
    ],
)
def test_a_text_that_is_no_command_says_why(name: str, text: str, reason: str) -> None:
    """A text that is no command is malformed, with the reason."""
    result = SYNTAXES[name](VERBS, TEMPLATES).read(text, COMMANDS)

    assert isinstance(result, Malformed)
    assert reason in result.reason


@pytest.mark.parametrize("name", SYNTAXES)
def test_random_text_never_raises(name: str) -> None:
    """A thousand random texts of the characters that syntaxes use are parsed without an error."""
    syntax = SYNTAXES[name](VERBS, TEMPLATES)
    rng = np.random.default_rng(0)
    alphabet = list("\"'\\{}[](),: \n\x00" + string.ascii_lowercase[:6] + "é1")
    texts = ("".join(rng.choice(alphabet, size=rng.integers(30))) for _ in range(1000))

    assert all(isinstance(syntax.read(text, COMMANDS), Malformed | Command) for text in texts)


def test_the_template_with_most_words_is_meant() -> None:
    """A text that fits `look at {x}` and `look {x}` is parsed as the first."""
    verbs = (Verb("look", "look {way}"), Verb("examine", "look at {thing}"))
    syntax = SYNTAXES["native"](verbs, {verb.name: verb.template for verb in verbs})

    assert syntax.read("LOOK  at mug", ()) == Command("examine", ("mug",))
