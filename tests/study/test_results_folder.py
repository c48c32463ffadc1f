"""A results folder is checked against its plan: what does not fit is named, and made again."""

import gzip
import json
import shutil
import typing
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pretend_study import PretendRecipe

from agentgym_gen.agents.policy import Completion, Policy, Request
from agentgym_gen.errors import AgentGymGenError, DataError
from agentgym_gen.study import Study, parse_plan, run_plan
from agentgym_gen.study.plan.plan import BASE, READABLE_SCHEMAS, ROW_SCHEMA, plan_key
from agentgym_gen.study.report.report import make_report
from agentgym_gen.study.results import schema
from agentgym_gen.study.results.failures import MODES
from agentgym_gen.study.results.folder import ResultsFolder, file_hash
from agentgym_gen.study.results.rows import read_cells, read_episodes
from agentgym_gen.study.run.status import status_lines
from agentgym_gen.world import EndReason

PLAN = """
name = "tiny"
about = "About."
seeds = [0]
[style]
format = "action"
instruction = false
[environments.Sokoban]
[test]
tasks = 2
samples = 1
[difficulty]
environments = ["Sokoban"]
arms = ["easy"]
tiers = ["easy"]
[interface]
environments = ["Sokoban"]
train = ["listed"]
test = ["native", "listed"]
"""

CELL = Path("cells/base.s0/Sokoban-easy")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny study."""
    out = tmp_path_factory.mktemp("finished") / "study"
    run_plan(parse_plan(PLAN), out, log=str, recipe=PretendRecipe())
    return out


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of the folder of the tiny study."""
    return Path(shutil.copytree(finished, tmp_path / "study"))


