"""WebShop as a world: its actions, its rules, the generated shop and the goals in it."""

from __future__ import annotations

import re
import threading

import pytest

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.webshop import WebShop
from agentgym_gen.envs.webshop.expert import goal_selection
from agentgym_gen.envs.webshop.generator.families import TITLE_TEMPLATES, families
from agentgym_gen.envs.webshop.generator.goal_text import REQUEST_TEMPLATES, generate_goals
from agentgym_gen.envs.webshop.generator.vocabulary import load_vocabulary
from agentgym_gen.envs.webshop.matching.nouns import content_words
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.reward import Scoring
from agentgym_gen.envs.webshop.tasks import open_generated
from agentgym_gen.errors import DataError, InvalidValueError, UnknownNameError
from agentgym_gen.testing import check_world
from agentgym_gen.world import Command, Malformed

WORLD = "agentgym_gen.envs.webshop:WebShop"
SMALL = {"products": 150}


def start_env(task_id: str = "webshop/medium/test/3", **options: object) -> TextEnv:
    """Return an environment with a small shop at the start of *task_id*."""
    _, tier, split, _ = task_id.split("/")
    env = TextEnv(WORLD, tier=tier, split=split, **{**SMALL, **options})  # type: ignore[arg-type]
    env.reset(options={"task_id": task_id})
    return env


def first_products(amount: int) -> list[Product]:
    """Return the first *amount* products of our own shop."""
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
def test_the_contract_holds_with_other_rules(options: dict[str, str]) -> None:
    """A small shop with other rules passes every check of the contract."""
    check_world(WORLD, tasks_per_split=1, compared_tasks=1, options={**SMALL, **options})


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("search[red shoes]", Command("search", ("red shoes",))),
        ("  Search [ red shoes ] please", Command("search", ("red shoes",))),
        ("search[shoes [size 7] red]", Command("search", ("shoes [size 7] red",))),
        ("click[< Prev]", Command("click", ("< Prev",))),
        ("click[Buy Now]\nThen I am done]", Command("click", ("Buy Now",))),
    ],
)
def test_actions_are_parsed(text: str, command: Command) -> None:
    """An action is parsed in any case, up to the last bracket of its line."""
    assert WebShop(products=150).read(text) == command


@pytest.mark.parametrize(
    "text", ["search", "search[]", "search[ ]", "find[shoes]", "click buy now"]
)
def test_other_texts_are_no_actions(text: str) -> None:
    """A text that is no action is malformed and answered by the unchanged page."""
    env = start_env()
    before, _ = env.reset(options={"task_id": "webshop/medium/test/3"})
    observation, reward, *_, info = env.step(text)

    assert isinstance(env.world.read(text), Malformed)
    assert (observation, reward, info["valid_action"]) == (before, 0.0, False)


def test_the_original_loses_queries_with_brackets() -> None:
    """A query with brackets is valid here and invalid with the original's faults."""
    for compat, valid in (("fixed", True), ("original", False)):
        env = start_env(compat=compat)
        *_, info = env.step("search[shoes [size 7]]")
        assert info["valid_action"] is valid


def test_the_original_answers_a_blank_query_with_no_results() -> None:
    """A query of spaces shows an empty page of results in the original and is invalid here."""
    for compat, is_valid in (("fixed", False), ("original", True)):
        env = start_env(compat=compat)
        observation, *_, info = env.step("search[ ]")
        assert info["valid_action"] is is_valid
        assert ("[SEP] Page 1 (Total results: 0) [SEP] Next >" in observation) is is_valid


@pytest.mark.parametrize("length", [8_000, 10_000])
def test_a_long_query_does_not_lose_the_episode(length: int) -> None:
    """After a query near the length limit, accepted or refused, the expert still succeeds."""
    env = start_env()
    env.step(f"search[{'shoe ' * (length // 5)}]")
    info: dict[str, object] = {}
    while action := env.expert_action():
        *_, info = env.step(action)

    assert info["success"]


def test_an_unknown_button_changes_nothing() -> None:
    """A click on a button that the page lacks is invalid, and the reason names the button."""
    env = start_env(interface="explained")
    env.step(env.expert_action() or "")
    before = env.admissible_actions
    observation, reward, *_, info = env.step("click[add to cart]")

    assert (reward, info["valid_action"], env.admissible_actions) == (0.0, False, before)
    assert "there is no button called 'add to cart' on this page" in observation


def test_the_search_is_listed_where_its_bar_is() -> None:
    """The start page lists the search as verl-agent does; other pages list their buttons."""
    env = start_env()
    assert env.admissible_actions == ["search[<your query>]"]
    env.step("search[boots]")

    assert env.admissible_actions[:2] == ["click[back to search]", "click[next >]"]


def test_a_search_is_taken_on_every_page() -> None:
    """A search is valid on a page without a search bar, as in the original."""
    env = start_env()
    env.step("search[boots]")
    observation, *_, info = env.step("search[necklace]")

    assert info["valid_action"]
    assert "Necklace" in observation


