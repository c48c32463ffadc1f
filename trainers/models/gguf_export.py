"""A finished model as a GGUF file, by the converter of llama.cpp.

The converter is a script in the repository of llama.cpp, and in no package on PyPI. It runs in a
process of its own. Left out: types of less than 8 bits, which ``llama-quantize`` of llama.cpp makes
from such a file, an adapter as a file of its own, and files in several parts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from agentgym_gen.errors import DataError, ResultExistsError, unknown_name
from agentgym_gen.system.files import atomic_path
from agentgym_gen.system.python_process import child_environment, script_command
from agentgym_gen.trainers.models.adapters import is_adapter
from agentgym_gen.trainers.models.loading import load_model
from agentgym_gen.trainers.models.publishing import save_merged

__all__ = ["CONVERTER_VARIABLE", "GGUF_TYPES", "export_gguf", "find_converter", "write_gguf"]

CONVERTER = "convert_hf_to_gguf.py"
"""The name of the script."""

CONVERTER_VARIABLE = "AGENTGYM_GEN_GGUF_CONVERTER"
"""The environment variable that names the script, or the folder of llama.cpp."""

GGUF_TYPES = ("auto", "bf16", "f16", "f32", "q8_0")
"""The types of the weights in the file; ``auto`` is the one of 16 bits that fits the model's."""

MAGIC = b"GGUF"
"""How every GGUF file begins."""


def export_gguf(
    model: str | Path,
    path: str | Path,
    *,
    gguf_type: str = "auto",
    converter: str | Path | None = None,
    replace: bool = False,
) -> Path:
    """Write *model* as the GGUF file *path*, and return the path.

    An adapter is added to its base, in single precision.

    Args:
        model: A folder, one with an adapter too, or another name for `load_model`.
        path: The file.
        gguf_type: The type of its weights, one of `GGUF_TYPES`.
        converter: The script ``convert_hf_to_gguf.py``, or the folder of llama.cpp; None takes the
            one that `CONVERTER_VARIABLE` names, or that is on the path of programs.
        replace: Whether a file that is there is replaced.

    Raises:
        DataError: if there is no converter or no such model, or it cannot be converted.
        ResultExistsError: if there is a file.
        UnknownNameError: if there is no such type.
    """

    def write(folder: Path) -> None:
        loaded, tokenizer = load_model(model, device="cpu")
        save_merged(loaded, folder)
        tokenizer.save_pretrained(folder)

    settings = (Path(path), gguf_type, converter)
    folder = Path(model)
    if folder.is_dir() and not is_adapter(folder):
        return _convert(folder, *settings, replace=replace)
    return write_gguf(write, *settings, replace=replace)


def write_gguf(
    write: Callable[[Path], None],
    path: Path,
    gguf_type: str = "auto",
    converter: str | Path | None = None,
    *,
    replace: bool = False,
) -> Path:
    """Write the model that *write* writes into a folder as the GGUF file *path*.

    The other arguments are those of `export_gguf`, as are the errors.
    """
    _check(path, gguf_type, converter, replace=replace)  # before anything large is written
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".gguf-", dir=path.parent) as temporary:
        folder = Path(temporary)
        write(folder)
        return _convert(folder, path, gguf_type, converter, replace=replace)


def find_converter(converter: str | Path | None = None) -> list[str]:
    """Return the command that starts the converter.

    A script that is named runs in this Python. One on the path of programs is started as a program:
    its first line names a Python that has what it needs.

    Args:
        converter: The script, or the folder of llama.cpp; None looks for it.

    Raises:
        DataError: if there is none.
    """
    named = converter or os.environ.get(CONVERTER_VARIABLE)
    if named:
        script = Path(named) / CONVERTER if Path(named).is_dir() else Path(named)
        if not script.is_file():
            raise DataError(
                f"There is no converter {str(script)!r}; name the file {CONVERTER!r} of llama.cpp, "
                "or the folder that it is in"
            )
        return script_command(script)
    program = shutil.which(CONVERTER)
    if program is None:
        raise DataError(
            f"A GGUF file is written by {CONVERTER!r} of llama.cpp, which is not installed; run: "
            "git clone --depth 1 https://github.com/ggml-org/llama.cpp, install "
            "llama.cpp/requirements.txt, and name the folder by `converter` or the "
            f"variable {CONVERTER_VARIABLE}"
        )
    return [program]


def _check(path: Path, gguf_type: str, converter: str | Path | None, *, replace: bool) -> list[str]:
    """Return the command of the converter, if nothing is wrong with the arguments."""
    if gguf_type not in GGUF_TYPES:
        raise unknown_name("GGUF type", gguf_type, GGUF_TYPES, "all")
    if path.is_dir():
        raise ResultExistsError(f"{path} is a folder; name a file, such as {path / 'model.gguf'}")
    if path.exists() and not replace:
        raise ResultExistsError(
            f"{path} is there already; choose another name, or replace it with `replace=True` "
            "(--replace)"
        )
    return find_converter(converter)


def _convert(
    folder: Path, path: Path, gguf_type: str, converter: str | Path | None, *, replace: bool
) -> Path:
    """Convert the whole model in *folder*."""
    program = _check(path, gguf_type, converter, replace=replace)
    with atomic_path(path.absolute()) as draft:
        command = [*program, str(folder.absolute()), "--outfile", str(draft)]
        reason = _run([*command, "--outtype", gguf_type])
        if reason is None and not _is_gguf(draft):
            reason = "it has written no GGUF file"
        if reason is not None:
            raise DataError(
                f"{program[-1]} could not convert the model to {path}: {reason}"
                + (_REQUIREMENTS if "No module named" in reason else "")
            )
    return path


_REQUIREMENTS = "; install what it needs: requirements.txt in the folder of llama.cpp"


def _run(command: list[str]) -> str | None:
    """Run *command*; return why it has failed, or None."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=child_environment(),
            check=False,
        )
    except OSError as error:
        return f"it cannot be started ({error.strerror or error})"
    if not done.returncode:
        return None
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return lines[-1][:300] if lines else f"it ended with the code {done.returncode}"


def _is_gguf(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC
