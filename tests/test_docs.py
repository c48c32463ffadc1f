"""The documentation is true: its Python runs, its commands exist, its transcripts are current.

The Python blocks of one page run in order, as one program, in an empty folder. A block with a
title (```python title="lamps.py") is a file of that name, which the later blocks can import.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from agentgym_gen.cli.main import build_parser
from agentgym_gen.env.registration import BUNDLED
from tools import gallery_picture, site_links, transcripts

ROOT = Path(__file__).parents[1]
INTEGRATIONS = ROOT / "tests" / "integrations"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)(?: title=\"(?P<title>[^\"]+)\")?[^\n]*\n"
    r"(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)

ENVIRONMENT_HEADINGS = ("tiers", "reward", "speed", "differs", "transcript", "citation|sources")


def relative(path: Path) -> str:
    """Return the name of *path* in the repository."""
    return path.relative_to(ROOT).as_posix()


def write_program(page: str, folder: Path) -> Path | None:
    """Write the Python of *page* into *folder*; return its program, or None if it has none.

    Each line keeps its number, so that an error names the line of the page.
    """
    program = [""] * (page.count("\n") + 1)
    for block in FENCE.finditer(page):
        if block["language"] != "python":
            continue
        lines = [line.removeprefix(block["indent"]) for line in block["code"].splitlines()]
        if block["title"]:
            (folder / block["title"]).write_text("\n".join(lines) + "\n", encoding="utf-8")
            continue
        start = page.count("\n", 0, block.start("code"))
        program[start : start + len(lines)] = lines
    if not any(program):
        return None
    path = folder / "page.py"
    path.write_text("\n".join(program), encoding="utf-8")
    return path


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_python_blocks_run(page: Path, tmp_path: Path) -> None:
    """Every Python block of a page runs, without a warning."""
    program = write_program(page.read_text(encoding="utf-8"), tmp_path)
    if program is None:
        return
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def commands(page: Path, program: str) -> list[list[str]]:
    """Return the words of every command of a `sh` block of *page* that starts with *program*."""
    text = page.read_text(encoding="utf-8")
    lines = [
        line.strip()
        for block in FENCE.finditer(text)
        if block["language"] in {"sh", "bash", "console"}
        for line in block["code"].replace("\\\n", " ").splitlines()
    ]
    words = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    return [line for line in words if line and line[0].startswith(program)]


@pytest.mark.parametrize("page", sorted({*ROOT.glob("*.md"), *PAGES}), ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file and a heading, on the site and outside it."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert [link for link in links if not leads_somewhere(page, link)] == []


def leads_somewhere(page: Path, link: str) -> bool:
    """Return whether *link* is that of another site, or names a file and a heading of ours."""
    if re.match(r"[a-z]+:", link):
        return True
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists():
        return False
    headings = (
        re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
    )
    return not anchor or anchor in map(slug, headings)


def slug(heading: str) -> str:
    """Return the anchor of *heading*, as mkdocs and GitHub write it.

    >>> slug("The `Session`: one episode")
    'the-session-one-episode'
    """
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())


def test_pages_of_the_root_have_the_links_of_the_site() -> None:
    """What the site shows of a file at the root links to pages beside it."""
    shown = site_links.on_page_markdown((ROOT / "docs" / "changelog.md").read_text("utf-8"))
    links = re.findall(r"\]\((?![a-z]+:)([^)\s]+)\)", shown)

    assert len(links) > 5
    assert [link for link in links if not leads_somewhere(ROOT / "docs" / "x.md", link)] == []


@pytest.mark.parametrize("address", ["https://github.com/some-one/gym", ""])
def test_a_page_of_a_notebook_opens_it_in_colab_where_the_repository_has_an_address(
    address: str,
) -> None:
    """Colab reads notebooks of GitHub; other pages have no such link."""
    config = {"repo_url": address}
    linked = []
    for page in sorted((ROOT / "docs").rglob("*.md")):
        source = page.relative_to(ROOT / "docs").as_posix()
        file = SimpleNamespace(file=SimpleNamespace(src_uri=source))
        shown = site_links.on_page_markdown(page.read_text("utf-8"), page=file, config=config)
        linked += re.findall(r"\[Open in Colab\]\((\S+)\)", shown)
    start = "https://colab.research.google.com/github/some-one/gym/blob/main/"

    assert len(linked) == (3 if address else 0)
    assert all((ROOT / link.removeprefix(start)).is_file() for link in linked)


def test_tables_have_no_gap() -> None:
    """A row of a table that stands apart from it is shown as text."""
    gap = re.compile(r"^\|.*\n\n(\|(?!.*\n\|[ :-]+\|).*)", re.MULTILINE)
    pages = {relative(page): page.read_text(encoding="utf-8") for page in PAGES}

    assert {name: gap.findall(text) for name, text in pages.items() if gap.search(text)} == {}


def test_every_benchmark_is_on_the_page_of_numbers() -> None:
    """A benchmark that no page names makes numbers that nobody quotes."""
    page = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
    names = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}

    assert {name for name in names if not re.search(rf"benchmarks[/.]{name}\b", page)} == set()


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_commands_exist(page: Path) -> None:
    """Every `agentgym-gen` line is one that the command line accepts."""
    for _, *arguments in commands(page, "agentgym-gen"):
        try:
            build_parser().parse_args(arguments)
        except SystemExit as end:
            assert end.code == 0, f"not a command: agentgym-gen {shlex.join(arguments)}"  # noqa: PT017


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_scripts_exist(page: Path) -> None:
    """Every script that a page names can be started."""
    for program, *_ in commands(page, "tools/"):
        assert os.access(ROOT / program, os.X_OK), program


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_transcripts_are_current(page: Path) -> None:
    """The transcripts of a page are what the environments say today."""
    text = page.read_text(encoding="utf-8")

    assert transcripts.renew_page(text) == text, "run: python -m tools.transcripts"


def test_the_picture_of_the_gallery_is_current() -> None:
    """It shows what the environments say today."""
    drawn = gallery_picture.PICTURE.read_text(encoding="utf-8")

    assert gallery_picture.picture() == drawn, "run: python -m tools.gallery_picture"


@pytest.mark.parametrize("name", [environment.name for environment in BUNDLED])
def test_every_environment_has_a_page(name: str) -> None:
    """An environment has a page with the sections that a user looks for."""
    page = (ROOT / "docs" / "environments" / f"{name.lower()}.md").read_text(encoding="utf-8")
    headings = " ".join(re.findall(r"^##+ (.*)$", page, re.MULTILINE)).lower()

    assert [words for words in ENVIRONMENT_HEADINGS if not re.search(words, headings)] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "trainers").glob("*.md")), ids=relative)
def test_scripts_for_other_trainers_are_the_tested_ones(page: Path) -> None:
    """What a page on another trainer shows is a script that `tools/test_integrations` runs."""
    scripts = {path.name: path.read_text(encoding="utf-8") for path in INTEGRATIONS.glob("*/*.py")}
    shown = {
        block["title"]: block["code"]
        for block in FENCE.finditer(page.read_text(encoding="utf-8"))
        if block["language"] == "py"
    }

    assert {name: scripts.get(name) for name in shown} == shown


def test_changelog_has_the_version() -> None:
    """The changelog speaks of the version that is built."""
    cfg = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    version = re.search(r"^version = (\S+)$", cfg, re.MULTILINE)

    assert version is not None
    assert f"## [{version[1]}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