def page_after_selection(**options: str) -> str:
    """Return the page after the expert's first click on the value of an option."""
    env = start_env("webshop/medium/test/3", **options)
    goal = env.world.tasks.find("webshop/medium/test/3").content
    clicks = {f"click[{value}]" for _, value in goal.options}
    while (action := env.expert_action() or "") not in clicks:
        env.step(action)
    return env.step(action)[0]


def test_selected_values_are_shown() -> None:
    """A line of the original's ``text_rich`` mode names the value before the unchanged page."""
    fixed, original = page_after_selection(), page_after_selection(compat="original")

    assert re.match(r"You have clicked .+\.\nInstruction: ", fixed)
    assert fixed.partition("\n")[2] == original


def last_step(**options: str) -> tuple[float, dict[str, object]]:
    """Return the last reward and info of the expert's episode."""
    env = start_env(**options)
    reward, info = 0.0, {}
    while action := env.expert_action():
        _, reward, *_, info = env.step(action)
    return float(reward), info


def test_presets() -> None:
    """verl-agent rewards a score of 1 with 10, the others with 1; each has its turn limit."""
    assert last_step()[0] == last_step(preset="agentgym")[0] == 1.0
    assert last_step(preset="verl-agent")[0] == 10.0
    limits = {preset: start_env(preset=preset).turn_limit for preset in ("agentgym", "verl-agent")}
    assert limits == {"agentgym": 10, "verl-agent": 15}


def test_a_wrong_purchase_ends_the_episode_with_part_of_the_score() -> None:
    """A purchase without the options fails, is rewarded in part, and the details say why."""
    env = start_env()
    while (action := env.expert_action()) and "search" in action:
        env.step(action)
    env.step(action or "")
    _, reward, terminated, _, info = env.step("click[buy now]")
    details = info["reward_details"]

    assert terminated
    assert info["end_reason"] == "failure"
    assert 0 < reward == info["score"] == details["total"] < 1
    assert (details["bought"], details["r_option"], info["noun_extractor"]) == (True, 0.0, "words")


def test_details_are_there_from_the_start() -> None:
    """The details have the same keys in every step, so that vector environments can stack them."""
    env = start_env()
    _, info = env.reset()
    _, last_info = last_step()

    assert not info["reward_details"]["bought"]
    assert list(info["reward_details"]) == list(last_info["reward_details"])  # type: ignore[call-overload]


def test_renamed_values_are_renamed_everywhere() -> None:
    """No old name stands in the instruction, on a page, in a query or in a click."""
    env = start_env("webshop/hard/test/1", interface="renamed")
    goal = env.world.tasks.find("webshop/hard/test/1").content
    names = {value for _, value in goal.options if value in env.world.surface().nouns()}
    texts = [env.reset(options={"task_id": "webshop/hard/test/1"})[0]]
    while action := env.expert_action():
        observation, *_ = env.step(action)
        texts += [action, observation.partition("[SEP] Rating")[0]]

    assert names
    assert not [name for name in names for text in texts if re.search(rf"\b{name}\b", text)]


def test_rules_are_checked() -> None:
    """An unknown keyword or value is an error that names the nearest valid one."""
    with pytest.raises(UnknownNameError, match="did you mean 'text_rich'"):
        WebShop(observation="text_ritch")
    with pytest.raises(UnknownNameError, match="did you mean 'preset'"):
        WebShop(presets="agentgym")
    with pytest.raises(UnknownNameError, match="generated, human, synthetic"):
        WebShop(goals="real")


@pytest.mark.parametrize("amount", [0, -1, 2.5, True, 2_000_000])
def test_the_number_of_products_is_checked(amount: int) -> None:
    """The number of products of our own shop is a whole number from 1 to a million."""
    with pytest.raises(InvalidValueError, match="`products`"):
        WebShop(products=amount)


def test_a_shop_too_small_for_a_tier_says_so() -> None:
    """A task that a shop of one product does not have is an error that names its tier."""
    with pytest.raises(InvalidValueError, match="No task 0 in webshop/"):
        WebShop(products=1).tasks.make("hard", "valid", 0)


