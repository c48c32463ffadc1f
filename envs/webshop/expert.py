"""The expert, who knows the product that is wanted and looks for it with a query.

With the words of the instruction as the query it shows what a customer can do; with the title of
the product it shows that every goal can be met.
"""

from __future__ import annotations

from agentgym_gen.envs.webshop.goals import Goal
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.session import BACK, BUY, NEXT, PREVIOUS, Page, Session
from agentgym_gen.envs.webshop.shop import PAGE_SIZE
from agentgym_gen.world import Command


def plan_purchase(session: Session, goal: Goal, query: str) -> tuple[Command, ...] | None:
    """Return the commands from here to the purchase of the goal's product.

    None if *query* does not find it.

    Args:
        session: Where the customer is.
        goal: What is wanted.
        query: What is searched for, if the product is not in sight.
    """
    if session.shop.rank(query, goal.asin) is None:
        return None
    return tuple(_commands(session, goal, query))


def _commands(session: Session, goal: Goal, query: str) -> list[Command]:
    if session.page is Page.START:
        return [Command("search", (query,)), *_from_results(session, goal, query)]
    if session.page is Page.RESULTS:
        return _on_results(session, goal, query)
    if session.product is not None and session.product.asin != goal.asin:
        back = [_click(PREVIOUS)] * (1 if session.page is Page.PRODUCT else 2)
        return back + _on_results(session, goal, query)
    back = [] if session.page is Page.PRODUCT else [_click(PREVIOUS)]
    return back + _purchase(session, goal)


def _on_results(session: Session, goal: Goal, query: str) -> list[Command]:
    place = session.shop.place(goal.asin)
    if place not in session.results:
        return [_click(BACK), Command("search", (query,)), *_from_results(session, goal, query)]
    number = session.results.index(place) // PAGE_SIZE + 1
    turn = NEXT if number > session.page_number else PREVIOUS
    turns = [_click(turn)] * abs(number - session.page_number)
    return [*turns, _click(goal.asin.lower()), *_purchase(session, goal)]


def _from_results(session: Session, goal: Goal, query: str) -> list[Command]:
    """Return the commands that follow the first page of what *query* finds."""
    rank = session.shop.rank(query, goal.asin) or 0
    turns = [_click(NEXT)] * (rank // PAGE_SIZE)
    return [*turns, _click(goal.asin.lower()), *_purchase(session, goal)]


def _purchase(session: Session, goal: Goal) -> list[Command]:
    """Return the commands that choose the options of *goal* and buy its product."""
    product = session.shop.product(goal.asin)
    mine = session.product is not None and session.product.asin == goal.asin
    chosen = session.selection if mine else {}
    wanted = goal_selection(product, goal)
    clicks = [_click(v) for name, v in wanted.items() if chosen.get(name) != v]
    return [*clicks, _click(BUY)]


def goal_selection(product: Product, goal: Goal) -> dict[str, str]:
    """Return the value that *goal* wants of each option of its *product*.

    Human goals name no option; the value is looked for in all of them.
    """
    wanted = {}
    for name, value in goal.options:
        offers = [n for n, values in product.options.items() if value in values]
        place = name if name in offers else next(reversed(offers), None)
        if place is not None:
            wanted[place] = value
    return wanted


def _click(button: str) -> Command:
    return Command("click", (button,))
