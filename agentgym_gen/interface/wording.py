"""The words of the verbs: native, synonyms, or symbols without a meaning (PIPE, arXiv 2602.01611).

A renamed verb's old name is refused, because only the new templates are read.
"""

from __future__ import annotations

import numpy as np

from agentgym_gen.task import TaskId
from agentgym_gen.world import Verb, phrase_of

CONSONANTS = "bdfgklmnprstvz"
VOWELS = "aeiou"


def templates(verbs: tuple[Verb, ...], wording: str, task_id: TaskId) -> dict[str, str]:
    """Return the template of every verb, by the verb's name.

    Args:
        verbs: The action schema.
        wording: ``native``, ``synonyms`` or ``symbols``.
        task_id: The task, from whose own stream synonyms and symbols are drawn.
    """
    if wording == "native":
        return {verb.name: verb.template for verb in verbs}
    rng = task_id.stream("wording")
    if wording == "synonyms":
        return {verb.name: _synonym(verb, rng) for verb in verbs}
    taken = {phrase_of(verb.template) for verb in verbs}
    return {verb.name: _symbol_template(verb, taken, rng) for verb in verbs}


def _synonym(verb: Verb, rng: np.random.Generator) -> str:
    if not verb.synonyms:
        return verb.template
    return verb.synonyms[int(rng.integers(len(verb.synonyms)))]


def _symbol_template(verb: Verb, taken: set[str], rng: np.random.Generator) -> str:
    slots = " ; ".join("{" + slot + "}" for slot in verb.slots)
    return f"{pseudo_word(rng, taken, syllables=2)} {slots}".strip()


def pseudo_word(rng: np.random.Generator, taken: set[str], syllables: int) -> str:
    """Return a pronounceable word of no language that is not in *taken*, and add it there.

    >>> import numpy as np
    >>> pseudo_word(np.random.default_rng(0), set(), syllables=2)
    'rizi'
    """
    while True:
        letters = [
            alphabet[int(rng.integers(len(alphabet)))]
            for _ in range(syllables)
            for alphabet in (CONSONANTS, VOWELS)
        ]
        word = "".join(letters)
        if word not in taken:
            taken.add(word)
            return word
