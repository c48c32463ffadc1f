"""The words of the verbs: native, synonyms, or symbols without a meaning (PIPE, arXiv 2602.01611).

A renamed verb's old name is refused, because only the new templates are read.
"""

from __future__ import annotations

import numpy as np

from agentgym_gen.task import TaskId
from agentgym_gen.world import Verb, phrase_of

CONSONANTS = "bdfgklmnprstvz"
VOWELS = "aeiou"
SYLLABLES = tuple(consonant + vowel for consonant in CONSONANTS for vowel in VOWELS)

_ENGLISH = """
    banana batata before beside bodega bolero bonobo bovine damage debase debate debone defame
    define defuse delete delude deluge demise demote demure denote deride derive desire devise
    devote dilate dilute dinero disuse divide divine domino donate dosage famine fedora feline
    female femora fibula figure finale finite finito forage futile future galore gamete garage
    gazebo gelato genera genome kabuki karate kimono legate legato legume libido lupine manage
    manila manure marina marine mature medusa menage menora mimosa minima minute mobile module
    modulo morale motile motive mutate nagano native nature nebula negate nevada nodule notate
    novena nubile pagoda palate panama panini parade parole patina pelota peruse petite pinata
    pirate polite pomade pomelo potato radome rapine ravage ravine rebate rebuke refine refuge
    refuse refute regale regime relate relive remade remake remora remote remove rename repine
    repose repute resale reside resume retake retina retire revere revile revise revive revoke
    rezone rotate rubato safari salami saline salute samosa satire savage sedate senate senile
    senora sonata sudoku supine tamale tamari tatami tenure tibula tirade tomato torero vagina
    velure venire verite virago virile visage volume volute votive
    """

ENGLISH = frozenset(_ENGLISH.split())
"""English words that the syllables would make; they mean something."""


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
    taken = {word for verb in verbs for word in phrase_of(verb.template).lower().split()}
    words = pseudo_words(rng, len(verbs), taken)
    return {
        verb.name: _symbol_template(verb, word) for verb, word in zip(verbs, words, strict=True)
    }


def _synonym(verb: Verb, rng: np.random.Generator) -> str:
    if not verb.synonyms:
        return verb.template
    return verb.synonyms[int(rng.integers(len(verb.synonyms)))]


def _symbol_template(verb: Verb, word: str) -> str:
    phrase = phrase_of(verb.template)
    if not verb.template.startswith(f"{phrase} ") and verb.slots:
        return verb.template.replace(phrase, word)  # markup stays: search[{keywords}]
    slots = " ; ".join("{" + slot + "}" for slot in verb.slots)
    return f"{word} {slots}".strip()


def pseudo_words(rng: np.random.Generator, number: int, taken: set[str]) -> list[str]:
    """Return *number* different words of three syllables, neither English nor in *taken*.

    >>> import numpy as np
    >>> pseudo_words(np.random.default_rng(0), 2, {"oak"})
    ['tunobu', 'pupedi']
    """
    base = len(SYLLABLES)
    words: dict[str, None] = {}
    while len(words) < number:
        for place in rng.integers(base**3, size=number).tolist():
            first, rest = divmod(place, base**2)
            word = SYLLABLES[first] + SYLLABLES[rest // base] + SYLLABLES[rest % base]
            if word not in taken and word not in ENGLISH:
                words[word] = None
    return list(words)[:number]
