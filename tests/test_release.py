"""The release is ready: its workflow, the check of its tag, and the citation."""

from __future__ import annotations

import configparser
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tools.check_dist import check_tag

ROOT = Path(__file__).parents[1]
yaml = pytest.importorskip("yaml")


def workflow() -> dict[str, Any]:
    """Return the jobs of the workflow that publishes."""
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    jobs: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return jobs


def test_what_is_published_was_tested_on_every_python() -> None:
    """The versions are those of the classifiers, and publishing waits for their tests."""
    cfg = configparser.ConfigParser()
    cfg.read(ROOT / "setup.cfg", encoding="utf-8")
    stated = re.findall(r"Python :: (3\.\d+)$", cfg["metadata"]["classifiers"], re.MULTILINE)
    jobs = workflow()

    assert jobs["test"]["strategy"]["matrix"]["python"] == stated
    assert (jobs["test"]["needs"], jobs["publish"]["needs"]) == ("build", "test")


def test_only_the_job_that_publishes_may_sign() -> None:
    """No other job gets an identity token, and none reads a secret."""
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    allowed = {name for name, job in workflow().items() if "id-token" in job.get("permissions", {})}

    assert allowed == {"publish"}
    assert "secrets." not in text


def test_a_workflow_starts_scripts_that_are_there() -> None:
    """Every script of the repository that a job runs can be started."""
    steps = [step for job in workflow().values() for step in job["steps"]]
    scripts = re.findall(r"(?<!python )\btools/[\w.]+", " ".join(s.get("run", "") for s in steps))

    assert scripts == ["tools/test_wheel"]
    assert all(os.access(ROOT / script, os.X_OK) for script in scripts)


@pytest.mark.parametrize(
    ("tag", "date", "sentence"),
    [
        ("v0.2.0", "2026-12-01", ""),
        ("0.2.0", "2026-12-01", "the tag is that of setup.cfg, v0.2.0, not 0.2.0"),
        ("v0.2.1", "2026-12-01", "not v0.2.1"),
        ("v0.2.0", "unreleased", "CHANGELOG.md has a heading with the date of 0.2.0"),
    ],
)
def test_a_tag_is_that_of_the_version(tag: str, date: str, sentence: str, tmp_path: Path) -> None:
    """A tag of another version, or of one that the changelog does not date, is not released."""
    (tmp_path / "setup.cfg").write_text("[metadata]\nversion = 0.2.0\n")
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## [0.2.0] - {date}\n")
    if not sentence:
        check_tag(tag, tmp_path)
        return
    with pytest.raises(SystemExit, match=re.escape(sentence)):
        check_tag(tag, tmp_path)


def test_the_version_stands_in_one_place() -> None:
    """A citation names no version, and no source file repeats that of setup.cfg."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))

    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "license"} <= set(citation)
    assert "version" not in citation
    assert "version" not in (ROOT / "pyproject.toml").read_text().partition("[tool.ruff]")[0]
