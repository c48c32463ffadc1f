"""The page of the server in a real browser: one task, through one interface or through two."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from agentgym_gen import ExpertPolicy
from agentgym_gen.agents import Episode, run
from tools.browser import BROWSER, Browser

pytest.importorskip("aiohttp")

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here")

ENV_ID, TASK = "rftgen/TextCraft-easy-v0", "textcraft/easy/test/3"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Yield the address of a server."""
    command = [sys.executable, "-m", "agentgym_gen", "serve", ENV_ID, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[2]
        process.terminate()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Yield a browser."""
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


def start(browser: Browser, address: str, interface: str, beside: str) -> None:
    """Open the page and start the task."""
    browser.messages.clear()
    browser.open(address)
    browser.wait("document.querySelector('#name').options.length > 0")
    browser.choose("#interface", interface)
    browser.choose("#beside", beside)
    browser.run(f"document.querySelector('#task').value = {json.dumps(TASK)}")
    browser.click("#choice button")
    browser.wait(f"document.querySelectorAll('.pane').length === {1 + bool(beside)}")


def send(browser: Browser, pane: int, text: str) -> None:
    """Send an action in one of the panes, and wait for its answer."""
    part = f"document.querySelectorAll('.pane')[{pane}]"
    number = browser.run(f"{part}.querySelectorAll('.log li').length")
    browser.run(f"{part}.querySelector('input').value = {json.dumps(text)}")
    browser.run(f"{part}.querySelector('form button').click()")
    browser.wait(f"{part}.querySelectorAll('.log li').length > {number} + 1")
    browser.wait(
        "[...document.querySelectorAll('.pane')].every((pane) => "
        f"pane.querySelectorAll('.log li').length > {number} + 1)"
    )


def plan(interface: str) -> list[str]:
    """Return the expert's actions."""
    options = {"interface": interface}
    return [
        turn.action for turn in run([Episode(ENV_ID, TASK, 0, options)], ExpertPolicy())[0].turns
    ]


def test_a_task_is_won_through_one_interface(browser: Browser, address: str) -> None:
    """The expert's actions, as a person would type them."""
    start(browser, address, "native", "")
    for action in plan("native"):
        send(browser, 0, action)

    assert "The goal is reached." in browser.text(".pane .end")
    assert browser.messages == []


@pytest.mark.parametrize("acting", [0, 1])
def test_two_interfaces_go_the_same_way(browser: Browser, address: str, acting: int) -> None:
    """Whichever of them gets the actions, both show the task and both reach the goal."""
    interfaces = ("native", "symbols")
    start(browser, address, *interfaces)
    actions = [plan(interface) for interface in interfaces]
    for action in actions[acting]:
        send(browser, acting, action)
    query = "[...document.querySelectorAll('.pane')].map((pane) => pane.innerText)"
    panes = browser.run(query)

    assert all("The goal is reached." in text for text in panes)
    assert [text.split("\n")[0] for text in panes] == list(interfaces)
    for text, own in zip(panes, actions, strict=True):
        assert all(action in text for action in own)
    assert browser.messages == []


def test_an_action_that_is_none_is_one_in_both(browser: Browser, address: str) -> None:
    """Both take a turn, and both say that it was not carried out."""
    start(browser, address, "native", "json")
    send(browser, 0, "<b>fly</b>")

    assert browser.run("document.querySelectorAll('.log .invalid').length") == 2
    assert browser.run("document.querySelectorAll('.log b').length") == 0


def test_the_list_of_actions_fills_the_line(browser: Browser, address: str) -> None:
    """A click on one of them writes it; sending it plays it."""
    start(browser, address, "native", "json")
    part = "document.querySelectorAll('.pane')[1]"
    browser.run(f"{part}.querySelector('.reveal').click()")
    browser.run(f"{part}.querySelector('.actions button').click()")
    text = browser.run(f"{part}.querySelector('input').value")
    assert json.loads(text)["action"]
    send(browser, 1, text)

    assert browser.run("document.querySelectorAll('.log .invalid').length") == 0
