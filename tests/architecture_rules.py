"""The rules of docs/architecture.md: functions from all sources to a list of violations."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeGuard

ROOT = Path(__file__).parents[1]

FOLDERS = {
    "agentgym_gen": "agentgym_gen",
    "envs": "agentgym_gen.envs",
    "trainers": "agentgym_gen.trainers",
}
"""Folder at the top of the repository -> the package that it is installed as."""

LAYERS = (
    ("agentgym_gen.errors",),
    ("agentgym_gen.ids", "agentgym_gen.seeding"),
    ("agentgym_gen.system",),
    ("agentgym_gen.retrieval", "agentgym_gen.world"),
    ("agentgym_gen.interface",),
    ("agentgym_gen.env",),
    ("agentgym_gen.agents", "agentgym_gen.testing"),
    (
        *("agentgym_gen.describe", "agentgym_gen.export"),
        *("agentgym_gen.scaffold", "agentgym_gen.server"),
    ),
    ("agentgym_gen.envs",),
    ("agentgym_gen.trainers.checkpoint", "agentgym_gen.trainers.config"),
    ("agentgym_gen.trainers.callbacks", "agentgym_gen.trainers.models"),
    ("agentgym_gen.trainers.parallel", "agentgym_gen.trainers.sampling"),
    ("agentgym_gen.trainers.logging", "agentgym_gen.trainers.packing"),
    ("agentgym_gen.trainers.algorithm",),
    ("agentgym_gen.trainers",),
    ("agentgym_gen.integrations", "agentgym_gen.models"),
    ("agentgym_gen.study.plan",),
    ("agentgym_gen.study.results",),
    ("agentgym_gen.study.analysis",),
    ("agentgym_gen.study.report", "agentgym_gen.study.run"),
    ("agentgym_gen.study",),
    ("agentgym_gen.evaluation",),
    ("agentgym_gen.comparison", "agentgym_gen.training", "agentgym_gen.viewer"),
    ("agentgym_gen.cli",),
    ("agentgym_gen",),
)
"""From the lowest: a package imports itself and lower ones, lazily or at once.

The longest name that fits a module is its package. Packages of one layer do not know each other.
"""

BY_ID_ONLY = "agentgym_gen.envs"
"""Nobody imports the environments, so that one of a third party is used in the same way."""

NEED_NO_TORCH = ("agentgym_gen.trainers",)
"""The only packages that may import `HEAVY` at once."""

HEAVY = ("torch", "transformers", "peft", "tokenizers", "safetensors")

LAZY = (
    "agentgym_gen.study",
    "agentgym_gen.trainers",
    "pandas",
    "ray",
    "tqdm",
    "jinja2",
    "pydantic",
    *HEAVY,
)
"""What modules outside trainers import inside functions only, so that importing them is cheap."""

READ_ROWS = (
    *("agentgym_gen.study", "agentgym_gen.evaluation", "agentgym_gen.comparison"),
    *("agentgym_gen.training", "agentgym_gen.viewer", "agentgym_gen.cli"),
)
"""The packages that may import the study at once: its rows and its analysis."""

# Module -> the packages of an extra that it may import, inside functions.
BACKENDS = {
    "agentgym_gen/comparison/comparison.py": {"pandas"},
    "agentgym_gen/evaluation/results.py": {"pandas"},
    "agentgym_gen/agents/chat_connection.py": {"aiohttp"},
    "agentgym_gen/cli/main.py": {"argcomplete"},
    "agentgym_gen/export/parquet.py": {"pyarrow"},
    "agentgym_gen/integrations/openenv.py": {"fastapi", "openenv", "pydantic", "websockets"},
    "agentgym_gen/server/run.py": {"aiohttp", "uvloop"},
    "agentgym_gen/integrations/parquet.py": {"pyarrow"},
    "agentgym_gen/integrations/trl/dataset.py": {"datasets"},
    "envs/alfworld/reference/original_process.py": {"alfworld", "textworld"},
    "envs/searchqa/retrievers/dense.py": {"sentence_transformers"},
    "envs/textworld/prepare.py": {"tqdm"},
    "envs/textworld/engine/builder.py": {"textworld"},
    "envs/textworld/engine/interpreter.py": {"textworld"},
    "envs/textworld/engine/patches.py": {"textworld"},
    "envs/textworld/engine/tracking.py": {"textworld"},
}

# Module -> the packages of an extra that it needs as a whole, because its classes inherit from
# theirs.  No module imports it by a statement: its environment's `backend` loads it by name.
NEEDING = {
    "agentgym_gen/server/app.py": {"aiohttp"},
    "agentgym_gen/integrations/gem.py": {"gem"},
    "agentgym_gen/integrations/inspect.py": {"inspect_ai"},
    "agentgym_gen/integrations/nemo_gym.py": {"resources_servers"},
    "agentgym_gen/integrations/skyrl.py": {"skyrl_gym"},
    "agentgym_gen/integrations/tinker.py": {"tinker_cookbook"},
    "agentgym_gen/integrations/verifiers.py": {"pydantic", "verifiers"},
    "agentgym_gen/integrations/verl.py": {"verl"},
    "envs/babyai/engine/bot.py": {"minigrid"},
    "envs/babyai/engine/game.py": {"minigrid"},
}

SCHEMAS = {"agentgym_gen/study/results/schema.py": "pydantic"}
"""Module -> the package of an extra that it consists of; others import it inside functions only."""

CORE_MAY_IMPORT = {"agentgym_gen", "gymnasium", "numpy", *sys.stdlib_module_names}

NO_NAMES = {"utils", "util", "common", "helpers", "helper", "misc"}
MAX_LINES = 400
MAX_MODULES = 12
"""The most modules of a folder, its ``__init__`` not counted."""

Sources = dict[str, str]
"""The path of each module in the repository -> its text."""


class Imported(NamedTuple):
    """One name that a module imports."""

    name: str
    """The absolute name: ``agentgym_gen.world.World``."""
    lazy: bool
    """Whether it is imported inside a function."""


def read_sources() -> Sources:
    """Return the modules of the package."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not any(parent.is_symlink() for parent in path.parents)
    }


