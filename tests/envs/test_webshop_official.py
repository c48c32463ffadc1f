"""WebShop's own files: reading them, and the original's figures where the small set is there."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.webshop import WebShop
from agentgym_gen.envs.webshop.expert import goal_selection
from agentgym_gen.envs.webshop.matching.nouns import content_words
from agentgym_gen.envs.webshop.official import dataset, json_stream, on_disk
from agentgym_gen.envs.webshop.official import tasks as official_tasks
from agentgym_gen.envs.webshop.official.goals import synthetic_goals
from agentgym_gen.envs.webshop.official.tasks import OfficialTasks
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
ATTRIBUTE_RECORD = {
    "attributes": ["solid wood"],
    "instruction": "Find me solid wood desks",
    "instruction_attributes": ["solid wood"],
}
HUMAN_INSTRUCTION = {
    "instruction": "i need a red desk.",
    "instruction_attributes": ["solid wood"],
    "instruction_options": ["red"],
}


def folder_with(base: Path, *products: dict[str, object], human: bool = True) -> Path:
    """Write WebShop's files with *products* into the folder *base*, and return it."""
    (base / "items_shuffle_1000.json").write_text(json.dumps(products, ensure_ascii=False))
    (base / "items_ins_v2_1000.json").write_text(json.dumps({"B000000001": ATTRIBUTE_RECORD}))
    if human:
        without_attributes = {**HUMAN_INSTRUCTION, "instruction_attributes": []}
        instructions = {"B000000001": [HUMAN_INSTRUCTION, without_attributes]}
        (base / "items_human_ins.json").write_text(json.dumps(instructions))
    return base


def test_a_product_is_read(tmp_path: Path) -> None:
    """Prices become numbers, and values lower case with a bar for a slash; other fields stay."""
    files = dataset.find_files(folder_with(tmp_path, PRODUCT), 1000)
    ((product, attribute_record),) = dataset.read_products(files, 1000)

    assert attribute_record == ATTRIBUTE_RECORD
    assert product.title == "Oak Desk \u00e9"
    assert product.prices == (1299.0, 1099.5)
    assert product.price_tag == "$1299.0 to $1099.5"
    assert 1099.5 <= product.price <= 1299.0
    assert product.options == {"color": ("dark | light", "red")}
    assert product.query == "desks"
    assert product.index_text == "oak desk \u00e9 a desk. solid. color: dark | light, red"


def test_products_without_a_number_and_duplicates_are_left_out(tmp_path: Path) -> None:
    """Products with a missing or long number are left out, and the second of two with the same."""
    products = [{**PRODUCT, "asin": asin} for asin in ("nan", "B0000000012", "B000000001")]
    folder = folder_with(tmp_path, *products, {**PRODUCT, "name": "Second"})
    files = dataset.find_files(folder, 1000)

    assert [p.title for p, _ in dataset.read_products(files, 1000)] == ["Oak Desk \u00e9"]
    assert list(dataset.read_products(files, 2)) == []


def test_synthetic_goals_are_all_combinations(tmp_path: Path) -> None:
    """Every combination of options is a goal, in the original's words for options and price."""
    files = dataset.find_files(folder_with(tmp_path, PRODUCT), 1000)
    goals = list(synthetic_goals(dataset.read_products(files, 1000)))

    assert [goal.options for goal in goals] == [
        (("color", "dark | light"),),
        (("color", "red"),),
    ]
    assert goals[1].instruction == "Find me solid wood desks with color: red"


def test_human_goals_have_attributes(tmp_path: Path) -> None:
    """An instruction without attributes is no goal, and no full stop stands before the price."""
    folder = folder_with(tmp_path, {**PRODUCT, "pricing": "$35.00"})
    world = WebShop(data_dir=folder, goals="human")
    goal = world.tasks.make("easy", "test", 0).content

    assert {key: size for key, size in sizes(world).items() if size} == {("easy", "test"): 1}
    assert goal.instruction.startswith("i need a red desk, and price lower than ")


