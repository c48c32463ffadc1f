"""WebShop's own files: reading them, and the original's figures on the small set where it is."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.webshop import WebShop, official, official_tasks, records, stored
from agentgym_gen.envs.webshop.expert import goal_selection
from agentgym_gen.envs.webshop.nouns import content_words
from agentgym_gen.envs.webshop.official_tasks import OfficialTasks
from agentgym_gen.envs.webshop.reward import Scoring
from agentgym_gen.envs.webshop.shop import Shop
from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.testing import check_world
from tools.webshop_golden import EVERY, GOLDEN, digest, queries

HERE = Path(__file__).parents[3] / "shared" / "data" / "webshop"
DATA = Path(os.environ.get("WEBSHOP_DATA") or HERE)

needs_data = pytest.mark.skipif(
    not list(DATA.glob("items_shuffle_1000*.json")), reason="no official products here"
)

PRODUCT = {
    "asin": "B000000001",
    "name": "Oak Desk \u00e9",
    "full_description": "A desk.",
    "small_description": ["Solid.", "Heavy."],
    "pricing": "$1,299.00 - $1,099.50",
    "customization_options": {
        "Color": [{"value": " Dark/Light ", "image": None}, {"value": "red"}],
        "Size": None,
    },
    "category": "garden",
    "product_category": "Home \u203a Desks",
    "query": " Desks ",
}
ABOUT = {
    "attributes": ["solid wood"],
    "instruction": "Find me solid wood desks",
    "instruction_attributes": ["solid wood"],
}
ASKED = {
    "instruction": "i need a red desk.",
    "instruction_attributes": ["solid wood"],
    "instruction_options": ["red"],
}


def folder_with(base: Path, *products: dict[str, object], human: bool = True) -> Path:
    """Return a folder with WebShop's files."""
    (base / "items_shuffle_1000.json").write_text(json.dumps(products, ensure_ascii=False))
    (base / "items_ins_v2_1000.json").write_text(json.dumps({"B000000001": ABOUT}))
    if human:
        asked = {"B000000001": [ASKED, {**ASKED, "instruction_attributes": []}]}
        (base / "items_human_ins.json").write_text(json.dumps(asked))
    return base


def test_a_product_is_read(tmp_path: Path) -> None:
    """Prices are numbers, values in lower case with a bar for a slash, other fields as they are."""
    files = official.find_files(folder_with(tmp_path, PRODUCT), 1000)
    ((product, about),) = official.read_products(files, 1000)

    assert about == ABOUT
    assert product.title == "Oak Desk \u00e9"
    assert product.prices == (1299.0, 1099.5)
    assert product.price_tag == "$1299.0 to $1099.5"
    assert 1099.5 <= product.price <= 1299.0
    assert product.options == {"color": ("dark | light", "red")}
    assert product.query == "desks"
    assert product.index_text == "oak desk \u00e9 a desk. solid. color: dark | light, red"


def test_products_without_a_number_and_doubles_are_left_out(tmp_path: Path) -> None:
    """As the original does; the first of two is kept."""
    products = [{**PRODUCT, "asin": asin} for asin in ("nan", "B0000000012", "B000000001")]
    folder = folder_with(tmp_path, *products, {**PRODUCT, "name": "Second"})
    files = official.find_files(folder, 1000)

    assert [p.title for p, _ in official.read_products(files, 1000)] == ["Oak Desk \u00e9"]
    assert list(official.read_products(files, 2)) == []


def test_synthetic_goals_are_all_combinations(tmp_path: Path) -> None:
    """With the original's words for options and price."""
    files = official.find_files(folder_with(tmp_path, PRODUCT), 1000)
    goals = list(official.synthetic_goals(official.read_products(files, 1000)))

    assert [goal.options for goal in goals] == [
        (("color", "dark | light"),),
        (("color", "red"),),
    ]
    assert goals[1].instruction == "Find me solid wood desks with color: red"