SOURCES = read_sources()


@lru_cache(maxsize=1024)
def parse(text: str) -> ast.Module:
    """Return the syntax tree of *text*."""
    return ast.parse(text)


def dotted(path: str) -> str:
    """Return the name that the module at *path* is imported by.

    >>> dotted("envs/sokoban/__init__.py"), dotted("agentgym_gen/env/text_env.py")
    ('agentgym_gen.envs.sokoban', 'agentgym_gen.env.text_env')
    """
    folder, _, rest = path.partition("/")
    inside = rest.removesuffix(".py").removesuffix("__init__").rstrip("/").replace("/", ".")
    return ".".join(filter(None, (FOLDERS[folder], inside)))


def is_under(name: str, roots: tuple[str, ...]) -> bool:
    """Say whether *name* is one of *roots* or inside one."""
    return any(name == root or name.startswith(root + ".") for root in roots)


def is_for_types(node: ast.stmt) -> TypeGuard[ast.If]:
    """Say whether *node* is an ``if TYPE_CHECKING`` block, which never runs."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(tree: ast.Module) -> Iterator[Imported]:
    """Yield what the module of *tree* imports when it is imported and when it runs."""
    for node in tree.body:
        if is_for_types(node):
            continue
        lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for part in ast.walk(node):
            if isinstance(part, ast.Import):
                yield from (Imported(alias.name, lazy) for alias in part.names)
            elif isinstance(part, ast.ImportFrom):
                home = "." * part.level + (part.module or "")
                yield from (Imported(f"{home}.{alias.name}", lazy) for alias in part.names)


def every_import(sources: Sources) -> Iterator[tuple[str, Imported]]:
    """Yield the path of each module with each name that it imports."""
    for path, text in sources.items():
        for imported in imports(parse(text)):
            yield path, imported


def layer_of(name: str) -> tuple[int, str]:
    """Return the number of the layer of the module or name *name*, and the package there."""
    places = [
        (len(package), number, package)
        for number, packages in enumerate(LAYERS)
        for package in packages
        if is_under(name, (package,))
    ]
    _, number, package = max(places)
    return number, package


def rule_layers(sources: Sources) -> list[str]:
    """Imports go down: to a lower layer, or inside the own package."""
    bad = []
    for path, imported in every_import(sources):
        if not is_under(imported.name, ("agentgym_gen",)):
            continue
        own, other = layer_of(dotted(path)), layer_of(imported.name)
        if own[1] != other[1] and own[0] <= other[0]:
            bad.append(f"{path} imports {imported.name}")
    return bad


def rule_no_cycle(sources: Sources) -> list[str]:
    """No module imports itself through others, not even lazily."""
    names = {dotted(path): path for path in sources}
    graph: dict[str, set[str]] = {name: set() for name in names}
    for path, imported in every_import(sources):
        home = imported.name if imported.name in names else imported.name.rpartition(".")[0]
        if home in names and home != dotted(path):
            graph[dotted(path)].add(home)
    while leaves := [name for name, targets in graph.items() if not targets & graph.keys()]:
        for name in leaves:
            del graph[name]
    # A package's `__init__` re-exports its modules, which do not import it back.
    return sorted(names[name] for name in graph)


def rule_by_id_only(sources: Sources) -> list[str]:
    """Environments are reached by their ids; none is imported from outside, nor by another one."""
    bad = []
    for path, imported in every_import(sources):
        if not is_under(imported.name, (BY_ID_ONLY,)):
            continue
        own = dotted(path).split(".")[:3]
        if imported.name.split(".")[:3] != own:
            bad.append(f"{path} imports {imported.name}")
    return bad


def rule_lazy(sources: Sources) -> list[str]:
    """What is slow to import is imported by the function that needs it."""
    return [
        f"{path} imports {imported.name} at once"
        for path, imported in every_import(sources)
        if not imported.lazy
        and is_under(imported.name, LAZY)
        and SCHEMAS.get(path) != imported.name.split(".")[0]
        and imported.name.split(".")[0] not in NEEDING.get(path, ())
        and not is_under(dotted(path), NEED_NO_TORCH)
        and not (
            is_under(imported.name, ("agentgym_gen.study",)) and is_under(dotted(path), READ_ROWS)
        )
    ]


def rule_schemas_are_lazy(sources: Sources) -> list[str]:
    """A module that consists of an extra is imported by the functions that need it."""
    schemas = tuple(dotted(path) for path in SCHEMAS)
    return [
        f"{path} imports {imported.name} at once"
        for path, imported in every_import(sources)
        if not imported.lazy and is_under(imported.name, schemas)
    ]


def rule_heavy_in_trainers_only(sources: Sources) -> list[str]:
    """Torch and its company belong to the trainers, and to the study inside functions."""
    return [
        f"{path} imports {imported.name}"
        for path, imported in every_import(sources)
        if is_under(imported.name, HEAVY)
        and not is_under(dotted(path), ("agentgym_gen.trainers", "agentgym_gen.study"))
    ]


def rule_core_needs_two_packages(sources: Sources) -> list[str]:
    """The core and the environments need numpy and Gymnasium only, but for named backends."""
    return [
        f"{path} imports {imported.name}"
        for path, imported in every_import(sources)
        if not is_under(dotted(path), ("agentgym_gen.trainers", "agentgym_gen.study"))
        and imported.name.split(".")[0] not in CORE_MAY_IMPORT | may_import(path)
    ]


def may_import(path: str) -> set[str]:
    """Return the packages of extras that the module at *path* may import."""
    return BACKENDS.get(path, set()) | NEEDING.get(path, set())


def rule_backends_are_lazy(sources: Sources) -> list[str]:
    """A module that uses an extra can be imported without it."""
    return [
        f"{path} imports {imported.name} at once"
        for path, imported in every_import(sources)
        if not imported.lazy and imported.name.split(".")[0] in BACKENDS.get(path, set())
    ]


def rule_needing_is_loaded_by_name(sources: Sources) -> list[str]:
    """A module that needs an extra as a whole is imported by those only that need it, too."""
    needing = {dotted(path): extras for path, extras in NEEDING.items()}
    return [
        f"{path} imports {imported.name}"
        for path, imported in every_import(sources)
        for module, extras in needing.items()
        if is_under(imported.name, (module,)) and NEEDING.get(path) != extras
    ]


def rule_absolute_imports(sources: Sources) -> list[str]:
    """Imports are absolute."""
    return [
        f"{path} imports {imported.name}"
        for path, imported in every_import(sources)
        if imported.name.startswith(".")
    ]


def rule_named_by_subject(sources: Sources) -> list[str]:
    """A module is named by what it holds."""
    return [path for path in sources if Path(path).stem in NO_NAMES]


def rule_short_modules(sources: Sources) -> list[str]:
    """No module has more than 400 lines."""
    return [path for path, text in sources.items() if len(text.splitlines()) > MAX_LINES]


def rule_small_folders(sources: Sources) -> list[str]:
    """No folder has more than twelve modules, and none has no module."""
    counts: dict[str, int] = {}
    for path in sources:
        folder = Path(path).parent.as_posix()
        counts[folder] = counts.get(folder, 0) + (Path(path).name != "__init__.py")
    homes = {parent.as_posix() for folder in counts for parent in Path(folder).parents}
    bad = [
        f"{folder} has {number} modules"
        for folder, number in counts.items()
        if number > MAX_MODULES
    ]
    bad += [f"{folder} is empty" for folder, n in counts.items() if n == 0 and folder not in homes]
    return bad + [f"{folder} is not there" for folder in FOLDERS if folder not in counts]


def rule_folders_say_what_they_hold(sources: Sources) -> list[str]:
    """Every folder says in its docstring what it is, and in a second paragraph what lives where."""
    return [
        path
        for path, text in sources.items()
        if path.endswith("__init__.py") and path.count("/") > 1
        if "\n\n" not in (ast.get_docstring(parse(text)) or "")
    ]


def rule_packages_export_what_they_name(sources: Sources) -> list[str]:
    """A package's `__all__` holds all its public names, and no name that it has not."""
    return [
        path
        for path, text in sources.items()
        if path.endswith("__init__.py")
        and not public(parse(text), f"{dotted(path)}.")
        <= set(exported(parse(text)))
        <= defined(parse(text))
    ]


