"""A report of files that somebody else has written: their texts are shown, and none is obeyed.

A hostile text is written into the fields of every file that the report reads. The page is parsed,
and opened in a browser where there is one; the Markdown is parsed; the terminal's output is read.
"""

import gzip
import html.parser
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pretend_study import PretendRecipe

from agentgym_gen.cli.main import main
from agentgym_gen.errors import InvalidValueError, MissingExtraError
from agentgym_gen.study import Study, parse_plan, run_plan
from agentgym_gen.study.report import markup
from agentgym_gen.study.report.document import (
    Block,
    Bullets,
    Document,
    Figure,
    Forest,
    Heading,
    RawHtml,
    Table,
    TableCell,
    Text,
)
from agentgym_gen.study.report.inline import escape_markdown, literal
from agentgym_gen.study.report.markup import render
from agentgym_gen.study.report.page import render_page

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")

RUN = "document.documentElement.setAttribute('data-ran','1')"
HOSTILE = (
    f'\'"></td></p></summary><script>{RUN}</script><img src=x onerror="{RUN}"><svg onload={RUN}>'
    "<style>*{display:none}</style><a href=javascript:alert(1)>a</a><!-- {{ 7 * 7 }} {% raw %}"
    "\x1b]52;c;aGk=\x07\x1b]0;title\x07\x9b2J\u202e\u2028"
    "\n\n# All well\n\n| a | b |\n|---|---|\n\n- **sure** `x` [a](javascript:alert(1)) ![a](b)"
    "\n===\n"
)

PLAN = """
name = "tiny"
about = "About."
seeds = [0]
[style]
format = "action"
instruction = false
[environments.TextCraft]
interface = "menu"
[environments.Sokoban]
[test]
tasks = 2
samples = 1
[cross]
environments = ["Sokoban", "TextCraft"]
[sequence]
pairs = [["Sokoban", "TextCraft"]]
"""

LAST = "sokoban-easy_then_textcraft-easy-menu.s0"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return a small study with its report; one training has failed."""
    study = Study(parse_plan(PLAN), tmp_path_factory.mktemp("clean"))
    run_plan(study.plan, study.out, log=str, recipe=PretendRecipe(fail_at=LAST))
    study.report()
    return study


@pytest.fixture(scope="module")
def hostile(clean: Study, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return the same study with hostile texts in its files, and its report."""
    out = tmp_path_factory.mktemp("hostile") / "study"
    shutil.copytree(clean.out, out)
    _fill(out)
    study = Study.open(out)
    study.report()
    return study


def _fill(out: Path) -> None:
    """Write the hostile text into every text of *out* that names no file and no task."""
    for path in out.glob("cells/*/*/cell.json"):
        _edit(path, _fill_cell)
    for path in out.glob("cells/*/*/transcripts.jsonl.gz"):
        _edit(path, _fill_transcript)
    for path in out.glob("columns/*.json"):
        _edit(path, lambda row: row.update(interface=HOSTILE))
    for path in out.glob("cells/*/*/episodes.jsonl"):
        _edit(path, lambda row: row.update(interface=HOSTILE))
    for path in out.glob("*/**/failure.json"):
        _edit(path, lambda row: row.update(job=HOSTILE, error=HOSTILE, traceback=HOSTILE))
    _edit(out / "plan.json", lambda row: row["plan"].update(about=HOSTILE))


def _fill_cell(row: dict[str, Any]) -> None:
    row.update(dict.fromkeys(("python", "platform", "commit", "interface"), HOSTILE))
    row["versions"] = {HOSTILE: HOSTILE}
    del row["files"]  # the hashes of the files, which whoever changes them can change as well


def _fill_transcript(row: dict[str, Any]) -> None:
    row.update(last_observation=HOSTILE, task_id=HOSTILE)
    for turn in row["turns"]:
        turn.update(observation=HOSTILE, completion=HOSTILE, action=HOSTILE)


