"""WebShop as a world: actions, options, the shop that comes with it, and its goals."""

from __future__ import annotations

import re
import threading

import pytest

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.webshop import WebShop
from agentgym_gen.envs.webshop.asking import REQUEST_TEMPLATES, generate_goals
from agentgym_gen.envs.webshop.expert import goal_selection
from agentgym_gen.envs.webshop.generator import TITLE_TEMPLATES, families
from agentgym_gen.envs.webshop.nouns import content_words
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.reward import Scoring
from agentgym_gen.envs.webshop.stock import load_vocabulary
from agentgym_gen.envs.webshop.tasks import open_generated
from agentgym_gen.errors import DataError, InvalidValueError, UnknownNameError
from agentgym_gen.testing import check_world
from agentgym_gen.world import Command, Malformed

WORLD = "agentgym_gen.envs.webshop:WebShop"
SMALL = {"products": 150}


def env(task_id: str = "webshop/medium/test/3", **options: object) -> TextEnv:
    """Return a small shop at the start of *task_id*."""
    _, tier, split, _ = task_id.split("/")
    made = TextEnv(WORLD, tier=tier, split=split, **{**SMALL, **options})  # type: ignore[arg-type]
    made.reset(options={"task_id": task_id})
    return made


def shop_of(amount: int) -> list[Product]:
    """Return the first products of our shop."""
    return [product for family in families(amount) for product in family]


@pytest.mark.parametrize(
    "options",
    [
        {"observation": "text_rich"},
        {"expert": "title", "preset": "agentgym"},
        {"preset": "verl-agent"},
    ],
    ids=str,
)
def test_the_contract_holds_with_other_options(options: dict[str, str]) -> None:
    """Every law, in a small shop."""
    check_world(WORLD, tasks_per_split=1, options={**SMALL, **options})


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("search[red shoes]", Command("search", ("red shoes",))),
        ("  Search [ red shoes ] please", Command("search", ("red shoes",))),
        ("search[shoes [size 7] red]", Command("search", ("shoes [size 7] red",))),
        ("click[< Prev]", Command("click", ("< Prev",))),
        ("click[Buy Now]\nThen I am done]", Command("click", ("Buy Now",))),
    ],
)
def test_actions_are_read(said: str, meant: Command) -> None:
    """In any case, up to the last bracket of the line."""
    assert WebShop(products=150).read(said) == meant


@pytest.mark.parametrize(
    "said", ["search", "search[]", "search[ ]", "find[shoes]", "click buy now"]
)
def test_other_texts_are_no_actions(said: str) -> None:
    """They are answered by the unchanged page."""
    played = env()
    before, _ = played.reset(options={"task_id": "webshop/medium/test/3"})
    observation, reward, *_, info = played.step(said)

    assert isinstance(played.world.read(said), Malformed)
    assert (observation, reward, info["valid_action"]) == (before, 0.0, False)


def test_the_original_loses_queries_with_brackets() -> None:
    """It takes the last opening bracket for the first; there the page stays as it is."""
    for compat, valid in (("fixed", True), ("original", False)):
        played = env(compat=compat)
        *_, info = played.step("search[shoes [size 7]]")
        assert info["valid_action"] is valid


@pytest.mark.parametrize("length", [8_000, 10_000])
def test_a_long_query_loses_nothing(length: int) -> None:
    """Found or refused, the episode can still be won."""
    played = env()
    played.step(f"search[{'shoe ' * (length // 5)}]")
    info: dict[str, object] = {}
    while action := played.expert_action():
        *_, info = played.step(action)

    assert info["success"]


def test_an_unknown_button_changes_nothing() -> None:
    """Neither the page nor what was chosen; the reason names it."""
    played = env(interface="explained")
    played.step(played.expert_action() or "")
    before = played.admissible_actions
    observation, reward, *_, info = played.step("click[add to cart]")

    assert (reward, info["valid_action"], played.admissible_actions) == (0.0, False, before)
    assert "there is no button called 'add to cart' on this page" in observation


def test_the_search_is_listed_where_its_bar_is() -> None:
    """As verl-agent writes it; elsewhere the original's buttons are."""
    played = env()
    assert played.admissible_actions == ["search[<your query>]"]
    played.step("search[boots]")

    assert played.admissible_actions[:2] == ["click[back to search]", "click[next >]"]


def test_a_search_is_taken_on_every_page() -> None:
    """As in the original, though no bar is there."""
    played = env()
    played.step("search[boots]")
    observation, *_, info = played.step("search[necklace]")

    assert info["valid_action"]
    assert "Necklace" in observation


