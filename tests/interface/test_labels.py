"""Labels: arguments that name a verb, such as a button "ask again"."""

import pytest
from button_world import AGAIN

from agentgym_gen import Command, TextEnv
from agentgym_gen.testing import check_world


def start(interface: str) -> TextEnv:
    """Return the riddle through *interface*, reset."""
    env = TextEnv("button_world:ButtonWorld", interface=interface)
    env.reset(seed=1)
    return env


def presses(env: TextEnv, text: str) -> bool:
    """Return whether *text* presses the button."""
    observation, *_, info = env.step(text)
    return bool(info["valid_action"]) and observation.startswith("Pressed.")


def test_the_contract_holds() -> None:
    """A world with a label passes every check of the contract."""
    check_world("button_world:ButtonWorld", tasks_per_split=1)


@pytest.mark.parametrize("interface", ["native", "json", "call", "renamed", "listed"])
def test_a_label_is_unchanged_where_verbs_are(interface: str) -> None:
    """An interface with native wording does not change the label."""
    env = start(interface)

    assert "ask again" in env.write(AGAIN)
    assert presses(env, env.write(AGAIN))


@pytest.mark.parametrize("interface", ["synonyms", "symbols+json", "symbols+call+renamed"])
def test_a_label_is_renamed_with_its_verb(interface: str) -> None:
    """The label has its verb's new name, and is accepted in any case that the world accepts."""
    env = start(interface)
    action = env.write(AGAIN)

    assert "ask" not in action
    assert presses(env, action)
    assert presses(env, action.replace(" again", " AGAIN"))


@pytest.mark.parametrize("interface", ["synonyms", "symbols", "synonyms+renamed"])
def test_the_old_label_is_invalid(interface: str) -> None:
    """Where the verb is renamed, the label with its old name is invalid."""
    env = start(interface)
    verb = env.write(Command("press", ("x",))).partition("[")[0]

    assert not presses(env, f"{verb}[ask again]")
    assert not presses(env, f"{verb}[Ask Again]")
