"""Tables as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from agentgym_gen.describe.printable import printable_line


def csv_text(lines: Iterable[Sequence[str]]) -> str:
    r"""Return *lines* as CSV, in which no text is a formula of a spreadsheet.

    >>> csv_text([("=1+1", "+2.5"), ("a,b", "")])
    '\'=1+1,+2.5\r\n"a,b",\r\n'
    """
    file = io.StringIO()
    writer = csv.writer(file)
    for line in lines:
        writer.writerow([_without_formula(printable_line(text)) for text in line])
    return file.getvalue()


def _without_formula(text: str) -> str:
    is_formula = text[:1] in tuple("=@+-") and not re.fullmatch(r"[+-]\d+(\.\d+)?", text)
    return f"'{text}" if is_formula else text
