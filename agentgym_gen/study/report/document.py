"""A small document model: blocks that render themselves as HTML and as Markdown.

A report is written once, as blocks; a block has the same content in both forms. Figures that scale
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
    """The heading of a section."""

    text: str
    """The title of the section."""
    anchor: str
    """The name that links lead to."""

    def to_html(self) -> str:
        """Return the block as HTML."""
        return f'<h2 id="{id_attribute(self.anchor)}">{html.escape(self.text)}</h2>'

    def to_markdown(self) -> str:
        """Return the block as Markdown."""
        return f"## {self.text}"


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text, with ``**bold**`` words and code in backquotes."""

    text: str

    def to_html(self) -> str:
        """Return the block as HTML."""
        return f"<p>{inline_html(self.text)}</p>"

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
    """One cell of a table."""

    text: str
    """Its first line."""
    small: str = ""
    """A second line, such as the interval."""
    shade: float | None = None
    """Its colour, from -1 to 1: the sign decides which, the size how strong."""
    bold: bool = False
    """Whether it is set in bold."""
    framed: bool = False
    """Whether it has a frame, as held-in cells have."""
    grey: bool = False
    """Whether it is set in grey, as a number that says nothing is."""
    link: str = ""
    """The anchor that it links to."""

    def to_html(self) -> str:
        """Return the cell as a ``td``."""
        marks = (("sure", self.bold), ("own", self.framed), ("none", self.grey))
        classes = [css_class for css_class, on in marks if on]
        class_attribute = f' class="{" ".join(classes)}"' if classes else ""
        style = "" if self.shade is None else f' style="background:{colour(self.shade)}"'
        text = html.escape(self.text)
        if self.link:
            text = f'<a href="#{id_attribute(self.link)}">{text}</a>'
        small = f"<small>{html.escape(self.small)}</small>" if self.small else ""
        return f"<td{class_attribute}{style}>{text}{small}</td>"

    def to_markdown(self) -> str:
        """Return the cell as it stands between two bars."""
        text = f"{self.text} {self.small}".strip().replace("|", "\\|")
        text = f"**{text}**" if self.bold and text else text
        return f"{text} (held in)" if self.framed else text


def colour(shade: float) -> str:
    """Return a CSS colour for a number from -1 to 1, visible on white and on black.

    It is blue or orange: no kind of colour blindness takes one for the other.
    """
    # The exponent below 1 makes small numbers visible; 0.62 keeps text on the strongest readable.
    strength = min(1.0, abs(shade)) ** 0.7 * 0.62
    base = "37,110,220" if shade >= 0 else "226,110,20"
    return f"rgba({base},{strength:.2f})"


@dataclass(frozen=True)
class Table:
    """A table; its first column names the rows."""

    header: Sequence[str]
    """The names of all columns."""
    rows: Sequence[tuple[str, Sequence[TableCell]]]
    """The name and the cells of each row."""
    caption: str = ""
    """The text below it."""
    css_class: str = ""
    """``heat`` for a heat map."""

    def to_html(self) -> str:
        """Return the block as HTML, in a frame that scrolls sideways on a narrow page."""
        head = "".join(f'<th scope="col">{breakable(name)}</th>' for name in self.header)
        body = "".join(
            f'<tr><th scope="row">{breakable(name)}</th>'
            + "".join(cell.to_html() for cell in cells)
            + "</tr>"
            for name, cells in self.rows
        )
        caption = f"<figcaption>{inline_html(self.caption)}</figcaption>" if self.caption else ""
        class_attribute = f' class="{self.css_class}"' if self.css_class else ""
        return (
            f'<figure><div class="scroll" tabindex="0"><table{class_attribute}><thead>'
            f"<tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{caption}</figure>"
        )

    def to_markdown(self) -> str:
        """Return the block as Markdown."""
        lines = [f"| {' | '.join(self.header)} |", f"|{'---|' * len(self.header)}"]
        for name, cells in self.rows:
            texts = [name.replace("|", "\\|"), *(cell.to_markdown() for cell in cells)]
            lines.append(f"| {' | '.join(texts)} |")
        return "\n".join([*lines, *(["", self.caption] if self.caption else [])])


