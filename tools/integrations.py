"""Test each adapter against the real package, in a virtual environment of its own.

    tools/test_integrations [NAME...] [--newest]

For each folder of ``tests/integrations``, or each that is named: installs the wheel of this tree
and ``requirements.txt`` there, then runs the tests of the folder. The environments lie in
``$INTEGRATIONS_CACHE``, or in ``agentgym_gen/integrations`` of the user's cache folder. One is used
again while its requirements stay as they are; only our wheel is then installed anew. Prints one
line a name. The exit status is 1 if one fails.

A ``requirements.txt`` may begin with comments that this script reads:

    # python: 3.12        another Python than that of this script, found as `python3.12`
    # no-deps: a b        packages that are installed without their dependencies
    # extra: a b          extras of our wheel that are installed with them
"""

from __future__ import annotations

import argparse
import configparser
import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ROOT / "tests" / "integrations"
MARK = "installed.txt"
"""The file of an environment that says what was installed; it is written when all of it is."""
LIMIT = 1200
"""Seconds for the set-up of one name, and again for its tests."""

ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "WANDB_MODE": "disabled",
}


class Requirements(NamedTuple):
    """What one folder asks for."""

    lines: tuple[str, ...]
    """The requirements, in pip's words."""
    python: str
    """The Python to use, such as ``3.12``, or nothing."""
    no_deps: tuple[str, ...]
    """Those of them that come without their dependencies."""
    extras: str
    """The extras of our wheel, such as ``trl,train``, or nothing."""


class StepError(Exception):
    """A step that did not succeed; the message is what it printed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Test what is named, print a line for each, and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    names = sorted(path.parent.name for path in FOLDERS.glob("*/requirements.txt"))
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(names)}")
    parser.add_argument("--newest", action="store_true", help="the newest versions, not the pins")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(names):
        parser.error(f"no such integration: {', '.join(sorted(unknown))}; of: {', '.join(names)}")
    failed = []
    with tempfile.TemporaryDirectory() as work:
        wheel = build_wheel(Path(work))
        for name in options.names or names:
            if not test(name, wheel, Path(work), newest=options.newest):
                failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


def test(name: str, wheel: Path, work: Path, *, newest: bool) -> bool:
    """Set up and test *name*, print its line, and say whether all went well."""
    text = (FOLDERS / name / "requirements.txt").read_text(encoding="utf-8")
    home = cache() / (f"{name}-newest" if newest else name)
    start = time.monotonic()
    try:
        with held(home):
            start = time.monotonic()
            python, reused = prepare(home, parse(text, newest=newest), wheel, newest=newest)
            set_up = time.monotonic() - start
            result = run_tests(python, FOLDERS / name, work).strip().splitlines()[-1]
    except StepError as failure:
        print(f"{name:12} FAILED after {time.monotonic() - start:.0f} s\n{failure}", flush=True)
        return False
    tests = time.monotonic() - start - set_up
    how = "reused" if reused else "made"
    print(
        f"{name:12} {result.strip('= ')}; environment {how} in {set_up:.0f} s, tests {tests:.0f} s"
    )
    sys.stdout.flush()
    return True


def parse(text: str, *, newest: bool = False) -> Requirements:
    """Return what the text of a ``requirements.txt`` asks for.

    Args:
        text: The text.
        newest: Whether pins (``==``) are left out.
    """
    comments = dict(re.findall(r"^# (python|no-deps|extra): (.+)$", text, re.MULTILINE))
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    if newest:
        lines = [re.sub(r"==[^ ;]+", "", line) for line in lines]
    bare = tuple(comments.get("no-deps", "").split())
    extras = ",".join(comments.get("extra", "").split())
    return Requirements(
        tuple(filter(None, lines)), comments.get("python", "").strip(), bare, extras
    )


def build_wheel(work: Path) -> Path:
    """Build the wheel of this tree from a copy of its files, and return where it lies."""
    tree = work / "tree"
    listing = ["git", "-C", str(ROOT), "ls-files", "-z", "-co", "--exclude-standard"]
    for name in subprocess.check_output(listing, text=True).split("\0"):
        if name and os.path.lexists(ROOT / name):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name, follow_symlinks=False)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(work), str(tree)]
    try:
        run(command, work)
    except StepError as failure:
        raise SystemExit(f"The wheel cannot be built:\n{failure}") from failure
    return next(work.glob("*.whl"))


@contextlib.contextmanager
def held(home: Path) -> Iterator[None]:
    """Keep other runs from the environment in *home*; wait for one that has it."""
    if sys.platform == "win32":  # which has no such locks
        yield
        return
    import fcntl

    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_name(f"{home.name}.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{home.name:12} waits for another run that tests it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepare(
    home: Path, requirements: Requirements, wheel: Path, *, newest: bool
) -> tuple[Path, bool]:
    """Return the Python of the environment in *home* that has everything, and whether it was there.

    Nothing is installed again if it was made for the same requirements.
    """
    python, mark = home / "bin" / "python", home / MARK
    interpreter = find_python(requirements.python)
    core = ["pytest", *([] if newest else pins("gymnasium", "numpy"))]
    wanted = repr((interpreter, core, requirements, extras(requirements.extras)))
    digest = hashlib.sha256(wanted.encode()).hexdigest()
    reused = not newest and mark.exists() and mark.read_text(encoding="utf-8") == digest
    if not reused:
        shutil.rmtree(home, ignore_errors=True)
        run([interpreter, "-m", "venv", str(home)], ROOT)
        bare = [line for line in requirements.lines if project(line) in requirements.no_deps]
        rest = [line for line in requirements.lines if line not in bare]
        if bare:
            pip(python, "--no-deps", *bare)
        ours = f"{wheel}[{requirements.extras}]" if requirements.extras else str(wheel)
        pip(python, *core, *rest, ours)
        mark.write_text(digest, encoding="utf-8")
    pip(python, "--no-deps", "--force-reinstall", str(wheel))
    return python, reused


def pins(*names: str) -> list[str]:
    """Return the lines of constraints.txt for *names*."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.partition("==")[0] in names]


