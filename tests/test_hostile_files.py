"""Every loader of untrusted files, with damaged files: it reads them or names what is wrong.

A sound file is damaged in two ways. Bytes are removed, changed and inserted; and a value of its
JSON or TOML is replaced by one of another type, as by a careless editor.
"""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pretend_study import SMALL, small_plan

from agentgym_gen.envs.alfworld.house import House
from agentgym_gen.envs.alfworld.official.game_writer import pddl_problem
from agentgym_gen.envs.alfworld.official.tasks import OfficialTasks
from agentgym_gen.envs.alfworld.tasks import GeneratedTasks
from agentgym_gen.envs.alfworld.tiers import TaskFilter
from agentgym_gen.envs.searchqa.corpus import read_corpus
from agentgym_gen.envs.searchqa.question_formats import read_questions
from agentgym_gen.envs.textworld.games.custom import CustomGames
from agentgym_gen.envs.webshop import WebShop
from agentgym_gen.errors import AgentGymGenError, DataError, InvalidValueError
from agentgym_gen.retrieval import BM25Index
from agentgym_gen.study.plan.parser import load_plan
from agentgym_gen.study.plan.plan import ROW_SCHEMA
from agentgym_gen.study.results.files import read_record, read_rows
from agentgym_gen.study.results.rows import read_curves, read_transcripts
from agentgym_gen.study.results.schema import CellRow, EpisodeRow
from agentgym_gen.study.study import Study
from agentgym_gen.trainers.checkpoint import read_state
from agentgym_gen.world.task_list import read_task_list
from tools.file_kinds import CELL_ROW

HOUSE = GeneratedTasks(TaskFilter(task_type="heat")).make("medium", "train", 0).content
GAME = {
    "grammar": f'{{"task": [{{"rhs": "Your task is to: {HOUSE.task}"}}]}}',
    "pddl_problem": pddl_problem(HOUSE),
}
TRIAL = "train/pick_heat_then_place_in_recep-Apple-None-Fridge-1/trial_1"
QUESTIONS = (
    {
        "question": "Who?",
        "answer": "Ann",
        "level": "hard",
        "supporting_facts": [["A", 0], ["B", 2]],
    },
    {
        "question": "Where?",
        "answer": "Lima",
        "answer_aliases": ["City of Lima"],
        "paragraphs": [{"idx": 0, "title": "A"}, {"idx": 1, "title": "B"}],
        "question_decomposition": [{"paragraph_support_idx": 1}, {"paragraph_support_idx": 0}],
    },
    {"question": "why", "answer": ["so", "thus"]},
    {"question": "how", "golden_answers": ["well"]},
)
PRODUCT = {
    "asin": "B000000001",
    "name": "Oakby Mug",
    "full_description": "Holds tea.",
    "small_description": ["Dishwasher safe.", "Leak proof lid."],
    "pricing": "$12.50$20.00",
    "customization_options": {"color": [{"value": "red"}, {"value": "blue"}], "size": None},
    "category": "garden",
    "product_category": "Home & Kitchen \u203a Mugs",
    "query": "mug",
}
ABOUT = {
    "attributes": ["dishwasher safe"],
    "instruction": "Find me a mug that is dishwasher safe",
    "instruction_attributes": ["dishwasher safe"],
}
ASKED = {
    "instruction": "i need a red mug.",
    "instruction_attributes": ["dishwasher safe"],
    "instruction_options": ["red"],
}
STORY = {
    "KB": {"logic": 'open/c :: "open {c}" :: "opening the {c}";'},
    "metadata": {"walkthrough": ["open chest", "take coin"]},
}
EPISODE = {
    "schema": ROW_SCHEMA, "cell": "base.s0/x", "arm": "base", "seed": 0, "column": "x",
    "task_id": "sokoban/easy/test/1", "sample": 0, "interface": "native", "success": False,
    "score": 0.5, "reward": -1.0, "turns": 3, "invalid_turns": 1, "truncated_turns": 0,
    "action_tokens": 9, "observation_chars": 90, "end_reason": "turn_limit", "failures": ["loops"],
}  # fmt: skip
CELL = CELL_ROW
STATE = {"step": 3, "history": [{"step": 1, "loss": 0.5}], "config": {"seed": 0}}


