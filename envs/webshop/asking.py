"""How customers ask for a product of our shop: many wordings of one wish."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agentgym_gen.envs.webshop.draws import FastRandom
from agentgym_gen.envs.webshop.goals import Goal, option_text, price_limit, price_text
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.stock import ProductKind, load_vocabulary
from agentgym_gen.seeding import stream

REQUESTS_PER_PRODUCT = 3
"""How many wordings of a request each product has, with other attributes each."""

SELECTIONS_PER_REQUEST = 3
"""How many sets of options each request is made with."""

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
"""How customers name the value of an option."""

_FALLBACK_PHRASES = ("with {name} {value}", "and the {name} should be {value}")

_MASS_NOUNS = frozenset(
    [
        *("coffee", "blend", "tea", "fruit", "mango", "powder", "creamer", "sauce", "jerky"),
        *("chocolate", "mix", "color", "sleepwear", "bedding", "polish", "beads"),
    ]
)
"""Last words of names that take no article."""

_PLURAL = {"that is": "that are", "that has": "that have", "that comes": "that come"}
_PLURAL |= {"that works": "that work"}
_SINGULAR = re.compile(rf"(?:{'|'.join(_PLURAL)})\b")


def generate_goals(product: Product) -> list[Goal]:
    """Return the goals that *product* meets, drawn from its own stream."""
    draws = FastRandom(stream("webshop", "goals", product.asin))
    kind = next(kind for kind in load_vocabulary().kinds if kind.path == product.path)
    limit = price_limit(product.price, product.asin)
    goals: dict[tuple[object, ...], Goal] = {}
    for _ in range(REQUESTS_PER_PRODUCT):
        attributes = tuple(draws.sample(product.attributes, 1 + draws.randrange(3)))
        request = _request(kind, attributes, draws)
        for options in _option_sets(product, draws):
            said = request + _options_text(options, draws) + price_text(limit)
            goal = Goal(product.asin, request, said, attributes, options, limit)
            goals.setdefault((frozenset(attributes), options), goal)
    return list(goals.values())


def _option_sets(product: Product, draws: FastRandom) -> Iterator[tuple[tuple[str, str], ...]]:
    for _ in range(SELECTIONS_PER_REQUEST):
        names = draws.sample_in_order(tuple(product.options), draws.randrange(len(product.options) + 1))
        yield tuple((name, draws.choice(product.options[name])) for name in names)


def _request(kind: ProductKind, attributes: tuple[str, ...], draws: FastRandom) -> str:
    before: list[str] = []
    after: list[str] = []
    for attribute in attributes:
        adjective, tail = load_vocabulary().phrases[attribute]
        if adjective and len(before) < 2 and draws.chance(0.6):
            before.append(adjective)
        else:
            after.append(tail)
    who = [draws.choice(kind.audiences)] if kind.audiences and draws.chance(0.3) else []
    name = draws.choice(kind.all_names)
    thing = _with_article(" ".join([*before, *who, name]), draws)
    tail = "".join(f" {phrase}" for phrase in _enumerate_phrases(after))
    if _is_plural(name):
        tail = _SINGULAR.sub(lambda found: _PLURAL[found[0]], tail)
    return draws.choice(REQUEST_TEMPLATES).format(thing=thing, tail=tail, use=draws.choice(kind.uses))


def _with_article(thing: str, draws: FastRandom) -> str:
    if _is_plural(thing) or thing.split()[-1] in _MASS_NOUNS:
        return f"{draws.choice(('some ', 'some ', ''))}{thing}"
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def _is_plural(thing: str) -> bool:
    return thing.endswith("s") and not thing.endswith("ss")


def _enumerate_phrases(phrases: list[str]) -> list[str]:
    """Return *phrases* so that they can follow one another."""
    if len(phrases) < 2:
        return phrases
    *first, last = phrases
    return [*first, last if last.startswith("and ") else f"and {last}"]


def _options_text(options: tuple[tuple[str, str], ...], draws: FastRandom) -> str:
    if not options:
        return ""
    if draws.chance(0.25):
        return option_text(options)
    said = []
    for name, value in options:
        pattern = draws.choice(_OPTION_PHRASES.get(name, _FALLBACK_PHRASES))
        said.append(pattern.format(value, name=name, value=value))
    return ", " + ", ".join(said)
