"""Arguments that name a verb, such as a button that says "ask again"."""

import pytest
from button_world import AGAIN

from agentgym_gen import Command, TextEnv
from agentgym_gen.testing import check_world


def env(interface: str) -> TextEnv:
    """Return the riddle through *interface*, reset."""
    made = TextEnv("button_world:ButtonWorld", interface=interface)
    made.reset(seed=1)
    return made


def pressed(played: TextEnv, text: str) -> bool:
    """Return whether *text* presses the button."""
    observation, *_, info = played.step(text)
    return bool(info["valid_action"]) and observation.startswith("Pressed.")


def test_the_contract_holds() -> None:
    """No native verb is said where it has another name."""
    check_world("button_world:ButtonWorld", tasks_per_split=1)


@pytest.mark.parametrize("interface", ["native", "json", "call", "renamed", "listed"])
def test_a_label_is_as_it_was_where_verbs_are(interface: str) -> None:
    """Only wordings change it."""
    played = env(interface)

    assert "ask again" in played.write(AGAIN)
    assert pressed(played, played.write(AGAIN))


@pytest.mark.parametrize("interface", ["synonyms", "symbols+json", "symbols+call+renamed"])
def test_a_label_is_said_in_the_words_of_its_verb(interface: str) -> None:
    """And understood, in any case that the world takes."""
    played = env(interface)
    said = played.write(AGAIN)

    assert "ask" not in said
    assert pressed(played, said)
    assert pressed(played, said.replace(" again", " AGAIN"))


@pytest.mark.parametrize("interface", ["synonyms", "symbols", "synonyms+renamed"])
def test_the_old_label_is_refused(interface: str) -> None:
    """Like a renamed verb's old name."""
    played = env(interface)
    verb = played.write(Command("press", ("x",))).partition("[")[0]

    assert not pressed(played, f"{verb}[ask again]")
    assert not pressed(played, f"{verb}[Ask Again]")
