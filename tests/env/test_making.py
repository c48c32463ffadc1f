"""Environments are made again from what describes them; samples of tasks can be extended."""

from pathlib import Path

import gymnasium
import pytest
from gymnasium.envs.registration import EnvSpec

from agentgym_gen import Randomized, Session, make_text_env, sample_task_ids, stream, task_rows
from agentgym_gen.env.option_types import typed_options
from agentgym_gen.errors import DataError, InvalidValueError, UnknownNameError

TIERS = ("easy", "medium", "hard")
MIXED = ["rftgen/TextCraft-v0", "rftgen/Sokoban-easy-v0", "rftgen/TextCraft-hard-json-v0"]


@pytest.mark.parametrize("interface", [Randomized({"syntax": ["json", "call"]}), "random"])
def test_a_spec_with_a_sampled_interface_survives_json(interface: object) -> None:
    """The environment that its JSON makes plays the same interfaces."""
    env = gymnasium.make("rftgen/TextCraft-easy-v0", interface=interface)
    again = gymnasium.make(EnvSpec.from_json(env.spec.to_json()))

    assert [again.reset(seed=n) for n in range(5)] == [env.reset(seed=n) for n in range(5)]


@pytest.mark.parametrize(
    ("environment", "option", "message"),
    [
        ("TextWorld", "first=x", "`first` is a whole number, not 'x'"),
        ("TextWorld", "list_admissible=no", "`list_admissible` is true or false, not 'no'"),
        ("SearchQA", "k=true", "`k` is a whole number, not True"),
        ("SearchQA", "title_weight=9999", "whole number from 1 to 100, not 9999"),
        ("WebShop", "products=many", "`products` is a whole number, not 'many'"),
        ("BabyAI", "level=1", "Unknown BabyAI level '1'"),
    ],
)
def test_an_option_of_another_type_is_refused(environment: str, option: str, message: str) -> None:
    """The sentence has the option, what it accepts, and the value."""
    with pytest.raises(InvalidValueError, match=message):
        make_text_env(f"rftgen/{environment}-easy-v0?{option}", "train")


def test_a_folder_may_be_called_by_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id with it means the folder, and not the number."""
    monkeypatch.chdir(tmp_path)
    for name in ("2024", "007", "-0"):
        with pytest.raises(DataError, match=f"'{name}' with ALFWorld's official games"):
            make_text_env(f"rftgen/ALFWorld-easy-v0?data_dir={name}", "train")


def test_an_id_names_one_interface() -> None:
    """With two, results would be kept under the name of one and be those of the other."""
    with pytest.raises(InvalidValueError, match="names two interfaces; leave one"):
        make_text_env("rftgen/ALFWorld-easy-menu-v0?interface=json", "train")


def test_a_path_may_be_given_as_a_text() -> None:
    """Also where the parameter of a world of one's own names paths alone."""

    class Map:
        def __init__(self, folder: Path) -> None:
            self.folder = folder

    assert typed_options(Map, {"folder": "maps"}) == {"folder": "maps"}
    assert typed_options(Map, {"folder": 2024}) == {"folder": "2024"}


@pytest.mark.parametrize("env_id", ["rftgen/ALFWorld-easy-v0", "rftgen/SearchQA-easy-v0"])
def test_a_misspelt_keyword_suggests_the_nearest_name(env_id: str) -> None:
    """Those of the environment and those of its world are suggested alike."""
    with pytest.raises(
        UnknownNameError, match="keyword argument 'max_turn'; did you mean 'max_turns'"
    ):
        gymnasium.make(env_id, max_turn=3)
    with pytest.raises(UnknownNameError, match=r"keyword argument 'xyzzy'\. Known: "):
        gymnasium.make(env_id, xyzzy=3)


def test_an_id_names_the_keywords_that_it_may_have() -> None:
    """Those that only whoever makes the environment gives are not listed."""
    listed = r"'xyzzy'\. Known: interface, max_turns, tasks \(those of this environment\)"
    with pytest.raises(UnknownNameError, match=listed):
        make_text_env("rftgen/TextCraft-easy-v0?xyzzy=3", "test")


def test_a_task_that_is_named_twice_is_an_error() -> None:
    """A list of tasks holds each once, as a file of tasks does."""
    tasks = ["textcraft/easy/train/1", "textcraft/easy/train/2", "textcraft/easy/train/1"]
    with pytest.raises(InvalidValueError, match="'textcraft/easy/train/1' stands twice in"):
        gymnasium.make("rftgen/TextCraft-easy-v0", tasks=tasks)


@pytest.mark.parametrize("env_id", ["rftgen/TextCraft-v0", "rftgen/Sokoban-hard-v0"])
@pytest.mark.parametrize("number", [0, 1, 2, 7, 160, 320])
def test_a_larger_sample_begins_with_the_smaller_one(env_id: str, number: int) -> None:
    """A sample of twice as many tasks adds tasks, also where a tier has too few of them."""
    small = sample_task_ids(env_id, "test", number, stream("extend"))
    large = sample_task_ids(env_id, "test", 2 * number, stream("extend"))

    assert len(small) == number
    assert large[:number] == small