def _edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    raw = path.read_bytes()
    packed = path.suffix == ".gz"
    text = (gzip.decompress(raw) if packed else raw).decode()
    rows = [json.loads(line) for line in ([text] if path.suffix == ".json" else text.splitlines())]
    for row in rows:
        change(row)
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(lines) if packed else lines)


class Shape(html.parser.HTMLParser):
    """Collects what a browser might obey: tags with their attributes, scripts and links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[tuple[str, ...]] = set()
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add((tag, *(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def _page(study: Study) -> str:
    return (study.out / "report.html").read_text(encoding="utf-8")


def test_hostile_texts_add_no_element_to_the_page(clean: Study, hostile: Study) -> None:
    """The page has the elements and attributes of the clean one; links lead into it or to CSV."""
    shape = Shape(_page(hostile))

    assert shape.tags - Shape(_page(clean)).tags <= {("i",)}
    ours = ("#", "data:text/csv;charset=utf-8,")
    assert all(link == "data:," or link.startswith(ours) for link in shape.links)
    assert _page(hostile).count("<script>") == 1


def test_hostile_texts_are_shown(hostile: Study) -> None:
    """Every letter of them is on the page, the control characters as escapes."""
    page = _page(hostile)

    assert page.count(r"&lt;script&gt;document.") > 20
    assert r"\x1b]52;c;aGk=\x07" in page
    assert r"\u202e\u2028" in page
    assert "{{ 7 * 7 }}" in page
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u2028]", page)


def test_hostile_texts_are_only_text_in_markdown(clean: Study, hostile: Study) -> None:
    """Beside the headings, tables and pictures of the clean report there is only text."""
    markdown_it = pytest.importorskip("markdown_it")
    parser = markdown_it.MarkdownIt("commonmark").enable("table").enable("strikethrough")

    def outline(study: Study) -> list[str]:
        tokens = parser.parse((study.out / "report.md").read_text(encoding="utf-8"))
        inner = [child for token in tokens for child in token.children or ()]
        obeyed = ("heading_open", "list_item_open", "table_open", "html_block", "html_inline",
                  "link_open", "image", "code_block", "hr", "softbreak", "s_open")  # fmt: skip
        headings = [token.content for token in tokens if token.type == "inline" and token.level == 1
                    and token.map and token.content in _titles(study)]  # fmt: skip
        return [t.type for t in [*tokens, *inner] if t.type in obeyed] + headings

    assert outline(hostile) == outline(clean)
    assert "html_inline" not in outline(hostile)


def _titles(study: Study) -> set[str]:
    text = (study.out / "report.md").read_text(encoding="utf-8")
    return {line.lstrip("# ") for line in text.splitlines() if line.startswith("#")}


@pytest.mark.parametrize("command", ["status", "report"])
def test_a_terminal_obeys_nothing(
    hostile: Study, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No control character is printed, and a text with line ends is one line."""
    main(["study", command, str(hostile.out)])
    output = "".join(capsys.readouterr())

    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]", output)
    assert not re.search(r"^# All well", output, re.MULTILINE)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here; the parsed page is tested above")
@pytest.mark.parametrize("with_policy", [True, False], ids=["policy", "no policy"])
def test_a_browser_runs_the_pages_own_script_alone(
    hostile: Study, tmp_path: Path, *, with_policy: bool
) -> None:
    """Nothing of the files runs, not even without the policy, which refuses nothing of ours."""
    page = _page(hostile)
    if not with_policy:
        page = page.replace("Content-Security-Policy", "x")
    dom, messages = _open_in_browser(page, tmp_path, "#talk-base-Sokoban-easy")

    assert "data-ran" not in dom.partition("<body>")[0]
    assert re.search('<details id="talk-base-Sokoban-easy"[^>]* open="">', dom)
    assert "Content Security Policy" not in messages


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_the_policy_stops_a_script_that_came_in(hostile: Study, tmp_path: Path) -> None:
    """A script, a handler and a style that an error of ours had let in would be refused."""
    attack = f"<script>{RUN}</script><img src=x onerror=\"{RUN}\"><p style='color:red'>"
    page = _page(hostile).replace("<h1>", f"{attack}<h1>")
    dom, messages = _open_in_browser(page, tmp_path)
    free_dom, _ = _open_in_browser(page.replace("Content-Security-Policy", "x"), tmp_path)

    assert "data-ran" not in dom.partition("<body>")[0]
    assert "Content Security Policy" in messages
    assert "data-ran" in free_dom.partition("<body>")[0]


