"""The kinds of files that the library reads, each as sound files and a function that reads them.

`tools.file_fuzz` damages one of the files. What the function returns does not matter: it reads, or
raises an error of the library.
"""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agentgym_gen.agents.policy import ExpertPolicy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.agents.trajectory_files import write_trajectories
from agentgym_gen.envs.alfworld.official.game_writer import pddl_problem
from agentgym_gen.envs.alfworld.official.tasks import OfficialTasks
from agentgym_gen.envs.alfworld.tasks import GeneratedTasks
from agentgym_gen.envs.alfworld.tiers import TaskFilter
from agentgym_gen.envs.searchqa.corpus import read_corpus
from agentgym_gen.envs.searchqa.question_formats import read_questions
from agentgym_gen.envs.sokoban.official.tasks import BoxobanTasks
from agentgym_gen.envs.textworld.games.cache import GameCache
from agentgym_gen.envs.textworld.games.custom import CustomGames
from agentgym_gen.envs.textworld.tasks import GameSpec
from agentgym_gen.envs.textworld.tasks import GeneratedTasks as TextWorldTasks
from agentgym_gen.envs.webshop import WebShop
from agentgym_gen.errors import DataError
from agentgym_gen.retrieval import BM25Index
from agentgym_gen.study import Study, load_plan, parse_plan, preset_text
from agentgym_gen.study.plan.plan import ROW_SCHEMA, Cell, ModelId
from agentgym_gen.study.results.distances import read_distances
from agentgym_gen.study.results.files import read_record, read_rows
from agentgym_gen.study.results.rows import (
    make_episode_row,
    make_transcript,
    read_curves,
    read_transcripts,
)
from agentgym_gen.study.results.schema import CellRow, EpisodeRow
from agentgym_gen.study.run.calibrate import CalibrationProgress
from agentgym_gen.system.array_files import read_array
from agentgym_gen.system.file_lock import is_locked, lock_folder
from agentgym_gen.viewer import View, open_sources
from agentgym_gen.world.task_list import read_task_list

Reader = Callable[[Path], object]


@dataclass(frozen=True)
class FileKind:
    """A kind of file."""

    name: str
    """What it is."""
    path: str
    """Where it lies in a folder."""
    content: bytes
    """Its sound content."""
    read: Reader
    """Reads it, given the folder."""
    beside: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    """Sound files that are read with it."""
    is_slow: bool = False
    """Whether reading it takes more than some milliseconds."""


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _lines(*rows: object) -> bytes:
    return b"".join(_json(row) + b"\n" for row in rows)


TRIAL = "train/pick_heat_then_place_in_recep-Apple-None-Fridge-1/trial_1"
GAME_PATH = f"json_2.1.1/{TRIAL}/game.tw-pddl"
LEVELS = b"; 0\n#####\n#@$.#\n#   #\n#####\n\n; 1\n#####\n#.$@#\n#####\n"
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
ATTRIBUTES = {
    "B000000001": {
        "attributes": ["dishwasher safe"],
        "instruction": "Find me a mug that is dishwasher safe",
        "instruction_attributes": ["dishwasher safe"],
    }
}
HUMAN_GOALS = {
    "B000000001": [
        {
            "instruction": "i need a red mug.",
            "instruction_attributes": ["dishwasher safe"],
            "instruction_options": ["red"],
        }
    ]
}
STORY = {
    "KB": {"logic": 'open/c :: "open {c}" :: "opening the {c}";'},
    "metadata": {"walkthrough": ["open chest", "take coin"]},
}
CELL_ROW = {
    "schema": ROW_SCHEMA, "cell": "base.s0/x", "arm": "base", "seed": 0, "column": "x",
    "env_id": "x", "env_version": 0, "interface": "native", "data_hash": "0" * 16,
    "prompt_hash": "0" * 16, "model_hash": None, "stages": [["x"]], "split": "test", "samples": 1,
    "decoding": {"temperature": 1.0, "max_new_tokens": 32, "max_turns": None}, "plan": "0" * 16,
    "failure_rules": 1, "seconds": 0.5, "python": "3", "platform": "x", "versions": {"x": "1"},
    "commit": None, "episodes": 1, "tasks": 1, "successes": 0, "truncated_rate": 0.0,
    "files": {"episodes.jsonl": "0"},
}  # fmt: skip


