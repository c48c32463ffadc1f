"""How customers ask for a product of our shop: many wordings of one wish."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agentgym_gen.envs.webshop.draws import Draws
from agentgym_gen.envs.webshop.goals import Goal, option_text, price_limit, price_text
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.stock import Kind, stock
from agentgym_gen.seeding import stream

REQUESTS = 3
"""How many wordings of a request each product has, with other attributes each."""

CHOICES = 3
"""How many sets of options each request is made with."""

FRAMES = (
    "i am looking for {thing}{tail}",
    "i need {thing}{tail}",
    "looking for {thing}{tail}",
    "can you find me {thing}{tail}",
    "find me {thing}{tail}",
    "i would like to buy {thing}{tail}",
    "i'm shopping for {thing}{tail}. it is for {use}",
    "i want {thing}{tail}",
    "please help me get {thing}{tail}",
    "do you have {thing}{tail} for {use}",
    "i am in the market for {thing}{tail}",
    "for {use} i need {thing}{tail}",
    "get me {thing}{tail}",
    "show me {thing}{tail}, i want to use it for {use}",
    "my sister asked me for {thing}{tail}",
    "we are out of luck in the stores, so i need {thing}{tail}",
    "hi, i'd love {thing}{tail}",
    "i've been thinking about {thing}{tail}, mostly for {use}",
)

_CHOSEN = {
    "color": ("in {}", "in the color {}", "in {} color", "and the color should be {}"),
    "size": ("in size {}", "size {}", "in a size {}", "and the size should be {}"),
    "flavor": ("in {} flavor", "{} flavor", "the {} flavored one"),
    "scent": ("in the {} scent", "with {} scent", "that smells of {}"),
    "style": ("in the {} style", "and i'd like the {} style", "style {}"),
    "fit type": ("in {}", "with fit type {}"),
    "shape": ("in the shape {}", "{} in shape"),
}
"""How customers name the value of an option."""

_FALLBACK = ("with {name} {value}", "and the {name} should be {value}")

_MASS = frozenset(
    [
        *("coffee", "blend", "tea", "fruit", "mango", "powder", "creamer", "sauce", "jerky"),
        *("chocolate", "mix", "color", "sleepwear", "bedding", "polish", "beads"),
    ]
)
"""Last words of names that take no article."""

_PLURAL = {"that is": "that are", "that has": "that have", "that comes": "that come"}
_PLURAL |= {"that works": "that work"}
_SINGULAR = re.compile(rf"(?:{'|'.join(_PLURAL)})\b")


def goals_of(product: Product) -> list[Goal]:
    """Return the goals that *product* meets, drawn from its own stream."""
    draws = Draws(stream("webshop", "goals", product.asin))
    kind = next(kind for kind in stock().kinds if kind.path == product.path)
    limit = price_limit(product.price, product.asin)
    goals: dict[tuple[object, ...], Goal] = {}
    for _ in range(REQUESTS):
        attributes = tuple(draws.some(product.attributes, 1 + draws.below(3)))
        request = _request(kind, attributes, draws)
        for options in _option_sets(product, draws):
            said = request + _options_said(options, draws) + price_text(limit)
            goal = Goal(product.asin, request, said, attributes, options, limit)
            goals.setdefault((frozenset(attributes), options), goal)
    return list(goals.values())


def _option_sets(product: Product, draws: Draws) -> Iterator[tuple[tuple[str, str], ...]]:
    for _ in range(CHOICES):
        names = draws.kept(tuple(product.options), draws.below(len(product.options) + 1))
        yield tuple((name, draws.one(product.options[name])) for name in names)


def _request(kind: Kind, attributes: tuple[str, ...], draws: Draws) -> str:
    before: list[str] = []
    after: list[str] = []
    for attribute in attributes:
        adjective, tail = stock().phrases[attribute]
        if adjective and len(before) < 2 and draws.chance(0.6):
            before.append(adjective)
        else:
            after.append(tail)
    who = [draws.one(kind.who)] if kind.who and draws.chance(0.3) else []
    name = draws.one(kind.names)
    thing = _with_article(" ".join([*before, *who, name]), draws)
    tail = "".join(f" {phrase}" for phrase in _listed(after))
    if _is_plural(name):
        tail = _SINGULAR.sub(lambda found: _PLURAL[found[0]], tail)
    return draws.one(FRAMES).format(thing=thing, tail=tail, use=draws.one(kind.uses))


def _with_article(thing: str, draws: Draws) -> str:
    if _is_plural(thing) or thing.split()[-1] in _MASS:
        return f"{draws.one(('some ', 'some ', ''))}{thing}"
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def _is_plural(thing: str) -> bool:
    return thing.endswith("s") and not thing.endswith("ss")


def _listed(phrases: list[str]) -> list[str]:
    """Return *phrases* so that they can follow one another."""
    if len(phrases) < 2:
        return phrases
    *first, last = phrases
    return [*first, last if last.startswith("and ") else f"and {last}"]


def _options_said(options: tuple[tuple[str, str], ...], draws: Draws) -> str:
    if not options:
        return ""
    if draws.chance(0.25):
        return option_text(options)
    said = []
    for name, value in options:
        pattern = draws.one(_CHOSEN.get(name, _FALLBACK))
        said.append(pattern.format(value, name=name, value=value))
    return ", " + ", ".join(said)