def test_tiers_take_turns_in_a_sample() -> None:
    """Any three tasks in a row are of the three tiers."""
    tiers = [i.split("/")[1] for i in sample_task_ids(MIXED[0], "test", 11, stream("turns"))]

    assert all(set(tiers[n : n + 3]) == set(TIERS) for n in range(9))


def test_a_tier_is_sampled_whole_before_a_task_repeats() -> None:
    """Of 304 tasks, 304 samples are all of them, in an order that is not that of their numbers."""
    task_ids = sample_task_ids("rftgen/TextCraft-easy-v0", "test", 608, stream("whole"))
    tasks = {f"textcraft/easy/test/{n}" for n in range(304)}

    assert set(task_ids[:304]) == set(task_ids[304:]) == tasks
    assert task_ids[:304] != sorted(tasks, key=lambda i: int(i.split("/")[-1]))
    assert task_ids[:304] != task_ids[304:]


def test_a_sample_of_a_list_of_tasks_is_extendable() -> None:
    """A list of tasks is sampled whole, and a prefix stays a prefix."""
    tasks = [f"textcraft/easy/train/{n}" for n in range(9)]
    samples = [
        sample_task_ids("rftgen/TextCraft-v0", "train", n, stream("list"), {"tasks": tasks})
        for n in (4, 9)
    ]

    assert samples[1][:4] == samples[0]
    assert sorted(samples[1]) == tasks


def test_every_task_is_sampled_as_often() -> None:
    """The second of two of four tasks is each of them in about 100 of 400 samples."""
    options = {"tasks": [f"textcraft/easy/train/{n}" for n in range(4)]}
    env_id, counts = "rftgen/TextCraft-easy-v0", dict.fromkeys(options["tasks"], 0)
    rng = stream("uniform")
    for _ in range(400):
        counts[sample_task_ids(env_id, "train", 2, rng, options)[1]] += 1

    assert all(70 < count < 130 for count in counts.values())  # 3.5 standard deviations


def test_a_stream_goes_on_alike_after_samples_of_any_size() -> None:
    """What is drawn after a sample does not depend on how large it was."""
    streams = [stream("after"), stream("after")]
    for rng, number in zip(streams, (1, 100), strict=True):
        sample_task_ids("rftgen/TextCraft-v0", "test", number, rng)

    assert streams[0].random() == streams[1].random()


def test_a_negative_number_of_tasks_is_an_error() -> None:
    """The error names the number."""
    with pytest.raises(InvalidValueError, match="`number` of tasks is 0 or more, not -1"):
        sample_task_ids("rftgen/TextCraft-v0", "test", -1, stream("x"))
    with pytest.raises(InvalidValueError, match="`number` of rows is 0 or more, not -1"):
        task_rows(MIXED, -1)


@pytest.mark.parametrize("number", [0, 1, 4, 50])
def test_rows_of_tasks_are_extendable(number: int) -> None:
    """More rows begin with fewer, and the environments take turns."""
    small, large = task_rows(MIXED, number), task_rows(MIXED, 2 * number)

    assert large[:number] == small
    assert [row["env_id"] for row in small] == (MIXED * number)[:number]


def test_a_row_is_played_by_a_session() -> None:
    """A row names the split and the interface that its episode has, also one in the id."""
    for row in task_rows(MIXED, 3, split="valid", seed=5):
        options = {"interface": row["interface"]}
        session = Session(row["env_id"], row["task_id"], options=options)
        session.start()

        assert row["task_id"].split("/")[2] == row["split"] == "valid"
        assert session.env.interface == make_text_env(row["env_id"], "valid").interface


def test_rows_have_the_interface_that_was_named() -> None:
    """One interface is that of all rows; of a randomised one, each row plays another."""
    rows = task_rows(MIXED[:2], 4, interface={"syntax": "json"})
    sampled = task_rows(MIXED[:2], 4, interface=Randomized())

    assert {row["interface"] for row in rows} == {"json"}
    assert [row["interface_index"] for row in rows] == [0, 0, 0, 0]
    assert {row["interface"] for row in sampled} == {"random"}
    assert [row["interface_index"] for row in sampled] == [0, 0, 1, 1]


def test_rows_of_other_seeds_are_other_tasks() -> None:
    """The seed decides the tasks."""
    assert task_rows(MIXED[:1], 9, seed=1) != task_rows(MIXED[:1], 9, seed=2)


@pytest.mark.parametrize("env_ids", [[], "rftgen/TextCraft-v0", MIXED[:1] * 2])
def test_rows_need_a_list_of_different_ids(env_ids: list[str]) -> None:
    """No id, an id twice and a text are errors."""
    with pytest.raises(InvalidValueError, match="`env_ids` is a list of different ids, not "):
        task_rows(env_ids, 3)
