"""The expert: it knows the goal's product, searches for it with a query, and buys it.

With the words of the instruction as the query it shows what a customer can do. With the title of
the product it shows that every goal can be met.
"""

from __future__ import annotations

from agentgym_gen.envs.webshop.goals import Goal
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.session import BACK, BUY, NEXT, PREVIOUS, Page, Session
from agentgym_gen.envs.webshop.shop import PAGE_SIZE
from agentgym_gen.world import Command


def plan_purchase(session: Session, goal: Goal, query: str) -> tuple[Command, ...] | None:
    """Return the commands from the open page to the purchase of the goal's product.

    Return None if *query* does not find it.

    Args:
        session: The visit, on any page.
        goal: What is to be bought.
        query: The words to search for, if the open results do not have the product.
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
        # From the product's page one click leads to the results; from one of its tabs, two.
        back = [_click(PREVIOUS)] * (1 if session.page is Page.PRODUCT else 2)
        return back + _on_results(session, goal, query)
    back = [] if session.page is Page.PRODUCT else [_click(PREVIOUS)]
    return back + _purchase(session, goal)


def _on_results(session: Session, goal: Goal, query: str) -> list[Command]:
    position = session.shop.position(goal.asin)
    if position not in session.results:
        return [_click(BACK), Command("search", (query,)), *_from_results(session, goal, query)]
    number = session.results.index(position) // PAGE_SIZE + 1
    button = NEXT if number > session.page_number else PREVIOUS
    turns = [_click(button)] * abs(number - session.page_number)
    return [*turns, _click(goal.asin.lower()), *_purchase(session, goal)]


def _from_results(session: Session, goal: Goal, query: str) -> list[Command]:
    """Return the commands that follow the search for *query*, from its first page of results."""
    rank = session.shop.rank(query, goal.asin) or 0
    turns = [_click(NEXT)] * (rank // PAGE_SIZE)
    return [*turns, _click(goal.asin.lower()), *_purchase(session, goal)]


def _purchase(session: Session, goal: Goal) -> list[Command]:
    """Return the commands that select the options of *goal* and buy its product."""
    product = session.shop.product(goal.asin)
    is_open = session.product is not None and session.product.asin == goal.asin
    selection = session.selection if is_open else {}
    targets = goal_selection(product, goal)
    clicks = [_click(value) for name, value in targets.items() if selection.get(name) != value]
    return [*clicks, _click(BUY)]


def goal_selection(product: Product, goal: Goal) -> dict[str, str]:
    """Return the value that *goal* asks for of each option of its *product*.

    Human goals name no option. Their value is looked for in all options; where several have it, the
    last one counts, as it does on the product's page.
    """
    selection = {}
    for name, value in goal.options:
        offers = [n for n, values in product.options.items() if value in values]
        option = name if name in offers else next(reversed(offers), None)
        if option is not None:
            selection[option] = value
    return selection


def _click(button: str) -> Command:
    return Command("click", (button,))