def chosen_page(**options: str) -> str:
    """Return the page after the expert's first choice of an option."""
    played = env("webshop/medium/test/3", **options)
    options_of = dict(played.world.tasks.find("webshop/medium/test/3").content.options)
    while (action := played.expert_action() or "") not in {
        f"click[{value}]" for value in options_of.values()
    }:
        played.step(action)
    return played.step(action)[0]


def test_what_was_chosen_is_told() -> None:
    """In a line of the original's ``text_rich`` mode before its page, which tells nothing."""
    fixed, original = chosen_page(), chosen_page(compat="original")

    assert re.match(r"You have clicked .+\.\nInstruction: ", fixed)
    assert fixed.partition("\n")[2] == original


def won(**options: str) -> tuple[float, dict[str, object]]:
    """Return the last reward and info of the expert's episode."""
    played = env(**options)
    reward, info = 0.0, {}
    while action := played.expert_action():
        _, reward, *_, info = played.step(action)
    return float(reward), info


def test_presets() -> None:
    """verl-agent pays 10 for a score of 1 and nothing else; the limits are each one's own."""
    assert won()[0] == won(preset="agentgym")[0] == 1.0
    assert won(preset="verl-agent")[0] == 10.0
    limits = {preset: env(preset=preset).turn_limit for preset in ("agentgym", "verl-agent")}
    assert limits == {"agentgym": 10, "verl-agent": 15}


def test_a_wrong_purchase_ends_the_episode_with_part_of_the_score() -> None:
    """The details say why."""
    played = env()
    while (action := played.expert_action()) and "search" in action:
        played.step(action)
    played.step(action or "")
    _, reward, terminated, _, info = played.step("click[buy now]")
    details = info["reward_details"]

    assert terminated
    assert info["end_reason"] == "failure"
    assert 0 < reward == info["score"] == details["total"] < 1
    assert (details["bought"], details["r_option"], info["noun_extractor"]) == (True, 0.0, "words")


def test_details_are_there_from_the_start() -> None:
    """With the same keys, so that vectors of environments can stack them."""
    played = env()
    _, info = played.reset()
    _, last = won()

    assert not info["reward_details"]["bought"]
    assert list(info["reward_details"]) == list(last["reward_details"])  # type: ignore[call-overload]


def test_renamed_values_are_renamed_everywhere() -> None:
    """In the instruction, on the page, in the query and in the click."""
    played = env("webshop/hard/test/1", interface="renamed")
    goal = played.world.tasks.find("webshop/hard/test/1").content
    names = {value for _, value in goal.options if value in played.world.surface().nouns()}
    seen = [played.reset(options={"task_id": "webshop/hard/test/1"})[0]]
    while action := played.expert_action():
        observation, *_ = played.step(action)
        seen += [action, observation.partition("[SEP] Rating")[0]]

    assert names
    assert not [name for name in names for text in seen if re.search(rf"\b{name}\b", text)]


def test_rules_are_checked() -> None:
    """A value or a keyword that is not known is named with those that are."""
    with pytest.raises(UnknownNameError, match="did you mean 'text_rich'"):
        WebShop(observation="text_ritch")
    with pytest.raises(UnknownNameError, match="did you mean 'preset'"):
        WebShop(presets="agentgym")
    with pytest.raises(UnknownNameError, match="generated, human, synthetic"):
        WebShop(goals="real")


@pytest.mark.parametrize("amount", [0, -1, 2.5, True, 2_000_000])
def test_the_number_of_products_is_checked(amount: int) -> None:
    """It is a number from 1 to a million."""
    with pytest.raises(InvalidValueError, match="`products`"):
        WebShop(products=amount)


def test_a_shop_too_small_for_a_tier_says_so() -> None:
    """When a task is asked for that it has not."""
    with pytest.raises(InvalidValueError, match="No task 0 in webshop/"):
        WebShop(products=1).tasks.make("hard", "valid", 0)


def test_official_goals_need_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """By an argument or in the environment; and generated goals need none."""
    monkeypatch.delenv("WEBSHOP_DATA", raising=False)
    with pytest.raises(DataError, match="WEBSHOP_DATA"):
        WebShop(goals="human")
    with pytest.raises(InvalidValueError, match="no generated goals"):
        WebShop(goals="generated", data_dir=".")


def test_a_small_shop_is_the_beginning_of_a_large_one() -> None:
    """Product for product."""
    assert shop_of(400)[:150] == shop_of(150)


