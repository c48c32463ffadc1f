"""`EnvId` parses and writes every registered id."""

import pytest

from agentgym_gen import EnvId, env_ids
from agentgym_gen.env.registration import ENVIRONMENTS
from agentgym_gen.errors import InvalidValueError


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


@pytest.mark.parametrize("query", ["?", "?tasks", "?tasks=", "?tier=easy", "?tasks=a&&"])
def test_a_malformed_query_is_an_error(query: str) -> None:
    """The error names the pair and the keys that there are."""
    with pytest.raises(InvalidValueError, match="they are tasks, interface"):
        EnvId.parse(f"rftgen/Sokoban-v0{query}")
