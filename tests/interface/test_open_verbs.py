"""Open verbs: verbs whose argument is any text."""

import pytest
from riddle_world import RiddleWorld

from agentgym_gen import Command, Malformed, TextEnv, Verb
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.interface.syntax import MenuSyntax
from agentgym_gen.interface.wording import templates
from agentgym_gen.testing import check_world
from agentgym_gen.world import TaskId, phrase_of

ASK, TELL, WAIT = RiddleWorld.verbs
LIST = (ASK.usage, TELL.usage, Command("wait"))


def menu() -> MenuSyntax:
    """Return the menu syntax of the riddle."""
    return MenuSyntax(RiddleWorld.verbs, {verb.name: verb.template for verb in RiddleWorld.verbs})


def test_a_world_of_open_verbs_keeps_the_contract() -> None:
    """A world with open verbs passes every check of the contract."""
    check_world("riddle_world:RiddleWorld", tasks_per_split=1)


def test_an_open_verb_is_listed_by_its_usage() -> None:
    """An open verb is listed with a hint in angle brackets for its argument."""
    env = TextEnv("riddle_world:RiddleWorld")
    _, info = env.reset(seed=0)

    assert info["admissible_actions"] == ["ask[<your question>]", "wait"]


def test_any_argument_of_an_open_verb_is_allowed_while_its_usage_is() -> None:
    """A command of an open verb is allowed if and only if the verb's usage is admissible."""
    env = TextEnv("riddle_world:RiddleWorld")
    env.reset(seed=0)
    before = env.world.allows(Command("tell", ("7",)))
    env.step("ask[me]")

    assert (before, env.world.allows(Command("tell", ("7",)))) == (False, True)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("1 red shoes, size 7", Command("ask", ("red shoes, size 7",))),
        (" 2  x ", Command("tell", ("x",))),
        ("3", Command("wait")),
    ],
)
def test_a_menu_takes_the_text_after_the_number(text: str, command: Command) -> None:
    """The text after the number of an open verb is its argument, without white space around it."""
    assert menu().read(text, LIST) == command


@pytest.mark.parametrize("text", ["1", "1 ", "3 x", "4 x", "x 1"])
def test_a_menu_needs_a_text_after_open_verbs_only(text: str) -> None:
    """A number of an open verb without a text is malformed, and any other number with one."""
    assert isinstance(menu().read(text, LIST), Malformed)


def test_the_menu_lists_numbers_and_hints() -> None:
    """The menu's admissible actions are a number and a hint for open verbs, else a number."""
    env = TextEnv("riddle_world:RiddleWorld", interface="menu")
    _, info = env.reset(seed=0)

    assert info["admissible_actions"] == ["1 <your question>", "2"]


def test_symbols_keep_the_markup_of_a_template() -> None:
    """The symbols wording replaces the phrase of a template and keeps brackets and tags."""
    symbols = templates(RiddleWorld.verbs, "symbols", TaskId("riddle", "easy", "test", "1"))
    ask, tell = phrase_of(symbols["ask"]), phrase_of(symbols["tell"])

    assert symbols["ask"] == ask + "[{words}]"
    assert symbols["tell"] == f"<{tell}>{{number}}</{tell}>"
    assert "ask" not in ask


def test_an_open_verb_has_one_slot() -> None:
    """An open verb with two slots is an error: a menu's number is followed by one text."""
    with pytest.raises(InvalidValueError, match="one slot"):
        Verb("ask", "ask {a} of {b}", open=True)
