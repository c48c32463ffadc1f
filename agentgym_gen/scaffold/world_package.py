"""A package with a world: names from one name, files from templates, written all or none."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from string import Template

from agentgym_gen.env.registration import ENVIRONMENTS
from agentgym_gen.errors import DataError, InvalidValueError, NameClashError, ResultExistsError
from agentgym_gen.interface import PRESETS
from agentgym_gen.system.files import write_text
from agentgym_gen.world import __all__ as world_names

__all__ = ["WorldPackage", "write_world_package"]

FILES = {
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    ".gitignore": "gitignore.txt",
    "{package}/__init__.py": "package/__init__.py.txt",
    "{package}/tasks.py": "package/tasks.py.txt",
    "{package}/world.py": "package/world.py.txt",
    "{package}/reward.py": "package/reward.py.txt",
    "{package}/expert.py": "package/expert.py.txt",
    "tests/test_world.py": "tests/test_world.py.txt",
}
"""Each file of a package, and its template."""

TAKEN = {*world_names, "COLOURS", "False", "None", "Row", "True"}
"""What a class of the templates cannot be called: what they import, and words of Python."""

TAKEN_KEYS = {*PRESETS, "test"}
"""What a key cannot be: a preset, and ``test``, since ``test_world`` is the module of the tests."""

LONGEST_NAME = 40
"""The most letters of a name: it is a part of ids, folders and modules."""


@dataclass(frozen=True)
class WorldPackage:
    """The names of a package with a world, all made from that of its environment.

    >>> names = WorldPackage("Lamps")
    >>> names.key, names.package, names.distribution
    ('lamps', 'lamps_world', 'lamps-world')

    Raises:
        InvalidValueError: if the name is none for ids, a class and a module.
        NameClashError: if an environment of this name is registered.
    """

    name: str
    """The name in ids, which is that of the class: ``Lamps``."""

    def __post_init__(self) -> None:
        """Check the name."""
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", self.name) or len(self.name) > LONGEST_NAME:
            raise InvalidValueError(
                f"The name of a world is letters and digits and begins with a capital, such as "
                f"Lamps, with at most {LONGEST_NAME} of them, not {self.name!r}"
            )
        if self.name in TAKEN or self.name.lower() in TAKEN_KEYS:
            raise InvalidValueError(
                f"{self.name!r} means something else in a world or in an id; take another name"
            )
        taken = {name.lower(): name for name in ENVIRONMENTS}
        if self.name.lower() in taken:
            raise NameClashError(
                f"Environment {taken[self.name.lower()]!r} is there already; take another name "
                f"than {self.name!r}"
            )

    @property
    def key(self) -> str:
        """The first part of task ids."""
        return self.name.lower()

    @property
    def package(self) -> str:
        """The name that is imported."""
        return f"{self.key}_world"

    @property
    def distribution(self) -> str:
        """The name that is installed, and that of the folder."""
        return f"{self.key}-world"

    def texts(self) -> dict[str, str]:
        """Return the text of each file by its path in the folder."""
        names = {
            "name": self.name,
            "key": self.key,
            "package": self.package,
            "distribution": self.distribution,
            "version": version("agentgym-gen"),
        }
        home = resources.files("agentgym_gen.scaffold") / "template"
        return {
            path.format(package=self.package): Template(
                home.joinpath(*template.split("/")).read_text(encoding="utf-8")
            ).substitute(names)
            for path, template in FILES.items()
        }


def write_world_package(name: str, parent: Path) -> Path:
    """Write a package with the world *name* into a new folder in *parent*; return the folder.

    The folder appears when all of it is written.

    Raises:
        InvalidValueError: if the name is none for ids, a class and a module.
        NameClashError: if an environment of this name is registered.
        ResultExistsError: if the folder is there already.
        DataError: if it cannot be written.
    """
    package = WorldPackage(name)
    folder = parent / package.distribution
    if folder.exists() or folder.is_symlink():
        raise ResultExistsError(f"{folder} is there already, and is kept; choose another --out")
    draft = None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=parent))
        draft.chmod(0o755)
        for path, text in package.texts().items():
            write_text(draft / path, text)
        draft.rename(folder)
    except OSError as error:
        raise DataError(f"Cannot write {folder}: {error.strerror or error}") from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)
    return folder