def test_human_goals_have_attributes(tmp_path: Path) -> None:
    """Those without are left out; the full stop goes before the price."""
    folder = folder_with(tmp_path, {**PRODUCT, "pricing": "$35.00"})
    world = WebShop(data_dir=folder, goals="human")
    goal = world.tasks.make("easy", "test", 0).content

    assert {place: size for place, size in sizes(world).items() if size} == {("easy", "test"): 1}
    assert goal.instruction.startswith("i need a red desk, and price lower than ")


def test_folders_and_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    """With what has to be where."""
    with pytest.raises(DataError, match="No folder"):
        WebShop(data_dir=tmp_path / "none")
    with pytest.raises(DataError, match=r"items_shuffle\*\.json"):
        WebShop(data_dir=tmp_path)
    with pytest.raises(DataError, match=r"items_human_ins\*\.json"):
        WebShop(data_dir=folder_with(tmp_path, PRODUCT, human=False), goals="human")


def test_the_full_set_is_taken_when_more_products_are_wanted(tmp_path: Path) -> None:
    """Or all of them."""
    folder = folder_with(tmp_path, PRODUCT)
    (folder / "items_shuffle.json").write_text("[]")

    names = [official.find_files(folder, n).products.name for n in (5, 1000, 1001, None)]
    assert names == ["items_shuffle_1000.json"] * 2 + ["items_shuffle.json"] * 2


@pytest.mark.parametrize("chunk", [7, 64, 2**24])
def test_large_files_are_read_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """Lists and objects, with the places of their values, however small the pieces are."""
    monkeypatch.setattr(records, "CHUNK", chunk)
    path = tmp_path / "a.json"
    values = [{"a": "\u00e9\u4e16[1, {"}, 12.5, [1, 2], 'x"y', None, 123456789]
    for whole in (values, {f"k\u00e9{n}": value for n, value in enumerate(values)}):
        raw = json.dumps(whole, ensure_ascii=False, indent=1).encode()
        path.write_bytes(raw)
        read = list(records.stream_records(path))
        keys = list(whole) if isinstance(whole, dict) else [""] * len(values)
        assert [record.value for record in read] == values
        assert [record.key for record in read] == keys
        spans = [raw[r.start : r.start + r.length] for r in read]
        assert [json.loads(span) for span in spans] == values


@pytest.mark.parametrize("text", ["", "[1, 2", "[1 2]", '{"a" 1}', "12", '["a', "[1,]"])
def test_broken_files_are_named(tmp_path: Path, text: str) -> None:
    """By one sentence with the path."""
    path = tmp_path / "broken.json"
    path.write_text(text)

    with pytest.raises(DataError, match=r"broken\.json"):
        list(records.stream_records(path))


def sizes(world: WebShop) -> dict[tuple[str, str], int]:
    """Return how many goals each tier and split of *world* has."""
    tasks = world.tasks
    return {(t, s): tasks.size(t, s) for t in tasks.tiers for s in tasks.splits}


