"""Words of three syllables that mean nothing, and are pronounced as they are written."""

from __future__ import annotations

import numpy as np

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
"""English words that the syllables could form; they are left out."""


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