def extras(names: str) -> list[str]:
    """Return what the extras *names* of setup.cfg ask for."""
    cfg = configparser.ConfigParser()
    cfg.read(ROOT / "setup.cfg", encoding="utf-8")
    return [cfg["options.extras_require"][name] for name in names.split(",") if name]


def project(requirement: str) -> str:
    """Return the name of the project that *requirement* asks for.

    >>> project("verl==0.9.1"), project("verl-core[a]>=2")
    ('verl', 'verl-core')
    """
    return re.split(r"[\[<>=!~ ;]", requirement)[0]


def cache() -> Path:
    """Return the folder of the environments."""
    if folder := os.environ.get("INTEGRATIONS_CACHE"):
        return Path(folder)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "agentgym_gen" / "integrations"


def find_python(version: str) -> str:
    """Return the interpreter of *version*, or this one if *version* is empty."""
    if not version:
        return sys.executable
    folders = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    paths = sorted(folders.glob(f"{version}*/bin/python{version}"))
    candidates = [shutil.which(f"python{version}"), *map(str, paths)]
    for candidate in filter(None, candidates):
        probe = subprocess.run([candidate, "-c", ""], capture_output=True, check=False)
        if probe.returncode == 0:
            return candidate
    raise StepError(f"It needs Python {version}, and there is no `python{version}`")


def pip(python: Path, *arguments: str) -> None:
    """Install something into the environment of *python*."""
    run([str(python), "-m", "pip", "install", "-q", *arguments], ROOT)


def run_tests(python: Path, folder: Path, work: Path) -> str:
    """Run the tests of *folder* on the installed wheel, and return what pytest printed."""
    # above the folder, or a module would be called `trl.test_trl` and hide the package `trl`
    root = ["--rootdir", str(FOLDERS.parent), "--confcutdir", str(FOLDERS)]
    command = [str(python), "-I", "-m", "pytest", "-q", "-c", str(FOLDERS / "pytest.ini"), *root]
    return run([*command, "-p", "no:cacheprovider", str(folder)], work)


def run(command: Sequence[str], folder: Path) -> str:
    """Run *command* in *folder* and return what it printed.

    Raises:
        StepError: if it fails, or takes longer than `LIMIT`.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**environment, **ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise StepError(f"{command} took longer than {LIMIT} s") from late
    if done.returncode:
        raise StepError(done.stdout)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
