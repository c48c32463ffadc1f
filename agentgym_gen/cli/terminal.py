"""What commands print with: lines and tables, in which a terminal obeys nothing."""

from __future__ import annotations

import os
import sys
import textwrap

from agentgym_gen.describe.printable import printable, printable_line

NARROWEST = 20
"""The least width in characters; a narrower line would show letters, not words."""


def print_line(line: str) -> None:
    """Print *line* at once, without waiting for the buffer to fill; a terminal obeys none of it."""
    print(printable(line), flush=True)


def print_table(rows: list[tuple[str, ...]]) -> None:
    """Print *rows* in aligned columns, numbers to the right; the first row is the head."""
    rows = [tuple(map(printable_line, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = (
            cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        )
        print("  ".join(cells).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def wrap(text: str, width: int) -> str:
    """Return *text* with its long lines broken between words.

    A line with several spaces in a row is a drawing or a table, and stays.
    """
    width = max(width, NARROWEST)
    lines = []
    for line in text.split("\n"):
        is_prose = len(line) > width and "  " not in line.strip()
        lines += textwrap.wrap(line, width, break_long_words=False) if is_prose else [line]
    return "\n".join(lines)


COLOURS = (90, 37, 36, 32, 33, 35, 31)
"""The codes of the terminal's colours for the characters of a map, in their order."""


def has_colours() -> bool:
    """Return whether standard output is a terminal, and NO_COLOR (no-color.org) is not set."""
    return bool(sys.stdout and sys.stdout.isatty()) and not os.environ.get("NO_COLOR")


def paint_map(text: str, glyphs: str) -> str:
    """Return *text* with the lines that are a map of *glyphs* in colours, if there are any."""
    if not glyphs or not has_colours():
        return text
    codes = {glyph: COLOURS[number % len(COLOURS)] for number, glyph in enumerate(glyphs)}
    lines = []
    for line in text.split("\n"):
        if line and set(line) <= set(glyphs):
            line = "".join(f"\x1b[{codes[glyph]}m{glyph}" for glyph in line) + "\x1b[0m"
        lines.append(line)
    return "\n".join(lines)
