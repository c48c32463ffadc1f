"""The wording of the verbs: sampled for a task, or a fixed vocabulary."""

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
def test_words_are_sampled_for_every_task(wording: str) -> None:
    """A task always has the same words; 40 tasks have 40 pairs of symbols, or 9 of synonyms."""
    words = [tuple(templates(VERBS, wording, task).values()) for task in TASKS]

    assert words == [tuple(templates(VERBS, wording, task).values()) for task in TASKS]
    assert len(set(words)) == (9 if wording == "synonyms" else 40)


def test_a_fixed_vocabulary_of_synonyms_is_a_column_of_the_table() -> None:
    """Vocabulary n has the n-th synonym of each verb, in every task."""
    vocabularies = [templates(VERBS, "synonyms", TASKS[0], number) for number in (1, 2, 3)]

    assert [vocabulary["go"] for vocabulary in vocabularies] == list(VERBS[0].synonyms)
    assert [vocabulary["wait"] for vocabulary in vocabularies] == ["rest", "idle", "linger"]
    assert vocabularies[0] == templates(VERBS, "synonyms", TASKS[1], 1)


def test_a_fixed_vocabulary_of_symbols_belongs_to_the_environment() -> None:
    """A vocabulary's symbols are the same in every task of an environment, and only there."""
    vocabulary = templates(VERBS, "symbols", TASKS[0], 1)
    elsewhere = TaskId("other", "easy", "train", "0")

    assert vocabulary == templates(VERBS, "symbols", TaskId("toy", "hard", "test", "9"), 1)
    assert vocabulary not in (
        templates(VERBS, "symbols", TASKS[0], 2),
        templates(VERBS, "symbols", elsewhere, 1),
    )


@pytest.mark.parametrize("name", [environment.name for environment in BUNDLED])
def test_every_bundled_verb_has_synonyms_for_every_vocabulary(name: str) -> None:
    """A verb has at least two synonyms, and in each vocabulary no two verbs have one phrase."""
    verbs = make_text_env(f"rftgen/{name}-v0", "train").world.verbs

    assert [verb.name for verb in verbs if len(verb.synonyms) < 2] == []
    for vocabulary in (1, 2, 3):
        phrases = [
            phrase_of(t) for t in templates(verbs, "synonyms", TASKS[0], vocabulary).values()
        ]
        assert len(set(phrases)) == len(phrases)
