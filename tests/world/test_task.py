"""Task ids and task lists."""

import pytest
from toy_world import CorridorTasks

from agentgym_gen import TaskId
from agentgym_gen.errors import InvalidValueError, UnknownNameError


def test_a_task_id_prints_as_it_was_parsed() -> None:
    """Parsing an id and printing it gives the same text."""
    assert str(TaskId.parse("alfworld/easy/valid/a/b")) == "alfworld/easy/valid/a/b"


@pytest.mark.parametrize("text", ["", "a/b/c", "a/b/c/", "//a/b", None, 7])
def test_a_malformed_task_id_is_one_clear_error(text: object) -> None:
    """The error names the value and shows what an id looks like."""
    with pytest.raises(InvalidValueError, match="a task id is <env>/<tier>/<split>/<index>"):
        TaskId.parse(text)  # type: ignore[arg-type]


def test_every_task_and_purpose_has_a_stream_of_its_own() -> None:
    """The streams of two purposes in four tasks of two splits begin with different numbers."""
    ids = [TaskId("corridor", "easy", split, str(i)) for split in ("train", "test") for i in (1, 2)]
    numbers = [tuple(i.stream(p).integers(2**60, size=4)) for i in ids for p in ("level", "names")]

    assert len(set(numbers)) == len(numbers)


def test_the_same_id_is_the_same_task() -> None:
    """Two instances of a task list give equal tasks with equal fingerprints."""
    first, second = (CorridorTasks().find("corridor/hard/test/7") for _ in range(2))

    assert first == second
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize(
    ("task_id", "message"),
    [
        ("corridor/hrad/test/1", "Unknown tier 'hrad'; did you mean 'hard'?"),
        ("corridor/hard/tset/1", "Unknown split 'tset'; did you mean 'test'?"),
        ("corridor/hard/test/50", "No task 50 in corridor/hard/test; indices are 0 to 49"),
        ("corridor/hard/test/x1", "its last part is an index"),
        ("corridor/hard/test/²", "its last part is an index"),
        ("cellar/hard/test/1", "Unknown environment of task 'cellar/hard/test/1': 'cellar'"),
    ],
)
def test_a_wrong_part_of_an_id_is_named(task_id: str, message: str) -> None:
    """The error names the part that is wrong and what is accepted."""
    with pytest.raises(InvalidValueError) as error:
        CorridorTasks().find(task_id)

    assert message in str(error.value)


def test_an_index_outside_the_split_is_an_error() -> None:
    """The index -1 is an error that names it."""
    with pytest.raises(InvalidValueError, match="No task -1"):
        CorridorTasks().make("easy", "train", -1)


def test_an_unknown_tier_is_also_a_value_error() -> None:
    """The error for an unknown name is a `ValueError`, too."""
    with pytest.raises(ValueError, match="Unknown tier"):
        CorridorTasks().make("eazy", "train", 0)
    assert issubclass(UnknownNameError, ValueError)