def test_missing_folders_and_files_are_named(tmp_path: Path) -> None:
    """A missing folder or file is an error that names it."""
    with pytest.raises(DataError, match="No folder"):
        WebShop(data_dir=tmp_path / "none")
    with pytest.raises(DataError, match=r"items_shuffle\*\.json"):
        WebShop(data_dir=tmp_path)
    with pytest.raises(DataError, match=r"items_human_ins\*\.json"):
        WebShop(data_dir=folder_with(tmp_path, PRODUCT, human=False), goals="human")


def test_the_full_set_is_read_for_more_products_than_the_small_one_has(tmp_path: Path) -> None:
    """More than 1,000 products, or all of them, are read from the full set."""
    folder = folder_with(tmp_path, PRODUCT)
    (folder / "items_shuffle.json").write_text("[]")

    names = [dataset.find_files(folder, n).products.name for n in (5, 1000, 1001, None)]
    assert names == ["items_shuffle_1000.json"] * 2 + ["items_shuffle.json"] * 2


@pytest.mark.parametrize("chunk", [7, 64, 2**24])
def test_large_files_are_read_in_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """Values of lists and objects and their positions are read whatever the size of a chunk."""
    monkeypatch.setattr(json_stream, "CHUNK_BYTES", chunk)
    path = tmp_path / "a.json"
    values = [{"a": "\u00e9\u4e16[1, {"}, 12.5, [1, 2], 'x"y', None, 123456789]
    for whole in (values, {f"k\u00e9{n}": value for n, value in enumerate(values)}):
        raw = json.dumps(whole, ensure_ascii=False, indent=1).encode()
        path.write_bytes(raw)
        records = list(json_stream.stream_records(path))
        keys = list(whole) if isinstance(whole, dict) else [""] * len(values)
        assert [record.value for record in records] == values
        assert [record.key for record in records] == keys
        spans = [raw[r.start : r.start + r.length] for r in records]
        assert [json.loads(span) for span in spans] == values


@pytest.mark.parametrize("text", ["", "[1, 2", "[1 2]", '{"a" 1}', "12", '["a', "[1,]"])
def test_broken_files_are_named(tmp_path: Path, text: str) -> None:
    """A file that is no JSON, or neither a list nor an object, is an error with its path."""
    path = tmp_path / "broken.json"
    path.write_text(text)

    with pytest.raises(DataError, match=r"broken\.json"):
        list(json_stream.stream_records(path))


def sizes(world: WebShop) -> dict[tuple[str, str], int]:
    """Return how many goals each tier and split of *world* has."""
    tasks = world.tasks
    return {(t, s): tasks.size(t, s) for t in tasks.tiers for s in tasks.splits}


def test_the_full_set_stays_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop on disk equals the one in memory, and opening it again builds nothing."""
    products = [{**PRODUCT, "asin": f"B00000000{n}", "name": f"Desk \u00e9 {n}"} for n in "314"]
    folder = folder_with(tmp_path, *products, {**PRODUCT, "asin": "nan"}, products[0])
    in_memory = WebShop(data_dir=folder, goals="human", products=4)
    monkeypatch.setenv("AGENTGYM_GEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(on_disk, "LARGE_FILE_BYTES", 0)
    from_disk = WebShop(data_dir=folder, goals="human")
    disk_shop, memory_shop = from_disk.tasks.shop, in_memory.tasks.shop

    assert [disk_shop[n] for n in range(3)] == [memory_shop[n] for n in range(3)]
    assert disk_shop.search("desk 3") == memory_shop.search("desk 3")
    assert sizes(from_disk) == sizes(in_memory)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.npz")}
    assert len(times) == 3
    official_tasks._load_shop.cache_clear()
    shop_again = WebShop(data_dir=folder, goals="human").tasks.shop
    assert shop_again.search("desk 3") == disk_shop.search("desk 3")
    assert {path: path.stat().st_mtime_ns for path in times} == times
    with pytest.raises(InvalidValueError, match="goals='human'"):
        WebShop(data_dir=folder, products=3)


def test_the_index_is_kept_in_the_cache_folder_of_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is below `AGENTGYM_GEN_CACHE` where that is set, else below the user's cache."""
    files = dataset.find_files(folder_with(tmp_path, PRODUCT), None)
    monkeypatch.setenv("XDG_CACHE_HOME", "/user")
    monkeypatch.setenv("AGENTGYM_GEN_CACHE", "/mine")
    assert on_disk.index_folder(files, None).parent == Path("/mine/webshop")

    monkeypatch.delenv("AGENTGYM_GEN_CACHE")
    assert on_disk.index_folder(files, None).parent == Path("/user/agentgym_gen/webshop")


