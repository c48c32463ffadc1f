"""Quoted strings, as in a call or in lenient JSON."""

from __future__ import annotations

import json
import re


def unquoted(literal: str) -> str | None:
    """Return the text of a quoted *literal*; in double quotes, escapes are those of JSON."""
    if literal.startswith("'"):
        return re.sub(r"\\(.)", r"\1", literal[1:-1], flags=re.DOTALL)
    try:
        return str(json.loads(literal, strict=False))
    except ValueError:
        return None
