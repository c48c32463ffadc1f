"""The episodes of a client: what it may ask for, what it gets, and what it does not get."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentgym_gen import Episode, ExpertPolicy, run
from agentgym_gen.agents import PromptStyle, Session
from agentgym_gen.errors import EpisodeOverError, InvalidValueError
from agentgym_gen.server import INCLUDABLE, ServedEpisode
from agentgym_gen.server.catalogue import describe_environments, playable_ids, schemas
from agentgym_gen.server.messages import RequestError, action_text, parse_json

ENV_ID, OTHER = "rftgen/TextCraft-easy-v0", "rftgen/Sokoban-easy-v0"
TASK = "textcraft/easy/test/3"


def served() -> ServedEpisode:
    return ServedEpisode([ENV_ID, OTHER])


@pytest.mark.parametrize("format", ["react", "action", "tool"])
@pytest.mark.parametrize("interface", ["native", "renamed+json", {"syntax": "menu"}])
def test_texts_rewards_and_ends_are_those_of_a_session(format: str, interface: object) -> None:
    """A client reads what a `Session` of the same episode writes, and is paid the same."""
    style = PromptStyle(format)
    episode = Episode(ENV_ID, TASK, options={"interface": interface})
    answers = [t.completion.text for t in run([episode], ExpertPolicy(), style=style)[0].turns]
    session = Session(ENV_ID, TASK, options={"interface": interface}, style=style)
    client = served()
    data = client.reset(
        {"env_id": ENV_ID, "task_id": TASK, "interface": interface, "format": format}
    )
    assert data == {
        "observation": {"text": session.start()[0]["content"]},
        "reward": None,
        "done": False,
    }
    for answer in answers:
        reply, data = session.reply(answer), client.step(answer)
        assert data["observation"] == {"text": reply.message["content"]}
        assert (data["reward"], data["done"]) == (reply.reward, reply.done)

    assert data["done"]
    assert data["reward"] == 1.0
    assert client.state["success"] is True


def test_an_observation_has_its_text_only_unless_more_is_named() -> None:
    """Admissible actions, success and score are there by name, each on its own."""
    client = served()
    assert set(client.reset({"task_id": TASK})["observation"]) == {"text"}
    assert set(client.step("inventory")["observation"]) == {"text"}
    for name in INCLUDABLE:
        data = client.reset({"task_id": TASK, "include": [name]})
        assert set(data["observation"]) == {"text", name}
        assert set(client.step("inventory")["observation"]) == {"text", name}


def test_a_seed_decides_the_task_and_none_takes_any() -> None:
    """The same seed is the same task of the split; without one tasks differ."""
    client = served()

    def task(**fields: object) -> str:
        client.reset(fields)
        return str(client.state["task_id"])

    assert task(seed=5) == task(seed=5) != task(seed=6)
    assert task(seed=5, split="valid").startswith("textcraft/easy/valid/")
    assert len({task() for _ in range(8)}) > 1


def test_one_client_plays_ids_splits_and_interfaces_one_after_another() -> None:
    """Nothing of the episode before is left."""
    client = served()
    client.reset({"env_id": OTHER, "seed": 1, "max_turns": 2})
    assert client.state["turn_limit"] == 2
    client.reset({"task_id": TASK, "interface": "json"})
    assert client.state["task_id"] == TASK
    assert client.state["interface"] == "json"
    assert client.state["turn_limit"] > 2


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"env_id": "rftgen/TextCraft-eazy-v0"}, "did you mean 'rftgen/TextCraft-easy-v0'"),
        ({"env_id": "rftgen/WebShop-easy-v0"}, "Unknown `env_id` 'rftgen/WebShop-easy-v0'"),
        ({"env_id": "os:rftgen/TextCraft-easy-v0"}, "Unknown `env_id`"),
        ({"env_id": f"{ENV_ID}?tasks=/etc/passwd"}, "Unknown `env_id`"),
        ({"env_id": ["x"]}, "Unknown `env_id`"),
        ({"tasks": "/etc/passwd"}, "Unknown reset field 'tasks'"),
        ({"self": 1}, "Unknown reset field 'self'"),
        ({"task_id": "textcraft/easy/test/999999999"}, "999999999"),
        ({"task_id": "../../etc/passwd"}, "Unknown split 'etc'"),
        ({"task_id": 7}, "`task_id` is a text of at most 255 characters, not 7"),
        ({"task_id": TASK, "split": "train"}, "is not of the split 'train'"),
        ({"task_id": "sokoban/easy/test/3"}, "sokoban"),
        ({"split": "tset"}, "did you mean 'test'"),
        ({"seed": -1}, "`seed` is a whole number from 0"),
        ({"seed": True}, "`seed` is a whole number from 0"),
        ({"interface": "klingon"}, "klingon"),
        ({"interface": {"syntax": {"a": 1}}}, "syntax"),
        ({"interface": 3}, "`interface` is a text such as"),
        ({"interface_index": 1 << 40}, "`interface_index` is a whole number"),
        ({"max_turns": 0}, "`max_turns` is a whole number from 1"),
        ({"reward": "money"}, "Unknown `reward` 'money'"),
        ({"format": "xml"}, "Unknown `format` 'xml'"),
        ({"instruction": "yes"}, "`instruction` is true or false"),
        ({"include": "score"}, "`include` is a list of names"),
        ({"include": ["scores"]}, "did you mean 'score'"),
    ],
)
def test_a_mistake_is_one_sentence_and_the_episode_goes_on(
    fields: dict[str, Any], sentence: str
) -> None:
    """No module is imported, no file is read, and the episode before is still played."""
    client = served()
    client.reset({"task_id": TASK})
    with pytest.raises(InvalidValueError) as error:
        client.reset(fields)

    assert sentence in str(error.value)
    assert client.step("inventory")["done"] is False
    assert client.state["task_id"] == TASK


def test_a_step_before_a_reset_and_after_the_end_is_refused() -> None:
    """The client is told, and a reset makes it good."""
    client = served()
    assert client.state == {"episode_id": None, "step_count": 0}
    with pytest.raises(EpisodeOverError):
        client.step("inventory")
    client.reset({"max_turns": 1})
    assert client.step("inventory")["done"]
    with pytest.raises(EpisodeOverError):
        client.step("inventory")
    client.reset({})
    client.close()
    with pytest.raises(EpisodeOverError):
        client.step("inventory")
    client.reset({})


@pytest.mark.parametrize("text", ["", "\ud800", "x" * 60_000, "\x00\x1b[31m", "{" * 5000])
def test_any_text_is_an_action(text: str) -> None:
    """It is answered like other nonsense, in text that JSON can carry."""
    client = served()
    client.reset({"interface": "json", "include": ["valid_action"]})
    data = client.step(text)

    assert data["observation"]["valid_action"] is False
    assert json.loads(json.dumps(data).encode()) == data


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"{", "This is not JSON"),
        (b"\xff\xfe", "This is not JSON"),
        ("[" * 100_000, "This is not JSON"),
        ("[1]", "A JSON object is needed, not a list"),
        ("null", "A JSON object is needed, not null"),
    ],
)
def test_what_is_no_json_object_is_refused(text: str | bytes, sentence: str) -> None:
    """The sentence says what it is instead."""
    with pytest.raises(RequestError, match=sentence) as error:
        parse_json(text)

    assert error.value.code == "INVALID_JSON"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "it is missing"),
        ({"text": 5}, "not a number"),
        ({"text": None}, "it is missing"),
        ({"txet": "x"}, "has the field 'text', not 'txet'"),
    ],
)
def test_an_action_is_one_text(data: dict[str, Any], sentence: str) -> None:
    """OpenEnv's metadata is accepted beside it."""
    assert action_text({"text": "x", "metadata": {}}) == "x"
    with pytest.raises(RequestError, match=sentence):
        action_text(data)


