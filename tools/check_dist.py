"""Check the built archives, and a wheel that is installed with its core dependencies only.

    python tools/check_dist.py archives DIST
    python tools/check_dist.py installed
    python tools/check_dist.py tag v0.2.0

The second is run from a folder outside the repository, by the Python of an environment that has
nothing but the wheel and its core dependencies. The third compares a tag with the version and the
changelog, before a release.
"""

from __future__ import annotations

import configparser
import importlib.util
import re
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from importlib.metadata import entry_points, files
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE_FOLDERS = {"agentgym_gen": "agentgym_gen", "envs": "agentgym_gen/envs"}
SOURCE_FOLDERS["trainers"] = "agentgym_gen/trainers"
TOPS = {"agentgym_gen"}
OPTIONAL = ("torch", "transformers", "peft", "pandas", "tqdm", "pytest", "minigrid")
OPTIONAL += ("textworld", "jericho")


def require(holds: object, sentence: str) -> None:
    """End with *sentence* unless it *holds*."""
    if not holds:
        sys.exit(f"check_dist: this does not hold: {sentence}")


def source_files() -> set[str]:
    """Return the files of the three source folders by their names in the wheel."""
    names: set[str] = set()
    for folder, inside in SOURCE_FOLDERS.items():
        for path in (ROOT / folder).rglob("*"):
            part = path.relative_to(ROOT / folder)
            is_linked = any((ROOT / folder / parent).is_symlink() for parent in part.parents)
            if path.is_file() and not is_linked and "__pycache__" not in part.parts:
                names.add(f"{inside}/{part.as_posix()}")
    return names


def check_archives(dist: Path) -> None:
    """Check that wheel and source archive have every source file once, and nothing else."""
    wheels, sdists = sorted(dist.glob("*.whl")), sorted(dist.glob("*.tar.gz"))
    require(len(wheels) == len(sdists) == 1, f"{dist} holds one wheel and one source archive")
    names = zipfile.ZipFile(wheels[0]).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    require(tops == TOPS, f"the wheel has the top-level names {sorted(TOPS)}, not {sorted(tops)}")
    require(not repeated(names), f"no file is in the wheel twice: {repeated(names)}")
    code = {name for name in names if ".dist-info/" not in name}
    missing, extra = sorted(source_files() - code), sorted(code - source_files())
    require(not missing, f"every source file is in the wheel; lost: {missing}")
    require(not extra, f"the wheel holds source files only; also: {extra}")
    with tarfile.open(sdists[0]) as archive:
        members = [member.name.partition("/")[2] for member in archive if member.isfile()]
    require(not repeated(members), f"no file is in the source archive twice: {repeated(members)}")
    linked = tuple(folder for folder in SOURCE_FOLDERS.values() if "/" in folder)
    doubled = [name for name in members if name.startswith(linked)]
    require(not doubled, f"the links are not followed into the source archive: {doubled}")
    print(f"{wheels[0].name}: {len(code)} files, each once, under one name")


def repeated(names: list[str]) -> list[str]:
    """Return the names that occur more than once."""
    return [name for name, number in Counter(names).items() if number > 1]


def check_installed() -> None:
    """Check that the installed wheel works: it is imported, and every environment is played."""
    require(not Path.cwd().is_relative_to(ROOT), "this runs outside the repository")
    present = [name for name in OPTIONAL if importlib.util.find_spec(name)]
    require(not present, f"only the core is installed, not {present}")

    import agentgym_gen

    path = Path(agentgym_gen.__file__)
    require(not path.is_relative_to(ROOT), f"the installed package is imported, not {path}")
    tops = {path.parts[0] for path in files("agentgym-gen") or [] if path.parts[0] != ".."}
    tops = {name for name in tops if not name.endswith(".dist-info") and name != "__pycache__"}
    require(tops == TOPS, f"{sorted(TOPS)} in site-packages, not {sorted(tops)}")
    check_environments()
    check_command_line()


def check_environments() -> None:
    """Check that the expert wins every environment, or that the missing extra is named."""
    from agentgym_gen.env.registration import ENVIRONMENTS

    for environment in ENVIRONMENTS.values():
        ids = list(environment.ids())
        for env_id in ids:
            if environment.extra is None:
                check_expert_wins(env_id)
            else:
                check_refusal(env_id, environment.extra)
        outcome = "won by the expert" if environment.extra is None else "ask for their extra"
        print(f"{environment.name}: {len(ids)} ids, all {outcome}")


def check_expert_wins(env_id: str) -> None:
    """Check that the expert wins *env_id*, made by the form that imports the package itself."""
    import gymnasium

    env = gymnasium.make(f"agentgym_gen:{env_id}")
    env.reset(seed=0)
    over = False
    while not over:
        action = env.unwrapped.expert_action()  # type: ignore[attr-defined]  # a TextEnv
        _, _, terminated, truncated, info = env.step(action)
        over = terminated or truncated
    require(info["success"], f"the expert wins {env_id}")


def check_refusal(env_id: str, extra: str) -> None:
    """Check that the error of *env_id*, whose *extra* is not installed, says what to install."""
    import gymnasium

    from agentgym_gen.errors import MissingExtraError

    message = ""
    try:
        gymnasium.make(f"agentgym_gen:{env_id}")
    except MissingExtraError as error:
        message = str(error)
    command = f"pip install 'agentgym-gen[{extra}]'"
    sentence = f"{env_id} needs {extra!r} and says {command}, not {message!r}"
    require(message.endswith(command), sentence)


def check_command_line() -> None:
    """Check that `agentgym-gen envs` lists the environments and an unknown id exits with 2."""
    require(entry_points(name="agentgym-gen", group="console_scripts"), "the command is declared")
    program = Path(sys.executable).parent / "agentgym-gen"
    listed = subprocess.run([program, "envs"], capture_output=True, text=True, check=True)
    require("TextCraft" in listed.stdout and not listed.stderr, "agentgym-gen envs lists them")
    wrong = [program, "demo", "rftgen/TextCrafty-easy-v0"]
    refused = subprocess.run(wrong, capture_output=True, text=True, check=False)
    require(refused.returncode == 2, "an unknown id ends with exit code 2")
    require("Traceback" not in refused.stderr, "an unknown id is answered by a sentence")
    print("agentgym-gen envs works, and a wrong id is refused with a sentence")


def check_tag(tag: str, root: Path = ROOT) -> None:
    """Check that *tag* is ``v`` and the version of setup.cfg, and that the changelog dates it."""
    cfg = configparser.ConfigParser()
    cfg.read(root / "setup.cfg", encoding="utf-8")
    version = cfg["metadata"]["version"]
    require(tag == f"v{version}", f"the tag is that of setup.cfg, v{version}, not {tag}")
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$"
    dated = re.search(heading, changelog, re.MULTILINE)
    require(dated, f"CHANGELOG.md has a heading with the date of {version}")
    print(f"{tag} is the version of setup.cfg, and the changelog has its date")


def main(arguments: list[str]) -> None:
    """Run one of the three checks."""
    if arguments[:1] == ["archives"] and len(arguments) == 2:
        check_archives(Path(arguments[1]))
    elif arguments == ["installed"]:
        check_installed()
    elif arguments[:1] == ["tag"] and len(arguments) == 2:
        check_tag(arguments[1])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