class Loader:
    """A function that reads a file, with the sound content of the file.

    Args:
        name: The name of the file.
        sound: Its content, as data or text.
        read: Reads it from the folder that contains it.
    """

    def __init__(self, name: str, sound: object, read: Callable[[Path], object]) -> None:
        self.name, self.sound, self.read = name, sound, read

    def __repr__(self) -> str:
        """Return the name of the file."""
        return self.name

    def text(self, value: object) -> str:
        """Return *value* as the text of the file."""
        if isinstance(value, str):
            return value
        if self.name.endswith(".jsonl") and isinstance(value, list | tuple):
            return "".join(json.dumps(row) + "\n" for row in value)
        return json.dumps(value)

    def write(self, folder: Path, text: str) -> Path:
        """Write *text* as the file into a new folder below *folder*, and return the new folder."""
        inner = folder / str(len(list(folder.iterdir())))
        (inner / self.name).parent.mkdir(parents=True)
        (inner / self.name).write_bytes(text.encode("utf-8", "surrogatepass"))
        return inner


def games(folder: Path) -> object:
    """Read the games of ALFWorld, and return their faults."""
    return OfficialTasks(folder, TaskFilter()).faults("train")


def shop(goals: str, **files: object) -> Callable[[Path], object]:
    """Return a function that opens a shop with the file in its folder, beside *files*."""

    def open_shop(folder: Path) -> object:
        for name, value in files.items():
            (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
        return WebShop(data_dir=folder, goals=goals).tasks.size("easy", "train")

    return open_shop


def stories(folder: Path) -> object:
    """Read the descriptions of TextWorld's games; their story files are opened later only."""
    (folder / "a.z8").write_bytes(b"\x08")
    return CustomGames(folder).all


PRODUCTS = {"items_shuffle": [PRODUCT]}
ABOUTS = {"items_ins_v2": {"B000000001": ABOUT}}
LOADERS = (
    Loader(f"json_2.1.1/{TRIAL}/game.tw-pddl", GAME, games),
    Loader("q.jsonl", QUESTIONS, lambda folder: read_questions(folder / "q.jsonl")),
    Loader("q.json", QUESTIONS, lambda folder: read_questions(folder / "q.json")),
    Loader(
        "c.jsonl",
        [{"title": "A", "text": "a"}, {"contents": "B\nb"}],
        lambda folder: read_corpus(folder / "c.jsonl"),
    ),
    Loader(
        "tasks.txt",
        "sokoban/easy/train/1  # 0.5\n\n# about\nsokoban/easy/train/2\n",
        lambda folder: read_task_list(folder / "tasks.txt"),
    ),
    Loader("items_shuffle.json", [PRODUCT], shop("synthetic", **ABOUTS)),
    Loader("items_ins_v2.json", ABOUTS["items_ins_v2"], shop("synthetic", **PRODUCTS)),
    Loader("items_human_ins.json", {"B000000001": [ASKED]}, shop("human", **PRODUCTS, **ABOUTS)),
    Loader("a.json", STORY, stories),
    Loader("plan.toml", SMALL, lambda folder: load_plan(folder / "plan.toml")),
    Loader("plan.json", {"key": small_plan().key(), "plan": small_plan().as_dict()}, Study.open),
    Loader("state.json", STATE, read_state),
    Loader("models/m/log.jsonl", [{"step": 1, "loss": 0.5}], read_curves),
    Loader("cell.json", CELL, lambda folder: read_record(folder / "cell.json", CellRow)),
    Loader(
        "episodes.jsonl", [EPISODE], lambda folder: read_rows(folder / "episodes.jsonl", EpisodeRow)
    ),
)
DATA_LOADERS = [loader for loader in LOADERS if not isinstance(loader.sound, str)]

many = settings(
    derandomize=True,
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
scraps = st.text(max_size=20) | st.sampled_from(
    [
        "(",
        '"',
        "{",
        "}",
        "[",
        "\\",
        "\n",
        "null",
        "1e999",
        "NaN",
        "\x00",
        "\ud800",
        "\u2028",
        "[" * 9999,
    ]
)
spans = st.tuples(st.integers(0, 10_000), st.integers(0, 400), scraps)
strange = st.sampled_from(
    [None, True, 5, -1, 2**70, 1e308, float("nan"), "", "x", "../../x", "\ud800", [], ["x"], [5],
     [[]], {}, {"x": {}}, "9" * 400]
)  # fmt: skip


def read_or_refuse(loader: Loader, folder: Path) -> None:
    """Read the file; the only error allowed is one of the library that names the file."""
    try:
        loader.read(folder)
    except AgentGymGenError as error:
        names = (str(folder), "items_ins_v2", "items_human_ins", "B000000001")
        if not any(name in str(error) for name in names):
            raise


@pytest.mark.parametrize("loader", LOADERS, ids=repr)
def test_a_sound_file_is_read(tmp_path: Path, loader: Loader) -> None:
    """The file that the tests below damage is sound."""
    assert loader.read(loader.write(tmp_path, loader.text(loader.sound))) is not None


@pytest.mark.parametrize("loader", LOADERS, ids=repr)
def test_damaged_bytes_are_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, loader: Loader
) -> None:
    """A file with bytes removed or replaced is read, or an error names it."""
    base = tmp_path_factory.mktemp("bytes")

    @many
    @given(cuts=st.lists(spans, min_size=1, max_size=3))
    def damaged(cuts: list[tuple[int, int, str]]) -> None:
        text = loader.text(loader.sound)
        for start, length, scrap in cuts:
            place = start % (len(text) + 1)
            text = text[:place] + scrap + text[place + length :]
        read_or_refuse(loader, loader.write(base, text))

    damaged()


@pytest.mark.parametrize("loader", DATA_LOADERS, ids=repr)
def test_values_of_another_kind_are_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, loader: Loader
) -> None:
    """A file with one or two values of another type is read, or an error names it."""
    base = tmp_path_factory.mktemp("values")
    places = list(paths(loader.sound))

    @many
    @given(changes=st.lists(st.tuples(st.sampled_from(places), strange), min_size=1, max_size=2))
    def changed(changes: list[tuple[tuple[Any, ...], object]]) -> None:
        value = json.loads(json.dumps(loader.sound))
        for path, new in changes:
            value = replace(value, path, new)
        read_or_refuse(loader, loader.write(base, loader.text(value)))

    changed()


