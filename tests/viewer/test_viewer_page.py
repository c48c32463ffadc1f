"""The page in a real browser: every kind of folder, filters, keys, and texts that want to run."""

from __future__ import annotations

import gzip
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from played_folders import register_corridor, write_eval, write_lines, write_study

from agentgym_gen.viewer import View, export_view, open_sources
from agentgym_gen.viewer import view as view_module
from agentgym_gen.viewer.serve import ViewServer
from tools.browser import BROWSER, Browser

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here")

ROWS = "document.querySelectorAll('#rows li').length"
TURNS = "document.querySelectorAll('#turns .turn pre.action').length"
MARKED = "[...document.querySelectorAll('#rows li')].findIndex((row) => row.ariaCurrent !== null)"

RUN = "document.documentElement.setAttribute('data-ran','1')"
HOSTILE = (
    f'\'"></pre></script><script>{RUN}</script><img src=x onerror="{RUN}"><svg onload={RUN}>'
    f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>`${{{RUN}}}`javascript:{RUN}'
    "\\u003cscript\\u003e <!-- {{ 7 * 7 }} \x1b]0;t\x07\u202e\u2028 __proto__"
)


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register_corridor()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return folders of every kind that has conversations."""
    root = tmp_path_factory.mktemp("runs")
    write_eval(root / "random")
    write_eval(root / "expert", "expert")
    write_study(root / "study")
    (root / "training").mkdir()
    write_lines(root / "training" / "trajectories.jsonl", 6)
    return root


@pytest.fixture(scope="module")
def pages(folders: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the addresses of exported pages: of each folder, and of all together."""
    out = tmp_path_factory.mktemp("pages")
    addresses = {}
    for name in ("random", "expert", "study", "training", ""):
        page = export(out / (name or "all"), folders / name)
        addresses[name or "all"] = page
    return addresses