def test_official_goals_need_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Official goals without a folder are an error, and so are generated goals with one."""
    monkeypatch.delenv("WEBSHOP_DATA", raising=False)
    with pytest.raises(DataError, match="WEBSHOP_DATA"):
        WebShop(goals="human")
    with pytest.raises(InvalidValueError, match="no generated goals"):
        WebShop(goals="generated", data_dir=".")


def test_a_small_shop_is_the_beginning_of_a_large_one() -> None:
    """The first 150 products of a shop of 400 are those of a shop of 150."""
    assert first_products(400)[:150] == first_products(150)


def test_products_are_complete() -> None:
    """Every product has a number of its own, a title, points, a price and options with values."""
    products = first_products(2000)

    assert len({product.asin for product in products}) == 2000
    assert all(re.fullmatch("B0[0-9A-Z]{8}", product.asin) for product in products)
    assert all(p.title and p.description and len(p.bullets) >= 3 and p.price > 0 for p in products)
    assert all(values for p in products for values in p.options.values())
    assert all(re.fullmatch(r"\S+( \S+)*", p.title) for p in products)
    assert not [p for p in products if re.search(r"\b(search|click)\b", p.index_text)]


def test_the_shop_is_varied() -> None:
    """All kinds and departments occur, and most titles occur once."""
    products = first_products(3000)

    assert {p.path for p in products} == {kind.path for kind in load_vocabulary().kinds}
    assert len(load_vocabulary().kinds) == 99
    assert len({p.category for p in products}) == 10
    assert len({p.title for p in products}) > 2000


def test_products_that_look_alike_differ() -> None:
    """A product differs from the first of its family in its options, prices or traits."""
    groups = [family for family in families(1000) if len(family) > 1]

    assert len(groups) > 100
    for first, *siblings in groups:
        for sibling in siblings:
            fields = (sibling.options, sibling.prices, sibling.attributes)
            assert fields != (first.options, first.prices, first.attributes)


def test_every_trait_can_be_described_and_asked_for() -> None:
    """The vocabulary has two points and a pair of phrases for each trait."""
    traits = {trait for kind in load_vocabulary().kinds for trait in kind.traits}

    assert traits == set(load_vocabulary().points) == set(load_vocabulary().phrases)
    assert {len(points) for points in load_vocabulary().points.values()} == {2}


def test_requests_are_varied() -> None:
    """No template opens 15 % of the requests or more."""
    requests = {goal.request for product in first_products(600) for goal in generate_goals(product)}
    openings = [template.partition("{")[0] for template in REQUEST_TEMPLATES]
    shares = [sum(r.startswith(o) for r in requests) / len(requests) for o in openings if o]

    assert len(requests) > 1000
    assert max(shares) < 0.15
    assert len(TITLE_TEMPLATES) == 12


def test_goals_are_about_their_product() -> None:
    """A goal's attributes and values are its product's, and its limit is above the price."""
    for product in first_products(300):
        for goal in generate_goals(product):
            assert set(goal.attributes) <= set(product.attributes)
            assert all(value in product.options[name] for name, value in goal.options)
            assert goal.price_upper > product.price
            assert goal.instruction.startswith(goal.request)
            assert all(value in goal.instruction for _, value in goal.options)


def test_goals_for_products_that_look_alike_are_in_one_split() -> None:
    """All goals for products with one title are in one split."""
    tasks = open_generated(150)
    splits_by_title: dict[str, set[str]] = {}
    for tier in tasks.tiers:
        for split in tasks.splits:
            for index in range(tasks.size(tier, split)):
                goal = tasks.make(tier, split, index).content
                splits_by_title.setdefault(tasks.shop.product(goal.asin).title, set()).add(split)

    assert {len(splits) for splits in splits_by_title.values()} == {1}


@pytest.mark.slow
def test_every_goal_can_be_met() -> None:
    """A goal's product with its options scores exactly 1; its title and the request find it."""
    tasks, scoring = open_generated(1000), Scoring(content_words)
    shop, count = tasks.shop, 0
    for tier in tasks.tiers:
        for split in tasks.splits:
            for index in range(tasks.size(tier, split)):
                goal = tasks.make(tier, split, index).content
                product = shop.product(goal.asin)
                selection = goal_selection(product, goal)
                assert scoring.score_purchase(product, product, goal, selection).total == 1.0, goal
                assert shop.rank(product.title.lower(), goal.asin) is not None, goal
                assert shop.rank(goal.request, goal.asin) is not None, goal
                count += 1

    assert count > 6000


def test_worlds_share_one_shop() -> None:
    """Worlds with as many products share one shop, even if threads make them at the same time."""
    worlds: list[WebShop] = []
    threads = [threading.Thread(target=lambda: worlds.append(WebShop(products=77))) for _ in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(world.tasks.shop) for world in worlds}) == 1


def test_the_expert_succeeds_from_any_page() -> None:
    """The expert succeeds from another product, its tabs, other results, pages past the end."""
    for walk in (
        ["search[necklace]", "click[next >]", "click[next >]"],
        ["search[necklace]", "ASIN", "click[features]"],
        ["search[necklace]", "ASIN"],
        ["EXPERT", "EXPERT", "click[reviews]"],
    ):
        env = start_env()
        for step in walk:
            click = next((a for a in env.admissible_actions if "[b0" in a), "")
            env.step({"ASIN": click, "EXPERT": env.expert_action() or ""}.get(step, step))
        info: dict[str, object] = {}
        while action := env.expert_action():
            *_, info = env.step(action)
        assert info["success"], walk
