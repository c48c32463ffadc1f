"""``agentgym-gen eval``: a table, JSON, a page, and errors of one sentence."""

from __future__ import annotations

import html.parser
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_chat_server import KEY, MODEL, FakeChatServer, fake_chat_server

from agentgym_gen import Registered, register
from agentgym_gen.cli.main import main
from agentgym_gen.evaluation import Evaluation

ENV = "rftgen/Corridor-easy-v0"


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[FakeChatServer]:
    """Return the running server; the toy world is registered as well."""
    register(Registered("Corridor", "toy_world:CorridorWorld"))
    with fake_chat_server() as running:
        yield running


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_a_table_and_a_score_are_printed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """First the cost, then progress on standard error, then the table, the score and the page."""
    assert main(["eval", "expert", "rftgen/Corridor-*-v0", "--tasks", "10"]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()

    assert printed.err.startswith("expert: 30 episodes, at most ")
    assert "30/30 episodes, 30 solved" in printed.err
    assert " ".join(lines[0].split()) == "environment tier interface success 95 % interval n score"
    assert " ".join(lines[2].split()) == "Corridor easy native 100.0 72.2 to 100.0 10 1.000"
    assert lines[-2].startswith("expert on Corridor-easy, Corridor-medium, Corridor-hard (test): ")
    assert lines[-1] == "runs/eval-expert/report.html"
    assert Evaluation.open(tmp_path / "runs" / "eval-expert").complete


def test_json_is_all_of_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """A script reads the numbers from it."""
    assert main(["eval", "random", ENV, "--tasks", "5", "--json", "--out", "x"]) == 0
    value = json.loads(capsys.readouterr().out)

    assert value["success"]["n"] == value["columns"][0]["n"] == 5
    assert value["columns"][0]["env_id"] == ENV
    assert value["complete"]


class Tags(html.parser.HTMLParser):
    """Checks that tags close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "link", "wbr", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_has_the_score_and_episodes(tmp_path: Path) -> None:
    """It is whole HTML and repeats the line of the score."""
    assert main(["eval", "random", ENV, "--tasks", "5", "--out", "x", "--label", "<me>"]) == 0
    page = (tmp_path / "x" / "report.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)

    assert tags.open == []
    assert "&lt;me&gt; on Corridor-easy (test): success" in page
    assert "<me>" not in page
    assert "You are at door" in page


def test_a_server_is_evaluated(
    server: FakeChatServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key, through two interfaces, with demonstrations; the key is in no file."""
    monkeypatch.setenv("MY_KEY", KEY)
    url = server.url("eval", "key")
    arguments = ["eval", MODEL, ENV, "--base-url", url, "--api-key-env", "MY_KEY", "--tasks", "3"]
    more = ["--interface", "native", "--interface", "json", "--shots", "1", "--out", "x"]
    assert main([*arguments, *more]) == 0
    printed = capsys.readouterr()
    written = b"".join(path.read_bytes() for path in Path("x").iterdir())

    assert "sampled tokens, and about" in printed.err
    assert "The server counted" in printed.err
    assert f"{MODEL} on Corridor-easy, Corridor-easy-json (test): success" in printed.out
    assert KEY.encode() not in written + printed.out.encode() + printed.err.encode()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fake-9b", "--base-url", "{ok}", ENV], "has no 'fake-9b'"),
        ([MODEL, "--base-url", "{key}", ENV], "refuses access (401"),
        (["random", "--panel", "core-v7"], "install a newer agentgym-gen"),
        (["random", "rftgen/Corridr-easy-v0"], "did you mean 'rftgen/Corridor-easy-v0'"),
        (["random", ENV, "--format", "reakt"], "did you mean 'react'"),
        (["random", ENV, "--temperature", "-1"], "--temperature is 0 or more"),
        (["random", ENV, "--extra", "[]"], "`--extra` is a JSON object"),
        (["random", ENV, "--interface", "jsn"], "did you mean 'json'"),
        (["./nothing", ENV], "There is no folder './nothing'"),
    ],
)
def test_an_error_is_one_sentence(
    server: FakeChatServer,
    arguments: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It goes to standard error, with exit code 2."""
    words = [w.format(ok=server.url("e", "ok"), key=server.url("e", "key")) for w in arguments]
    assert main(["eval", *words, "--out", "x", "--tasks", "2"]) == 2
    error = capsys.readouterr().err

    assert sentence in error
    assert "Traceback" not in error
