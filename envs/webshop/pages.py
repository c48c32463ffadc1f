"""The pages of the shop, as the original's text and as facts.

In the original's ``text`` mode the parts of a page are joined by ``[SEP]`` and empty ones left out.
Its ``text_rich`` mode has a line for each part and marks buttons. Only this mode shows which values
of options are selected.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import chain, repeat
from typing import NamedTuple

from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.session import Page, Session
from agentgym_gen.world import Message, Piece, VerbName

SEARCH = VerbName("search", capital=True)
RATING = "N.A."
"""The rating of every product: the original's public files have no reviews."""

# These four characters are escaped as Jinja's `tojson` escapes them.
_HTML_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&'"}


class Part(NamedTuple):
    """One part of a page."""

    text: str
    """Its text; of a button that names the verb *search*, what stands before the verb."""
    kind: str = "text"
    """``text``, ``point`` (a feature), ``button``, ``option``, ``asin``, ``back`` (to search) or
    ``bar`` (the search)."""
    clicked: bool = False
    """Whether it is a selected value of an option, or a product whose page was opened."""


def page_parts(
    session: Session, instruction: str, *, as_original: bool = False
) -> tuple[Part, ...]:
    """Return the visible parts of the open page; those of the last page are `done_parts`.

    Args:
        session: The visit.
        instruction: What the customer asks for.
        as_original: Whether empty points, and the values that count as selected, are shown as the
            original shows them.
    """
    parts = _page_parts(session, instruction)
    if as_original:
        parts = [_as_original(part, session) for part in parts]
        return tuple(part for part in parts if part.kind == "bar" or part.text not in ("", "\n"))
    return tuple(part for part in parts if part.kind == "bar" or part.text.strip())


def _page_parts(session: Session, instruction: str) -> list[Part]:
    """Return the parts of the open page, empty ones too."""
    if session.page is Page.START:
        return [Part("WebShop"), Part("Instruction:"), Part(instruction), Part("", "bar")]
    head = [Part("Instruction:"), Part(instruction), Part("Back to ", "back")]
    if session.page is Page.RESULTS:
        return head + _results_parts(session)
    product = session.product
    if product is None:
        return head
    head.append(Part("< Prev", "button"))
    if session.page is Page.PRODUCT:
        return head + _product_parts(product, session.selection)
    if session.page is Page.DESCRIPTION:
        return [*head, Part(product.description)]
    points = product.bullets if session.page is Page.FEATURES else ()
    return head + [Part(point, "point") for point in points]


def _as_original(part: Part, session: Session) -> Part:
    """Return *part* with what the original's template and its test of selected values make of it.

    Its template has a space before each point, so that no point is an empty text. A value is shown
    as selected if it stands in double quotes in the page's address, where JSON escapes it.
    """
    if part.kind == "point":
        return part._replace(text=f" {part.text}")
    if part.kind == "option":
        keywords = "+".join(session.query.split(" "))
        address = f"{keywords}/{session.page_number}/{json.dumps(session.selection)}"
        return part._replace(clicked=f'"{part.text}"' in address)
    return part


def done_parts(session: Session, reward: float) -> list[Part]:
    """Return the parts of the page after the purchase; most are empty in the original."""
    asin = session.product.asin if session.product else ""
    options = json.dumps(session.selection, sort_keys=True).translate(_HTML_ESCAPES)
    bought = chain.from_iterable(
        zip(("attrs", "category", "query", "product category"), repeat("None"))
    )
    target = ("asin", "options", "attrs", "price upper", "instuction text", "category")
    texts = (
        *("Thank you for shopping with us!", "Your code:", "None"),
        *("(Paste it in your MTurk interface.)", "Purchased", "asin", asin, "options", options),
        *(*bought, "Target", *target, "product category", "query", "Goal", "None", "Reward"),
        *("Your score (min 0.0, max 1.0)", str(reward), "Reward Details", "None"),
    )
    return [Part(text) for text in texts]


