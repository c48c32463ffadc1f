"""A study on a Ray cluster of two nodes, which are on this machine.

Run by tools/test_integrations, in an environment that has ray.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]


@pytest.fixture
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process and the workers of Ray import `pretend_study` and this module."""
    folders = [str(TESTS), str(Path(__file__).parent)]
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [*folders, before])))
    for folder in folders:
        monkeypatch.syspath_prepend(folder)


@pytest.mark.usefixtures("_importable")
def test_two_nodes_give_the_rows_of_one_process(tmp_path: Path) -> None:
    """Both nodes test models, and every row is that of a run without Ray."""
    from node_recipe import NodeRecipe
    from pretend_study import PretendRecipe, small_plan
    from ray.cluster_utils import Cluster

    from agentgym_gen.study import run_plan
    from agentgym_gen.study.run.executors import RayTasks

    nodes = tmp_path / "nodes.txt"
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        executor = RayTasks(2, cluster.address, 0)
        recipe = NodeRecipe(nodes)
        summary = run_plan(
            small_plan(), tmp_path / "ray", log=str, recipe=recipe, executor=executor
        )
    finally:
        cluster.shutdown()
    run_plan(small_plan(), tmp_path / "alone", log=str, recipe=PretendRecipe())

    assert summary.failed == {}
    assert len(set(nodes.read_text(encoding="utf-8").split())) == 2
    assert rows(tmp_path / "ray") == rows(tmp_path / "alone")


def fill_the_disk(job: str) -> str | None:
    """Fail as a job does for which there is no room."""
    from agentgym_gen.errors import DiskFullError

    raise DiskFullError(f"Cannot write {job}")


@pytest.mark.usefixtures("_importable")
def test_the_error_of_a_job_comes_through(tmp_path: Path) -> None:
    """A full disk ends the study, and is not taken for a process that died."""
    from agentgym_gen.errors import DiskFullError
    from agentgym_gen.study.run.executors import RayTasks

    tasks = RayTasks(1)
    try:
        tasks.submit(fill_the_disk, "a")
        with pytest.raises(DiskFullError, match="Cannot write a") as caught:
            tasks.wait()
    finally:
        tasks.close()

    assert type(caught.value) is DiskFullError


def rows(folder: Path) -> dict[str, str]:
    """Return the rows of every cell."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("episodes.jsonl"))
    }
