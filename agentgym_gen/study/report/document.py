"""A small document model: blocks that print themselves as HTML and as Markdown.

A report is written once, as blocks; what a block says is the same in both forms. Figures that scale
with the page are HTML (`Forest`) or inline SVG (`Figure`); Markdown gets a table or a link to the
SVG.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agentgym_gen.study.analysis.statistics import Estimate


class Block(Protocol):
    """A part of a document."""

    def to_html(self) -> str:
        """Return the block as HTML."""

    def to_markdown(self) -> str:
        """Return the block as Markdown."""


@dataclass(frozen=True)
class Heading:
    """A heading, with the name that links lead to."""

    text: str
    anchor: str
    level: int = 2

    def to_html(self) -> str:
        """Return the block as HTML."""
        tag = f"h{self.level}"
        return f'<{tag} id="{id_attribute(self.anchor)}">{html.escape(self.text)}</{tag}>'

    def to_markdown(self) -> str:
        """Return the block as Markdown."""
        return f"{'#' * self.level} {self.text}"


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text; ``**`` sets strong words."""

    text: str
    kind: str = "p"
    """``p``, or ``note`` for the small print of a figure or a table."""

    def to_html(self) -> str:
        """Return the block as HTML."""
        style = ' class="note"' if self.kind == "note" else ""
        return f"<p{style}>{inline_html(self.text)}</p>"

    def to_markdown(self) -> str:
        """Return the block as Markdown."""
        return self.text


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: Sequence[str]

    def to_html(self) -> str:
        """Return the block as HTML."""
        return "<ul>" + "".join(f"<li>{inline_html(item)}</li>" for item in self.items) + "</ul>"

    def to_markdown(self) -> str:
        """Return the block as Markdown."""
        return "\n".join(f"- {item}" for item in self.items)


@dataclass(frozen=True)
class TableCell:
    """One entry of a table."""

    text: str
    small: str = ""
    """A second line, such as the interval."""
    shade: float | None = None
    """From -1 to 1: how strongly it is coloured, and with which sign."""
    bold: bool = False
    """Whether it stands out."""
    framed: bool = False
    """Whether it has a frame, as held-in cells have."""
    link: str = ""
    """The anchor that it leads to."""
    css_class: str = ""
    """A class of its own, such as a verdict."""

    def to_html(self) -> str:
        """Return the entry as a ``td``."""
        classes = [c for c, on in (("sure", self.bold), ("own", self.framed)) if on]
        classes += [self.css_class] if self.css_class else []
        style = "" if self.shade is None else f' style="background:{colour(self.shade)}"'
        said = html.escape(self.text)
        if self.link:
            said = f'<a href="#{id_attribute(self.link)}">{said}</a>'
        small = f"<small>{html.escape(self.small)}</small>" if self.small else ""
        named = f' class="{" ".join(classes)}"' if classes else ""
        return f"<td{named}{style}>{said}{small}</td>"

    def to_markdown(self) -> str:
        """Return the entry as it stands between two bars."""
        said = f"{self.text} {self.small}".strip().replace("|", "\\|")
        said = f"**{said}**" if self.bold and said else said
        return f"{said} (held in)" if self.framed else said


def colour(shade: float) -> str:
    """Return a colour for a number from -1 to 1, that is seen on white and on black.

    Blue and orange: no kind of colour blindness takes one for the other.
    """
    strength = min(1.0, abs(shade)) ** 0.7 * 0.62
    base = "37,110,220" if shade >= 0 else "226,110,20"
    return f"rgba({base},{strength:.2f})"


@dataclass(frozen=True)
class Table:
    """A table; its first column names the rows."""

    header: Sequence[str]
    rows: Sequence[tuple[str, Sequence[TableCell]]]
    caption: str = ""
    css_class: str = ""
    """``heat`` for a heat map."""

    def to_html(self) -> str:
        """Return the block as HTML, in a frame that scrolls sideways on a narrow page."""
        head = "".join(f'<th scope="col">{breakable(cell)}</th>' for cell in self.header)
        body = "".join(
            f'<tr><th scope="row">{breakable(name)}</th>'
            + "".join(entry.to_html() for entry in entries)
            + "</tr>"
            for name, entries in self.rows
        )
        caption = f"<figcaption>{inline_html(self.caption)}</figcaption>" if self.caption else ""
        named = f' class="{self.css_class}"' if self.css_class else ""
        return (
            f'<figure><div class="scroll" tabindex="0"><table{named}><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>{caption}</figure>"
        )

    def to_markdown(self) -> str:
        """Return the block as Markdown."""
        lines = [f"| {' | '.join(self.header)} |", f"|{'---|' * len(self.header)}"]
        for name, entries in self.rows:
            cells = [name.replace("|", "\\|"), *(entry.to_markdown() for entry in entries)]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join([*lines, *(["", self.caption] if self.caption else [])])