def _trajectories(episodes: Sequence[Trajectory]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        write_trajectories(path, episodes, arm="expert", step=1)
        return path.read_bytes()


def study_kinds() -> list[FileKind]:
    """Return the files of studies, trainings and calibrations."""
    plan = parse_plan(preset_text("quick"))
    episodes = run([Episode("rftgen/Sokoban-easy-v0", "sokoban/easy/train/0")], ExpertPolicy())
    transcript = gzip.compress(_lines(*map(make_transcript, episodes)), mtime=0)
    settings = {"model": "expert"}
    style = json.loads(_json(dataclasses.asdict(PromptStyle())))
    played = _json({"calibration": {**settings, "style": style}, "shares": {"a/easy/train/1": 0.5}})

    def progress(folder: Path) -> object:
        return CalibrationProgress(folder / "a.played.json", settings, PromptStyle())

    cell = Cell(ModelId((), 0), "rftgen/Sokoban-easy-v0")
    rows = [make_episode_row(cell, episode) for episode in episodes]

    distances = {"distances": [{"column": "x", "interface": "native", "distance": 0.5}]}
    return [
        FileKind(
            "plan, TOML",
            "plan.toml",
            preset_text("quick").encode(),
            lambda folder: load_plan(folder / "plan.toml"),
            is_slow=True,
        ),
        FileKind(
            "plan, JSON",
            "plan.json",
            _json({"key": plan.key(), "plan": plan.as_dict()}),
            Study.open,
        ),
        FileKind(
            "rows of episodes",
            "episodes.jsonl",
            _lines(*rows),
            lambda folder: read_rows(folder / "episodes.jsonl", EpisodeRow),
        ),
        FileKind(
            "row of a cell",
            "cell.json",
            _json(CELL_ROW),
            lambda folder: read_record(folder / "cell.json", CellRow),
        ),
        FileKind(
            "transcripts",
            "cells/base.s0/x/transcripts.jsonl.gz",
            transcript,
            lambda folder: read_transcripts(folder, "base.s0/x"),
        ),
        FileKind("distances", "distances.json", _json(distances), read_distances),
        FileKind(
            "log of a training",
            "models/m/log.jsonl",
            _lines({"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.4}),
            read_curves,
        ),
        FileKind(
            "trajectories",
            "a.jsonl",
            _trajectories(episodes),
            lambda folder: list(View(open_sources([folder / "a.jsonl"])).read()),
        ),
        FileKind("progress of a calibration", "a.played.json", played, progress),
        FileKind("lock", ".lock", b"process 1 on elsewhere\n", _lock),
        FileKind(
            "list of tasks",
            "tasks.txt",
            b"sokoban/easy/train/1  # 0.5\n\n# about\nsokoban/easy/train/2\n",
            lambda folder: read_task_list(folder / "tasks.txt"),
        ),
    ]


def _lock(folder: Path) -> object:
    with lock_folder(folder, "another one"):
        return is_locked(folder)


def data_kinds() -> list[FileKind]:
    """Return the data of the environments, and their caches."""
    house = GeneratedTasks(TaskFilter(task_type="heat")).make("medium", "train", 0).content
    grammar = f'{{"task": [{{"rhs": "Your task is to: {house.task}"}}]}}'
    game = _json({"grammar": grammar, "pddl_problem": pddl_problem(house)})
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(GAME_PATH, game)
    products, attributes, goals = (_json(value) for value in ([PRODUCT], ATTRIBUTES, HUMAN_GOALS))
    return [
        FileKind("ALFWorld, game", GAME_PATH, game, _alfworld_faults, is_slow=True),
        FileKind(
            "ALFWorld, archive", "games.zip", archive.getvalue(), _alfworld_faults, is_slow=True
        ),
        FileKind("Sokoban, levels", "unfiltered/train/000.txt", LEVELS, _sokoban_levels),
        FileKind(
            "SearchQA, questions as lines",
            "q.jsonl",
            _lines(*QUESTIONS),
            lambda folder: read_questions(folder / "q.jsonl"),
        ),
        FileKind(
            "SearchQA, questions as a list",
            "q.json",
            _json(QUESTIONS),
            lambda folder: read_questions(folder / "q.json"),
        ),
        FileKind(
            "SearchQA, corpus",
            "c.jsonl",
            _lines({"title": "A", "text": "a"}, {"contents": "B\nb"}),
            lambda folder: read_corpus(folder / "c.jsonl"),
        ),
        FileKind(
            "WebShop, products",
            "items_shuffle.json",
            products,
            _shop("synthetic"),
            {"items_ins_v2.json": attributes},
        ),
        FileKind(
            "WebShop, attributes",
            "items_ins_v2.json",
            attributes,
            _shop("synthetic"),
            {"items_shuffle.json": products},
        ),
        FileKind(
            "WebShop, instructions",
            "items_human_ins.json",
            goals,
            _shop("human"),
            {"items_shuffle.json": products, "items_ins_v2.json": attributes},
        ),
        FileKind(
            "TextWorld, description of a game",
            "a.json",
            _json(STORY),
            lambda folder: CustomGames(folder).all,
            {"a.z8": b"\x08"},
        ),
        _card_of_a_game(),
        *_array_kinds(),
    ]


def _alfworld_faults(folder: Path) -> object:
    faults = OfficialTasks(folder, TaskFilter()).faults("train")
    if faults:
        raise DataError(f"Games with faults: {faults}")
    return faults


def _sokoban_levels(folder: Path) -> object:
    tasks = BoxobanTasks(folder)
    return [tasks.make("easy", "train", n) for n in range(min(3, tasks.size("easy", "train")))]


def _shop(goals: str) -> Reader:
    return lambda folder: WebShop(data_dir=folder, goals=goals).tasks.size("easy", "train")


def _has(cache: GameCache, spec: GameSpec) -> object:
    if not cache.has(spec):
        raise DataError("The game does not fit its card and is built again")
    return cache


def _card_of_a_game() -> FileKind:
    spec = TextWorldTasks().make("easy", "train", 0).content
    name = GameCache(Path()).folder_of(spec).name
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    card = {"brief": repr(spec), "files": {"game.z8": empty, "game.json": empty}}
    return FileKind(
        "TextWorld, card of a kept game",
        f"{name}/card.json",
        _json(card),
        lambda folder: _has(GameCache(folder), spec),
        {f"{name}/game.z8": b"", f"{name}/game.json": b""},
    )


def _array_kinds() -> list[FileKind]:
    index, vectors = io.BytesIO(), io.BytesIO()
    built = BM25Index.build(["a red mug", "a blue mug", "a lamp"])
    words = np.frombuffer("\n".join(built.vocabulary).encode(), np.uint8)
    np.savez(
        index,
        size=np.int64(3),
        words=words,
        starts=built.starts,
        documents=built.documents,
        divisors=built.divisors,
    )
    np.save(vectors, np.zeros((3, 4), np.float32))

    def search(folder: Path) -> object:
        return BM25Index.load(folder / "i.npz").search("a red mug", 2)

    return [
        FileKind("index of a search", "i.npz", index.getvalue(), search),
        FileKind(
            "vectors of a search",
            "v.npy",
            vectors.getvalue(),
            lambda folder: read_array(folder / "v.npy"),
        ),
    ]
