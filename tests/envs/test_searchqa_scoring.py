"""SearchQA: the scores of an answer, case by case."""

import pytest

from agentgym_gen.envs.searchqa.reward import exact_match, f1, normalize, score, sub_exact_match

NORMALIZED = [
    ("Paris", "paris"),
    ("  Paris \n", "paris"),
    ("The Beatles", "beatles"),
    ("the the", ""),
    ("A", ""),
    ("an apple a day", "apple day"),
    ("theatre", "theatre"),
    ("Anna", "anna"),
    ("rock-n-roll", "rocknroll"),
    ("U.S.A.", "usa"),
    ("1,285,220", "1285220"),
    ("3.14", "314"),
    ("-5", "5"),
    ("$100", "100"),
    ("50%", "50"),
    ("O'Brien", "obrien"),
    ("O\u2019Brien", "obrien"),
    ("\u201cquoted\u201d", "quoted"),
    ("\u00abquoted\u00bb", "quoted"),
    ("Sa\u0303o Paulo", "s\u00e3o paulo"),
    ("M\u014dri\u02bbi", "m\u014dri\u02bbi"),
    ('"quoted"', "quoted"),
    ("new\tline\nhere", "new line here"),
    ("S\u00e3o Paulo", "s\u00e3o paulo"),
    ("a-ha", "aha"),
    ("a/b", "ab"),
    ("A. A. Milne", "milne"),
    ("", ""),
    ("...", ""),
]
"""Texts and their normal form: lower case, no punctuation, no articles, one space, in NFC."""

# prediction, golds, EM, substring EM, F1
SCORES = [
    ("Paris", ["Paris"], 1, 1, 1.0),
    ("paris.", ["Paris"], 1, 1, 1.0),
    ("the Congo", ["Congo"], 1, 1, 1.0),
    ("Congo", ["The Congo"], 1, 1, 1.0),
    ("Lima, Peru", ["Lima"], 0, 1, 2 / 3),
    ("Lima", ["Lima, Peru"], 0, 0, 2 / 3),
    ("It is Lima", ["Lima"], 0, 1, 0.5),
    ("Quito", ["Lima"], 0, 0, 0.0),
    ("", ["Lima"], 0, 0, 0.0),
    ("the", ["Lima"], 0, 0, 0.0),
    ("the", ["a"], 0, 0, 0.0),
    ("1285220", ["1,285,220"], 1, 1, 1.0),
    ("1,285,220 square kilometres", ["1,285,220"], 0, 1, 0.5),
    ("1879", ["1878"], 0, 0, 0.0),
    ("Canidae", ["family Canidae", "Canidae"], 1, 1, 1.0),
    ("dog family", ["Canidae", "dog family"], 1, 1, 1.0),
    ("family", ["Canidae", "dog family"], 0, 0, 2 / 3),
    ("Lima or Quito or Paris", ["Quito"], 0, 1, 1 / 3),
    ("George III", ["King George the Third"], 0, 0, 2 / 5),
    ("Mumbai Mumbai", ["Mumbai"], 0, 1, 2 / 3),
    ("Mumbai", ["Mumbai Mumbai"], 0, 0, 2 / 3),
    ("b c", ["c b"], 0, 0, 1.0),
    ("yes", ["yes"], 1, 1, 1.0),
    ("Yes!", ["yes"], 1, 1, 1.0),
    ("yes it is", ["yes"], 0, 1, 0.0),
    ("no", ["yes"], 0, 0, 0.0),
    ("no", ["no way"], 0, 0, 0.0),
    ("noanswer", ["Lima"], 0, 0, 0.0),
    ("Norway", ["no"], 0, 1, 0.0),
    ("rocknroll", ["rock-n-roll"], 1, 1, 1.0),
    ("rock n roll", ["rock-n-roll"], 0, 0, 0.0),
    ("S\u00e3o Paulo", ["Sao Paulo"], 0, 0, 0.5),
    ("OBrien", ["O'Brien"], 1, 1, 1.0),
    ("O\u2019Brien", ["O'Brien"], 1, 1, 1.0),
    ("\u201cLima\u201d", ['"Lima"'], 1, 1, 1.0),
    ("Sa\u0303o Paulo", ["S\u00e3o Paulo"], 1, 1, 1.0),
    ("the  THE", ["The The"], 1, 0, 0.0),
    ("the", ["The The"], 0, 0, 0.0),
    ("", ["A"], 0, 0, 0.0),
    ("the", ["A"], 0, 0, 0.0),
    ("!!!", ["!!!"], 1, 0, 0.0),
    ("</answer>Lima", ["Lima"], 0, 1, 0.0),
    ("Lima<answer>Lima", ["Lima"], 0, 1, 0.0),
    ("Los Angeles, California", ["Los Angeles"], 0, 1, 0.8),
    ("the city of New York", ["New York City"], 0, 0, 6 / 7),
]
"""Worked by hand from FlashRAG's definitions, which Search-R1 and AgentGym use."""


def test_there_are_sixty_cases() -> None:
    """There are at least sixty cases."""
    assert len(NORMALIZED) + len(SCORES) >= 60


@pytest.mark.parametrize(("text", "expected"), NORMALIZED)
def test_normal_form(text: str, expected: str) -> None:
    """Punctuation is deleted, then articles are, then white space is joined."""
    assert normalize(text) == expected


@pytest.mark.parametrize(("prediction", "golds", "em", "sub_em", "expected"), SCORES)
def test_scores(
    prediction: str, golds: list[str], em: float, sub_em: float, expected: float
) -> None:
    """Exact match, substring match and F1 are those worked out by hand."""
    assert exact_match(prediction, golds) == em
    assert sub_exact_match(prediction, golds) == sub_em
    assert f1(prediction, golds) == pytest.approx(expected)


def test_a_score_is_one_on_success_only() -> None:
    """All hops without the answer score less than 1, and success needs no hops."""
    assert [score(hops_found, 3, success=False) for hops_found in range(4)] == [
        0.0,
        0.25,
        0.5,
        0.75,
    ]
    assert score(0, 3, success=True) == 1.0
    assert score(0, 0, success=False) == 0.0
