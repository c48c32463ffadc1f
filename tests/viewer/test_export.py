"""The static folder: what is in it, and what it never overwrites."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from played_folders import register_corridor, write_eval, write_lines
from systems import needs

from agentgym_gen.cli.main import main
from agentgym_gen.errors import DataError, MissingExtraError, ResultExistsError
from agentgym_gen.study.report import markup
from agentgym_gen.viewer import View, export_view, open_sources
from agentgym_gen.viewer import view as view_module
from agentgym_gen.viewer.export import MARKER, script_path
from agentgym_gen.viewer.view import COLUMNS


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of trajectories."""
    register_corridor()
    return write_lines(tmp_path_factory.mktemp("lines") / "a.jsonl", 7)


def export(lines: Path, folder: Path, **options: Any) -> Path:  # noqa: ANN401
    """Export *lines* into *folder* and return it."""
    export_view(View(open_sources([lines])), folder, title="A title", **options)
    return folder


def script(folder: Path, kind: str, number: int = 0) -> Any:  # noqa: ANN401
    """Return the value of a script of an export."""
    text = (folder / script_path(kind, number)).read_text(encoding="ascii")
    start, end = f'viewerData("{kind}",{number},', ")\n"
    assert text.startswith(start)
    return json.loads(text.removeprefix(start).removesuffix(end))


def content(folder: Path) -> dict[str, bytes]:
    """Return every file below *folder*."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_every_episode_is_in_the_index_and_in_a_chunk(lines: Path, tmp_path: Path) -> None:
    """All columns have as many values, and codes lead to values."""
    out = export(lines, tmp_path / "out")
    index = script(out, "index")

    assert index["episodes"] == 7
    assert {len(script(out, name)) for name in COLUMNS} == {7}
    assert len(script(out, "episodes")) == 7
    values = dict(index["values"])
    assert [values["environment"][code] for code in script(out, "environment")] == ["Corridor"] * 7
    assert all(sum(counts) == 7 for _, counts in index["counts"])


def test_a_long_index_is_in_pieces_and_chunks(
    lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Together they are what one piece would be."""
    whole = export(lines, tmp_path / "whole")
    monkeypatch.setattr(view_module, "CHUNK_EPISODES", 2)
    monkeypatch.setattr(view_module, "PIECE", 3)
    monkeypatch.setattr("agentgym_gen.viewer.export.PIECE", 3)
    parts = export(lines, tmp_path / "parts")

    assert script(parts, "index")["chunks"] == [0, 2, 4, 6]
    for name in COLUMNS:
        pieces = [script(parts, name, number) for number in range(3)]
        assert [len(piece) for piece in pieces] == [3, 3, 1]
        assert [*chain(*pieces)] == script(whole, name)
    chunks = [script(parts, "episodes", number) for number in range(4)]
    assert [*chain(*chunks)] == script(whole, "episodes")


def test_the_same_episodes_give_the_same_bytes(lines: Path, tmp_path: Path) -> None:
    """There is no time and no name of a machine in the folder."""
    assert content(export(lines, tmp_path / "a")) == content(export(lines, tmp_path / "b"))


def test_admissible_actions_are_those_of_the_environment(lines: Path, tmp_path: Path) -> None:
    """Played again, with one list for each turn, in which a valid action is."""
    out = export(lines, tmp_path / "out", admissible=True)
    turns = [turn for episode in script(out, "episodes") for turn in episode[4]]
    lists = [each for number in range(7) for each in script(out, "actions", number)]

    assert len(lists) == len(turns) > 7
    assert all(
        turn[2] in actions for turn, actions in zip(turns, lists, strict=True) if turn[4] & 1
    )
    assert any("walk to door" in action for actions in lists for action in actions)


def test_an_episode_that_goes_differently_now_has_no_lists(lines: Path, tmp_path: Path) -> None:
    """A sentence says at which turn; wrong lists would mislead."""
    changed = tmp_path / "a.jsonl"
    changed.write_text(lines.read_text().replace("You are at", "You stand at"))
    out = export(changed, tmp_path / "out", admissible=True)

    assert "at turn 1, this version of the environment shows another" in script(out, "actions", 0)


def test_lists_of_an_environment_that_is_not_there_are_a_sentence(
    lines: Path, tmp_path: Path
) -> None:
    """The other episodes of the export are as they are."""
    changed = tmp_path / "a.jsonl"
    changed.write_text(lines.read_text().replace("rftgen/Corridor", "rftgen/Nowhere"))
    out = export(changed, tmp_path / "out", admissible=True)

    assert "Nowhere" in script(out, "actions", 0)


