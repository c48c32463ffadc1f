"""What commands print with: lines, tables, JSON and progress, in which a terminal obeys nothing."""

from __future__ import annotations

import json
import math
import os
import sys
import textwrap
import time
from typing import TextIO

from agentgym_gen.describe.printable import printable, printable_line

NARROWEST = 20
"""The least width in characters; a narrower line would show letters, not words."""


def print_line(line: str) -> None:
    """Print *line* at once, without waiting for the buffer to fill; a terminal obeys none of it."""
    print(printable(line), flush=True)


def print_json(value: object) -> None:
    """Print *value* as JSON in ASCII, so that texts keep every letter and a terminal obeys none."""
    print(json.dumps(value, indent=2), flush=True)


def print_table(rows: list[tuple[str, ...]]) -> None:
    """Print *rows* in aligned columns, numbers to the right; the first row is the head."""
    rows = [tuple(map(printable_line, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = (
            cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        )
        line = "  ".join(cells).rstrip()
        print(paint(line, BOLD) if number == 0 else line)
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


BOLD, RED, GREEN, CYAN = 1, 31, 32, 36
"""The codes of the terminal for the parts of what is printed."""


def has_colours(stream: TextIO | None = None) -> bool:
    """Return whether *stream*, by default standard output, is a terminal that shows colours.

    It is none with the environment variable NO_COLOR (no-color.org), or if TERM is ``dumb``.
    """
    stream = stream or sys.stdout
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return bool(stream and stream.isatty()) and not plain


def paint(text: str, code: int, stream: TextIO | None = None) -> str:
    """Return *text*, which is printable already, in the colour *code* if *stream* has colours."""
    return f"\x1b[{code}m{text}\x1b[0m" if text and has_colours(stream) else text


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


class ProgressLine:
    """One line on standard error: how much is done, and how long the rest takes.

    A terminal shows it live. Elsewhere, as in a log, it is printed once each tenth.

    Args:
        unit: What is counted, such as ``episodes``.
    """

    INTERVAL = 0.2
    """The seconds between two updates of the line."""

    def __init__(self, unit: str = "episodes") -> None:
        self._unit = unit
        self.live = sys.stderr is not None and sys.stderr.isatty()
        """Whether there is a terminal that shows it."""
        self._first: int | None = None
        self._started = self._shown = 0.0
        self._tenth = self._width = 0

    def log(self, line: str) -> None:
        """Print *line* to standard error, which leaves standard output to results."""
        if sys.stderr is not None:
            self.clear()
            print(printable(line), file=sys.stderr, flush=True)

    def update(self, done: int, total: int, note: str = "") -> None:
        """Show that *done* of *total* are done, with a *note*; the first call is the beginning."""
        now = time.monotonic()
        if self._first is None:
            self._started, self._first = now, done
        if done == self._first:
            return
        left = duration((now - self._started) * (total - done) / (done - self._first))
        parts = (f"{done}/{total} {self._unit}", printable_line(note), left)
        text = ", ".join(filter(None, parts))
        if self.live and (now - self._shown >= self.INTERVAL or done >= total):
            self._shown = now
            self.show(text, end="\n" if done >= total else "")
        elif not self.live and sys.stderr is not None and done * 10 // total > self._tenth:
            self._tenth = done * 10 // total
            print(text, file=sys.stderr, flush=True)

    def show(self, text: str, *, end: str = "") -> None:
        """Show *text* in the place of the line, on a terminal."""
        if self.live:
            print(f"\r{text:<{self._width}}", end=end, file=sys.stderr, flush=True)
            self._width = 0 if end else len(text)

    def clear(self) -> None:
        """Take the line away, so that something else can be printed there."""
        if self._width:
            self.show("", end="\r")


def duration(seconds: float) -> str:
    """Return how long *seconds* are, for people.

    >>> duration(5), duration(150), duration(9000)
    ('5 s left', '3 min left', '2.5 h left')
    """
    if seconds < 60:
        return f"{math.ceil(seconds)} s left"
    return (
        f"{math.ceil(seconds / 60)} min left" if seconds < 3600 else f"{seconds / 3600:.1f} h left"
    )