def test_products_are_complete() -> None:
    """Each has a number of its own, a title, points, a price above 0 and options with values."""
    products = shop_of(2000)

    assert len({product.asin for product in products}) == 2000
    assert all(re.fullmatch("B0[0-9A-Z]{8}", product.asin) for product in products)
    assert all(p.title and p.description and len(p.bullets) >= 3 and p.price > 0 for p in products)
    assert all(values for p in products for values in p.options.values())
    assert all(re.fullmatch(r"\S+( \S+)*", p.title) for p in products)
    assert not [p for p in products if re.search(r"\b(search|click)\b", p.index_text)]


def test_the_shop_is_varied() -> None:
    """All kinds and departments occur, and most titles occur once."""
    products = shop_of(3000)

    assert {p.path for p in products} == {kind.path for kind in load_vocabulary().kinds}
    assert len(load_vocabulary().kinds) == 99
    assert len({p.category for p in products}) == 10
    assert len({p.title for p in products}) > 2000


def test_products_that_look_alike_differ() -> None:
    """In an option, a price or a trait; never in nothing."""
    alike = [family for family in families(1000) if len(family) > 1]

    assert len(alike) > 100
    for first, *others in alike:
        for other in others:
            same = (other.options, other.prices, other.attributes)
            assert same != (first.options, first.prices, first.attributes)


def test_every_trait_can_be_told_and_asked_for() -> None:
    """With two points and two phrases each."""
    traits = {trait for kind in load_vocabulary().kinds for trait in kind.traits}

    assert traits == set(load_vocabulary().points) == set(load_vocabulary().phrases)
    assert {len(points) for points in load_vocabulary().points.values()} == {2}


def test_requests_are_varied() -> None:
    """No frame of words has more than a tenth of all requests."""
    requests = {goal.request for product in shop_of(600) for goal in generate_goals(product)}
    openings = [re.split(r"\{", frame)[0] for frame in REQUEST_TEMPLATES if not frame.startswith("{")]
    shares = [sum(r.startswith(o) for r in requests) / len(requests) for o in openings if o]

    assert len(requests) > 1000
    assert max(shares) < 0.15
    assert len(TITLE_TEMPLATES) == 12


def test_goals_are_about_their_product() -> None:
    """Attributes and values are its own, and the limit is above its price."""
    for product in shop_of(300):
        for goal in generate_goals(product):
            assert set(goal.attributes) <= set(product.attributes)
            assert all(value in product.options[name] for name, value in goal.options)
            assert goal.price_upper > product.price
            assert goal.instruction.startswith(goal.request)
            assert all(value in goal.instruction for _, value in goal.options)


def test_products_that_look_alike_are_wanted_in_one_split() -> None:
    """So that no split shows the other half of a pair."""
    tasks = open_generated(150)
    splits: dict[str, set[str]] = {}
    for tier in tasks.tiers:
        for split in tasks.splits:
            for index in range(tasks.size(tier, split)):
                goal = tasks.make(tier, split, index).content
                splits.setdefault(tasks.shop.product(goal.asin).title, set()).add(split)

    assert {len(split) for split in splits.values()} == {1}


@pytest.mark.slow
def test_every_goal_can_be_met() -> None:
    """The very product with its options earns exactly 1, and its title and request find it."""
    tasks, scoring = open_generated(1000), Scoring(content_words)
    shop, seen = tasks.shop, 0
    for tier in tasks.tiers:
        for split in tasks.splits:
            for index in range(tasks.size(tier, split)):
                goal = tasks.make(tier, split, index).content
                product = shop.product(goal.asin)
                chosen = goal_selection(product, goal)
                assert scoring.score_purchase(product, product, goal, chosen).total == 1.0, goal
                assert shop.rank(product.title.lower(), goal.asin) is not None, goal
                assert shop.rank(goal.request, goal.asin) is not None, goal
                seen += 1

    assert seen > 6000


def test_worlds_share_one_shop() -> None:
    """Also those that threads make at the same time."""
    worlds: list[WebShop] = []
    threads = [threading.Thread(target=lambda: worlds.append(WebShop(products=77))) for _ in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(world.tasks.shop) for world in worlds}) == 1


def test_the_expert_finds_back_from_anywhere() -> None:
    """From another product, its tabs, other results and pages past the end."""
    for walk in (
        ["search[necklace]", "click[next >]", "click[next >]"],
        ["search[necklace]", "ASIN", "click[features]"],
        ["search[necklace]", "ASIN"],
        ["EXPERT", "EXPERT", "click[reviews]"],
    ):
        played = env()
        for step in walk:
            listed = next((a for a in played.admissible_actions if "[b0" in a), "")
            played.step({"ASIN": listed, "EXPERT": played.expert_action() or ""}.get(step, step))
        info: dict[str, object] = {}
        while action := played.expert_action():
            *_, info = played.step(action)
        assert info["success"], walk
