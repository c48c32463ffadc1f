"""Verbs whose argument is any text."""

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
    """Through every interface, the menu and renamed things included."""
    check_world("riddle_world:RiddleWorld", tasks_per_split=1)


def test_an_open_verb_is_listed_by_its_usage() -> None:
    """With angle brackets where the template has square ones."""
    env = TextEnv("riddle_world:RiddleWorld")
    _, info = env.reset(seed=0)

    assert info["admissible_actions"] == ["ask[<your question>]", "wait"]


def test_any_argument_of_an_open_verb_is_allowed_while_its_usage_is() -> None:
    """And none before."""
    env = TextEnv("riddle_world:RiddleWorld")
    env.reset(seed=0)
    before = env.world.allows(Command("tell", ("7",)))
    env.step("ask[me]")

    assert (before, env.world.allows(Command("tell", ("7",)))) == (False, True)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("1 red shoes, size 7", Command("ask", ("red shoes, size 7",))),
        (" 2  x ", Command("tell", ("x",))),
        ("3", Command("wait")),
    ],
)
def test_a_menu_takes_the_text_after_the_number(said: str, meant: Command) -> None:
    """Only white space around the text is lost."""
    assert menu().read(said, LIST) == meant


@pytest.mark.parametrize("said", ["1", "1 ", "3 x", "4 x", "x 1"])
def test_a_menu_refuses_a_number_without_its_text_and_a_text_too_many(said: str) -> None:
    """The text belongs to open verbs, and to each of them."""
    assert isinstance(menu().read(said, LIST), Malformed)


def test_the_menu_lists_what_can_be_said() -> None:
    """The number and the hint of an open verb; the number of any other."""
    env = TextEnv("riddle_world:RiddleWorld", interface="menu")
    _, info = env.reset(seed=0)

    assert info["admissible_actions"] == ["1 <your question>", "2"]


def test_symbols_keep_the_markup_of_a_template() -> None:
    """Only the phrase becomes a word."""
    made = templates(RiddleWorld.verbs, "symbols", TaskId("riddle", "easy", "test", "1"))
    ask, tell = phrase_of(made["ask"]), phrase_of(made["tell"])

    assert made["ask"] == ask + "[{words}]"
    assert made["tell"] == f"<{tell}>{{number}}</{tell}>"
    assert "ask" not in ask


def test_an_open_verb_has_one_slot() -> None:
    """More could not follow a number."""
    with pytest.raises(InvalidValueError, match="one slot"):
        Verb("ask", "ask {a} of {b}", open=True)
