"""``agentgym-gen envs``: the table of environments, their ids and descriptions."""

import configparser
import json
import re
from pathlib import Path

import pytest

from agentgym_gen.cli.main import main
from agentgym_gen.cli.setup import extras
from agentgym_gen.env.registration import ENVIRONMENTS, Registered
from agentgym_gen.envs.sokoban import Sokoban
from agentgym_gen.errors import missing_extra


def test_envs_is_a_table_with_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """The table has one line for each tier, with the size of every split."""
    assert main(["envs"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert lines[0].split() == [
        "environment", "tier", "train", "tasks", "valid", "tasks", "test", "tasks", "id",
    ]  # fmt: skip
    assert sum("rftgen/TextCraft-" in line for line in lines) == 3


def test_envs_lists_what_needs_an_extra(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its extra a tier has no counts, and the last line says what to install.

    ``--json`` says the same.
    """

    class Bare(Sokoban):
        def __init__(self) -> None:
            raise missing_extra("a-backend", "bare", "Bare")

    bare = Registered("Sokoban", "agentgym_gen.envs.sokoban:Sokoban", extra="bare")
    monkeypatch.setitem(ENVIRONMENTS, "Sokoban", bare)
    monkeypatch.setattr("agentgym_gen.envs.sokoban.Sokoban", Bare)

    assert main(["envs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2:5] for line in lines if "rftgen/Sokoban-" in line] == [["extra"] * 3] * 3
    assert lines[-1].startswith("extra: not installed; run: pip install 'agentgym-gen[")
    assert "bare" in lines[-1]
    assert main(["envs", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["environments"]
    sokoban = next(environment for environment in listed if environment["name"] == "Sokoban")
    assert (sokoban["extra"], sokoban["installed"]) == ("bare", False)
    assert sokoban["tiers"][0]["tasks"] is None


def test_envs_names_a_world_that_fails_when_it_is_made(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All others are listed, and described."""

    class Broken(Sokoban):
        def __init__(self) -> None:
            raise KeyError("boom")

    only = {name: ENVIRONMENTS[name] for name in ("Sokoban", "TextCraft")}
    monkeypatch.setattr("agentgym_gen.cli.envs.ENVIRONMENTS", only)
    monkeypatch.setattr("agentgym_gen.describe.tables.ENVIRONMENTS", only)
    monkeypatch.setattr("agentgym_gen.envs.sokoban.Sokoban", Broken)
    reason = "error: Sokoban cannot be made: 'agentgym_gen.envs.sokoban:Sokoban' fails when it is"

    for arguments in (["envs"], ["envs", "--describe", "--tasks", "1"]):
        assert main(arguments) == 0
        printed = capsys.readouterr().out
        assert "TextCraft" in printed
        assert f"{reason} made: KeyError: 'boom'" in printed


def test_envs_refuses_what_it_would_ignore(capsys: pytest.CaptureFixture[str]) -> None:
    """A number of tasks without a description, and ids with one."""
    assert main(["envs", "--tasks", "3"]) == 2
    assert "--tasks is about --describe" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["envs", "--ids", "--describe"])


def test_envs_lists_every_id(capsys: pytest.CaptureFixture[str]) -> None:
    """The ids are printed one a line, for scripts."""
    assert main(["envs", "--ids"]) == 0

    assert "rftgen/Sokoban-hard-menu-v0" in capsys.readouterr().out.splitlines()


def test_envs_describes_what_it_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """The tables have descriptors of every tier, and the distances."""
    assert main(["envs", "--describe", "--tasks", "1"]) == 0
    out, err = capsys.readouterr()

    assert re.fullmatch(r"(\d+)/\1 profiles, 0 s left", err.splitlines()[-1])
    assert "Experts on 1 training task\n" in out
    assert "Distance between environments" in out
    assert "\nlenientjson " in out


def test_every_extra_says_what_it_brings() -> None:
    """The table has the extras of setup.cfg, but for those that are sums of others."""
    config = configparser.ConfigParser()
    config.read(Path(__file__).parents[2] / "setup.cfg", encoding="utf-8")

    assert set(extras.BRINGS) == {*config["options.extras_require"]} - {"all", "docs", "dev"}


def test_the_table_of_extras_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An extra is installed if all its packages are; the others are named, with a command."""
    needs = ["numpy", "numpy; extra == 'study'", "no-such>=2; extra == 'trl'"]
    monkeypatch.setattr(extras, "requires", lambda _: needs)
    assert main(["envs"]) == 0
    out = capsys.readouterr().out

    assert "study  yes        studies," in out
    assert "trl    no         the adapter to TRL" in out
    assert "To install one or several: pip install 'agentgym-gen[trl]'" in out
    assert main(["envs", "--json"]) == 0
    trl = json.loads(capsys.readouterr().out)["extras"][1]
    assert trl == {
        "name": "trl",
        "brings": "the adapter to TRL",
        "installed": False,
        "missing": ["no-such"],
        "install": "pip install 'agentgym-gen[trl]'",
    }


def test_ids_and_descriptions_are_json_too(
    capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    """The ids are a list; a table has a title, a head and rows of the same length."""
    assert main(["envs", "--ids", "--json"]) == 0
    assert "rftgen/Sokoban-hard-menu-v0" in json.loads(capsys.readouterr().out)
    everything = dict(ENVIRONMENTS)
    request.addfinalizer(lambda: ENVIRONMENTS.update(everything))  # in their order
    request.addfinalizer(ENVIRONMENTS.clear)
    for name in everything.keys() - {"Sokoban"}:
        del ENVIRONMENTS[name]
    assert main(["envs", "--describe", "--tasks", "1", "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    first = described["tables"][0]

    assert described["not_installed"] == []
    assert first["title"] == "Experts on 1 training task"
    assert [len(row) for row in first["rows"]] == [len(first["head"])] * 3
