"""Task ids and task lists."""

import pytest
from toy_world import CorridorTasks

from agentgym_gen import TaskId
from agentgym_gen.errors import InvalidValueError, UnknownNameError


def test_a_task_id_reads_back() -> None:
    """Parsing an id and printing it gives the same text."""
    assert str(TaskId.parse("alfworld/easy/valid/a/b")) == "alfworld/easy/valid/a/b"


@pytest.mark.parametrize("text", ["", "a/b/c", "a/b/c/", "//a/b", None, 7])
def test_a_malformed_task_id_is_one_clear_error(text: object) -> None:
    """The error names the value and shows what an id looks like."""
    with pytest.raises(InvalidValueError, match="a task id is <env>/<tier>/<split>/<index>"):
        TaskId.parse(text)  # type: ignore[arg-type]


def test_streams_of_one_task_and_of_neighbours_never_meet() -> None:
    """Every task and every purpose draws from a stream of its own."""
    ids = [TaskId("corridor", "easy", split, str(i)) for split in ("train", "test") for i in (1, 2)]
    drawn = [tuple(i.stream(p).integers(2**60, size=4)) for i in ids for p in ("level", "names")]

    assert len(set(drawn)) == len(drawn)


def test_the_same_task_is_drawn_twice() -> None:
    """Two instances find equal tasks with equal fingerprints."""
    one, two = (CorridorTasks().find("corridor/hard/test/7") for _ in range(2))

    assert one == two
    assert one.fingerprint == two.fingerprint


@pytest.mark.parametrize(
    ("task_id", "message"),
    [
        ("corridor/hrad/test/1", "Unknown tier 'hrad'; did you mean 'hard'?"),
        ("corridor/hard/tset/1", "Unknown split 'tset'; did you mean 'test'?"),
        ("corridor/hard/test/50", "No task 50 in corridor/hard/test; indices are 0 to 49"),
        ("corridor/hard/test/x1", "its last part is an index"),
        ("corridor/hard/test/²", "its last part is an index"),
        ("cellar/hard/test/1", "Unknown environment in task id 'cellar'"),
    ],
)
def test_a_wrong_part_of_an_id_is_named(task_id: str, message: str) -> None:
    """The error names the part that is wrong and what is accepted."""
    with pytest.raises(InvalidValueError) as caught:
        CorridorTasks().find(task_id)

    assert message in str(caught.value)


def test_an_index_outside_the_split_is_an_error() -> None:
    """There is no task -1."""
    with pytest.raises(InvalidValueError, match="No task -1"):
        CorridorTasks().make("easy", "train", -1)


def test_an_unknown_tier_is_also_a_value_error() -> None:
    """Errors refine the standard ones."""
    with pytest.raises(ValueError, match="Unknown tier"):
        CorridorTasks().make("eazy", "train", 0)
    assert issubclass(UnknownNameError, ValueError)
