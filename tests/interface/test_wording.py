"""The words of the verbs: drawn for a task, or of a fixed vocabulary."""

import pytest

from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import BUNDLED
from agentgym_gen.interface.wording import templates
from agentgym_gen.world import TaskId, Verb, phrase_of

VERBS = (
    Verb("go", "go to {place}", (), ("walk to {place}", "head for {place}", "stroll to {place}")),
    Verb("wait", "wait", (), ("rest", "idle", "linger")),
)
TASKS = [TaskId("toy", "easy", "train", str(number)) for number in range(40)]


@pytest.mark.parametrize("wording", ["synonyms", "symbols"])
def test_words_are_drawn_for_every_task(wording: str) -> None:
    """The same for the same task, others for others."""
    drawn = [tuple(templates(VERBS, wording, task).values()) for task in TASKS]

    assert drawn == [tuple(templates(VERBS, wording, task).values()) for task in TASKS]
    assert len(set(drawn)) == (9 if wording == "synonyms" else 40)


def test_a_fixed_vocabulary_of_synonyms_is_a_column_of_the_table() -> None:
    """In every task; the three share no word."""
    fixed = [templates(VERBS, "synonyms", TASKS[0], number) for number in (1, 2, 3)]

    assert [one["go"] for one in fixed] == list(VERBS[0].synonyms)
    assert [one["wait"] for one in fixed] == ["rest", "idle", "linger"]
    assert fixed[0] == templates(VERBS, "synonyms", TASKS[1], 1)


def test_a_fixed_vocabulary_of_symbols_belongs_to_the_environment() -> None:
    """The same in every task, another with another number and in another environment."""
    one = templates(VERBS, "symbols", TASKS[0], 1)
    elsewhere = TaskId("other", "easy", "train", "0")

    assert one == templates(VERBS, "symbols", TaskId("toy", "hard", "test", "9"), 1)
    assert one not in (
        templates(VERBS, "symbols", TASKS[0], 2),
        templates(VERBS, "symbols", elsewhere, 1),
    )


@pytest.mark.parametrize("name", [environment.name for environment in BUNDLED])
def test_every_bundled_verb_has_synonyms_for_every_vocabulary(name: str) -> None:
    """At least two, and in each vocabulary all verbs have phrases of their own."""
    verbs = make_text_env(f"rftgen/{name}-v0", "train").world.verbs

    assert [verb.name for verb in verbs if len(verb.synonyms) < 2] == []
    for vocabulary in (1, 2, 3):
        phrases = [
            phrase_of(t) for t in templates(verbs, "synonyms", TASKS[0], vocabulary).values()
        ]
        assert len(set(phrases)) == len(phrases)