def read(path: Path) -> list[dict[str, Any]]:
    """Return the JSON objects of a file."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    return [json.loads(x) for x in ([text] if path.suffix == ".json" else text.splitlines())]


def write(path: Path, rows: list[Any]) -> None:
    """Write JSON values to a file, and its hash into the row of its cell."""
    raw = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    cell = path.with_name("cell.json")
    if cell.exists() and path != cell:
        (row,) = read(cell)
        row["files"][path.name] = file_hash(path)
        cell.write_text(json.dumps(row))


def edit(path: Path, **keys: object) -> None:
    """Change keys of the first object of a file."""
    first, *rest = read(path)
    write(path, [first | keys, *rest])


def rerun(out: Path) -> tuple[list[str], list[str]]:
    """Run the study again; return the jobs that were done, and the lines that were printed."""
    lines: list[str] = []
    summary = run_plan(Study.open(out).plan, out, log=lines.append, recipe=PretendRecipe())
    return summary.done, lines


def test_a_copy_of_a_cell_counts_for_nothing(finished: Path, out: Path) -> None:
    """Only the cells of the plan are read; the status names the other folder."""
    shutil.copytree(out / CELL, out / "cells" / "base.s0" / "Copy")
    shutil.copytree(out / CELL, out / "cells" / "base.s1" / "Sokoban-easy")

    assert read_episodes(out) == read_episodes(finished)
    assert len(read_cells(out)) == len(read_cells(finished))
    lines = status_lines(Study.open(out).plan, out)
    assert "not of this study: cells/base.s0/Copy" in lines
    assert "not of this study: cells/base.s1/Sokoban-easy" in lines


def _another_cell(out: Path) -> None:
    shutil.copytree(out / "cells/base.s0/Sokoban-easy-listed", out / CELL, dirs_exist_ok=True)


def _empty(name: str) -> Callable[[Path], None]:
    return lambda out: (out / CELL / name).write_bytes(b"")


def _cut(name: str) -> Callable[[Path], None]:
    def cut(out: Path) -> None:
        path = out / CELL / name
        path.write_bytes(path.read_bytes()[:-20])

    return cut


def _episode(**keys: object) -> Callable[[Path], None]:
    return lambda out: edit(out / CELL / "episodes.jsonl", **keys)


def _cell(**keys: object) -> Callable[[Path], None]:
    return lambda out: edit(out / CELL / "cell.json", **keys)


def _rows(change: Callable[[list[Any]], list[Any]]) -> Callable[[Path], None]:
    path = CELL / "episodes.jsonl"
    return lambda out: write(out / path, change(read(out / path)))


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "another cell": (_another_cell, "`cell` is 'base.s0/Sokoban-easy-listed', and should be"),
    "another plan": (_cell(plan="0" * 16), "`plan` is '0000000000000000', and should be"),
    "no row of a cell": (_empty("cell.json"), r"Bad JSON in .*cell\.json"),
    "no episodes": (_empty("episodes.jsonl"), "is there 0 times, and should be 1 times"),
    "cut episodes": (_cut("episodes.jsonl"), r"Bad JSON in Line 2 of .*episodes\.jsonl"),
    "cut transcripts": (_cut("transcripts.jsonl.gz"), "is not the file that the cell was written"),
    "a row twice": (_rows(lambda rows: [*rows, rows[0]]), "is there 2 times, and should be 1"),
    "a row less": (_rows(lambda rows: rows[1:]), "is there 0 times, and should be 1"),
    "another task": (_episode(task_id="sokoban/easy/test/1"), "'sokoban/easy/test/1' is there 1"),
    "another seed": (_episode(seed=1), "`seed` is 1, and should be 0"),
    "a score of 7": (_episode(score=7), "`score` is 1.0 or less, not 7"),
    "a score of NaN": (_episode(score=float("nan")), "NaN is no number of JSON"),
    "more invalid turns than turns": (_episode(invalid_turns=99), "`invalid_turns` is 99, of"),
    "other totals": (_cell(successes=2), "`successes` is 2, and should be 1"),
    "another hash of tasks": (_cell(data_hash="0" * 16), "`data_hash` is '0000000000000000', and"),
    "other decoding": (
        _cell(decoding={"temperature": 0.0, "max_new_tokens": 32, "max_turns": None}),
        "`decoding` is",
    ),
    "an older schema in rows": (_episode(schema=2), "`schema` is 2, and should be 3"),
    "a changed row": (
        lambda out: (out / CELL / "episodes.jsonl").write_text(
            (out / CELL / "episodes.jsonl").read_text().replace('"reward": -', '"reward": -1')
        ),
        "is not the file that the cell was written with",
    ),
}
"""What is done to a folder, and what is said."""


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_does_not_fit_is_named_and_made_again(finished: Path, out: Path, damage: str) -> None:
    """Reading refuses it with its file; a run says so, makes it anew, and the rows are the same."""
    spoil, sentence = DAMAGES[damage]
    spoil(out)

    with pytest.raises(DataError, match=sentence) as error:
        read_episodes(out)
    assert str(CELL) in str(error.value)
    assert "run the study again, which makes this cell anew" in str(error.value)
    assert any(
        "does not fit, and is made again" in x for x in status_lines(Study.open(out).plan, out)
    )
    done, lines = rerun(out)
    assert done == ["test base.s0"]
    assert lines[0].startswith("Not taken, and made again: ")
    assert read_episodes(out) == read_episodes(finished)


def test_cells_of_one_model_have_one_hash(out: Path) -> None:
    """A false hash of weights is named, with both."""
    edit(out / CELL / "cell.json", model_hash="0" * 16)

    with pytest.raises(DataError, match="played with different weights, '0000000000000000' and"):
        read_cells(out)


def test_a_hash_that_is_not_the_models_is_made_again(out: Path) -> None:
    """The row of a model that has the hash of its weights decides."""
    edit(out / "models/base.s0/recipe.json", model_hash="1" * 16)

    with pytest.raises(DataError, match="`model_hash` is None, and should be '1111111111111111'"):
        read_cells(out)


@pytest.mark.parametrize("name", ["columns/Sokoban-easy.json", "models/base.s0/recipe.json"])
def test_an_empty_file_is_not_done(finished: Path, out: Path, name: str) -> None:
    """A column and a model are made again as well, and the cells that fit them are kept."""
    (out / name).write_bytes(b"")
    before = (out / CELL / "cell.json").stat().st_mtime_ns
    done, _ = rerun(out)

    assert done[0] == {"c": "column Sokoban-easy", "m": "train base.s0"}[name[0]]
    assert (out / CELL / "cell.json").stat().st_mtime_ns == before
    assert read_episodes(out) == read_episodes(finished)


def test_distances_that_cannot_be_read_are_measured_again(out: Path) -> None:
    """An empty file is no measurement."""
    before = (out / "distances.json").read_text()
    (out / "distances.json").write_bytes(b"")
    rerun(out)

    assert (out / "distances.json").read_text() == before


def test_a_changed_plan_is_no_plan_of_its_rows(out: Path) -> None:
    """A plan whose hash is not its own is refused."""
    (record,) = read(out / "plan.json")
    record["plan"]["test"]["tasks"] = 3
    write(out / "plan.json", [record])

    with pytest.raises(DataError, match="its plan was changed, and has the hash"):
        Study.open(out)


def test_rows_of_schema_2_are_read(out: Path) -> None:
    """They have no truncated turns, and the report says that these were not counted."""
    (record,) = read(out / "plan.json")
    record["plan"]["row_schema"] = 2
    record["key"] = plan_key(record["plan"])
    write(out / "plan.json", [record])
    for path in sorted(out.glob("cells/*/*/episodes.jsonl")):
        rows = [r | {"schema": 2} for r in read(path)]
        write(path, [{k: v for k, v in r.items() if k != "truncated_turns"} for r in rows])
        (cell,) = read(path.with_name("cell.json"))
        cell |= {"schema": 2, "plan": record["key"]}
        old = {k: v for k, v in cell.items() if k not in ("files", "truncated_rate")}
        write(path.with_name("cell.json"), [old])

    study = Study.open(out)
    assert {row["schema"] for row in read_episodes(out)} == {2}
    assert "| base on Sokoban-easy |" in make_report(study.plan, out).markdown()


def test_types_name_what_the_code_has() -> None:
    """The lists of the schema are those of the modules that make the values."""
    assert set(typing.get_args(schema.Schema)) == set(READABLE_SCHEMAS)
    assert max(READABLE_SCHEMAS) == ROW_SCHEMA
    assert set(typing.get_args(schema.EndReason)) == {str(reason) for reason in EndReason}
    assert typing.get_args(schema.Mode) == MODES


FILES = (
    f"{CELL}/episodes.jsonl",
    f"{CELL}/transcripts.jsonl.gz",
    f"{CELL}/cell.json",
    "columns/Sokoban-easy.json",
    "distances.json",
    "models/sokoban-easy.s0/log.jsonl",
    "models/sokoban-easy.s0/recipe.json",
    "plan.json",
    "models/listed/failure.json",
)
SCRIPT = "<script>x</script>\x1b]0;a\x07"
OTHERS = (None, True, -1, 10**400, 1e308, "", SCRIPT, [], {}, [[]], {"a": 1})


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in *value*."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value[:1]) if isinstance(value, list) else inner
    for key, item in inner:
        yield from places(item, (*path, key))


def mutations(value: object) -> Iterator[tuple[str, Any]]:
    """Yield *value* with one key removed, renamed, or set to a value of another kind."""
    for path in places(value):
        for other in (*OTHERS, "removed", "renamed"):
            copy: Any = json.loads(json.dumps(value))
            owner = copy
            for key in path[:-1]:
                owner = owner[key]
            old = owner[path[-1]]
            if other in ("removed", "renamed"):
                del owner[path[-1]]
                if other == "renamed" and isinstance(owner, dict):
                    owner[f"{path[-1]}x"] = old
            else:
                owner[path[-1]] = other
            yield f"{path} {str(other)[:20]!r}", copy


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_changed_key_ends_in_a_sentence(out: Path, name: str) -> None:
    """Every key of every file, changed in each of many ways: it is read, or our error is raised."""
    path = out / name
    if path.name == "failure.json":
        path.parent.mkdir()
        row = {"job": "train x", "error": "e", "traceback": "t", "time": 1.0}
        path.write_text(json.dumps(row))
    if path.name == "distances.json":
        column = "rftgen/Sokoban-easy-listed-v0"
        row = {"column": column, "interface": "native", "distance": 0.5}
        path.write_text(json.dumps({"distances": [row]}))
    first, *rest = read(path)
    refused = 0
    for what, changed in mutations(first):
        write(path, [changed, *rest])
        try:
            _read_everything(Study.open(out))
        except AgentGymGenError as error:
            refused += 1
            assert "\x1b" not in str(error), what  # noqa: PT017
        except Exception as error:  # noqa: BLE001  (that is what is tested)
            pytest.fail(f"{what}: {error!r}")
    assert refused > 3 or "recipe" in name or "log" in name


def _read_everything(study: Study) -> None:
    from agentgym_gen.study import Results
    from agentgym_gen.study.report.context import ReportContext
    from agentgym_gen.study.report.sections.conversations import conversations
    from agentgym_gen.study.report.sections.curves import curves
    from agentgym_gen.study.report.sections.methods import methods
    from agentgym_gen.study.report.sections.summary import opening
    from agentgym_gen.study.results.distances import read_distances
    from agentgym_gen.study.results.rows import read_curves, read_transcripts

    study.progress()
    cells, rows = read_cells(study.out), read_episodes(study.out)
    context = ReportContext(Results(rows), study.plan.arms)
    read_distances(study.out)
    read_transcripts(study.out, CELL.relative_to("cells").as_posix())
    for block in (
        *opening(context, study.plan, rows, cells, study.out),
        *conversations(study.out, [c for c in cells if c["arm"] == BASE], rows),
        *curves(context, read_curves(study.out)),
        *methods(study.plan, cells),
    ):
        page = str(block.to_html())
        assert "<script>" not in page
        assert "\x1b" not in page
        assert "\x1b" not in block.to_markdown()


def test_a_folder_reads_the_cells_of_the_plan_it_is_given(finished: Path) -> None:
    """With a plan of more seeds, the cells of these are missing, and nothing else is."""
    study = Study.open(finished)
    folder = ResultsFolder(finished, study.plan)

    assert [cell.row["cell"] for cell in folder.complete_cells()] == sorted(
        cell.name for cell in study.plan.all_cells()
    )


def test_a_column_of_few_tasks_has_each_once(tmp_path: Path) -> None:
    """Of three tasks none is played twice, though the plan asks for six."""
    tasks = tmp_path / "few.easy.txt"
    tasks.write_text("".join(f"sokoban/easy/test/{n}\n" for n in (1, 2, 3)))
    text = PLAN.replace("tasks = 2", "tasks = 6").partition("[interface]")[0]
    text = text.replace(
        "[environments.Sokoban]", f'[environments.Sokoban]\nlists = "{tmp_path}/few"'
    )
    plan = parse_plan(text)
    run_plan(plan, tmp_path / "out", log=str, recipe=PretendRecipe())

    rows = [row["task_id"] for row in read_episodes(tmp_path / "out") if row["arm"] == BASE]
    assert 0 < len(rows) == len(set(rows)) <= 3


class CutPolicy:
    """Answers with completions that ran into the limit of new tokens, every second turn."""

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return a completion for each request."""
        return [Completion("up", truncated=r.turn % 2 == 0) for r in requests]


class CutRecipe(PretendRecipe):
    """A recipe whose models are cut."""

    def load_policy(self, folder: Path) -> Policy:
        """Return the policy of a model."""
        return CutPolicy()


def test_truncated_turns_are_counted_in_rows_cells_and_report(tmp_path: Path) -> None:
    """Of 20 turns 10 are truncated: half of them, which the report says in percent."""
    study = Study(parse_plan(PLAN), tmp_path)
    run_plan(study.plan, tmp_path, log=str, recipe=CutRecipe())

    rows = read_episodes(tmp_path)
    assert all(row["truncated_turns"] == (row["turns"] + 1) // 2 > 0 for row in rows)
    (cell, *_) = read_cells(tmp_path)
    turns = [row for row in rows if row["cell"] == cell["cell"]]
    share = sum(r["truncated_turns"] for r in turns) / sum(r["turns"] for r in turns)
    assert cell["truncated_rate"] == pytest.approx(share, abs=1e-6)
    lines = make_report(study.plan, tmp_path).markdown().splitlines()
    heading = next(number for number, line in enumerate(lines) if "truncated turns |" in line)
    assert lines[heading + 2].endswith(f"| {100 * share:.1f} |")