def rule_all_is_sorted_and_exists(sources: Sources) -> list[str]:
    """A module's `__all__`, where it has one, is sorted and names what the module has."""
    bad = []
    for path, text in sources.items():
        names = exported(parse(text))
        if names != sorted(names, key=constants_classes_functions):
            bad.append(f"{path} is not sorted")
        if not set(names) <= defined(parse(text)):
            bad.append(f"{path} names what it has not")
    return bad


def rule_documented_modules_have_all(sources: Sources) -> list[str]:
    """A module of the API pages says in `__all__` what is public."""
    pages = (ROOT / "docs" / "api").glob("*.md")
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    documented = set(re.findall(r"^::: ([\w.]+)$", text, re.MULTILINE))
    return [
        path
        for path, source in sources.items()
        if dotted(path) in documented and not exported(parse(source))
    ]


def exported(tree: ast.Module) -> list[str]:
    """Return the `__all__` of *tree*, or no names where it has none."""
    for node in reversed(tree.body):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names = ast.literal_eval(node.value)
            assert isinstance(names, list)
            return names
    return []


def public(tree: ast.Module, home: str) -> set[str]:
    """Return the public names that *tree* defines, or imports from *home*."""
    return {name for name in defined(tree, home) if not name.startswith("_")}


def defined(tree: ast.Module, home: str = "") -> set[str]:
    """Return the names that *tree* defines, or imports from *home* or below it."""
    names: set[str] = set()
    for_types = [part for node in tree.body if is_for_types(node) for part in node.body]
    for node in (*tree.body, *for_types):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(home):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def constants_classes_functions(name: str) -> tuple[int, str]:
    """Return the sort key of ruff's RUF022: constants, then classes, then functions."""
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return kind, name


Rule = Callable[[Sources], list[str]]

RULES: tuple[Rule, ...] = (
    rule_layers,
    rule_no_cycle,
    rule_by_id_only,
    rule_lazy,
    rule_schemas_are_lazy,
    rule_heavy_in_trainers_only,
    rule_core_needs_two_packages,
    rule_backends_are_lazy,
    rule_needing_is_loaded_by_name,
    rule_absolute_imports,
    rule_named_by_subject,
    rule_short_modules,
    rule_small_folders,
    rule_folders_say_what_they_hold,
    rule_packages_export_what_they_name,
    rule_all_is_sorted_and_exists,
    rule_documented_modules_have_all,
)
