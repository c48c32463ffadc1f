"""`EnvId` parses and writes every registered id."""

import pytest

from agentgym_gen import EnvId, env_ids
from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import ENVIRONMENTS, check_env_id
from agentgym_gen.errors import AgentGymGenError, InvalidValueError
from agentgym_gen.ids import option_query, split_query


def test_every_registered_id_is_written_as_it_was_parsed() -> None:
    """Parsing an id and writing it again gives the same text."""
    assert [str(EnvId.parse(env_id)) for env_id in env_ids()] == env_ids()


def test_the_parts_of_an_id_name_its_environment() -> None:
    """The name is that of the table, the tier one of its tiers."""
    for env_id in env_ids():
        parts = EnvId.parse(env_id)

        assert parts.version == ENVIRONMENTS[parts.name].version
        assert parts.tier in ("", *ENVIRONMENTS[parts.name].tiers)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("rftgen/Sokoban-v0", EnvId("Sokoban")),
        ("rftgen/Sokoban-listed-v0", EnvId("Sokoban", interface="listed")),
        ("rftgen/Sokoban-hard-v12", EnvId("Sokoban", "hard", version=12)),
        (
            "rftgen/TextCraft-v0?tasks=lists/a.txt&interface=random syntax=json",
            EnvId(
                "TextCraft", query=(("tasks", "lists/a.txt"), ("interface", "random syntax=json"))
            ),
        ),
    ],
)
def test_an_id_has_parts(text: str, parts: EnvId) -> None:
    """An absent tier or interface is empty, and the query stays in its order."""
    assert EnvId.parse(text) == parts
    assert str(parts) == text


def test_a_copy_may_have_another_part() -> None:
    """The other parts of the id stay as they were."""
    parts = EnvId.parse("rftgen/Sokoban-easy-listed-v0").replace(tier="hard")

    assert str(parts) == "rftgen/Sokoban-hard-listed-v0"


@pytest.mark.parametrize("text", ["rftgen/Sokoban", "", "Sokoban-easy", "rftgen/-v"])
def test_a_text_without_a_version_is_no_id(text: str) -> None:
    """The error shows an id."""
    with pytest.raises(InvalidValueError, match="for example 'rftgen/TextCraft-easy-v0'"):
        EnvId.parse(text)


@pytest.mark.parametrize("query", ["?", "?tasks", "?tasks=", "?Tasks=a", "?=a", "?tasks=a&&"])
def test_a_malformed_query_is_an_error(query: str) -> None:
    """The error names the pair and shows an id with one."""
    with pytest.raises(
        InvalidValueError, match=r"such as 'rftgen/ALFWorld-easy-v0\?task_type=pick'"
    ):
        EnvId.parse(f"rftgen/Sokoban-v0{query}")


def test_a_keyword_argument_stands_once_in_an_id() -> None:
    """Which of two would count, nobody could say."""
    with pytest.raises(InvalidValueError, match="'max_turns' twice"):
        EnvId.parse("rftgen/Sokoban-v0?max_turns=3&max_turns=4")


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({"facts": "invented"}, "facts=invented"),
        ({"first": 100, "list_admissible": False}, "first=100&list_admissible=false"),
        ({"tasks": "7", "interface": "menu"}, "tasks=7&interface=menu"),
        ({"seed": -3}, "seed=-3"),
    ],
)
def test_options_of_an_id_are_read_as_they_were_written(
    options: dict[str, str | int | bool], query: str
) -> None:
    """Numbers and truth values are such again; the names of tasks and interfaces stay texts."""
    env_id = str(EnvId("X", query=option_query(options)))

    assert env_id == f"rftgen/X-v0?{query}"
    assert split_query(env_id) == ("rftgen/X-v0", options)
    assert EnvId.parse(env_id).options == options


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("split=test", "'split' in .* is no keyword argument of an id"),
        ("id=x", "'id' in .* is no keyword argument of an id"),
        ("fact=invented", "did you mean 'facts'"),
    ],
)
def test_an_id_takes_no_option_that_its_environment_has_not(query: str, message: str) -> None:
    """Those of whoever makes the environment are refused, too."""
    with pytest.raises(AgentGymGenError, match=message):
        check_env_id(f"rftgen/SearchQA-easy-v0?{query}")


def test_the_options_of_an_id_reach_its_environment() -> None:
    """The world has its option, and the episode its turn limit."""
    env = make_text_env("rftgen/SearchQA-easy-v0?facts=invented&max_turns=2", "train")
    plain = make_text_env("rftgen/SearchQA-easy-v0", "train")
    task = {"task_id": "searchqa/easy/train/3"}

    assert env.reset(options=task)[0] != plain.reset(options=task)[0]
    assert env.turn_limit == 2
