"""No module of the package calls what would run the content of a file, checked on the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

MODULES = [
    path
    for folder in ("agentgym_gen", "envs", "trainers")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not any(parent.is_symlink() for parent in path.parents)
]


RUNS_CODE = {
    **dict.fromkeys(("eval", "exec", "compile", "__import__"), "runs text"),
    **dict.fromkeys(
        ("pickle.load", "pickle.Unpickler", "marshal.load", "marshal.loads"), "pickles"
    ),
    **dict.fromkeys(("shelve.open", "dill.load", "joblib.load", "pd.read_pickle"), "pickles"),
    **dict.fromkeys(("yaml.load", "yaml.unsafe_load", "yaml.full_load"), "builds objects"),
    **dict.fromkeys(("os.system", "os.popen", "subprocess.getoutput"), "asks a shell"),
    **dict.fromkeys(("shutil.unpack_archive", "runpy.run_path"), "unpacks or runs"),
}
"""Calls that may run what a file holds, or write where it says."""

UNPACKING = ("extract", "extractall")
"""Methods that write where the names of an archive say."""

NEEDED_ARGUMENT = {
    "torch.load": ("weights_only", "True"),
    "np.load": ("allow_pickle", "False"),
    "numpy.load": ("allow_pickle", "False"),
    "AutoTokenizer.from_pretrained": ("trust_remote_code", "False"),
    "AutoModelForCausalLM.from_pretrained": ("trust_remote_code", "False"),
}
"""Calls that are safe with one argument, and not without."""

OWN_PICKLES = {("agentgym_gen/testing/env_checks.py", "pickle.loads")}
"""A spec is pickled and unpickled there in one expression."""


STARTS_PROCESSES = {
    "agentgym_gen/system/python_process.py": {"sys.executable"},
    "agentgym_gen/system/child_process.py": {"subprocess"},
    "agentgym_gen/study/run/executors.py": {"multiprocessing", "ProcessPoolExecutor"},
    "agentgym_gen/study/results/provenance.py": {"subprocess"},
    "trainers/models/checks/template_limits.py": {"subprocess"},
    "trainers/models/gguf_export.py": {"subprocess"},
    "trainers/models/smollm2.py": {"subprocess"},
}
"""The modules that start processes, and with what. Of Python, `python_process` has the commands."""

STARTERS = ("sys.executable", "subprocess", "multiprocessing", "ProcessPoolExecutor")


def starters(tree: ast.Module) -> set[str]:
    """Return what *tree* starts processes with."""
    names = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {getattr(node, "module", "") or "", *(alias.name for alias in node.names)}
    return {name for name in STARTERS if name in names}


def unsafe_calls(tree: ast.Module, where: str) -> list[str]:
    """Return the calls in *tree* that may run what a file holds."""
    unsafe = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        keywords = {word.arg: ast.unparse(word.value) for word in call.keywords}
        needed = NEEDED_ARGUMENT.get(name)
        bad = (
            name in RUNS_CODE
            or (name == "pickle.loads" and (where, name) not in OWN_PICKLES)
            or name.rpartition(".")[2] in UNPACKING
            or keywords.get("shell", "False") != "False"
            or keywords.get("trust_remote_code", "False") != "False"
            or (needed is not None and keywords.get(needed[0]) != needed[1])
        )
        unsafe += [f"{where}:{call.lineno} {name}"] * bad
    return unsafe


def test_nothing_of_a_file_is_run() -> None:
    """No pickle, no text as code, no shell, no unpacking, in any module of the package."""
    assert len(MODULES) > 200
    assert [
        call
        for path in MODULES
        for call in unsafe_calls(
            ast.parse(path.read_text(encoding="utf-8")), path.relative_to(ROOT).as_posix()
        )
    ] == []


@pytest.mark.parametrize(
    "line",
    [
        "eval(text)",
        "pickle.load(file)",
        "pickle.loads(raw)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "zipfile.ZipFile(path).extractall(folder)",
        "subprocess.run(line, shell=True)",
        "AutoTokenizer.from_pretrained(name)",
        "AutoConfig.from_pretrained(name, trust_remote_code=True)",
    ],
)
def test_what_would_run_a_file_is_found(line: str) -> None:
    """Every kind of unsafe call is found in a line that has it."""
    assert unsafe_calls(ast.parse(line), "x.py") == [f"x.py:1 {line.rpartition('(')[0]}"]


def test_processes_are_started_in_few_places() -> None:
    """A Python process that is started elsewhere would run what lies in the working folder."""
    places = {
        path.relative_to(ROOT).as_posix(): starters(ast.parse(path.read_text(encoding="utf-8")))
        for path in MODULES
    }

    assert {path: names for path, names in places.items() if names} == STARTS_PROCESSES


@pytest.mark.parametrize(
    "line",
    [
        "import subprocess",
        "def f():\n    from multiprocessing import Pool",
        "from concurrent.futures import ProcessPoolExecutor",
        "command = [sys.executable, '-c', '1']",
    ],
)
def test_what_starts_a_process_is_found(line: str) -> None:
    """Every way to start a process is found in a line that has it."""
    assert len(starters(ast.parse(line))) == 1
