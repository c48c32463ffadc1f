"""``agentgym-gen envs``: the table of environments, their ids and descriptions."""

import pytest

from agentgym_gen.cli.main import main
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
    """Without its extra a tier has no counts, and the last line says what to install."""

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


def test_envs_lists_every_id(capsys: pytest.CaptureFixture[str]) -> None:
    """The ids are printed one a line, for scripts."""
    assert main(["envs", "--ids"]) == 0

    assert "rftgen/Sokoban-hard-menu-v0" in capsys.readouterr().out.splitlines()


def test_envs_describes_what_it_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """The tables have descriptors of every tier, and the distances."""
    assert main(["envs", "--describe", "--tasks", "1"]) == 0
    out = capsys.readouterr().out

    assert "Experts on 1 training task\n" in out
    assert "Distance between environments" in out
    assert "\nlenientjson " in out
