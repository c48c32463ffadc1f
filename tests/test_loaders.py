"""Files and names that are broken, cut, huge or hostile: one clear error, and nothing else."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import gymnasium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentgym_gen import Interface
from agentgym_gen.agents.completions.reader import read_completion
from agentgym_gen.agents.prompt import FORMATS, READERS, PromptStyle
from agentgym_gen.env.making import make_text_env
from agentgym_gen.envs.alfworld.house import House
from agentgym_gen.envs.alfworld.official.game_reader import read_game
from agentgym_gen.envs.alfworld.official.game_writer import pddl_problem
from agentgym_gen.envs.alfworld.official.tasks import OfficialTasks
from agentgym_gen.envs.alfworld.tasks import GeneratedTasks
from agentgym_gen.envs.alfworld.tiers import TaskFilter
from agentgym_gen.envs.sokoban.official.tasks import BoxobanTasks
from agentgym_gen.errors import AgentGymGenError, DataError, InvalidValueError
from agentgym_gen.world import Malformed

TRIAL = "valid_seen/pick_heat_then_place_in_recep-Apple-None-Fridge-1/trial_1"
LEVEL = "; 0\n#####\n#@$.#\n#   #\n#####\n\n; 1\n#####\n#.$@#\n#####\n"

many = settings(
    derandomize=True,
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
scraps = st.text(max_size=20) | st.sampled_from(
    ["(", ")", '"', "{", "}", "[", "\\", "\n", "; 0\n", "#", "$", "null", "1e999", "((((", "\x00"]
)
spans = st.tuples(st.integers(0, 10_000), st.integers(0, 400), scraps)


def result_or_error(call: Callable[[], object], *expected: type[Exception]) -> object:
    """Return what *call* returns, or what an *expected* error says."""
    try:
        return call()
    except expected as error:
        return str(error)


def game() -> str:
    """Return the text of a sound game file."""
    house = GeneratedTasks(TaskFilter(task_type="heat")).make("medium", "train", 0).content
    grammar = f'{{"task": [{{"rhs": "Your task is to: {house.task}"}}]}}'
    return json.dumps({"grammar": grammar, "pddl_problem": pddl_problem(house)})


def broken(text: str, cuts: list[tuple[int, int, str]]) -> str:
    """Return *text* with some spans replaced by scraps."""
    for start, length, scrap in cuts:
        place = start % (len(text) + 1)
        text = text[:place] + scrap + text[place + length :]
    return text


GAME = game()


@many
@given(cuts=st.lists(spans, min_size=1, max_size=4))
def test_a_damaged_game_is_read_or_refused(cuts: list[tuple[int, int, str]]) -> None:
    """A game with missing or foreign spans is a house, or one error that says why it is none."""
    result = result_or_error(lambda: read_game(broken(GAME, cuts)), InvalidValueError)

    assert isinstance(result, House) or len(str(result)) > 10


@many
@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda x: (
            st.lists(x) | st.dictionaries(st.sampled_from(["grammar", "pddl_problem", "x"]), x)
        ),
    )
)
def test_json_that_is_no_game_is_refused(value: object) -> None:
    """JSON of any shape that is no game is an error."""
    with pytest.raises(InvalidValueError):
        read_game(json.dumps(value))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"grammar": 1, "pddl_problem": "x"}',
        '{"grammar": "Your task is to: x\\"", "pddl_problem": 7}',
        json.dumps({"grammar": 'Your task is to: x"', "pddl_problem": "(" * 100_000}),
    ],
)
def test_a_hostile_game_is_refused(text: str) -> None:
    """Neither depth nor a wrong type gets through."""
    with pytest.raises(InvalidValueError):
        read_game(text)


@many
@given(cuts=st.lists(spans, min_size=1, max_size=4))
def test_a_damaged_level_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, int, str]]
) -> None:
    """A Boxoban file of any bytes has levels, or is one error that says why it has none."""
    folder = tmp_path_factory.mktemp("levels")
    path = folder / "unfiltered" / "train" / "000.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(broken(LEVEL, cuts).encode("utf-8", "surrogatepass"))
    result = result_or_error(lambda: all_levels(folder), AgentGymGenError)

    assert isinstance(result, int) or len(str(result)) > 10


def all_levels(folder: Path) -> int:
    """Read all levels of *folder* and return how many there are."""
    tasks = BoxobanTasks(folder)
    return len([tasks.make("easy", "train", n) for n in range(tasks.size("easy", "train"))])


def test_an_archive_writes_nothing_outside_its_folder(tmp_path: Path) -> None:
    """Names that climb out of it are only names; nothing is ever unpacked."""
    with zipfile.ZipFile(tmp_path / "games.zip", "w") as file:
        file.writestr(f"../../../{TRIAL}/game.tw-pddl", GAME)
        file.writestr("/etc/valid_seen/x/game.tw-pddl", "{")
    before = sorted(tmp_path.parent.rglob("*"))
    tasks = OfficialTasks(tmp_path, TaskFilter())

    assert tasks.size("medium", "valid") == 1
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_an_archive_bomb_is_refused(tmp_path: Path) -> None:
    """A game of more than a few megabytes is no game, however small its archive."""
    with zipfile.ZipFile(tmp_path / "games.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"json_2.1.1/{TRIAL}/game.tw-pddl", " " * 50_000_000)

    assert "too large" in OfficialTasks(tmp_path, TaskFilter()).faults("valid")[TRIAL]


def test_a_link_that_leads_round_in_a_circle_is_survived(tmp_path: Path) -> None:
    """The other games still play."""
    path = tmp_path / "json_2.1.1" / TRIAL / "game.tw-pddl"
    path.parent.mkdir(parents=True)
    path.write_text(GAME)
    (tmp_path / "json_2.1.1" / "valid_seen" / "loop").symlink_to(tmp_path)
    (path.parent.parent / "gone").mkdir()
    (path.parent.parent / "gone" / "game.tw-pddl").symlink_to("nowhere")
    tasks = OfficialTasks(tmp_path, TaskFilter())

    assert tasks.size("medium", "valid") == 1


@many
@given(st.text(max_size=60))
def test_any_name_is_known_or_refused(text: str) -> None:
    """Any text as an interface, an environment id or a task id has a meaning, or is one error."""
    for use in (Interface.parse, lambda name: make_text_env(name, "train"), _reset_to):
        expected = (AgentGymGenError, gymnasium.error.Error)
        result = result_or_error(lambda use=use: use(text), *expected)  # type: ignore[misc]
        assert not isinstance(result, str) or len(result) > 10


def _reset_to(task_id: str) -> None:
    make_text_env("rftgen/Sokoban-easy-v0", "train").reset(options={"task_id": task_id})


@many
@given(st.text(max_size=200), st.sampled_from(FORMATS), st.sampled_from(READERS))
def test_any_completion_is_read_or_refused(text: str, form: str, reader: str) -> None:
    """Any completion is an action or refused, in every prompt format and by each reader."""
    env = make_text_env("rftgen/Sokoban-easy-v0", "train")
    env.reset(options={"task_id": "sokoban/easy/train/1"})
    reading = read_completion(PromptStyle(form, reader=reader), text, env)

    assert isinstance(reading.action, str | Malformed)
    assert len(env.step(reading.action)[0]) > 10


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    """A folder in the place of a file cannot be read, not even by root; the error names it."""
    (tmp_path / "json_2.1.1" / TRIAL / "game.tw-pddl").mkdir(parents=True)

    with pytest.raises((DataError, InvalidValueError)):
        OfficialTasks(tmp_path, TaskFilter()).make("medium", "valid", 0)