def export(out: Path, *paths: Path) -> str:
    """Export *paths* into *out* and return the address of the page."""
    view = View(open_sources(paths), admissible=True)
    return export_view(view, out, title="A title", admissible=True).as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Yield a browser."""
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


def show(browser: Browser, address: str, fields: str = "") -> None:
    """Open *address* anew, and wait for its list or episode."""
    browser.messages.clear()
    browser.open("about:blank")
    browser.open(f"{address}#{fields}")
    browser.wait(f"{ROWS} + {TURNS} > 0")


def tasks(browser: Browser) -> list[str]:
    """Return the rows of the list as text."""
    rows: list[str] = browser.run(
        "[...document.querySelectorAll('#rows li')].map((r) => r.innerText)"
    )
    return rows


@pytest.mark.parametrize("kind", ["random", "expert", "study", "training", "all"])
def test_every_kind_is_listed_and_opened_from_a_file(
    browser: Browser, pages: dict[str, str], kind: str
) -> None:
    """Without a server, and without a word in the console."""
    show(browser, pages[kind])
    number = len(tasks(browser))
    browser.press("Enter")
    browser.wait(f"{TURNS} > 0")

    assert browser.run("document.querySelector('#list').hidden")
    assert "Interface" in browser.text("#heads")
    assert browser.text("#turns").startswith("turn 1")
    assert number == {"random": 6, "expert": 6, "study": 4, "training": 6}.get(kind, 22)
    assert browser.messages == []


def test_an_episode_shows_what_its_file_says(
    browser: Browser, pages: dict[str, str], folders: Path
) -> None:
    """Observations, thoughts, actions, rewards and the end, turn by turn."""
    raw = gzip.decompress((folders / "random" / "transcripts.jsonl.gz").read_bytes())
    text = json.loads(raw.splitlines()[0])
    show(browser, pages["random"], "episode=0")
    query = "[...document.querySelectorAll('#turns pre.%s')].map((each) => each.textContent)"

    assert browser.run(query % "observation") == [
        *(turn["observation"] for turn in text["turns"]),
        text["last_observation"],
    ]
    assert browser.run(query % "action") == [turn["action"] for turn in text["turns"]]
    assert set(browser.run(query % "thought")) == {"I act."}
    rewards = [turn["reward"] for turn in text["turns"] if turn["reward"]]
    assert browser.text("#turns").count("reward ") == len(rewards)


def test_invalid_turns_are_marked(browser: Browser, tmp_path: Path) -> None:
    """They say so in words, not by a colour alone."""
    path = write_lines(tmp_path / "a.jsonl", 1)
    row = json.loads(path.read_text())
    row["turns"][0]["valid"] = False
    row["turns"][1]["completion"]["truncated"] = True
    path.write_text(json.dumps(row) + "\n")
    show(browser, export(tmp_path / "out", path), "episode=0")

    assert browser.run("document.querySelectorAll('.turn.invalid').length") == 1
    assert "not carried out" in browser.text(".turn.invalid h3")
    assert "cut at the token limit" in browser.text("#turns")


def test_tokens_are_shaded_by_their_probability(browser: Browser, pages: dict[str, str]) -> None:
    """The certain ones have no shade; t shows thoughts and actions instead."""
    show(browser, pages["training"], "episode=0")
    first = "document.querySelector('pre.tokens').firstChild"
    last = "document.querySelector('pre.tokens').lastChild"

    assert browser.run(f"{first}.textContent + {first}.className") == "<0>p0"
    assert browser.run(f"{last}.className + {last}.title") == (
        "p6log-probability -3, probability 5.0 %"
    )
    assert "1 in 20" in browser.text("#legend")
    browser.press("t")
    browser.wait("!document.querySelector('pre.tokens')")
    assert browser.text("pre.thought") == "I act."
    browser.press("t")
    browser.wait("document.querySelector('pre.tokens')")


def test_what_could_be_done_is_shown_when_asked_for(
    browser: Browser, pages: dict[str, str]
) -> None:
    """For one turn by its button, for all by a; the action that was taken is marked."""
    show(browser, pages["random"], "episode=0")
    assert browser.run("document.querySelector('.tools ul')") is None
    browser.click(".tools button")
    browser.wait("document.querySelector('.tools ul')")
    assert "walk to door" in browser.text(".tools ul")
    assert browser.text(".tools li.taken") == browser.text("pre.action")
    browser.click(".tools button")
    browser.wait("!document.querySelector('.tools ul')")
    browser.press("a")
    browser.wait(f"document.querySelectorAll('.tools ul').length === {TURNS}")
    browser.press("a")
    browser.wait("!document.querySelector('.tools ul')")


def test_keys_move_open_and_close(browser: Browser, pages: dict[str, str]) -> None:
    """j, k, Enter and Esc, and the address follows."""
    show(browser, pages["random"])
    browser.press("j", "j", "j", "k")
    assert browser.run(MARKED) == 2
    browser.press("Enter")
    browser.wait(f"{TURNS} > 0")
    assert browser.run("location.hash") == "#episode=2"
    task = browser.text("#heads h2")
    browser.press("j")
    browser.wait(f"document.querySelector('#heads h2').innerText !== {json.dumps(task)}")
    assert browser.run("location.hash") == "#episode=3"
    browser.press("Escape")
    browser.wait(f"{ROWS} === 6 && !document.querySelector('#list').hidden")
    assert browser.run(MARKED) == 3
    browser.press("k", "k", "k", "k", "k")
    assert browser.run(MARKED) == 0
    browser.run("history.back()")
    browser.wait("!document.querySelector('#episode').hidden")


def test_the_keys_are_explained(browser: Browser, pages: dict[str, str]) -> None:
    """By ?, and Esc closes the explanation and nothing else."""
    show(browser, pages["random"], "episode=1")
    browser.press("?")
    assert browser.run("document.querySelector('#help').open")
    assert "next and previous episode" in browser.text("#help")
    browser.press("j")
    browser.press("Escape")
    browser.wait("!document.querySelector('#help').open")

    assert browser.run("location.hash") == "#episode=1"


def test_every_filter_leaves_what_it_says(browser: Browser, pages: dict[str, str]) -> None:
    """Alone and together; the count and the address follow, and Clear takes all away."""
    show(browser, pages["all"])
    for name, value, number in (
        ("run", "random", 6),
        ("arm", "expert", 6),
        ("environment", "Sokoban", 4),
        ("interface", "json", 6),
        ("split", "train", 6),
        ("step", "3", 6),
        ("end", "turn_limit", None),
        ("result", "lost", None),
        ("mode", "wanders", None),
        ("invalid", "none", None),
    ):
        show(browser, pages["all"], f"{name}={value}")
        browser.wait(f"document.querySelector('#filter-{name}').value === '={value}'")
        rows = tasks(browser)
        assert browser.text("#count") == f"{len(rows)} of 22 episodes"
        assert 0 < len(rows) < 22 or name == "invalid"
        assert number in (None, len(rows))
        if name in ("end", "result", "mode"):
            assert all(row.startswith("lost") for row in rows)
    show(browser, pages["all"])
    browser.choose("#filter-environment", "=Corridor")
    browser.choose("#filter-interface", "=json")
    browser.choose("#filter-run", "=expert")
    browser.wait(f"{ROWS} === 3")
    assert browser.run("location.hash") == "#environment=Corridor&interface=json&run=expert"
    assert all(row.startswith("won") for row in tasks(browser))
    browser.click("#clear")
    browser.wait(f"{ROWS} === 22")


def test_text_is_searched_in_tasks_and_conversations(
    browser: Browser, pages: dict[str, str]
) -> None:
    """Upper and lower case are alike; nothing that matches is a count of none."""
    show(browser, pages["all"])
    browser.press("/")
    assert browser.run("document.activeElement.id") == "q"
    browser.press(*"GOAL: TO OPEN", "Enter")
    browser.wait(f"{ROWS} === 18")
    assert browser.text("#count") == "18 of 22 episodes"
    browser.press("/")
    browser.run("document.querySelector('#q').value = ''")
    browser.press(*"sokoban/easy", "Enter")
    browser.wait(f"{ROWS} === 4")
    browser.press("Enter")
    browser.wait(f"{TURNS} > 0")
    browser.press("j", "j", "j", "j", "j")  # moves within what was searched for
    browser.wait("document.querySelector('#next').disabled")
    assert browser.text("#heads h2").startswith("sokoban/easy/test/")
    browser.press("/")
    browser.run("document.querySelector('#q').value = ''")
    browser.press(*"purple goat", "Enter")
    browser.wait("document.querySelector('#count').innerText === '0 of 22 episodes'")


def test_two_runs_of_a_task_are_side_by_side(browser: Browser, pages: dict[str, str]) -> None:
    """C offers the other model through the same interface first; Esc goes back step by step."""
    show(browser, pages["all"], "run=random&episode=6")
    browser.wait("document.querySelector('#heads h2')")
    browser.press("c")
    browser.wait("document.querySelector('#others button')")
    assert "expert" in browser.text("#others button")
    browser.press("Enter")
    browser.wait("document.querySelectorAll('.head').length === 2")
    heads = browser.run("[...document.querySelectorAll('.head')].map((head) => head.innerText)")

    assert len({head.split("\n")[0] for head in heads}) == 1  # one task
    assert "random" in heads[0] or "expert" in heads[0]
    assert {"expert", "random"} == {
        word for head in heads for word in head.split() if word in ("expert", "random")
    }
    columns = browser.run("getComputedStyle(document.querySelector('#heads')).gridTemplateColumns")
    assert len(columns.split()) == 2
    assert browser.run("document.querySelectorAll('#turns i').length") <= 2
    browser.press("Escape")
    browser.wait("document.querySelectorAll('.head').length === 1")
    browser.press("Escape")
    browser.wait("!document.querySelector('#list').hidden")


def test_two_arms_of_a_study_are_side_by_side(browser: Browser, pages: dict[str, str]) -> None:
    """The base and what was trained."""
    show(browser, pages["study"], "episode=0")
    browser.press("c")
    browser.wait("document.querySelector('#others button')")

    assert "sokoban-easy" in browser.text("#others button")


def loaded(browser: Browser) -> set[str]:
    """Return the names of the scripts with data that the browser has loaded."""
    matches = (re.search(r"data/([a-z]+-\d+)\.js", address) for address in browser.requests)
    return {match[1] for match in matches if match}


def test_pieces_are_loaded_when_they_are_needed(
    browser: Browser, folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first page of the list needs the first piece alone, and no conversation."""
    monkeypatch.setattr(view_module, "PIECE", 100)
    monkeypatch.setattr("agentgym_gen.viewer.export.PIECE", 100)
    path = tmp_path / "a.jsonl"
    path.write_text((folders / "training" / "trajectories.jsonl").read_text() * 60)
    view = View(open_sources([path]))
    address = export_view(view, tmp_path / "out", title="A title").as_uri()
    browser.requests.clear()
    show(browser, address)
    assert browser.run(ROWS) == 100
    assert browser.text("#place") == "1 to 100"
    names = loaded(browser)
    assert "task-0" in names
    assert not {name for name in names if name.startswith("episodes") or name.endswith("-1")}
    browser.press("n", "n", "n")
    browser.wait("document.querySelector('#place').innerText === '301 to 360'")
    browser.wait(f"{ROWS} === 60")
    assert "task-3" in loaded(browser)
    browser.press("n")
    assert browser.text("#place") == "301 to 360"
    browser.press("k")
    browser.wait("document.querySelector('#place').innerText === '201 to 300'")
    browser.choose("#filter-result", "=won" if "won" in tasks(browser)[0] else "=lost")
    browser.wait("document.querySelector('#count').innerText.includes(' of 360 episodes')")


