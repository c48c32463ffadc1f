"""WebShop's pages and buttons, word for word, in a shop that was written for it."""

from __future__ import annotations

import pytest
from webshop_shelf import BLANKET, INSTRUCTION, MUG, visit

from agentgym_gen.envs.webshop import pages
from agentgym_gen.envs.webshop.session import Page, Session
from agentgym_gen.world import Message, VerbName

HEAD = f"Instruction: [SEP] {INSTRUCTION} [SEP] Back to Search"
ONE_FOUND = f"{HEAD} [SEP] Page 1 (Total results: 1) [SEP] Next >"
PRODUCT = ("back to search", "< prev", "description", "features", "reviews", "buy now")
MUG_PAGE = (
    f"{HEAD} [SEP] < Prev [SEP] color [SEP] red [SEP] deep blue [SEP] size [SEP] small [SEP] "
    "large [SEP] Oakby Mug with Lid [SEP] Price: $12.5 [SEP] Rating: N.A. [SEP] Description "
    "[SEP] Features [SEP] Reviews [SEP] Buy Now"
)


def said(message: Message) -> str:
    """Return *message* in native words."""
    return "".join("Search" if isinstance(piece, VerbName) else str(piece) for piece in message)


def text(session: Session) -> str:
    """Return the open page in the original's ``text`` mode."""
    return said(pages.render_text(pages.page_parts(session, INSTRUCTION)))


def rich(session: Session) -> str:
    """Return the open page in the original's ``text_rich`` mode."""
    return said(pages.render_text_rich(pages.page_parts(session, INSTRUCTION)))


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
            f"{ONE_FOUND} [SEP] B000000001 [SEP] Oakby Mug with Lid [SEP] $12.5",
        ),
        (
            visit(query="blanket"),
            f"{ONE_FOUND} [SEP] B000000002 [SEP] Ferndale Wool Blanket [SEP] $40.0 to $60.0",
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
    """As the original joins the visible texts of its pages; empty ones are left out."""
    assert text(session) == page


def test_rich_pages_show_buttons_and_what_was_chosen() -> None:
    """The last choice on the page comes first, as the original puts each before the rest."""
    assert rich(visit("b000000001", "red", "large")) == (
        "You have clicked large.\nYou have clicked red.\n"
        f"Instruction:\n{INSTRUCTION}\n[button] Back to Search [button_]\n[button] < Prev [button_]"
        "\ncolor\n  [clicked button] red [clicked button_]\n  [button] deep blue [button_]\n"
        "size\n  [button] small [button_]\n  [clicked button] large [clicked button_]\n"
        "Oakby Mug with Lid\nPrice: $12.5\nRating: N.A.\n[button] Description [button_]\n"
        "[button] Features [button_]\n[button] Reviews [button_]\n[button] Buy Now [button_]\n"
    )


def test_rich_results_mark_what_was_looked_at() -> None:
    """Until the customer goes back to the search bar."""
    assert rich(visit("b000000001", "< prev")).endswith(
        "[button] Next > [button_]\n\n[clicked button] B000000001 [clicked button_]\n"
        "Oakby Mug with Lid\n$12.5\n"
    )
    again = visit("b000000001", "back to search")
    again.search("mug")
    assert "[button] B000000001 [button_]" in rich(again)


def test_the_last_page() -> None:
    """With the bought options as JSON, and the empty parts of the original left out."""
    session = visit("b000000001", "large", "deep blue", "buy now")

    assert said(pages.render_text(pages.done_parts(session, 0.75))) == (
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
    """In the original's order: buttons, then products, then values, each name once."""
    assert session.buttons() == buttons


def test_a_later_value_replaces_an_earlier_one_of_its_option() -> None:
    """And leaves the other options alone."""
    session = visit("b000000001", "red", "large", "deep blue")

    assert session.selection == {"color": "deep blue", "size": "large"}


def test_a_value_of_two_options_belongs_to_the_last() -> None:
    """The original keeps buttons by their names."""
    assert visit("b000000002", "red", query="blanket").selection == {"back": "red"}


@pytest.mark.parametrize("tab", ["description", "features", "reviews"])
def test_a_tab_keeps_what_was_chosen(tab: str) -> None:
    """Back on the product's page it is still there."""
    session = visit("b000000001", "red", tab, "< prev")

    assert (session.page, session.selection, session.product) == (Page.PRODUCT, {"color": "red"}, MUG)


def test_leaving_a_product_forgets_what_was_chosen() -> None:
    """Back on the same page of results."""
    session = visit("next >", "b000000110", "< prev", query="hook")

    assert (session.page, session.page_number, session.product) == (Page.RESULTS, 2, None)
    assert visit("b000000001", "red", "< prev", "b000000001").selection == {}


def test_a_new_search_forgets_the_product() -> None:
    """The original takes a search on every page, not only where the bar is."""
    session = visit("b000000001", "red")
    session.search("blanket")

    assert (session.page, session.selection, session.page_products()) == (Page.RESULTS, {}, (BLANKET,))


def test_facts_tell_what_the_page_tells() -> None:
    """As plain data, with the choices that the original's text hides."""
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
    """And how many were found."""
    facts = pages.page_facts(visit("next >", query="hook"), INSTRUCTION)

    assert (facts["number"], facts["found"]) == (2, 11)
    assert facts["products"] == [{"asin": "B000000110", "title": "Hook No. 10", "price": "$100.0"}]
