"""The vocabulary of the shop that comes with the package: our own words, no real product."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from agentgym_gen.envs.webshop.products import PATH_SEPARATOR


@dataclass(frozen=True)
class ProductKind:
    """A kind of product."""

    name: str
    """What it is called: ``hiking boots``."""
    other_names: tuple[str, ...]
    """What else it is called."""
    department: str
    """Its category, by one of the names in the original's files."""
    path: str
    """Its departments, from the widest to the narrowest, parted by `PATH_SEPARATOR`."""
    price: tuple[float, float]
    """The lowest and the highest price in dollars."""
    options: Mapping[str, tuple[str, ...]]
    """The values that each of its options may have."""
    traits: tuple[str, ...]
    """The attributes that it may have: ``machine washable``."""
    materials: tuple[str, ...]
    uses: tuple[str, ...]
    """What it is used for."""
    audiences: tuple[str, ...]
    """For whom it may be made, ``women's``; empty where that makes no difference."""
    closing: tuple[str, ...]
    """Sentences that end a description in its department."""

    @property
    def all_names(self) -> tuple[str, ...]:
        """The name and the other names."""
        return (self.name, *self.other_names)


@dataclass(frozen=True)
class Vocabulary:
    """The words of which products and requests are made."""

    kinds: tuple[ProductKind, ...]
    points: Mapping[str, tuple[str, ...]]
    """The sentences for a features page, by trait."""
    phrases: Mapping[str, tuple[str, str]]
    """How a customer says a trait: before the product's name, which may be empty, and after it."""
    brands: Mapping[str, tuple[str, ...]]
    """The parts of brand names: first, second, tail."""


@cache
def load_vocabulary() -> Vocabulary:
    """Return the vocabulary, read once a process."""
    path = files("agentgym_gen.envs.webshop").joinpath("data/stock.json")
    raw = json.loads(path.read_text(encoding="utf-8"))
    kinds = tuple(
        _kind(kind, department, raw["values"])
        for department in raw["departments"]
        for kind in department["types"]
    )
    points = {trait: tuple(sentences) for trait, sentences in raw["traits"].items()}
    phrases = {trait: (trait, f"that is {trait}") for trait in points}
    phrases |= {trait: tuple(pair) for trait, pair in raw["phrases"].items()}
    brands = {part: tuple(words) for part, words in raw["brands"].items()}
    return Vocabulary(kinds, points, phrases, brands)


def _kind(
    kind: Mapping[str, Any], department: Mapping[str, Any], values: Mapping[str, Any]
) -> ProductKind:
    return ProductKind(
        name=kind["name"],
        other_names=tuple(kind["also"]),
        department=department["category"],
        path=f"{department['path']} {PATH_SEPARATOR} {kind['path']}",
        price=(float(kind["price"][0]), float(kind["price"][1])),
        options={name: tuple(values[group]) for name, group in kind["options"].items()},
        traits=tuple(kind["traits"]),
        materials=tuple(kind["materials"]),
        uses=tuple(kind["uses"]),
        audiences=tuple(kind["who"]),
        closing=tuple(department["closing"]),
    )
