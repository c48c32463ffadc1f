"""How copies of a world share what never changes.

``copy.deepcopy`` of a world copies its state. A corpus, a shop or a book of recipes is much larger
than that and never changes, so that all copies have the same one:

    class Corpus(SharedData):
        ...

    @functools.cache
    def load_corpus(name):
        return Corpus(name).made_by(load_corpus, name)

In another process, a pickle makes the data again by the same call.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Hashable
from typing import Any, Self, TypeVar

__all__ = ["SharedData", "copy_sharing"]

ObjectT = TypeVar("ObjectT")

Call = tuple[Callable[..., Any], tuple[Hashable, ...]]
"""A function of a module, and its arguments."""

_INSTANCES: weakref.WeakValueDictionary[Call, SharedData] = weakref.WeakValueDictionary()


class SharedData:
    """Data that never change, of which a process has one instance.

    ``copy.deepcopy`` returns the instance itself. A pickle holds the call that made it (`made_by`),
    or the data themselves if no call is named.
    """

    _call: Call | None = None

    def made_by(self, factory: Callable[..., Any], *arguments: Hashable) -> Self:
        """Return this instance, which ``factory(*arguments)`` makes again in another process."""
        self._call = (factory, arguments)
        _INSTANCES[self._call] = self
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return this instance."""
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:  # noqa: ANN401  (the signature of `object`)
        """Return the call that makes these data, for a pickle."""
        return super().__reduce_ex__(protocol) if self._call is None else (_make, self._call)


def _make(factory: Callable[..., Any], arguments: tuple[Hashable, ...]) -> Any:  # noqa: ANN401
    """Return the instance of this process, made now if there is none.

    A cache of the factory may have dropped it while a world still plays with it.
    """
    instance = _INSTANCES.get((factory, arguments))
    return factory(*arguments) if instance is None else instance


def copy_sharing(original: ObjectT, memo: dict[int, Any], *shared: str) -> ObjectT:
    """Return a deep copy of *original* that shares its attributes *shared*; for ``__deepcopy__``.

    Args:
        original: What is copied.
        memo: What ``copy.deepcopy`` gives to ``__deepcopy__``.
        shared: The names of attributes whose values are never changed, only replaced, or are
            caches of what every copy computes alike.
    """
    duplicate = object.__new__(type(original))
    memo[id(original)] = duplicate
    attributes = vars(original)
    memo.update((id(attributes[name]), attributes[name]) for name in shared if name in attributes)
    vars(duplicate).update((n, copy.deepcopy(value, memo)) for n, value in attributes.items())
    return duplicate