def _open_in_browser(page: str, folder: Path, anchor: str = "") -> tuple[str, str]:
    """Return the page as it is after its scripts, and the messages of the browser."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    process = subprocess.run(
        [
            *(str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *("--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}"),
            f"{path.as_uri()}{anchor}",
        ],
        capture_output=True,
        timeout=55,
        check=True,
    )
    return process.stdout.decode(), process.stderr.decode(errors="replace")


@pytest.mark.parametrize(
    "make", [RawHtml, lambda text: Figure("f", [text], "c")], ids=["RawHtml", "Figure"]
)
def test_a_text_does_not_pass_for_html(make: Callable[[str], Block]) -> None:
    """A block of HTML takes what a template has made, and a picture that a chart has drawn."""
    with pytest.raises(InvalidValueError, match="is not HTML; make it with `render`"):
        make("<b>bold</b>")


def test_without_jinja2_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence has the command that installs it."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    markup._environment.cache_clear()

    with pytest.raises(MissingExtraError, match=r"run: pip install 'agentgym-gen\[study\]'"):
        Text("a").to_html()
    with pytest.raises(MissingExtraError, match="A page of results needs 'jinja2'"):
        markup.check_installed()


def test_every_block_escapes_its_texts() -> None:
    """The title as well; nothing of them is an element."""
    from agentgym_gen.study.analysis.statistics import Estimate

    text = literal(HOSTILE)
    blocks: list[Block] = [
        Heading(HOSTILE, HOSTILE),
        Text(text),
        Bullets([text]),
        Table([HOSTILE, HOSTILE], [(HOSTILE, [TableCell(HOSTILE, HOSTILE, link=HOSTILE)])], text),
        Forest([(HOSTILE, Estimate(0.5, 0.0, 1.0, 9))], text, -1, 1),
        Figure("f", [], text),
        RawHtml(render("lead.html", text=HOSTILE), text),
    ]
    shape = Shape(render_page(Document(HOSTILE, blocks)))

    assert ("img", "src", "onerror") not in shape.tags
    assert [tag for tag, *_ in shape.tags if tag == "script"] == ["script"]


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("a < b > c [+1.0, +2.0]", "a < b > c [+1.0, +2.0]"),
        ("<b>", r"\<b>"),
        ("a_b _c_ __d__", r"a_b \_c\_ \_\_d\_\_"),
        ("[x](y) [x][y] [x]: y", r"[x\](y) [x\][y] [x\]: y"),
        ("&lt; & ~~x~~ $x$", r"\&lt; & \~\~x\~\~ \$x\$"),
        ("a\tb\nc", r"a\tb\nc"),
    ],
)
def test_markdown_escapes_what_would_be_obeyed(text: str, markdown: str) -> None:
    """What means nothing in Markdown stays as it is."""
    assert escape_markdown(text) == markdown


@pytest.mark.parametrize("start", ["# a", "> a", "- a", "+ a", "=== a", "1. a", "12) a"])
def test_a_paragraph_begins_nothing_else(start: str) -> None:
    """A heading, a quotation, a list: each is text at the start of a paragraph."""
    assert Text(start).to_markdown() == re.sub(r"([#>=+.)-])", r"\\\1", start, count=1)
