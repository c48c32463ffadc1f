"""JSON as models write it."""

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


@pytest.mark.parametrize("how", SLOPPY)
def test_the_lenient_mode_reads_what_models_write(how: str) -> None:
    """And the strict one refuses it."""
    said = SLOPPY[how]

    assert LenientJsonSyntax(VERBS, TEMPLATES).read(said) == GO
    assert isinstance(JsonSyntax(VERBS, TEMPLATES).read(said), Malformed)


@pytest.mark.parametrize(
    ("said", "reason"),
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
def test_it_does_not_guess(said: str, reason: str) -> None:
    """Two actions are none, and keys, actions and arguments are as strict as ever."""
    read = LenientJsonSyntax(VERBS, TEMPLATES).read(said)

    assert isinstance(read, Malformed)
    assert reason in read.reason


def test_what_stands_inside_an_object_is_no_other_object() -> None:
    """The outer one counts."""
    assert objects_in('x {"a": {"b": 1}} y') == [{"a": {"b": 1}}]
    assert objects_in('{"a": {}}{"c": 2}') == [{"a": {}}, {"c": 2}]


def test_the_reason_is_in_the_observation() -> None:
    """As with the strict mode."""
    env = TextEnv("toy_world:CorridorWorld", interface="lenientjson")
    env.reset(seed=0)

    assert env.step("wait")[0].endswith("(Not understood: it has no JSON objects instead of one.)")
    assert env.step("Well: {'action': 'wait', 'arguments': {}}")[4]["valid_action"]
