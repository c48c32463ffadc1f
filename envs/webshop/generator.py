"""Products of our own, as many as are asked for, each with a few that look like it.

A family of products is drawn from its own stream, so that the first products of a large shop are
those of a small one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agentgym_gen.envs.webshop.draws import FastRandom
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.stock import ProductKind, load_vocabulary
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
"""How many products look like one, drawn evenly."""

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SPREAD = 1_580_030_169_431
"""Has no factor in common with 36, so that it spreads numbers without two being the same."""

_SMALL_WORDS = frozenset(("and", "by", "for", "from", "in", "of", "or", "the", "to", "with"))


def families(amount: int) -> Iterator[list[Product]]:
    """Yield the first *amount* products of our shop, those that look alike together."""
    made, number = 0, 0
    while made < amount:
        family = _family(number, made)[: amount - made]
        yield family
        made += len(family)
        number += 1


def _family(number: int, first: int) -> list[Product]:
    """Return the products of family *number*, the first of which has the number *first*."""
    draws = FastRandom(stream("webshop", "family", number))
    kind = draws.choice(load_vocabulary().kinds)
    product = _product(kind, draws, _asin(first))
    family = [product]
    for makes in draws.sample(SIBLING_MAKERS, draws.choice(SIBLING_COUNTS)):
        family.append(makes(product, draws, _asin(first + len(family))))
    return family


def _product(kind: ProductKind, draws: FastRandom, asin: str) -> Product:
    traits = draws.sample(kind.traits, 3 + draws.randrange(3))
    words = _words(kind, traits, draws)
    bullets = _bullets(traits, words, draws)
    return Product(
        asin=asin,
        title=_title(draws.choice(TITLE_TEMPLATES), words),
        description=_description(kind, words, bullets, draws),
        bullets=bullets,
        prices=_prices(kind, draws),
        options=_options(kind, draws),
        attributes=tuple(traits),
        category=kind.department,
        path=kind.path,
        query=kind.name,
    )


def _words(kind: ProductKind, traits: list[str], draws: FastRandom) -> dict[str, str]:
    brands = load_vocabulary().brands
    brand = draws.choice(brands["first"]) + draws.choice(brands["second"])
    names = draws.sample(kind.all_names, 2)
    uses = draws.sample(kind.uses, 2)
    return {
        "brand": f"{brand} {draws.choice(brands['tail'])}".strip(),
        "series": draws.choice(SERIES),
        "who": draws.choice(kind.audiences) if kind.audiences else "",
        "name": names[0],
        "other": names[-1],
        "first": traits[0],
        "second": traits[1],
        "third": traits[2],
        "material": draws.choice(kind.materials),
        "use": uses[0],
        "more": uses[-1],
    }


def _title(pattern: str, words: dict[str, str]) -> str:
    said = " ".join(pattern.format(**words).split()).replace(" ,", ",")
    return " ".join(map(_capitalize, said.split()))


def _capitalize(word: str) -> str:
    if word in _SMALL_WORDS:
        return word
    return word[0] + word[1:2].upper() + word[2:] if word[0] == "(" else word[0].upper() + word[1:]


def _description(kind: ProductKind, words: dict[str, str], bullets: tuple[str, ...], draws: FastRandom) -> str:
    opening = draws.choice(OPENING_TEMPLATES).format(**words)
    points = (point for trait in ("second", "third") for point in load_vocabulary().points[words[trait]])
    told = draws.sample([point for point in points if point not in bullets], 1)
    sentences = [opening, *told, *draws.sample(kind.closing, 1 + draws.randrange(2))]
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)


def _bullets(traits: list[str], words: dict[str, str], draws: FastRandom) -> tuple[str, ...]:
    points = [draws.choice(load_vocabulary().points[trait]) for trait in traits]
    points += [draws.choice(POINT_TEMPLATES).format(**words)]
    return tuple(draws.sample(points, len(points)))


def _prices(kind: ProductKind, draws: FastRandom) -> tuple[float, ...]:
    low, high = kind.price
    if draws.chance(0.02):
        return ()
    price = _rounded(low * (high / low) ** draws.random(), draws)
    if draws.chance(0.08):
        return price, _rounded(price * (1.15 + 0.5 * draws.random()), draws)
    return (price,)


def _rounded(price: float, draws: FastRandom) -> float:
    return int(price) + draws.choice((0.99, 0.99, 0.95, 0.49, 0.0))


def _options(kind: ProductKind, draws: FastRandom) -> dict[str, tuple[str, ...]]:
    wanted = len(kind.options) - draws.chance(0.12)
    names = draws.sample_in_order(tuple(kind.options), wanted)
    return {name: tuple(draws.sample_in_order(kind.options[name], 2 + draws.randrange(5))) for name in names}


def _with_fewer_values(product: Product, draws: FastRandom, asin: str) -> Product:
    """Return *product* as another seller has it, without some of the values."""
    fewer = {
        name: tuple(draws.sample_in_order(values, max(1, len(values) - 1 - draws.randrange(2))))
        for name, values in product.options.items()
    }
    return replace(product, asin=asin, options=fewer, prices=_price_near(product, draws, 0.9, 1.1))


def _without_a_trait(product: Product, draws: FastRandom, asin: str) -> Product:
    """Return *product* in another make, which lacks the last of its traits."""
    lost, kept = product.attributes[-1], product.attributes[:-1]
    points = load_vocabulary().points[lost]
    other = replace(
        product,
        asin=asin,
        title=f"{product.title}, {draws.choice(SERIES)} Edition",
        description=" ".join(_without(product.description, points).split()),
        bullets=tuple(point for point in product.bullets if point not in points),
        attributes=kept,
        prices=_price_near(product, draws, 0.8, 1.0),
    )
    tells = any(lost in text for text in other.searched_texts)
    return _dearer(product, draws, asin) if tells else other


def _without(text: str, sentences: tuple[str, ...]) -> str:
    for sentence in sentences:
        text = text.replace(sentence, "")
    return text


def _dearer(product: Product, draws: FastRandom, asin: str) -> Product:
    """Return *product* at a price that most customers do not mean."""
    return replace(product, asin=asin, prices=_price_near(product, draws, 1.4, 2.2))


SIBLING_MAKERS = (_with_fewer_values, _without_a_trait, _dearer)
"""What makes a product that looks like another."""


def _price_near(product: Product, draws: FastRandom, least: float, most: float) -> tuple[float, ...]:
    base = product.prices[0] if product.prices else product.price
    return (_rounded(max(1.0, base * (least + (most - least) * draws.random())), draws),)


def _asin(number: int) -> str:
    """Return the number *number* of a product, as the original's look."""
    rest, letters = (number + 1) * _SPREAD % 36**8, ""
    for _ in range(8):
        rest, place = divmod(rest, 36)
        letters = _LETTERS[place] + letters
    return f"B0{letters}"
