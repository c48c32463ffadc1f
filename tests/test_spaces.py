"""The space of texts."""

import pytest

from agentgym_gen.env.spaces import Unicode


@pytest.mark.parametrize("text", ["", "é 漢字 😀", "\x00\n", "a" * 10])
def test_any_text_of_fitting_length_is_contained(text: str) -> None:
    """No character is excluded."""
    assert text in Unicode(10)


@pytest.mark.parametrize("value", ["a" * 11, 3, None, b"abc"])
def test_longer_texts_and_other_types_are_not(value: object) -> None:
    """Length and type are all that counts."""
    assert value not in Unicode(10)


def test_a_long_text_is_cut_with_a_visible_mark() -> None:
    """The cut text has exactly the greatest length."""
    cut = Unicode(20).clip("x" * 21)

    assert cut == "x" * 11 + "... [cut]"
    assert len(cut) == 20


def test_samples_are_contained_and_seeded() -> None:
    """Two spaces with one seed draw the same texts."""
    one, two = Unicode(50, seed=3), Unicode(50, seed=3)
    drawn = [one.sample() for _ in range(20)]

    assert drawn == [two.sample() for _ in range(20)]
    assert all(text in one for text in drawn)


def test_spaces_of_one_length_are_equal() -> None:
    """Equality and hash follow the length."""
    assert Unicode(5) == Unicode(5) != Unicode(6)
    assert hash(Unicode(5)) == hash(Unicode(5))
