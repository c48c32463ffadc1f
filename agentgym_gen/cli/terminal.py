"""What commands print with: lines and tables, in which a terminal obeys nothing."""

from __future__ import annotations

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