@pytest.fixture(scope="module")
def tasks() -> OfficialTasks:
    """Return the synthetic goals of the small set."""
    tasks = WebShop(data_dir=DATA).tasks
    assert isinstance(tasks, OfficialTasks)
    return tasks


@needs_data
def test_the_small_set_has_the_originals_numbers(tasks: OfficialTasks) -> None:
    """The small set has 1,000 products and 6,910 goals, of which 6,661 can be met."""
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
    """All 6,910 goals score 1; with the original's faults 6,452 do, and the mean is 0.9896."""
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
    """The title of every goal's product finds it on the first page."""
    asins = {goal.asin for goal in tasks.all_goals}
    titles = {asin: tasks.shop.product(asin).title.lower() for asin in asins}

    assert max(tasks.shop.rank(title, asin) or 0 for asin, title in titles.items()) < 10


@needs_data
def test_rankings_are_those_of_lucene() -> None:
    """The ten best are always those that Anserini found, and of the 50 best 99.9 % are."""
    records = list(dataset.read_products(dataset.find_files(DATA, 1000), 1000))
    positions = {product.asin: position for position, (product, _) in enumerate(records)}
    shop = Shop.from_products(product for product, _ in records)
    golden = json.loads(GOLDEN.read_text())
    cases = list(queries(records))[::EVERY]
    assert len(cases) == len(golden) == 223

    shared = 0.0
    for (kind, asin, query), (*key, lucene_hits) in zip(cases, golden, strict=True):
        assert [kind, positions[asin], digest(query)] == key
        hits = [positions[shop[n].asin] for n in shop.search(query)]
        assert hits[:10] == lucene_hits[:10], query
        shared += len(set(hits) & set(lucene_hits)) / len(lucene_hits)
    assert shared / len(golden) > 0.999


@needs_data
@pytest.mark.slow
def test_the_contract_holds_on_the_official_goals() -> None:
    """The official goals pass every check of the contract, with both ways to split them."""
    for options in ({}, {"preset": "verl-agent", "observation": "text_rich"}):
        check_world(
            "agentgym_gen.envs.webshop:WebShop",
            tasks_per_split=1,
            compared_tasks=1,
            options={"data_dir": DATA, **options},
        )


@needs_data
def test_ids_are_the_originals_goal_numbers(tasks: OfficialTasks) -> None:
    """The key of a task is its goal's number; a wrong tier is answered with the right id."""
    env = TextEnv("agentgym_gen.envs.webshop:WebShop", split="test", data_dir=DATA)
    number = int(tasks.task_id("easy", "test", 0).key)
    _, info = env.reset(options={"task_id": f"webshop/easy/test/{number}"})

    assert info["goal"] == tasks.all_goals[number].instruction
    with pytest.raises(InvalidValueError, match=f"goal {number} is webshop/easy/test/{number}"):
        tasks.find(f"webshop/hard/train/{number}")
    for key in ("x", f"0{number}"):
        with pytest.raises(InvalidValueError, match="0 to 6909"):
            tasks.find(f"webshop/easy/test/{key}")
