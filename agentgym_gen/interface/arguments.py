"""What the arguments of commands are called in one episode: labels of verbs, and new names."""

from __future__ import annotations

from collections.abc import Mapping

from agentgym_gen.interface.names import Renaming


class Arguments:
    """From the world's arguments to those that are said, and back.

    Args:
        labels: Arguments that name a verb, where it has another name: native label -> new one.
        names: The new names of things, if they have any.
    """

    def __init__(self, labels: Mapping[str, str], names: Renaming | None) -> None:
        self._labels = labels
        self._natives = {label: native for native, label in labels.items()}
        self._names = names
        self.native = not labels and names is None
        """Whether all arguments are the world's own."""

    def said(self, argument: str) -> str:
        """Return what is said for *argument*."""
        label = self._labels.get(argument)
        if label is not None:
            return label
        return self._names.there(argument) if self._names else argument

    def meant(self, argument: str) -> str:
        """Return the world's argument of what was said."""
        native = self._natives.get(argument)
        if native is not None:
            return native
        return self._names.back(argument) if self._names else argument

    def old_name(self, argument: str) -> str | None:
        """Return a name in *argument* that is another one now, or None."""
        if argument in self._labels:
            return argument
        return self._names.old_name(argument) if self._names else None