def test_a_sentence_quotes_no_more_than_a_little() -> None:
    """A client that sends much gets little back."""
    with pytest.raises(InvalidValueError) as error:
        served().reset({"task_id": "x" * 100_000})

    assert len(str(RequestError(str(error.value)))) < 1000


def test_the_schemas_name_every_field_of_a_reset_and_a_state() -> None:
    """What is documented is what is accepted and returned."""
    from agentgym_gen.server import ResetRequest

    client = served()
    client.reset({})
    tables = schemas([ENV_ID, OTHER])
    assert set(tables["reset"]["properties"]) == set(ResetRequest.__dataclass_fields__)
    assert set(tables["state"]["properties"]) == set(client.state)
    assert set(tables["observation"]["properties"]) == {"text", *INCLUDABLE}


def test_playable_ids_are_those_of_the_table_of_environments() -> None:
    """Every environment that can be made here is there, with its tiers and splits."""
    described = {each["name"]: each for each in describe_environments(playable_ids())}
    assert {"TextCraft", "Sokoban", "ALFWorld", "WebShop", "SearchQA"} <= set(described)
    assert described["TextCraft"]["tiers"] == ["easy", "medium", "hard", ""]
    assert described["TextCraft"]["splits"] == ["train", "valid", "test"]


def test_a_sampled_task_is_one_of_the_environment_and_split() -> None:
    """Whatever the seed."""
    client = served()
    for seed in range(20):
        client.reset({"env_id": OTHER, "seed": seed, "split": "test"})
        assert client.state["task_id"].startswith("sokoban/easy/test/")
