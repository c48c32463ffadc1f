"""WebShop's pages and buttons, word for word, in a small shop written by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from webshop_fixture import BLANKET, INSTRUCTION, MUG, visit

from agentgym_gen.envs.webshop import pages
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.session import Page, Session
from agentgym_gen.envs.webshop.shop import Shop
from agentgym_gen.world import Message, VerbName

HEAD = f"Instruction: [SEP] {INSTRUCTION} [SEP] Back to Search"
ONE_RESULT = f"{HEAD} [SEP] Page 1 (Total results: 1) [SEP] Next >"
PRODUCT = ("back to search", "< prev", "description", "features", "reviews", "buy now")
MUG_PAGE = (
    f"{HEAD} [SEP] < Prev [SEP] color [SEP] red [SEP] deep blue [SEP] size [SEP] small [SEP] "
    "large [SEP] Oakby Mug with Lid [SEP] Price: $12.5 [SEP] Rating: N.A. [SEP] Description "
    "[SEP] Features [SEP] Reviews [SEP] Buy Now"
)


def render(message: Message) -> str:
    """Return *message* in native words."""
    return "".join("Search" if isinstance(piece, VerbName) else str(piece) for piece in message)


def text(session: Session) -> str:
    """Return the open page of *session* in the original's ``text`` mode."""
    return render(pages.render_text(pages.page_parts(session, INSTRUCTION)))


def rich(session: Session) -> str:
    """Return the open page of *session* in the original's ``text_rich`` mode."""
    return render(pages.render_text_rich(pages.page_parts(session, INSTRUCTION)))


def page_of(product: Product, button: str, *, query: str = "mug", strict: bool) -> list[str]:
    """Return *product*'s page after a click on *button*, in ``text`` and in ``text_rich``."""
    session = Session(Shop.from_products([product]))
    session.search(query)
    for name in (product.asin.lower(), button):
        session.click(name)
    parts = pages.page_parts(session, INSTRUCTION, as_original=strict)
    return [render(pages.render_text(parts)), render(pages.render_text_rich(parts))]


def hooks(*numbers: int) -> str:
    """Return the lines of hooks on a page of results."""
    return " [SEP] ".join(
        f"B0000001{number:02} [SEP] Hook No. {number} [SEP] $100.0" for number in numbers
    )


@pytest.mark.parametrize(
    ("session", "page"),
    [
        (visit(query=""), f"WebShop [SEP] Instruction: [SEP] {INSTRUCTION} [SEP] Search"),
        (
            visit(),
            f"{ONE_RESULT} [SEP] B000000001 [SEP] Oakby Mug with Lid [SEP] $12.5",
        ),
        (
            visit(query="blanket"),
            f"{ONE_RESULT} [SEP] B000000002 [SEP] Ferndale Wool Blanket [SEP] $40.0 to $60.0",
        ),
        (
            visit(query="hook"),
            f"{HEAD} [SEP] Page 1 (Total results: 11) [SEP] Next > [SEP] {hooks(*range(10))}",
        ),
        (
            visit("next >", query="hook"),
            f"{HEAD} [SEP] Page 2 (Total results: 11) [SEP] < Prev [SEP] Next > [SEP] {hooks(10)}",
        ),
        (
            visit("next >", "next >", query="hook"),
            f"{HEAD} [SEP] Page 3 (Total results: 11) [SEP] < Prev [SEP] Next >",
        ),
        (visit(query="zebra"), f"{HEAD} [SEP] Page 1 (Total results: 0) [SEP] Next >"),
        (visit("b000000001"), MUG_PAGE),
        (visit("b000000001", "red"), MUG_PAGE),
        (
            visit("b000000001", "description"),
            f"{HEAD} [SEP] < Prev [SEP] Holds tea. Keeps it warm.",
        ),
        (
            visit("b000000001", "features"),
            f"{HEAD} [SEP] < Prev [SEP] Dishwasher safe. [SEP] Leak proof lid.",
        ),
        (visit("b000000001", "reviews"), f"{HEAD} [SEP] < Prev"),
        (visit("b000000002", "description", query="blanket"), f"{HEAD} [SEP] < Prev"),
    ],
)
def test_text_pages(session: Session, page: str) -> None:
    """A page joins its visible texts as the original does, and leaves empty ones out."""
    assert text(session) == page


def test_rich_pages_show_buttons_and_selected_values() -> None:
    """The lines of selected values stand before the page, the last value on the page first."""
    assert rich(visit("b000000001", "red", "large")) == (
        "You have clicked large.\nYou have clicked red.\n"
        f"Instruction:\n{INSTRUCTION}\n[button] Back to Search [button_]\n[button] < Prev [button_]"
        "\ncolor\n  [clicked button] red [clicked button_]\n  [button] deep blue [button_]\n"
        "size\n  [button] small [button_]\n  [clicked button] large [clicked button_]\n"
        "Oakby Mug with Lid\nPrice: $12.5\nRating: N.A.\n[button] Description [button_]\n"
        "[button] Features [button_]\n[button] Reviews [button_]\n[button] Buy Now [button_]\n"
    )


def test_rich_results_mark_opened_products() -> None:
    """A product whose page was opened is marked until the customer is back on the start page."""
    assert rich(visit("b000000001", "< prev")).endswith(
        "[button] Next > [button_]\n\n[clicked button] B000000001 [clicked button_]\n"
        "Oakby Mug with Lid\n$12.5\n"
    )
    session = visit("b000000001", "back to search")
    session.search("mug")
    assert "[button] B000000001 [button_]" in rich(session)


