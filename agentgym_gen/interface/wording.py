"""The words of the verbs: native, synonyms, or symbols without a meaning (PIPE, arXiv 2602.01611).

A renamed verb's old name is refused, because only the new templates are parsed. Words are sampled
for every task, or belong to a fixed vocabulary of the environment, as PIPE's do.
"""

from __future__ import annotations

import numpy as np

from agentgym_gen.interface.renaming.pseudowords import pseudo_words
from agentgym_gen.seeding import stream
from agentgym_gen.world import TaskId, Verb, phrase_of


def words_stream(task_id: TaskId, purpose: str, vocabulary: int) -> np.random.Generator:
    """Return the stream that samples words: the task's own, or that of a fixed *vocabulary*."""
    if not vocabulary:
        return task_id.stream(purpose)
    return stream(task_id.env, "vocabulary", vocabulary, purpose)


def templates(
    verbs: tuple[Verb, ...], wording: str, task_id: TaskId, vocabulary: int = 0
) -> dict[str, str]:
    """Return the template of every verb, by the verb's name.

    Args:
        verbs: The action schema.
        wording: ``native``, ``synonyms`` or ``symbols``.
        task_id: The task, whose own stream samples synonyms and symbols.
        vocabulary: 0, or the number of a fixed vocabulary: it has the synonym in that place of each
            verb's table. Two vocabularies share none while the tables are long enough.
    """
    if wording == "native":
        return {verb.name: verb.template for verb in verbs}
    rng = words_stream(task_id, "wording", vocabulary)
    if wording == "synonyms":
        return {verb.name: _synonym(verb, rng, vocabulary) for verb in verbs}
    taken = {word for verb in verbs for word in phrase_of(verb.template).lower().split()}
    words = pseudo_words(rng, len(verbs), taken)
    return {
        verb.name: _symbol_template(verb, word) for verb, word in zip(verbs, words, strict=True)
    }


def _synonym(verb: Verb, rng: np.random.Generator, vocabulary: int) -> str:
    table = verb.synonyms or (verb.template,)
    place = vocabulary - 1 if vocabulary else int(rng.integers(len(table)))
    return table[place % len(table)]


def _symbol_template(verb: Verb, word: str) -> str:
    phrase = phrase_of(verb.template)
    if not verb.template.startswith(f"{phrase} ") and verb.slots:
        return verb.template.replace(phrase, word)  # markup stays: search[{keywords}]
    slots = " ; ".join("{" + slot + "}" for slot in verb.slots)
    return f"{word} {slots}".strip()
