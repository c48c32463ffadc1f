"""A shop of thirteen products, written by hand so that tests can spell out its pages."""

from __future__ import annotations

from agentgym_gen.envs.webshop.goals import Goal
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.session import Session
from agentgym_gen.envs.webshop.shop import Shop

INSTRUCTION = "i need a red mug, and price lower than 20.00 dollars"

MUG = Product(
    asin="B000000001",
    title="Oakby Mug with Lid",
    description="Holds tea. Keeps it warm.",
    bullets=("Dishwasher safe.", " Leak proof lid. "),
    prices=(12.5,),
    options={"color": ("red", "deep blue"), "size": ("small", "large")},
    attributes=("dishwasher safe", "leak proof"),
    category="garden",
    path="Home & Kitchen \u203a Dining \u203a Mugs",
    query="mug",
)

BLANKET = Product(
    asin="B000000002",
    title="Ferndale Wool Blanket",
    description="",
    bullets=("Warm.",),
    prices=(40.0, 60.0),
    options={"front": ("plain", "red"), "back": ("red",)},
    attributes=("super soft",),
    category="garden",
    path="Home & Kitchen \u203a Bedding \u203a Blankets",
    query="blanket",
)

HOOKS = tuple(
    Product(
        asin=f"B0000001{number:02}",
        title=f"Hook No. {number}",
        description="A hook.",
        bullets=("Holds a coat.",),
        prices=(),
        options={},
        attributes=("DUMMY_ATTR",),
        category="garden",
        path="Home & Kitchen \u203a Storage \u203a Hooks",
        query="hook",
    )
    for number in range(11)
)

GOAL = Goal(
    asin=MUG.asin,
    request="i need a red mug",
    instruction=INSTRUCTION,
    attributes=("dishwasher safe", "leak proof"),
    options=(("color", "red"),),
    price_upper=20.0,
)

SHOP = Shop.from_products([*HOOKS, BLANKET, MUG])


def visit(*buttons: str, query: str = "mug") -> Session:
    """Return a session after a search for *query*, unless it is empty, and clicks on *buttons*."""
    session = Session(SHOP)
    if query:
        session.search(query)
    for button in buttons:
        assert button in session.buttons(), (button, session.buttons())
        session.click(button)
    return session
