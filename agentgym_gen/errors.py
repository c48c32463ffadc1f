"""Every error that the library raises on purpose, in one tree.

    AgentGymGenError
    ├── InvalidValueError (ValueError)        a value outside what is accepted
    │   └── UnknownNameError                  a name that is not in a known list
    ├── NameClashError (ValueError)           a name registered twice
    ├── EpisodeOverError (gymnasium ResetNeeded)  a step before reset or after the end
    ├── MissingExtraError (ImportError)       an optional dependency cannot be imported
    ├── BackendError (RuntimeError)           the software behind a world or a policy failed
    │   └── ContextLimitError             a prompt that is longer than the model's context
    ├── PolicyError (RuntimeError)            a policy that cannot go on
    ├── DataError (OSError)                   a file that cannot be read, found or written
    │   ├── ResultExistsError (FileExistsError)  a result that would be overwritten
    │   └── DiskFullError                 a file that has no room
    └── TrainingError (RuntimeError)          training that cannot go on

Each also inherits the standard error that it refines, so that an existing ``except`` still works.
All take one message and are therefore picklable. What a model says is never an error: it is an
observation.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import gymnasium

__all__ = [
    "AgentGymGenError",
    "BackendError",
    "DataError",
    "DiskFullError",
    "EpisodeOverError",
    "InvalidValueError",
    "MissingExtraError",
    "NameClashError",
    "ResultExistsError",
    "TrainingError",
    "UnknownNameError",
    "is_absent",
    "missing_extra",
    "unknown_name",
]


class AgentGymGenError(Exception):
    """The root of the library's errors."""


class InvalidValueError(AgentGymGenError, ValueError):
    """A value outside what is accepted."""


class UnknownNameError(InvalidValueError):
    """A name that is not in a known list."""


class NameClashError(AgentGymGenError, ValueError):
    """A name that is registered already, as something else."""


class EpisodeOverError(AgentGymGenError, gymnasium.error.ResetNeeded):
    """A step before the first reset or after the end of an episode."""


class MissingExtraError(AgentGymGenError, ImportError):
    """An optional dependency that is not installed, or cannot be imported."""


class BackendError(AgentGymGenError, RuntimeError):
    """The software behind a world or a policy that has failed; it ends one episode.

    `TextEnv.step` catches that of a world, and a rollout that of a `ConcurrentPolicy`.
    """


class ContextLimitError(BackendError):
    """A prompt that is longer than the context of the model."""


class PolicyError(AgentGymGenError, RuntimeError):
    """A policy that cannot go on; it ends the rollout."""


class DataError(AgentGymGenError, OSError):
    """A file that cannot be read, found or written."""


class ResultExistsError(DataError, FileExistsError):
    """A result that would be overwritten."""


class DiskFullError(DataError):
    """A file that has no room on its disk, or in a quota."""


class TrainingError(AgentGymGenError, RuntimeError):
    """Training that cannot go on."""


def unknown_name(
    kind: str, value: object, accepted: Iterable[str], listing: str = ""
) -> UnknownNameError:
    """Return the error for a name that is not known.

    Args:
        kind: What the name names, such as ``"tier"``.
        value: The name that was given.
        accepted: The names that are accepted.
        listing: How to list the accepted names, or what else is accepted, in words; empty where
            the message lists them all.
    """
    names = sorted(accepted)
    near = difflib.get_close_matches(str(value), names, n=1, cutoff=0.5)
    meant = f"; did you mean {near[0]!r}?" if near else "."
    listed = f" Known: {', '.join(names)}"
    if listing and len(names) > 20:  # the first of many names would only hide the nearest
        listed = "" if near else f" Known: {', '.join(names[:20])}, ..."
    how = f" ({listing})" if listing else ""
    return UnknownNameError(f"Unknown {kind} {value!r}{meant}{listed}{how}")


def missing_extra(
    package: str, extra: str, purpose: str, error: ImportError | None = None
) -> MissingExtraError:
    """Return the error for an optional *package* that is needed for *purpose*.

    Args:
        package: The name under which it is installed.
        extra: The extra that brings it.
        purpose: What needs it, at the beginning of the sentence.
        error: Why it cannot be imported. The package may be there, and too old for what it imports
            itself.
    """
    if error is None or is_absent(package, error):
        return MissingExtraError(
            f"{purpose} needs {package!r}, which is not installed; "
            f"run: pip install 'agentgym-gen[{extra}]'"
        )
    reason = " ".join(str(error).split())[:300]
    return MissingExtraError(
        f"{purpose} needs {package!r}, which is installed but cannot be imported ({reason}); "
        f"run: pip install --upgrade 'agentgym-gen[{extra}]'"
    )


def is_absent(package: str, error: ImportError) -> bool:
    """Return whether *error* says that *package* itself is not installed."""
    top = (error.name or "").partition(".")[0]
    return isinstance(error, ModuleNotFoundError) and top == package.replace("-", "_")
