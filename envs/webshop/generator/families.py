"""Products of our own, generated in families: a product and a few that look like it.

Each family has a random stream of its own, so the first products of a large shop are those of a
small one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agentgym_gen.envs.webshop.generator.fast_random import FastRandom
from agentgym_gen.envs.webshop.generator.vocabulary import ProductKind, load_vocabulary
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.seeding import stream

SERIES = (
    *("Classic", "Everyday", "Pro", "Lite", "Studio", "Plus", "Original", "Signature", "Essential"),
    *("No. 2", "No. 7", "II", "Mini", "Max", "Heritage", "Urban", "Nova", "Basic", "Select", "X1"),
)

TITLE_TEMPLATES = (
    "{brand} {who} {name}, {first} {second} {material}",
    "{brand} {first} {who} {name} for {use} - {second}, {third}",
    "{who} {name} by {brand}: {material}, {first}, {second}",
    "{brand} {who} {name} with {material}, {first} and {second}",
    "{first} {who} {name} - {brand} {series} {material} {other}",
    "{brand} {series} {who} {name} | {first} | {second} | {material}",
    "{brand} {series} {name}, {who} {first} {other} for {use} and {more}",
    "{who} {first} {second} {name}, {material} {other} from {brand}",
    "{name} {series}, {brand} {first} {who} {other}, {third}",
    "{brand} {who} {name} ({first}, {second})",
    "{brand} - {who} {name} in {material} - {first} {other}",
    "{who} {name} for {use}, {first}, {second}, {third}, {brand}",
)

OPENING_TEMPLATES = (
    "{brand} makes {other} for people who want {use} to be easy.",
    "Meet our {series} {name}: {material}, thought through to the last detail.",
    "We could not find the right {name} for {use}, so we made our own.",
    "At home in {use}, and not afraid of {more}.",
    "Why settle for less? {material} and a fair price.",
    "The {series} line is what {brand} is known for.",
    "From {use} to {more}: you will reach for our {name} again and again.",
    "You asked for a better choice of {other}. Here you are.",
    "{material}. Nothing more, nothing less.",
    "Ten years of {other}, and this is our best so far.",
)

POINT_TEMPLATES = (
    "Good for {use}, {more} and whatever comes next.",
    "Made with {material}, and you can tell.",
    "{brand} stands behind what it sells: write to us and a person answers.",
    "What is different: {material} where others save.",
    "A thoughtful gift. Think of {use}!",
    "Does not come with a manual, because you do not need one.",
)

SIBLING_COUNTS = (0, 0, 0, 0, 0, 1, 1, 1, 2, 3)
"""How many products look like the first of a family; one of these numbers is drawn evenly."""

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SPREAD = 1_580_030_169_431
"""A factor coprime to 36: multiplication by it modulo 36**8 gives each number another ASIN."""

_SMALL_WORDS = frozenset(("and", "by", "for", "from", "in", "of", "or", "the", "to", "with"))


def families(amount: int) -> Iterator[list[Product]]:
    """Yield the first *amount* products of our shop, those that look alike together."""
    total, number = 0, 0
    while total < amount:
        family = _family(number, total)[: amount - total]
        yield family
        total += len(family)
        number += 1


def _family(number: int, first: int) -> list[Product]:
    """Return the products of family *number*, the first of which has the number *first*."""
    rng = FastRandom(stream("webshop", "family", number))
    kind = rng.choice(load_vocabulary().kinds)
    product = _product(kind, rng, _asin(first))
    family = [product]
    for make_sibling in rng.sample(SIBLING_MAKERS, rng.choice(SIBLING_COUNTS)):
        family.append(make_sibling(product, rng, _asin(first + len(family))))
    return family


def _product(kind: ProductKind, rng: FastRandom, asin: str) -> Product:
    traits = rng.sample(kind.traits, 3 + rng.randrange(3))
    words = _words(kind, traits, rng)
    bullets = _bullets(traits, words, rng)
    return Product(
        asin=asin,
        title=_title(rng.choice(TITLE_TEMPLATES), words),
        description=_description(kind, words, bullets, rng),
        bullets=bullets,
        prices=_prices(kind, rng),
        options=_options(kind, rng),
        attributes=tuple(traits),
        category=kind.department,
        path=kind.path,
        query=kind.name,
    )


def _words(kind: ProductKind, traits: list[str], rng: FastRandom) -> dict[str, str]:
    """Return what stands for each placeholder of the templates in the texts of one product."""
    brands = load_vocabulary().brands
    brand = rng.choice(brands["first"]) + rng.choice(brands["second"])
    names = rng.sample(kind.all_names, 2)
    uses = rng.sample(kind.uses, 2)
    return {
        "brand": f"{brand} {rng.choice(brands['tail'])}".strip(),
        "series": rng.choice(SERIES),
        "who": rng.choice(kind.audiences) if kind.audiences else "",
        "name": names[0],
        "other": names[-1],
        "first": traits[0],
        "second": traits[1],
        "third": traits[2],
        "material": rng.choice(kind.materials),
        "use": uses[0],
        "more": uses[-1],
    }


def _title(pattern: str, words: dict[str, str]) -> str:
    title = " ".join(pattern.format(**words).split()).replace(" ,", ",")
    return " ".join(map(_capitalize, title.split()))


def _capitalize(word: str) -> str:
    if word in _SMALL_WORDS:
        return word
    return word[0] + word[1:2].upper() + word[2:] if word[0] == "(" else word[0].upper() + word[1:]


def _description(
    kind: ProductKind, words: dict[str, str], bullets: tuple[str, ...], rng: FastRandom
) -> str:
    opening = rng.choice(OPENING_TEMPLATES).format(**words)
    points = (
        point for trait in ("second", "third") for point in load_vocabulary().points[words[trait]]
    )
    unused = rng.sample([point for point in points if point not in bullets], 1)
    sentences = [opening, *unused, *rng.sample(kind.closing, 1 + rng.randrange(2))]
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)


def _bullets(traits: list[str], words: dict[str, str], rng: FastRandom) -> tuple[str, ...]:
    points = [rng.choice(load_vocabulary().points[trait]) for trait in traits]
    points += [rng.choice(POINT_TEMPLATES).format(**words)]
    return tuple(rng.sample(points, len(points)))


def _prices(kind: ProductKind, rng: FastRandom) -> tuple[float, ...]:
    low, high = kind.price
    if rng.chance(0.02):
        return ()
    price = _rounded(low * (high / low) ** rng.random(), rng)
    if rng.chance(0.08):
        return price, _rounded(price * (1.15 + 0.5 * rng.random()), rng)
    return (price,)


def _rounded(price: float, rng: FastRandom) -> float:
    return int(price) + rng.choice((0.99, 0.99, 0.95, 0.49, 0.0))


def _options(kind: ProductKind, rng: FastRandom) -> dict[str, tuple[str, ...]]:
    amount = len(kind.options) - rng.chance(0.12)  # one option less in 12 % of the products
    names = rng.sample_in_order(tuple(kind.options), amount)
    return {
        name: tuple(rng.sample_in_order(kind.options[name], 2 + rng.randrange(5))) for name in names
    }


def _with_fewer_values(product: Product, rng: FastRandom, asin: str) -> Product:
    """Return *product* as another seller offers it, without some values of its options."""
    fewer = {
        name: tuple(rng.sample_in_order(values, max(1, len(values) - 1 - rng.randrange(2))))
        for name, values in product.options.items()
    }
    return replace(product, asin=asin, options=fewer, prices=_price_near(product, rng, 0.9, 1.1))


def _without_a_trait(product: Product, rng: FastRandom, asin: str) -> Product:
    """Return *product* in another edition, which lacks the last of its traits."""
    *remaining, trait = product.attributes
    points = load_vocabulary().points[trait]
    edition = replace(
        product,
        asin=asin,
        title=f"{product.title}, {rng.choice(SERIES)} Edition",
        description=" ".join(_without(product.description, points).split()),
        bullets=tuple(point for point in product.bullets if point not in points),
        attributes=tuple(remaining),
        prices=_price_near(product, rng, 0.8, 1.0),
    )
    # A text that still names the trait would meet a goal that asks for it.
    still_named = any(trait in text for text in edition.searched_texts)
    return _dearer(product, rng, asin) if still_named else edition


def _without(text: str, sentences: tuple[str, ...]) -> str:
    for sentence in sentences:
        text = text.replace(sentence, "")
    return text


def _dearer(product: Product, rng: FastRandom, asin: str) -> Product:
    """Return *product* at a price that is above the limit of most goals."""
    return replace(product, asin=asin, prices=_price_near(product, rng, 1.4, 2.2))


SIBLING_MAKERS = (_with_fewer_values, _without_a_trait, _dearer)
"""The functions that return a product which looks like another."""


def _price_near(product: Product, rng: FastRandom, least: float, most: float) -> tuple[float, ...]:
    base = product.prices[0] if product.prices else product.price
    return (_rounded(max(1.0, base * (least + (most - least) * rng.random())), rng),)


def _asin(number: int) -> str:
    """Return the ASIN of product *number*: ``B0`` and eight digits to the base of 36."""
    rest, letters = (number + 1) * _SPREAD % 36**8, ""
    for _ in range(8):
        rest, digit = divmod(rest, 36)
        letters = _LETTERS[digit] + letters
    return f"B0{letters}"
