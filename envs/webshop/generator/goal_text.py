"""The goals of our own shop: how customers ask for its products, in many wordings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agentgym_gen.envs.webshop.generator.fast_random import FastRandom
from agentgym_gen.envs.webshop.generator.vocabulary import ProductKind, load_vocabulary
from agentgym_gen.envs.webshop.goals import Goal, option_text, price_limit, price_text
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.seeding import stream

REQUESTS_PER_PRODUCT = 3
"""How many requests are made for a product, each with other attributes and another wording."""

SELECTIONS_PER_REQUEST = 3
"""How many selections of option values each request is combined with."""

REQUEST_TEMPLATES = (
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

_OPTION_PHRASES = {
    "color": ("in {}", "in the color {}", "in {} color", "and the color should be {}"),
    "size": ("in size {}", "size {}", "in a size {}", "and the size should be {}"),
    "flavor": ("in {} flavor", "{} flavor", "the {} flavored one"),
    "scent": ("in the {} scent", "with {} scent", "that smells of {}"),
    "style": ("in the {} style", "and i'd like the {} style", "style {}"),
    "fit type": ("in {}", "with fit type {}"),
    "shape": ("in the shape {}", "{} in shape"),
}
"""How customers name the value of an option, by the option's name."""

_FALLBACK_PHRASES = ("with {name} {value}", "and the {name} should be {value}")

_MASS_NOUNS = frozenset(
    [
        *("coffee", "blend", "tea", "fruit", "mango", "powder", "creamer", "sauce", "jerky"),
        *("chocolate", "mix", "color", "sleepwear", "bedding", "polish", "beads"),
    ]
)
"""Last words of product names that take no article: "tea", not "a tea"."""

_PLURAL = {"that is": "that are", "that has": "that have", "that comes": "that come"}
_PLURAL |= {"that works": "that work"}
_SINGULAR = re.compile(rf"(?:{'|'.join(_PLURAL)})\b")


def generate_goals(product: Product) -> list[Goal]:
    """Return the goals of *product*, drawn from a random stream of its own."""
    rng = FastRandom(stream("webshop", "goals", product.asin))
    kind = next(kind for kind in load_vocabulary().kinds if kind.path == product.path)
    limit = price_limit(product.price, product.asin)
    goals: dict[tuple[object, ...], Goal] = {}
    for _ in range(REQUESTS_PER_PRODUCT):
        attributes = tuple(rng.sample(product.attributes, 1 + rng.randrange(3)))
        request = _request(kind, attributes, rng)
        for options in _selections(product, rng):
            instruction = request + _options_text(options, rng) + price_text(limit)
            goal = Goal(product.asin, request, instruction, attributes, options, limit)
            goals.setdefault((frozenset(attributes), options), goal)
    return list(goals.values())


def _selections(product: Product, rng: FastRandom) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield choices of a value for some of the options of *product*."""
    for _ in range(SELECTIONS_PER_REQUEST):
        names = rng.sample_in_order(tuple(product.options), rng.randrange(len(product.options) + 1))
        yield tuple((name, rng.choice(product.options[name])) for name in names)


def _request(kind: ProductKind, attributes: tuple[str, ...], rng: FastRandom) -> str:
    """Return how a customer asks for a product of *kind* with *attributes*."""
    before: list[str] = []
    after: list[str] = []
    for attribute in attributes:
        adjective, tail = load_vocabulary().phrases[attribute]
        if adjective and len(before) < 2 and rng.chance(0.6):
            before.append(adjective)
        else:
            after.append(tail)
    audience = [rng.choice(kind.audiences)] if kind.audiences and rng.chance(0.3) else []
    name = rng.choice(kind.all_names)
    thing = _with_article(" ".join([*before, *audience, name]), rng)
    tail = "".join(f" {phrase}" for phrase in _enumerate_phrases(after))
    if _is_plural(name):
        tail = _SINGULAR.sub(lambda match: _PLURAL[match[0]], tail)
    return rng.choice(REQUEST_TEMPLATES).format(thing=thing, tail=tail, use=rng.choice(kind.uses))


def _with_article(thing: str, rng: FastRandom) -> str:
    if _is_plural(thing) or thing.split()[-1] in _MASS_NOUNS:
        return f"{rng.choice(('some ', 'some ', ''))}{thing}"
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def _is_plural(thing: str) -> bool:
    return thing.endswith("s") and not thing.endswith("ss")


def _enumerate_phrases(phrases: list[str]) -> list[str]:
    """Return *phrases* with "and" before the last, so that they can follow one another."""
    if len(phrases) < 2:
        return phrases
    *first, last = phrases
    return [*first, last if last.startswith("and ") else f"and {last}"]


def _options_text(options: tuple[tuple[str, str], ...], rng: FastRandom) -> str:
    if not options:
        return ""
    if rng.chance(0.25):
        return option_text(options)
    phrases = []
    for name, value in options:
        pattern = rng.choice(_OPTION_PHRASES.get(name, _FALLBACK_PHRASES))
        phrases.append(pattern.format(value, name=name, value=value))
    return ", " + ", ".join(phrases)
