r"""The marks inside a sentence of a report: ``**bold**`` and code in backquotes, and no others.

A backslash takes the meaning of a mark away: `literal` puts it before every mark of a text that is
not ours. Everything else that Markdown would obey is escaped where a sentence becomes Markdown.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agentgym_gen.describe.printable import printable_line

__all__ = [
    "Span",
    "escape_line_start",
    "escape_markdown",
    "inline_markdown",
    "literal",
    "parse_inline",
    "without_marks",
]


class Span(NamedTuple):
    """A part of a sentence."""

    text: str
    """Its letters."""
    mark: str
    """``b`` in bold, ``code``, or empty."""


_TOKEN = re.compile(r"\\[\\*`]|\*\*|`|[^\\*`]+|.", re.DOTALL)
_MARKS = {"**": "b", "`": "code"}


def literal(text: object) -> str:
    r"""Return *text* as a part of a sentence that shows each of its characters.

    >>> parse_inline(f"It says {literal('**sure** `x`')}")
    [Span(text='It says **sure** `x`', mark='')]
    """
    return re.sub(r"[\\*`]", r"\\\g<0>", str(text))


def parse_inline(text: str) -> list[Span]:
    """Return *text* as the parts between its marks; a mark that is not closed goes to the end.

    >>> parse_inline("**all** of `x`")
    [Span(text='all', mark='b'), Span(text=' of ', mark=''), Span(text='x', mark='code')]
    """
    spans: list[Span] = []
    letters, mark = "", ""
    for token in _TOKEN.findall(text):
        token_mark = _MARKS.get(token, "")
        if token_mark and mark in ("", token_mark):
            spans.append(Span(letters, mark))
            letters, mark = "", "" if mark else token_mark
        else:
            letters += token[1:] if len(token) == 2 and token[0] == "\\" else token
    spans.append(Span(letters, mark))
    return [span for span in spans if span.text]


def without_marks(text: str) -> str:
    """Return the letters of the sentence *text*, as a terminal shows them.

    >>> without_marks("**all** of `x`")
    'all of x'
    """
    return "".join(span.text for span in parse_inline(text))


def inline_markdown(text: str) -> str:
    """Return the sentence *text* as one line of Markdown, in which nothing but its marks counts."""
    return "".join(map(_span_markdown, parse_inline(text)))


def _span_markdown(span: Span) -> str:
    if span.mark == "code" and "`" not in span.text:
        return f"`{printable_line(span.text)}`"
    text = escape_markdown(span.text)
    return f"**{text}**" if span.mark == "b" else text


# What CommonMark and GitHub obey inside a line: code, emphasis, HTML, the end of a link's text,
# a character reference, the bar of a table, struck-out text and mathematics.
_OBEYED = re.compile(
    r"""[\\`*|~$]
    | <(?=[A-Za-z/!?])
    | \](?=[(\[:])
    | &(?=[#A-Za-z])
    | (?<![A-Za-z0-9])_ | _(?![A-Za-z0-9])""",
    re.VERBOSE,
)

_LINE_START = re.compile(r"(\s*)([#>=+-]|\d+[.)](?=\s|$))")


def escape_markdown(text: str) -> str:
    r"""Return *text* as a part of a line of Markdown that shows each of its characters.

    >>> print(escape_markdown("<b>a|b</b> [x](y)\n# all well"))
    \<b>a\|b\</b> [x\](y)\n# all well
    """
    return printable_line(_OBEYED.sub(r"\\\g<0>", text))


def escape_line_start(line: str) -> str:
    r"""Return *line* of Markdown so that it begins no heading, list, quotation or code.

    >>> print(escape_line_start("# all well"), escape_line_start("1. one"))
    \# all well 1\. one
    """
    line = line.strip()
    match = _LINE_START.match(line)
    if match is None:
        return line
    place = match.end() - 1
    return f"{line[:place]}\\{line[place:]}"