@dataclass(frozen=True)
class Forest:
    """A forest plot: estimates below each other, each a dot with its interval on a common scale."""

    rows: Sequence[tuple[str, Estimate]]
    """The name and the estimate of each row."""
    caption: str
    """The text below it."""
    low: float
    """The lower end of the scale."""
    high: float
    """The upper end of the scale."""
    zero: bool = True
    """Whether a line marks zero."""
    signed: bool = True
    """Whether the numbers are differences, with a sign, or rates."""
    bold: bool = True
    """Whether a difference whose interval excludes zero is set in bold and in colour."""

    def to_html(self) -> str:
        """Return the block as HTML."""
        body = "".join(self._row(name, estimate) for name, estimate in self.rows)
        caption = f"<figcaption>{inline_html(self.caption)}</figcaption>"
        return f'<figure class="forest">{body}{caption}</figure>'

    def _row(self, name: str, e: Estimate) -> str:
        left, right, dot = (self._position(x) for x in (e.low, e.high, e.value))
        sign = "sure pos" if e.low > 0 else "sure neg" if e.high < 0 else "unsure"
        sign = sign if self.bold else "unsure"
        axis = f'<i class="axis" style="left:{self._position(0):.1f}%"></i>' if self.zero else ""
        return (
            f'<div class="row {sign if self.signed else "plain"}"><span class="name">'
            f'{breakable(name)}</span><span class="track">{axis}'
            f'<i class="span" style="left:{left:.1f}%;width:{max(0.5, right - left):.1f}%"></i>'
            f'<i class="dot" style="left:{dot:.1f}%"></i></span>'
            f'<span class="value">{html.escape(self._number(e))}</span></div>'
        )

    def _position(self, x: float) -> float:
        """Return the distance of *x* from the left end, in percent of the scale."""
        return 100 * min(1.0, max(0.0, (x - self.low) / (self.high - self.low)))

    def _number(self, e: Estimate) -> str:
        return points(e) if self.signed else percent(e)

    def to_markdown(self) -> str:
        """Return the block as Markdown."""
        lines = ["| | estimate |", "|---|---|"]
        lines += [f"| {name} | {self._number(estimate)} |" for name, estimate in self.rows]
        return "\n".join([*lines, "", self.caption])


@dataclass(frozen=True)
class Figure:
    """Small pictures side by side."""

    name: str
    """The first part of the names of its files in the folder of figures, for Markdown."""
    panels: Sequence[str]
    """The pictures, each an SVG element."""
    caption: str
    """The text below them."""

    def to_html(self) -> str:
        """Return the block as HTML."""
        body = "".join(self.panels)
        return (
            f'<figure><div class="panels">{body}</div>'
            f"<figcaption>{inline_html(self.caption)}</figcaption></figure>"
        )

    def to_markdown(self) -> str:
        """Return the block as Markdown; the pictures are files beside the page."""
        links = " ".join(
            f"![{self.name} {number}](figures/{self.name}-{number}.svg)"
            for number in range(1, len(self.panels) + 1)
        )
        return f"{links}\n\n{self.caption}"


@dataclass(frozen=True)
class RawHtml:
    """A block whose HTML and Markdown are written out."""

    markup: str
    """Its HTML."""
    markdown: str = ""
    """Its Markdown."""

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
    """Its title."""
    blocks: list[Block] = field(default_factory=list)
    """Its blocks, in their order."""

    def markdown(self) -> str:
        """Return the document as Markdown."""
        parts = [block.to_markdown() for block in self.blocks]
        return "\n\n".join([f"# {self.title}", *filter(None, parts)]) + "\n"

    def headings(self) -> list[Heading]:
        """Return the headings, for a table of contents."""
        return [block for block in self.blocks if isinstance(block, Heading)]


def inline_html(text: str) -> str:
    """Return *text* as HTML: between ``**`` in bold, between backquotes as code."""
    escaped = html.escape(text, quote=False)
    for mark, tag in (("**", "b"), ("`", "code")):
        # Every second part stands between two marks.
        parts = escaped.split(mark)
        escaped = "".join(
            f"<{tag}>{part}</{tag}>" if number % 2 else part for number, part in enumerate(parts)
        )
    return escaped


def breakable(name: str) -> str:
    """Return *name* as HTML that may be broken into lines after ``-`` and ``+``."""
    text = html.escape(name)
    for joint in ("-", "+"):
        text = text.replace(joint, f"{joint}<wbr>")
    return text


def id_attribute(text: str) -> str:
    """Return *text* as the value of an ``id`` attribute: without spaces and quotes."""
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