def _hostile(path: Path) -> Path:
    write_lines(path, 2)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        for key in ("env_id", "task_id", "interface", "end_reason", "arm", "last_observation",
                    "error"):  # fmt: skip
            row[key] = HOSTILE
        for turn in row["turns"]:
            turn.update(observation=HOSTILE, action=HOSTILE)
            number = len(turn["completion"]["action_ids"])
            turn["completion"].update(text=f"Thought: {HOSTILE}", tokens=[HOSTILE] * number)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_hostile_texts_are_text(browser: Browser, tmp_path: Path) -> None:
    """In the title, the filters, the list, an episode, and the list of the same task."""
    view = View(open_sources([_hostile(tmp_path / "a.jsonl")]), admissible=True)
    page = export_view(view, tmp_path / "out", title=HOSTILE, admissible=True)
    show(browser, page.as_uri())
    browser.choose("#filter-result", "=lost")
    browser.press("Enter")
    browser.wait(f"{TURNS} > 0")
    browser.press("t")
    browser.wait("!document.querySelector('pre.tokens')")
    browser.press("a", "c")
    browser.wait("document.querySelector('#others button')")
    browser.wait("document.querySelector('.tools p')")
    shown = browser.run("document.body.textContent")

    assert browser.run("document.documentElement.hasAttribute('data-ran')") is False
    assert browser.run("document.querySelectorAll('img, svg, iframe, a').length") == 0
    assert "<img src=x onerror=" in shown
    assert r"\x1b]0;t\x07\u202e\u2028" in shown
    assert not set("\x1b\x07\u202e\u2028") & set(shown)
    assert browser.messages == []