def render_text(parts: Iterable[Part]) -> Message:
    """Return *parts* in the original's ``text`` mode."""
    pieces: list[Piece] = []
    for part in parts:
        text = part.text.strip() if part.kind != "back" else part.text
        pieces += [" [SEP] ", text] if pieces else [text]
        if part.kind in ("back", "bar"):
            pieces.append(SEARCH)
    return _merge_texts(pieces)


def render_text_rich(parts: Iterable[Part]) -> Message:
    """Return *parts* in the original's ``text_rich`` mode, without white space at line ends."""
    parts = tuple(parts)
    pieces: list[Piece] = list(selection_lines(parts))
    for part in parts:
        opening, closing = _button_marks(part)
        text = part.text if part.kind == "back" else part.text.strip()
        verb = [SEARCH] if part.kind in ("back", "bar") else []
        pieces += [opening, text, *verb, closing, "\n"]
    return _merge_texts(pieces)


def selection_lines(parts: Iterable[Part]) -> list[str]:
    """Return a line for each selected value, the last on the page first, as ``text_rich`` has."""
    return [
        f"You have clicked {part.text}.\n"
        for part in reversed(list(parts))
        if part.kind == "option" and part.clicked
    ]


def page_facts(session: Session, instruction: str) -> dict[str, object]:
    """Return the open page as plain data."""
    facts: dict[str, object] = {"page": str(session.page), "instruction": instruction}
    product = session.product
    if session.page is Page.RESULTS:
        products = [
            {"asin": result.asin, "title": result.title, "price": result.price_tag}
            for result in session.page_products()
        ]
        counts = {"number": session.page_number, "found": len(session.results)}
        return {**facts, **counts, "products": products}
    if product is None:
        return facts
    if session.page is Page.PRODUCT:
        options = {name.strip(): list(values) for name, values in product.options.items()}
        summary = {"asin": product.asin, "title": product.title, "price": product.price_tag}
        return {**facts, **summary, "options": options, "chosen": dict(session.selection)}
    if session.page is Page.DESCRIPTION:
        return {**facts, "description": product.description}
    if session.page is Page.FEATURES:
        return {**facts, "features": [point.strip() for point in product.bullets]}
    return facts


def _results_parts(session: Session) -> list[Part]:
    parts = [Part(f"Page {session.page_number} (Total results: {len(session.results)})")]
    if session.page_number > 1:
        parts.append(Part("< Prev", "button"))
    parts.append(Part("Next >", "button"))
    for product in session.page_products():
        parts.append(Part(product.asin, "asin", product.asin in session.viewed_asins))
        parts += [Part(product.title), Part(product.price_tag)]
    return parts


def _product_parts(product: Product, selection: dict[str, str]) -> list[Part]:
    parts: list[Part] = []
    selected_values = set(selection.values())
    for name, values in product.options.items():
        parts.append(Part(name))
        parts += [Part(value, "option", value in selected_values) for value in values]
    parts += [Part(product.title), Part(f"Price: {product.price_tag}"), Part(f"Rating: {RATING}")]
    return parts + [
        Part(name, "button") for name in ("Description", "Features", "Reviews", "Buy Now")
    ]


def _button_marks(part: Part) -> tuple[str, str]:
    """Return what ``text_rich`` writes before and after *part*."""
    if part.kind in ("text", "point"):
        return "", ""
    indent = {"option": "  ", "asin": "\n"}.get(part.kind, "")
    word = "clicked button" if part.clicked else "button"
    return f"{indent}[{word}] ", f" [{word}_]"


def _merge_texts(pieces: Iterable[Piece]) -> Message:
    """Return *pieces* with neighbouring texts joined, which are rendered faster."""
    message: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and message and isinstance(message[-1], str):
            message[-1] += piece
        else:
            message.append(piece)
    return tuple(message)