def test_the_last_page() -> None:
    """The page after the purchase has its options as JSON, without the original's empty parts."""
    session = visit("b000000001", "large", "deep blue", "buy now")

    assert render(pages.render_text(pages.done_parts(session, 0.75))) == (
        "Thank you for shopping with us! [SEP] Your code: [SEP] None [SEP] (Paste it in your MTurk "
        "interface.) [SEP] Purchased [SEP] asin [SEP] B000000001 [SEP] options [SEP] "
        '{"color": "deep blue", "size": "large"} [SEP] attrs [SEP] None [SEP] category [SEP] None '
        "[SEP] query [SEP] None [SEP] product category [SEP] None [SEP] Target [SEP] asin [SEP] "
        "options [SEP] attrs [SEP] price upper [SEP] instuction text [SEP] category [SEP] product "
        "category [SEP] query [SEP] Goal [SEP] None [SEP] Reward [SEP] Your score (min 0.0, max "
        "1.0) [SEP] 0.75 [SEP] Reward Details [SEP] None"
    )


@pytest.mark.parametrize(
    ("session", "buttons"),
    [
        (visit(query=""), ()),
        (visit(), ("back to search", "next >", "b000000001")),
        (
            visit("next >", query="hook"),
            ("back to search", "< prev", "next >", "b000000110"),
        ),
        (
            visit("b000000001"),
            (*PRODUCT, "red", "deep blue", "small", "large"),
        ),
        (visit("b000000001", "features"), ("back to search", "< prev")),
        (
            visit("b000000002", query="blanket"),
            (*PRODUCT, "plain", "red"),
        ),
        (visit("b000000001", "buy now"), ()),
    ],
)
def test_buttons(session: Session, buttons: tuple[str, ...]) -> None:
    """A page's buttons are in the original's order: fixed ones, products, values, each once."""
    assert session.buttons() == buttons


def test_a_later_value_replaces_an_earlier_one_of_its_option() -> None:
    """Another value of an option replaces the first and leaves the other options alone."""
    session = visit("b000000001", "red", "large", "deep blue")

    assert session.selection == {"color": "deep blue", "size": "large"}


def test_a_value_of_two_options_belongs_to_the_last() -> None:
    """A value that two options have is selected for the later one, as in the original."""
    assert visit("b000000002", "red", query="blanket").selection == {"back": "red"}


@pytest.mark.parametrize("tab", ["description", "features", "reviews"])
def test_a_tab_keeps_the_selection(tab: str) -> None:
    """After a visit to a tab the product's page has the same selection."""
    session = visit("b000000001", "red", tab, "< prev")

    assert (session.page, session.selection, session.product) == (
        Page.PRODUCT,
        {"color": "red"},
        MUG,
    )


def test_leaving_a_product_clears_the_selection() -> None:
    """``< prev`` leads from a product to the same page of results and clears the selection."""
    session = visit("next >", "b000000110", "< prev", query="hook")

    assert (session.page, session.page_number, session.product) == (Page.RESULTS, 2, None)
    assert visit("b000000001", "red", "< prev", "b000000001").selection == {}


def test_a_new_search_leaves_the_product() -> None:
    """A search from a product's page shows results and clears the selection."""
    session = visit("b000000001", "red")
    session.search("blanket")

    assert (session.page, session.selection, session.page_products()) == (
        Page.RESULTS,
        {},
        (BLANKET,),
    )


def test_facts_hold_what_the_page_shows() -> None:
    """The facts of a product's page are plain data, with the selection that its text hides."""
    facts = pages.page_facts(visit("b000000001", "red"), INSTRUCTION)

    assert facts == {
        "page": "product",
        "instruction": INSTRUCTION,
        "asin": "B000000001",
        "title": "Oakby Mug with Lid",
        "price": "$12.5",
        "options": {"color": ["red", "deep blue"], "size": ["small", "large"]},
        "chosen": {"color": "red"},
    }


def test_facts_of_results_hold_the_page_of_products() -> None:
    """The facts of a results page hold its products and the number of all results."""
    facts = pages.page_facts(visit("next >", query="hook"), INSTRUCTION)

    assert (facts["number"], facts["found"]) == (2, 11)
    assert facts["products"] == [{"asin": "B000000110", "title": "Hook No. 10", "price": "$100.0"}]


def test_the_original_shows_an_empty_point() -> None:
    """With the original's faults an empty feature is an empty part of the page, else it is none."""
    mug = replace(MUG, bullets=("Leak proof lid.", ""))
    text_page, rich_page = page_of(mug, "features", strict=True)

    assert text_page.endswith("< Prev [SEP] Leak proof lid. [SEP] ")
    assert rich_page.endswith("< Prev [button_]\nLeak proof lid.\n\n")
    assert page_of(replace(mug, bullets=("",)), "features", strict=True)[0].endswith(
        "< Prev [SEP] "
    )
    assert page_of(mug, "features", strict=False)[0].endswith("< Prev [SEP] Leak proof lid.")


@pytest.mark.parametrize("value", ["caf\u00e9", '5" wide', "back\\slash"])
def test_the_original_hides_the_selection_of_values_that_json_escapes(value: str) -> None:
    """The original looks for a selected value in an address in which such a value is escaped."""
    mug = replace(MUG, options={"color": (value,)})
    line = f"You have clicked {value}."

    assert page_of(mug, value, strict=False)[1].startswith(line)
    assert line not in page_of(mug, value, strict=True)[1]


def test_the_original_takes_quoted_words_of_the_query_for_selected_values() -> None:
    """The query is a part of that address, so that a value in quotes there looks selected."""
    pages_by_mode = [
        page_of(MUG, "red", query='"large" mug', strict=mode)[1] for mode in (True, False)
    ]

    assert ["You have clicked large." in page for page in pages_by_mode] == [True, False]
    assert all("You have clicked red." in page for page in pages_by_mode)
