"""What commands print with: lines, tables, and texts that a terminal must not obey."""

from __future__ import annotations

NARROWEST = 20
"""The least width in characters; a narrower line would show letters, not words."""


def print_line(line: str) -> None:
    """Print *line* at once, without waiting for the buffer to fill."""
    print(line, flush=True)


def print_table(rows: list[tuple[str, ...]]) -> None:
    """Print *rows* in aligned columns, numbers to the right; the first row is the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = (
            cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        )
        print("  ".join(cells).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def printable(text: str) -> str:
    """Return *text* with its control characters as escapes, since a terminal would obey them."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