@dataclass(frozen=True)
class Forest:
    """Estimates below each other, each a dot with its interval on a common scale."""

    rows: Sequence[tuple[str, Estimate]]
    caption: str
    low: float
    high: float
    """The ends of the scale."""
    zero: bool = True
    """Whether a line marks zero."""
    signed: bool = True
    """Whether numbers carry their sign."""

    def to_html(self) -> str:
        """Return the block as HTML."""
        body = "".join(self._row(name, estimate) for name, estimate in self.rows)
        return (
            f'<figure class="forest">{body}<figcaption>{inline_html(self.caption)}</figcaption></figure>'
        )

    def _row(self, name: str, e: Estimate) -> str:
        left, right, dot = (self._place(x) for x in (e.low, e.high, e.value))
        sign = "sure pos" if e.low > 0 else "sure neg" if e.high < 0 else "unsure"
        axis = f'<i class="axis" style="left:{self._place(0):.1f}%"></i>' if self.zero else ""
        return (
            f'<div class="row {sign if self.signed else "plain"}"><span class="name">'
            f'{breakable(name)}</span><span class="track">{axis}'
            f'<i class="span" style="left:{left:.1f}%;width:{max(0.5, right - left):.1f}%"></i>'
            f'<i class="dot" style="left:{dot:.1f}%"></i></span>'
            f'<span class="value">{html.escape(self._told(e))}</span></div>'
        )

    def _place(self, x: float) -> float:
        return 100 * min(1.0, max(0.0, (x - self.low) / (self.high - self.low)))

    def _told(self, e: Estimate) -> str:
        return points(e) if self.signed else percent(e)

    def to_markdown(self) -> str:
        """Return the block as Markdown."""
        lines = ["| | estimate |", "|---|---|"]
        lines += [f"| {name} | {self._told(estimate)} |" for name, estimate in self.rows]
        return "\n".join([*lines, "", self.caption])


@dataclass(frozen=True)
class Figure:
    """Small pictures side by side."""

    name: str
    """Its file in the folder of figures, for Markdown."""
    panels: Sequence[str]
    """The pictures, each an SVG element."""
    caption: str

    def to_html(self) -> str:
        """Return the block as HTML."""
        body = "".join(self.panels)
        return (
            f'<figure><div class="panels">{body}</div>'
            f"<figcaption>{inline_html(self.caption)}</figcaption></figure>"
        )

    def to_markdown(self) -> str:
        """Return the block as Markdown; the pictures lie beside the page."""
        shown = " ".join(
            f"![{self.name} {number}](figures/{self.name}-{number}.svg)"
            for number in range(1, len(self.panels) + 1)
        )
        return f"{shown}\n\n{self.caption}"


@dataclass(frozen=True)
class RawHtml:
    """HTML of its own, with what Markdown says instead."""

    markup: str
    markdown: str = ""

    def to_html(self) -> str:
        """Return the block as HTML."""
        return self.markup

    def to_markdown(self) -> str:
        """Return the block as Markdown."""
        return self.markdown


@dataclass(frozen=True)
class Document:
    """A report."""

    title: str
    blocks: list[Block] = field(default_factory=list)

    def markdown(self) -> str:
        """Return the document as Markdown."""
        parts = [block.to_markdown() for block in self.blocks]
        return "\n\n".join([f"# {self.title}", *filter(None, parts)]) + "\n"

    def headings(self) -> list[Heading]:
        """Return the headings of the second level, for a table of contents."""
        return [b for b in self.blocks if isinstance(b, Heading) and b.level == 2]


def inline_html(text: str) -> str:
    """Return *text* as HTML, with what stands between ``**`` strong and between backquotes code."""
    escaped = html.escape(text, quote=False)
    for mark, tag in (("**", "b"), ("`", "code")):
        parts = escaped.split(mark)
        escaped = "".join(
            f"<{tag}>{part}</{tag}>" if number % 2 else part for number, part in enumerate(parts)
        )
    return escaped


def breakable(name: str) -> str:
    """Return a long name as HTML that may be broken at its joints."""
    said = html.escape(name)
    for joint in ("-", "+"):
        said = said.replace(joint, f"{joint}<wbr>")
    return said


def id_attribute(text: str) -> str:
    """Return *text* as the value of an ``id``: no spaces and quotes."""
    return html.escape(text.replace(" ", "-"), quote=True)


def percent(rate: Estimate) -> str:
    """Return a rate as ``41.0 [34.4, 47.9]``."""
    return f"{100 * rate.value:.1f} {percent_interval(rate)}"


def percent_interval(rate: Estimate) -> str:
    """Return the interval of a rate as ``[34.4, 47.9]``."""
    return f"[{100 * rate.low:.1f}, {100 * rate.high:.1f}]"


def points(difference: Estimate) -> str:
    """Return a difference of rates as ``+12.5 [+4.0, +21.0]``."""
    return f"{100 * difference.value:+.1f} {points_interval(difference)}"


def points_interval(difference: Estimate) -> str:
    """Return the interval of a difference as ``[+4.0, +21.0]``."""
    return f"[{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]"
