"""The lenient JSON syntax: JSON as models write it."""

import pytest

from agentgym_gen import Command, Malformed, TextEnv, Verb
from agentgym_gen.interface.syntax import JsonSyntax, LenientJsonSyntax
from agentgym_gen.interface.syntax.lenient import objects_in

VERBS = (Verb("go_to", "go to {place}"), Verb("look", "look"))
TEMPLATES = {verb.name: verb.template for verb in VERBS}
GO = Command("go_to", ("joe's desk",))

SLOPPY = {
    "a code fence": '```json\n{"action": "go to", "arguments": {"place": "joe\'s desk"}}\n```',
    "single quotes": "{'action': 'go to', 'arguments': {'place': 'joe\\'s desk'}}",
    "mixed quotes": "{'action': 'go to', 'arguments': {'place': \"joe's desk\"}}",
    "text around it": 'I\'ll {go}: {"action": "go to", "arguments": {"place": "joe\'s desk"}} OK?',
    "all of it": "Let's\n```\n{'action': 'go to', 'arguments': {'place': \"joe's desk\"}}\n```!",
}


@pytest.mark.parametrize("style", SLOPPY)
def test_the_lenient_syntax_parses_what_models_write(style: str) -> None:
    """The lenient syntax parses sloppy JSON, which is malformed in the strict one."""
    text = SLOPPY[style]

    assert LenientJsonSyntax(VERBS, TEMPLATES).read(text) == GO
    assert isinstance(JsonSyntax(VERBS, TEMPLATES).read(text), Malformed)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("look", "it has no JSON objects instead of one"),
        ('{"action": "look"', "it has no JSON objects instead of one"),
        ('{"action": "look", "arguments": {}} {"action": "look", "arguments": {}}', "has 2 JSON"),
        ('```{"action": "look"}```', 'exactly the fields "action" and "arguments"'),
        ("{'action': 'fly', 'arguments': {}}", "none of the known actions"),
        ("{'action': 'go to', 'arguments': {'place': 1}}", "every argument is a text"),
        ('{"a": ' * 1300, "it has no JSON objects instead of one"),
    ],
)
def test_it_does_not_guess(text: str, reason: str) -> None:
    """Two actions at once are malformed, and so are wrong keys, actions and arguments."""
    result = LenientJsonSyntax(VERBS, TEMPLATES).read(text)

    assert isinstance(result, Malformed)
    assert reason in result.reason


def test_an_object_inside_an_object_is_not_counted() -> None:
    """Only the outermost objects of a text are found."""
    assert objects_in('x {"a": {"b": 1}} y') == [{"a": {"b": 1}}]
    assert objects_in('{"a": {}}{"c": 2}') == [{"a": {}}, {"c": 2}]


def test_the_reason_is_in_the_observation() -> None:
    """The answer to a text without JSON says so, and JSON inside a sentence is valid."""
    env = TextEnv("toy_world:CorridorWorld", interface="lenientjson")
    env.reset(seed=0)

    assert env.step("wait")[0].endswith("(Not understood: it has no JSON objects instead of one.)")
    assert env.step("Well: {'action': 'wait', 'arguments': {}}")[4]["valid_action"]
