"""The Gymnasium space of texts."""

import pytest

from agentgym_gen.env.spaces import Unicode


@pytest.mark.parametrize("text", ["", "é 漢字 😀", "\x00\n", "a" * 10])
def test_any_text_of_fitting_length_is_contained(text: str) -> None:
    """The space contains a text of any characters up to its length."""
    assert text in Unicode(10)


@pytest.mark.parametrize("value", ["a" * 11, 3, None, b"abc"])
def test_longer_texts_and_other_types_are_not(value: object) -> None:
    """The space does not contain a text that is too long, nor what is no text."""
    assert value not in Unicode(10)


def test_a_long_text_is_truncated_with_a_visible_mark() -> None:
    """A truncated text ends with a mark and has exactly the greatest length."""
    text = Unicode(20).clip("x" * 21)

    assert text == "x" * 11 + "... [cut]"
    assert len(text) == 20


def test_samples_are_contained_and_seeded() -> None:
    """Two spaces with one seed sample the same texts, which they contain."""
    first, second = Unicode(50, seed=3), Unicode(50, seed=3)
    texts = [first.sample() for _ in range(20)]

    assert texts == [second.sample() for _ in range(20)]
    assert all(text in first for text in texts)


def test_spaces_of_one_length_are_equal() -> None:
    """Spaces are equal, and have equal hashes, if their lengths are."""
    assert Unicode(5) == Unicode(5) != Unicode(6)
    assert hash(Unicode(5)) == hash(Unicode(5))
