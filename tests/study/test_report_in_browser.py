"""The page of a report in a real browser: nothing is wider than the window, and filters filter."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pretend_study import PretendRecipe, small_plan

from agentgym_gen.study import Study, run_plan

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")

pytestmark = pytest.mark.skipif(not BROWSER, reason="there is no Chromium or Chrome")

# The page is in a frame, which may be narrower than the narrowest window of a browser.
MEASURE = """<!doctype html><body style="margin:0"><iframe id="page" src="report.html"
style="border:0;width:WIDTHpx;height:1600px"></iframe><pre id="result"></pre><script>
addEventListener("load", () => {
  const page = document.getElementById("page").contentDocument;
  const root = page.documentElement;
  const result = { hidden: root.scrollWidth - root.clientWidth };
  if (FILTER) {
    const form = page.querySelector(".filters");
    const shown = () => [...page.querySelectorAll("details.talk:not([hidden])")]
      .filter((talk) => !talk.closest("[hidden]")).map((talk) => ({ ...talk.dataset }));
    const choose = (name, value) => {
      form[name].value = value;
      form.dispatchEvent(new Event("change"));
    };
    result.all = shown();
    choose("outcome", "lost-won");
    result.gained = shown();
    choose("column", "Sokoban-easy");
    result.inside = shown();
    result.words = form.querySelector("output").textContent;
    choose("outcome", "");
    choose("column", "");
    result.again = shown();
  }
  document.getElementById("result").textContent = JSON.stringify(result);
});
</script>"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small study with its report."""
    study = Study(small_plan(), tmp_path_factory.mktemp("study"))
    run_plan(study.plan, study.out, log=str, recipe=PretendRecipe())
    study.report()
    return study.out


def browse(folder: Path, width: int, *options: str, filters: bool = False) -> bytes:
    """Open the report *width* pixels wide, and return what the browser prints."""
    text = MEASURE.replace("WIDTH", str(width)).replace("FILTER", str(filters).lower())
    frame = folder / f"frame-{width}.html"
    frame.write_text(text, encoding="utf-8")
    command = [
        *(str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
        *("--allow-file-access-from-files", f"--window-size={max(500, width)},1600"),
        *(f"--user-data-dir={folder / 'profile'}", *options, frame.as_uri()),
    ]
    return subprocess.run(command, capture_output=True, timeout=55, check=True).stdout


def measure(folder: Path, width: int, *, filters: bool = False) -> dict[str, Any]:
    """Return what the script of the frame has measured."""
    page = browse(folder, width, "--dump-dom", filters=filters).decode()
    match = re.search(r'<pre id="result">(.*?)</pre>', page)
    assert match
    result: dict[str, Any] = json.loads(match[1].replace("&amp;", "&"))
    return result


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_page(folder: Path, width: int) -> None:
    """The page does not scroll sideways; its tables do, each in its own frame."""
    assert measure(folder, width)["hidden"] == 0


def test_what_is_wider_than_the_page_is_noticed(folder: Path, tmp_path: Path) -> None:
    """A line that cannot be broken makes the same measurement fail."""
    page = (folder / "report.html").read_text(encoding="utf-8")
    wide = page.replace("<main>", f"<main><pre>{'x' * 300}</pre>")
    (tmp_path / "report.html").write_text(wide, encoding="utf-8")

    assert measure(tmp_path, 390)["hidden"] > 0


def test_filters_show_the_conversations_that_they_name(folder: Path) -> None:
    """One outcome, then one environment as well, then all again."""
    result = measure(folder, 1280, filters=True)

    assert {talk["outcome"] for talk in result["gained"]} == {"lost-won"}
    assert 0 < len(result["inside"]) < len(result["gained"]) < len(result["all"])
    assert result["words"] == f"{len(result['inside'])} conversations"
    assert len(result["again"]) == len(result["all"])


def test_the_page_is_light_or_dark_as_the_system_is(folder: Path, tmp_path: Path) -> None:
    """Four pictures, which lie in the folder of the test, are all different."""
    pictures = set()
    for width in (1280, 390):
        for name, scheme in (("light", "1"), ("dark", "0")):
            path = tmp_path / f"{name}-{width}.png"
            setting = f"--blink-settings=preferredColorScheme={scheme}"
            browse(folder, width, setting, f"--screenshot={path}")
            pictures.add(path.read_bytes())

    assert len(pictures) == 4