@many
@given(
    changes=st.lists(st.tuples(st.integers(0, 60), scraps | st.just("5")), min_size=1, max_size=2)
)
def test_values_of_another_kind_in_a_plan_are_named(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, str]]
) -> None:
    """A plan with another value after the equals sign of a line is read, or an error names it."""
    lines = SMALL.split("\n")
    loader = next(loader for loader in LOADERS if loader.name == "plan.toml")
    for number, scrap in changes:
        place = number % len(lines)
        key, equals, _ = lines[place].partition("=")
        lines[place] = f"{key}= {scrap}" if equals else scrap
    read_or_refuse(loader, loader.write(tmp_path_factory.mktemp("plan"), "\n".join(lines)))


def paths(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of keys to every value in *value*."""
    yield path
    pairs: Any = value.items() if isinstance(value, dict) else ()
    pairs = enumerate(value) if isinstance(value, list | tuple) else pairs
    for key, inner in pairs:
        yield from paths(inner, (*path, key))


def replace(value: Any, path: tuple[Any, ...], new: object) -> object:  # noqa: ANN401
    """Return *value* with *new* at *path*, or unchanged if there is no such place any more."""
    if not path:
        return new
    if isinstance(value, dict):
        return {k: replace(v, path[1:], new) if k == path[0] else v for k, v in value.items()}
    if isinstance(value, list):
        return [replace(v, path[1:], new) if n == path[0] else v for n, v in enumerate(value)]
    return value


def test_a_separator_of_unicode_is_a_part_of_a_text(tmp_path: Path) -> None:
    """A Unicode line separator inside a text does not end a line of a corpus."""
    line = json.dumps({"title": "A", "text": "one\u2028two\u0085"}, ensure_ascii=False)
    (tmp_path / "c.jsonl").write_text(line, encoding="utf-8")

    assert read_corpus(tmp_path / "c.jsonl")[0].text == "one\u2028two\u0085"


def test_a_transcript_is_inside_its_study(tmp_path: Path) -> None:
    """A row of a cell cannot name a folder outside the study."""
    for name in ("../../x", "/etc", "a/../../b"):
        with pytest.raises(DataError, match="does not lie in"):
            read_transcripts(tmp_path, name)


@pytest.mark.parametrize("name", ["../../etc", "/etc", ".", "..", "", "a\0b", "a/b", "x" * 300])
def test_the_name_of_a_study_leads_nowhere(name: str) -> None:
    """A study's folder has its name, so that a name with a path in it is refused."""
    with pytest.raises(InvalidValueError, match="A study has a name of letters"):
        small_plan(name=name)


def archive(path: Path, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Write an archive of ALFWorld with one game to *path*, and return its bytes."""
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr(f"json_2.1.1/{TRIAL}/game.tw-pddl", json.dumps(GAME))
    return path.read_bytes()


def test_a_damaged_archive_is_read_or_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    """An archive that is cut, or has bytes changed, is read, or an error names it."""
    base = tmp_path_factory.mktemp("zips")
    sound = archive(base / "sound.zip")

    @many
    @given(
        cut=st.integers(0, len(sound)),
        changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255))),
    )
    def damaged(cut: int, changes: list[tuple[int, int]]) -> None:
        raw = bytearray(sound)
        for place, value in changes:
            raw[place % len(raw)] = value
        folder = base / str(len(list(base.iterdir())))
        folder.mkdir()
        (folder / "games.zip").write_bytes(raw if changes else raw[:cut])
        try:
            games(folder)
        except DataError as error:
            assert str(folder) in str(error)  # noqa: PT017  (some are read)

    damaged()


def test_an_archive_that_lies_about_a_size_is_not_unpacked(tmp_path: Path) -> None:
    """A game of 50 MB whose archive declares 1,000 bytes is a fault."""
    path = tmp_path / "games.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"json_2.1.1/{TRIAL}/game.tw-pddl", " " * 50_000_000)
    size = (50_000_000).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (1000).to_bytes(4, "little")))

    assert "CRC" in OfficialTasks(tmp_path, TaskFilter()).faults("train")[TRIAL]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_methods_are_refused(tmp_path: Path, method: int) -> None:
    """Python unpacks these methods as a whole, however large the result is."""
    archive(tmp_path / "games.zip", method)

    assert "another method" in OfficialTasks(tmp_path, TaskFilter()).faults("train")[TRIAL]


def test_a_product_of_a_million_goals_is_refused(tmp_path: Path) -> None:
    """Ten options of ten values each would make ten thousand million goals."""
    values = [{"value": f"v{n}"} for n in range(10)]
    product = {**PRODUCT, "customization_options": {f"o{n}": values for n in range(10)}}
    (tmp_path / "items_shuffle.json").write_text(json.dumps([product]), encoding="utf-8")

    with pytest.raises(DataError, match="'B000000001' has 10,000,000,000 combinations"):
        shop("synthetic", **ABOUTS)(tmp_path)


@pytest.mark.parametrize("cut", [0, 1, 50, 300, 700, -1])
def test_a_cut_index_is_named(tmp_path: Path, cut: int) -> None:
    """A file that is no whole index is one error, whatever numpy raises."""
    path = tmp_path / "index.npz"
    BM25Index.build(["red mug", "blue mug"]).save(path)
    path.write_bytes(path.read_bytes()[:cut])

    with pytest.raises(DataError, match=r"Cannot read the index .*index\.npz"):
        BM25Index.load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"starts": np.array([0, 2, 99, 4])},
        {"starts": np.array([0, 2])},
        {"documents": np.array([0, 1, 0, 7], np.int32)},
        {"documents": np.array([0, 1], np.int32)},
        {"divisors": np.array(["x"] * 4)},
        {"size": np.array([1, 2])},
        {"words": np.array([{"x": 1}], dtype=object)},
    ],
)
def test_an_index_of_other_arrays_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    """Arrays that do not belong together are refused, and nothing is unpickled."""
    path = tmp_path / "index.npz"
    BM25Index.build(["red mug", "blue mug"]).save(path)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(path, **{**arrays, **change})

    with pytest.raises(DataError, match="Cannot read the index"):
        BM25Index.load(path)


def test_the_house_is_sound() -> None:
    """The content of the games above is a house of ALFWorld."""
    assert isinstance(HOUSE, House)