def test_the_full_set_stays_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the same shop with the same goals; the second time nothing is built again."""
    products = [{**PRODUCT, "asin": f"B00000000{n}", "name": f"Desk \u00e9 {n}"} for n in "314"]
    folder = folder_with(tmp_path, *products, {**PRODUCT, "asin": "nan"}, products[0])
    in_memory = WebShop(data_dir=folder, goals="human", products=4)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(stored, "LARGE", 0)
    on_disk = WebShop(data_dir=folder, goals="human")
    first, other = on_disk.tasks.shop, in_memory.tasks.shop

    assert [first[n] for n in range(3)] == [other[n] for n in range(3)]
    assert first.search("desk 3") == other.search("desk 3")
    assert sizes(on_disk) == sizes(in_memory)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.npz")}
    assert len(kept) == 3
    official_tasks._load_shop.cache_clear()
    again = WebShop(data_dir=folder, goals="human").tasks.shop
    assert again.search("desk 3") == first.search("desk 3")
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    with pytest.raises(InvalidValueError, match="goals='human'"):
        WebShop(data_dir=folder, products=3)


@pytest.fixture(scope="module")
def tasks() -> OfficialTasks:
    """The synthetic goals of the small set."""
    made = WebShop(data_dir=DATA).tasks
    assert isinstance(made, OfficialTasks)
    return made


@needs_data
def test_the_small_set_has_the_originals_numbers(tasks: OfficialTasks) -> None:
    """1,000 products and 6,910 goals, of which the first 500 are the test."""
    assert (len(tasks.shop), len(tasks.all_goals)) == (1000, 6910)
    by_split = Counter({s: sum(tasks.size(t, s) for t in tasks.tiers) for s in tasks.splits})
    assert by_split == {"train": 5206, "valid": 972, "test": 483}
    assert {t: sum(tasks.size(t, s) for s in tasks.splits) for t in tasks.tiers} == {
        "easy": 562,
        "medium": 2159,
        "hard": 3940,
    }


@needs_data
def test_every_goal_can_be_met_but_for_the_originals_faults(tasks: OfficialTasks) -> None:
    """6,452 of 6,910 with them, as the unmodified original; the mean of all is 0.9896."""
    totals: dict[bool, list[float]] = {}
    for as_original in (False, True):
        scoring = Scoring(content_words, as_original)
        totals[as_original] = [
            scoring.score_purchase(product, product, goal, goal_selection(product, goal)).total
            for goal in tasks.all_goals
            for product in [tasks.shop.product(goal.asin)]
        ]

    assert set(totals[False]) == {1.0}
    assert totals[True].count(1.0) == 6452
    assert sum(totals[True]) / 6910 == pytest.approx(0.9896, abs=5e-5)


@needs_data
def test_titles_find_their_products(tasks: OfficialTasks) -> None:
    """On the first page, all of them."""
    wanted = {goal.asin for goal in tasks.all_goals}
    titles = {asin: tasks.shop.product(asin).title.lower() for asin in wanted}

    assert max(tasks.shop.rank(title, asin) or 0 for asin, title in titles.items()) < 10


@needs_data
def test_rankings_are_those_of_lucene() -> None:
    """Recorded with Anserini: the best is always the same, and 99 % of the 50 best."""
    read = list(official.read_products(official.find_files(DATA, 1000), 1000))
    places = {product.asin: place for place, (product, _) in enumerate(read)}
    shop = Shop.from_products(product for product, _ in read)
    golden = json.loads(GOLDEN.read_text())
    asked = list(queries(read))[::EVERY]
    assert len(asked) == len(golden) == 223

    shared = 0.0
    for (kind, asin, query), (its_kind, place, known_as, found) in zip(asked, golden, strict=True):
        assert (kind, places[asin], digest(query)) == (its_kind, place, known_as)
        mine = [places[shop[n].asin] for n in shop.search(query)]
        assert mine[:10] == found[:10], query
        shared += len(set(mine) & set(found)) / len(found)
    assert shared / len(golden) > 0.999


@needs_data
@pytest.mark.slow
def test_the_contract_holds_on_the_official_goals() -> None:
    """Every law, with both presets that split them, human goals and the original's faults."""
    for options in ({}, {"preset": "verl-agent", "observation": "text_rich"}):
        check_world(
            "agentgym_gen.envs.webshop:WebShop",
            tasks_per_split=1,
            options={"data_dir": DATA, **options},
        )


@needs_data
def test_ids_are_the_originals_goal_numbers(tasks: OfficialTasks) -> None:
    """A number in the wrong place is answered with the right one."""
    env = TextEnv("agentgym_gen.envs.webshop:WebShop", split="test", data_dir=DATA)
    number = int(tasks.task_id("easy", "test", 0).key)
    _, info = env.reset(options={"task_id": f"webshop/easy/test/{number}"})

    assert info["goal"] == tasks.all_goals[number].instruction
    with pytest.raises(InvalidValueError, match=f"goal {number} is webshop/easy/test/{number}"):
        tasks.find(f"webshop/hard/train/{number}")
    with pytest.raises(InvalidValueError, match="0 to 6909"):
        tasks.find("webshop/easy/test/x")
