r"""Texts that are not ours, as they may be shown: on a terminal, in a page, in a line of a list.

A terminal obeys control characters: escape sequences set its title, fill its clipboard or move its
cursor. A reader is misled by letters that turn the direction of writing, and by a line end inside a
text that should be one line. All of these are replaced by their escapes, such as ``\x1b``.
"""

from __future__ import annotations

__all__ = ["printable", "printable_line"]


def printable(text: str) -> str:
    r"""Return *text* with its control characters as escapes; line ends stay.

    >>> print(printable("red \x1b[31m\nnext"))
    red \x1b[31m
    next
    """
    return "\n".join(map(printable_line, text.split("\n")))


def printable_line(text: str) -> str:
    r"""Return *text* as one line: its line ends are escapes, too.

    >>> print(printable_line("all well\n12 of 12 done"))
    all well\n12 of 12 done
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