def test_lists_of_an_environment_that_fails_are_a_sentence(
    lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody else's world raises has a name, and the export is written."""

    def fail(world: object, command: object) -> object:
        raise KeyError("door")

    monkeypatch.setattr("toy_world.CorridorWorld.step", fail)
    out = export(lines, tmp_path / "out", admissible=True)

    assert "where the episode is played again: KeyError: 'door'" in script(out, "actions", 0)


def test_an_empty_folder_is_used(lines: Path, tmp_path: Path) -> None:
    """It holds nothing that could be lost."""
    (tmp_path / "out").mkdir()
    export(lines, tmp_path / "out")

    assert (tmp_path / "out" / "index.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_export_is_replaced_only_if_that_is_wanted(lines: Path, tmp_path: Path) -> None:
    """Without it nothing changes; with it no file of the old one stays."""
    out = export(lines, tmp_path / "out", admissible=True)
    before = content(out)
    with pytest.raises(ResultExistsError, match=r"holds a view; .* --replace"):
        export(lines, out)
    assert content(out) == before
    export(lines, out, replace=True)

    assert content(out).keys() < before.keys()


@pytest.mark.parametrize("replace", [False, True])
def test_a_folder_of_others_is_never_overwritten(
    lines: Path, tmp_path: Path, *, replace: bool
) -> None:
    """Neither one that is no export, nor one in which somebody has put a file."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("all of it")
    with pytest.raises(ResultExistsError, match=r"'thesis\.tex', which is no part of a view"):
        export(lines, tmp_path / "mine", replace=replace)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "data").write_text("numbers")
    with pytest.raises(ResultExistsError, match="'data', which is no part of a view"):
        export(lines, tmp_path / "theirs", replace=replace)
    out = export(lines, tmp_path / "out")
    (out / "CNAME").write_text("example.org")
    with pytest.raises(ResultExistsError, match="'CNAME'" if replace else "--replace"):
        export(lines, out, replace=replace)
    other = export(lines, tmp_path / "other")
    (other / "data" / "notes.txt").write_text("what I saw")
    with pytest.raises(ResultExistsError, match="'data/notes.txt'" if replace else "--replace"):
        export(lines, other, replace=replace)

    assert (tmp_path / "mine" / "thesis.tex").read_text() == "all of it"
    assert (out / "CNAME").exists()
    assert (other / "data" / "notes.txt").exists()


def test_a_file_in_the_place_of_the_folder_stays(lines: Path, tmp_path: Path) -> None:
    """The sentence says that a folder is needed."""
    (tmp_path / "out").write_text("mine")

    with pytest.raises(ResultExistsError, match="is a file, and should be a new folder"):
        export(lines, tmp_path / "out", replace=True)


@needs("POSIX", "folders that nobody may write to")
def test_a_read_only_place_is_a_sentence(lines: Path, tmp_path: Path) -> None:
    """With what to do."""
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(DataError, match="choose a folder that you may write to"):
            export(lines, tmp_path / "out")
    finally:
        tmp_path.chmod(0o700)


def test_a_place_that_cannot_be_written_is_a_sentence(lines: Path) -> None:
    """Here a folder in which even root makes no other."""
    with pytest.raises(DataError, match="Cannot write /proc/nowhere/out"):
        export(lines, Path("/proc/nowhere/out"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2] + "\n" + text[len(text) // 2 :],
        lambda text: text + "{}\n",
    ],
)
def test_a_damaged_file_leaves_no_folder(
    lines: Path, tmp_path: Path, damage: Callable[[str], str]
) -> None:
    """It is named with its line, and nothing half-written stays."""
    path = tmp_path / "a.jsonl"
    path.write_text(damage(lines.read_text()))

    with pytest.raises(DataError, match=r"line \d of "):
        export(path, tmp_path / "out")
    assert [each.name for each in tmp_path.iterdir()] == ["a.jsonl"]


def test_a_cut_file_is_shown_as_far_as_it_goes(lines: Path, tmp_path: Path) -> None:
    """The writer was killed in its last line."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines.read_bytes()[:-50])

    assert script(export(path, tmp_path / "out"), "index")["episodes"] == 6


def test_the_command_exports(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Several paths become one page, and a refusal is exit code 2."""
    write_eval(tmp_path / "eval")
    command = ["view", str(tmp_path / "eval"), str(lines), "--export", str(tmp_path / "out")]

    assert main(command) == 0
    assert capsys.readouterr().out.endswith(f"13 episodes in {tmp_path}/out/index.html\n")
    assert main(command) == 2
    assert "holds a view" in capsys.readouterr().err
    assert main([*command, "--replace", "--title", "<b>Mine"]) == 0
    assert "<title>&lt;b&gt;Mine</title>" in (tmp_path / "out" / "index.html").read_text()
    assert main(["view", str(lines), "--replace"]) == 2
    assert "belong to an export; add --export" in capsys.readouterr().err
    assert main(["view", str(tmp_path / "nothing")]) == 2
    assert "There is no" in capsys.readouterr().err


def test_scripts_are_ascii_and_have_no_keys_of_files(tmp_path: Path) -> None:
    """A value such as ``__proto__`` is never a key, and an encoding changes nothing."""
    path = write_lines(tmp_path / "a.jsonl", 1)
    hostile = "__proto__</script><script>alert(1)//ä\u2028"
    row = json.loads(path.read_text())
    for key in ("env_id", "task_id", "interface", "end_reason", "arm", "last_observation"):
        row[key] = hostile
    path.write_text(json.dumps(row) + "\n")
    out = export(path, tmp_path / "out")

    for file in (out / "data").iterdir():
        text = file.read_text(encoding="ascii")
        assert '"__proto__' not in text.replace('["__proto__', "[").replace(',"__proto__', ",")
        assert f"{json.dumps(hostile)}:" not in text


def test_without_jinja2_the_error_names_the_extra(
    lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is read or written."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    markup._environment.cache_clear()

    with pytest.raises(MissingExtraError, match=r"run: pip install 'agentgym-gen\[study\]'"):
        export(lines, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    markup._environment.cache_clear()


def test_the_marker_tells_an_export_from_other_folders(lines: Path, tmp_path: Path) -> None:
    """It says how many episodes there are."""
    out = export(lines, tmp_path / "out")

    assert json.loads((out / MARKER).read_text())["episodes"] == 7