def test_the_policy_refuses_a_script_that_came_in(browser: Browser, tmp_path: Path) -> None:
    """Were a text ever put into the page as HTML, the browser would refuse it."""
    address = export(tmp_path / "out", write_lines(tmp_path / "a.jsonl", 1))
    show(browser, address)
    with pytest.raises(RuntimeError, match="TrustedHTML"):
        browser.run(
            f"document.body.innerHTML = '<img src=x onerror=\"{RUN.replace(chr(39), '')}\">'"
        )
    browser.run(
        "(() => { const s = document.createElement('script'); s.textContent = '1';"
        f" s.setAttribute('src', 'data:text/javascript,{RUN.replace(chr(39), '')}'); }})"
    )

    assert browser.run("document.documentElement.hasAttribute('data-ran')") is False


def test_an_address_of_somebody_else_runs_nothing(browser: Browser, pages: dict[str, str]) -> None:
    """A link may name any filter and any episode; what is not there is a sentence."""
    browser.messages.clear()
    fields = f"environment={HOSTILE.replace('#', '')}&q=<script>{RUN}</script>&page=7"
    browser.open("about:blank")
    browser.open(f"{pages['all']}#{fields.replace(' ', '+')}")
    browser.wait("document.querySelector('#count').innerText === '0 of 22 episodes'")
    assert browser.run("document.documentElement.hasAttribute('data-ran')") is False
    browser.open("about:blank")
    browser.open(f"{pages['all']}#episode=4711")
    browser.wait("!document.querySelector('#alert').hidden")

    assert browser.text("#alert") == "There is no episode 4711: there are 22"


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_export_is_a_sentence(browser: Browser, tmp_path: Path, damage: str) -> None:
    """The script is named."""
    address = export(tmp_path / "out", write_lines(tmp_path / "a.jsonl", 1))
    script = tmp_path / "out" / "data" / "episodes-0.js"
    if damage == "missing":
        script.unlink()
    else:
        script.write_text(script.read_text()[:-30])
    show(browser, address)
    browser.press("Enter")
    browser.wait("!document.querySelector('#alert').hidden")

    assert "data/episodes-0.js cannot be loaded" in browser.text("#alert")


