"""The server of the page: who is answered, and with what."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.processes import python_path
from played_folders import register_corridor, write_lines

from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.viewer import View, open_sources
from agentgym_gen.viewer.export import export_view
from agentgym_gen.viewer.serve import ViewServer


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of trajectories."""
    register_corridor()
    return write_lines(tmp_path_factory.mktemp("lines") / "a.jsonl")


@pytest.fixture(scope="module")
def server(lines: Path) -> Iterator[ViewServer]:
    """Yield a server that answers."""
    server = ViewServer(View(open_sources([lines]), admissible=True), "A title")
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield server
    server.stop()
    thread.join()


def get(address: str, **headers: str) -> tuple[int, str]:
    """Return the status and the text of *address*."""
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_pages_are_those_of_an_export(server: ViewServer, lines: Path, tmp_path: Path) -> None:
    """The page, its files and all scripts, but for what an export need not say."""
    export_view(View(open_sources([lines])), tmp_path / "out", title="A title", admissible=True)
    names = [
        path.relative_to(tmp_path / "out").as_posix()
        for path in (tmp_path / "out").rglob("*.[hcj][ts]*")
        if path.is_file() and path.suffix != ".json" and "index-0" not in path.name
    ]

    assert len(names) > 20
    for name in names:
        assert get(server.url + name) == (200, (tmp_path / "out" / name).read_text())
    assert get(server.url)[1] == get(server.url + "index.html")[1]


def test_the_index_says_that_actions_may_be_asked_for(server: ViewServer) -> None:
    """The server plays an episode again when it is wanted."""
    assert '"admissible":true' in get(server.url + "data/index-0.js")[1]
    assert "walk to door" in get(server.url + "data/actions-0.js")[1]


@pytest.mark.parametrize(
    "path",
    [
        "data/episodes-99.js",
        "data/task-1.js",
        "data/nothing-0.js",
        "data/__init__-0.js",
        "data/task-00.js",
        "../index.html",
        "data/../index.html",
        "etc/passwd",
        "viewer.py",
    ],
)
def test_there_is_nothing_else(server: ViewServer, path: str) -> None:
    """No path leads out of the pages."""
    assert get(server.url + path)[0] == 404


def test_the_address_has_a_secret(server: ViewServer) -> None:
    """Whoever guesses the port gets nothing."""
    root = server.url.rsplit("/", 2)[0]

    assert get(f"{root}/")[0] == 404
    assert get(f"{root}/data/index-0.js")[0] == 404
    assert len(server.url.rsplit("/", 2)[1]) > 20


def test_another_name_of_the_host_is_refused(server: ViewServer) -> None:
    """A page of the web cannot pretend to be of this machine."""
    assert get(server.url, Host="evil.example")[0] == 403
    assert get(server.url, Origin="http://evil.example")[0] == 403


def test_scripts_are_for_this_page_alone(server: ViewServer) -> None:
    """A browser refuses them to other pages, and frames of the page to anybody."""
    with urllib.request.urlopen(server.url) as answer:
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "file:" not in answer.headers["Content-Security-Policy"]


def test_a_file_that_changed_is_a_sentence(lines: Path, tmp_path: Path) -> None:
    """The script of a chunk that cannot be read again says why."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines.read_bytes())
    server = ViewServer(View(open_sources([path])), "A title")
    path.write_text("{}\n")
    answer = server.answer(server.url.removeprefix("http://127.0.0.1").partition("/")[2], {})
    assert answer.status == 403  # no Host
    prefix = "/" + server.url.split("/")[3] + "/"
    text = server.answer(f"{prefix}data/episodes-0.js", {"Host": "127.0.0.1"}).text
    server.close()

    assert text.startswith('viewerData("episodes",0,"No trajectory in line 1 of')


def test_a_file_that_cannot_be_read_is_refused_before_anything_is_served(tmp_path: Path) -> None:
    """The sentence is that of the reader."""
    (tmp_path / "a.jsonl").write_text("{}\n{}\n")

    with pytest.raises(DataError, match="No trajectory in line 1"):
        ViewServer(View(open_sources([tmp_path / "a.jsonl"])), "A title")


def test_a_later_damage_is_on_the_page(lines: Path, tmp_path: Path) -> None:
    """What was read before is shown, with the reason why there is no more."""
    path = tmp_path / "a.jsonl"
    path.write_text(lines.read_text() * 100 + "{}\n")
    view = View(open_sources([path]))
    with pytest.raises(DataError):
        list(view.read())

    assert view.number > 0
    assert '"failure":"No trajectory in line 401 of' in view.index()


def test_a_port_that_is_taken_is_a_sentence(server: ViewServer, lines: Path) -> None:
    """Another one can be chosen."""
    port = int(server.url.split(":")[2].split("/")[0])

    with pytest.raises(InvalidValueError, match=f"port {port}: .*choose another --port"):
        ViewServer(View(open_sources([lines])), "A title", port)


def test_the_command_serves_until_it_is_stopped(lines: Path) -> None:
    """It prints the address, and a signal ends it without a traceback."""
    command = [sys.executable, "-m", "agentgym_gen", "view", str(lines), "--no-open"]
    variables = {**os.environ, "PYTHONPATH": python_path()}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables
    ) as process:
        assert process.stdout is not None
        sentence = process.stdout.readline()
        address = sentence.split(" at ")[1].split(" ")[0]
        assert get(address)[0] == 200
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)

    assert sentence.startswith("Showing a.jsonl at http://127.0.0.1:")
    assert process.returncode == 130
    assert errors.strip() == "agentgym-gen: stopped"
