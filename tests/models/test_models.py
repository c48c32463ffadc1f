"""A model's name becomes an identity, and the identity a policy."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from agentgym_gen import ChatPolicy, Episode, ExpertPolicy, run
from agentgym_gen.errors import DataError, InvalidValueError, UnknownNameError
from agentgym_gen.models import Decoding, identify, open_policy
from agentgym_gen.models.identity import content_hash

TASK = Episode("rftgen/TextCraft-easy-v0", "textcraft/easy/test/3", options={"max_turns": 2})


def test_a_policy_needs_no_model() -> None:
    """`random` and `expert` have no content."""
    identity = identify("expert")

    assert identity.as_dict() == {"name": "expert", "kind": "policy"}
    assert isinstance(open_policy(identity), ExpertPolicy)


def test_an_endpoint_is_its_address_and_its_name() -> None:
    """Nothing is asked before the first answer."""
    pytest.importorskip("aiohttp")
    identity = identify("Qwen/Qwen3-8B", base_url="http://localhost:1/v1")
    with open_policy(identity) as policy:  # type: ignore[attr-defined]  # a `ChatPolicy`
        assert isinstance(policy, ChatPolicy)

    assert identity.label == "Qwen3-8B"
    assert identity.kind == "endpoint"
    assert identity.hash is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("./nothing-here", r"There is no folder '\./nothing-here'"),
        ("a/b/c", r"There is no folder 'a/b/c'"),
        ("{empty}", r"holds no model: it has neither config\.json nor adapter_config\.json"),
        ("{file}", r"is a file; a model is a folder"),
    ],
)
def test_what_is_no_model_is_an_error(tmp_path: Path, name: str, message: str) -> None:
    """The error says what is there instead."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    name = name.format(file=tmp_path / "file", empty=tmp_path / "empty")
    with pytest.raises(DataError, match=message):
        identify(name)


@pytest.mark.parametrize(
    ("name", "meant"), [("randon", "random"), ("Expert", "expert"), ("smolm2", "smollm2")]
)
def test_a_misspelt_policy_is_an_error_before_a_hub_is_asked(
    name: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no hub can be reached, asking it takes minutes."""
    monkeypatch.setitem(sys.modules, "agentgym_gen.trainers", None)
    with pytest.raises(UnknownNameError, match=f"did you mean '{meant}'"):
        identify(name)


@pytest.mark.parametrize("decoding", [{"temperature": -1.0}, {"max_tokens": 0}])
def test_wrong_decoding_is_an_error(decoding: dict[str, float]) -> None:
    """The error names the field."""
    with pytest.raises(InvalidValueError, match=next(iter(decoding))):
        Decoding(**decoding)  # type: ignore[arg-type]


torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny model."""
    from agentgym_gen.agents.prompt import PromptStyle
    from agentgym_gen.trainers import TinySize, build_tiny
    from agentgym_gen.trainers.demos import expert_texts

    texts = expert_texts([TASK.env_id], PromptStyle(), number=4)
    model, tokenizer = build_tiny(texts, 0, TinySize(1, 32, 2, 300, 4096))
    path = tmp_path_factory.mktemp("tiny")
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def adapter(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an adapter on the tiny model."""
    from agentgym_gen.trainers import load_model
    from agentgym_gen.trainers.models.adapters import make_trainable

    model, tokenizer = load_model(folder)
    path = tmp_path_factory.mktemp("adapter")
    make_trainable(model, 2, 4, 0).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def test_a_model_is_its_content(folder: Path, tmp_path: Path) -> None:
    """A copy is the same model; one other byte of the weights makes another."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    first, same = identify(folder), identify(copy)
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")

    assert first.kind == "folder"
    assert first.hash == same.hash != content_hash(copy)


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "tokenizer.model", "vocab.txt", "merges.txt", "added_tokens.json"]
)
def test_older_files_of_weights_and_tokenizers_are_content_too(tmp_path: Path, name: str) -> None:
    """Two models that differ in one of them alone are two; notes beside them do not count."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("mine")
    without = content_hash(tmp_path)
    (tmp_path / name).write_text("a")
    first = content_hash(tmp_path)
    (tmp_path / name).write_text("b")
    (tmp_path / "notes.txt").write_text("other")

    assert len({without, first, content_hash(tmp_path)}) == 3
    (tmp_path / name).unlink()
    assert content_hash(tmp_path) == without


def test_a_model_plays(folder: Path) -> None:
    """A folder becomes a policy with the decoding that was asked for."""
    policy = open_policy(identify(folder), Decoding(max_tokens=3))
    (trajectory,) = run([TASK], policy)

    assert [len(turn.completion.action_ids) for turn in trajectory.turns] == [3, 3]


def test_an_adapter_is_opened_on_its_base(folder: Path, adapter: Path) -> None:
    """Its identity is its own content and that of its base."""
    identity = identify(adapter)
    (trajectory,) = run([TASK], open_policy(identity, Decoding(max_tokens=3)))

    assert (identity.kind, identity.base) == ("adapter", str(folder))
    assert identity.base_hash == identify(folder).hash
    assert len(trajectory.turns) == 2


def test_an_adapter_whose_base_is_absent_is_an_error(adapter: Path, tmp_path: Path) -> None:
    """The error says how to name another place of the base, and that works."""
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in adapter.iterdir():
        (moved / path.name).write_bytes(path.read_bytes())
    config = json.loads((moved / "adapter_config.json").read_text())
    base = config["base_model_name_or_path"]
    config["base_model_name_or_path"] = "/nowhere/base"
    (moved / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(DataError, match=r"needs its base '/nowhere/base'.*say where it is with"):
        identify(moved)
    identity = identify(moved, base=base)
    (trajectory,) = run([TASK], open_policy(identity, Decoding(max_tokens=3)))

    assert identity.base == base
    assert len(trajectory.turns) == 2


def test_an_adapter_that_names_no_base_is_an_error(tmp_path: Path) -> None:
    """The error says how to name it."""
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(DataError, match=r"names no base .*; name it with --base"):
        identify(tmp_path)


def test_a_model_without_a_chat_template_is_refused(folder: Path, tmp_path: Path) -> None:
    """Unless a plain template is chosen."""
    from transformers import AutoTokenizer

    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "chat_template.jinja").unlink(missing_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = None
    tokenizer.save_pretrained(tmp_path)
    identity = identify(tmp_path)
    with pytest.raises(InvalidValueError, match=r"has no chat template.*--plain-template"):
        open_policy(identity)

    assert open_policy(identity, Decoding(plain_template=True)) is not None


def test_a_hub_name_that_nobody_answers_is_an_error() -> None:
    """The tests are offline, so that every name is unknown; a misspelt policy is suggested."""
    with pytest.raises(DataError, match="There is no model 'nobody/nothing'"):
        identify("nobody/nothing")
    with pytest.raises(UnknownNameError, match="'randm'; did you mean 'random'"):
        identify("randm")