def test_the_server_shows_what_is_read_so_far(
    browser: Browser, folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page opens while files are being read, and grows until they are."""
    go_on = threading.Event()
    (source,) = open_sources([write_lines(tmp_path / "a.jsonl", 5)])
    read = source.read

    def slowly(position: Any = None) -> Iterator[Any]:  # noqa: ANN401
        for number, pair in enumerate(read(position)):
            if number == 2 and position is None:
                go_on.wait(60)
            yield pair

    monkeypatch.setattr(source, "read", slowly)
    monkeypatch.setattr(view_module, "CHUNK_EPISODES", 2)
    monkeypatch.setattr("agentgym_gen.viewer.serve.PIECE", 2)
    server = ViewServer(View([source], admissible=True), "A title")
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        show(browser, server.url)
        assert browser.text("#count") == "2 episodes, still reading"
        go_on.set()
        browser.wait("document.querySelector('#count').innerText === '5 episodes'")
        browser.wait(f"{ROWS} === 5")
        browser.press("Enter")
        browser.wait(f"{TURNS} > 0")
        browser.click(".tools button")
        browser.wait("document.querySelector('.tools ul')")
    finally:
        server.stop()
        thread.join()
    assert browser.messages == []


def test_a_phone_shows_one_column(pages: dict[str, str], tmp_path: Path, browser: Browser) -> None:
    """Nothing is wider than the page, and two episodes lie under each other."""
    with Browser(tmp_path, 390, dark=True) as phone:
        for fields in ("", "episode=0", "episode=0&beside=3"):
            show(phone, pages["all"], fields)
            width = phone.run("document.documentElement.scrollWidth")
            assert width <= 390, fields
        columns = phone.run(
            "getComputedStyle(document.querySelector('#heads')).gridTemplateColumns"
        )
        assert len(columns.split()) == 1
