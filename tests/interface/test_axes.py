"""The axes of an interface: its text, its presets and its checks."""

import pytest

from agentgym_gen import Interface
from agentgym_gen.errors import InvalidValueError, UnknownNameError
from agentgym_gen.interface import AXES, PRESETS


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_prints_as_its_name(preset: str) -> None:
    """An interface that is a preset prints as the preset's name."""
    assert str(Interface.parse(preset)) == preset


def test_presets_join_with_a_plus() -> None:
    """Presets joined with a plus set an axis each."""
    interface = Interface.parse("synonyms+json")

    assert interface == Interface(wording="synonyms", syntax="json")
    assert Interface.parse(str(interface)) == interface


def test_a_mapping_and_the_value_itself_are_accepted() -> None:
    """`Interface.parse` accepts a mapping, as `gymnasium.make` passes it, and an interface."""
    assert Interface.parse({"distractors": 2}) == Interface(distractors=2)
    assert Interface.parse(Interface(distractors=2)) == Interface(distractors=2)


@pytest.mark.parametrize(
    ("interface", "text"),
    [
        (Interface(distractors=2), "distractors=2"),
        (Interface(wording="symbols", vocabulary=2), "symbols+vocabulary=2"),
        (Interface(distractors="recipe"), "distractors=recipe"),
        (Interface(distractors="recipe", distractor_chance=0.5), "cluttered"),
        (Interface(distractors=3, distractor_chance=0.5), "distracted+distractor_chance=0.5"),
        (Interface(), "native"),
    ],
)
def test_every_interface_has_a_text_that_reads_back(interface: Interface, text: str) -> None:
    """The text has presets where there are any, and the other axes with their values."""
    assert str(interface) == text
    assert Interface.parse(text) == interface


@pytest.mark.parametrize("axis", AXES)
def test_an_unknown_value_of_an_axis_is_named(axis: str) -> None:
    """An unknown value is an error that names the axis."""
    with pytest.raises(UnknownNameError, match=f"interface axis `{axis}`: 'jsn'"):
        Interface(**{axis: "jsn"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("synonims", "Unknown interface 'synonims'; did you mean 'synonyms'"),
        ("json+call", "sets `syntax` to both 'json' and 'call'"),
        ({"wrding": "native"}, "Unknown interface axis 'wrding'; did you mean 'wording'"),
        ({"distractors": -1}, "`distractors` is 0 to 32, or 'recipe', not -1"),
        ({"distractors": True}, "`distractors` is a whole number, or 'recipe', not True"),
        ({"vocabulary": 4}, "`vocabulary` is 0 to 3, not 4"),
        ("distractor_chance=1.5", "`distractor_chance` is a number from 0 to 1, not 1.5"),
        ("distractor_chance=nan", "`distractor_chance` is a number from 0 to 1, not 'nan'"),
        ("symbols+wordin=native", "Unknown interface axis 'wordin'; did you mean 'wording'"),
        (7, "`interface` is an Interface, a preset name or a mapping, not 7"),
    ],
)
def test_a_wrong_spec_is_one_clear_error(spec: object, message: str) -> None:
    """The error says what is wrong with which value."""
    with pytest.raises(InvalidValueError) as error:
        Interface.parse(spec)  # type: ignore[arg-type]

    assert message in str(error.value)


def test_replace_changes_a_copy() -> None:
    """`Interface.replace` returns a changed copy and leaves the original alone."""
    native = Interface()

    assert native.replace(syntax="call").syntax == "call"
    assert native.syntax == "native"
