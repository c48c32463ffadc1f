"""A small document model: blocks that render themselves as HTML and as Markdown.

A report is written once, as blocks; a block has the same content in both forms. In both, every text
is escaped by the block that holds it: a value from a file cannot become markup. Figures that scale
with the page are HTML (`Forest`) or inline SVG (`Figure`); Markdown gets a table or a link to the
SVG.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agentgym_gen.study.analysis.statistics import Estimate
from agentgym_gen.study.report.csv_text import csv_text
from agentgym_gen.study.report.inline import (
    escape_line_start,
    escape_markdown,
    inline_markdown,
    parse_inline,
)
from agentgym_gen.study.report.markup import Html, check_html, render

TICK_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""The distances between two labels of a forest plot."""

SHADES = 20
"""How many shades of each colour the cells of a heat map have."""


class Block(Protocol):
    """A part of a document."""

    def to_html(self) -> Html:
        """Return the block as HTML."""

    def to_markdown(self) -> str:
        """Return the block as Markdown."""


@dataclass(frozen=True)
class Heading:
    """The heading of a section."""

    text: str
    """The title of the section."""
    anchor: str = ""
    """The name that links lead to."""
    level: int = 2
    """2 for a section, 3 for a part of one."""

    def to_html(self) -> Html:
        """Return the block as HTML."""
        return render("heading.html", text=self.text, anchor=self.anchor, level=self.level)

    def to_markdown(self) -> str:
        """Return the block as Markdown."""
        return f"{'#' * self.level} {escape_markdown(self.text)}"


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text, with ``**bold**`` words and code in backquotes.

    A text that is not ours goes through `agentgym_gen.study.report.inline.literal` first, or its
    stars and backquotes count.
    """

    text: str

    def to_html(self) -> Html:
        """Return the block as HTML."""
        return render("text.html", spans=parse_inline(self.text))

    def to_markdown(self) -> str:
        """Return the block as Markdown."""
        return escape_line_start(inline_markdown(self.text))


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: Sequence[str]

    def to_html(self) -> Html:
        """Return the block as HTML."""
        return render("bullets.html", items=[parse_inline(item) for item in self.items])

    def to_markdown(self) -> str:
        """Return the block as Markdown."""
        return "\n".join(f"- {escape_line_start(inline_markdown(item))}" for item in self.items)


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

    def to_html(self) -> Html:
        """Return the cell as a ``td``."""
        classes = [
            c for c, on in (("sure", self.bold), ("own", self.framed), ("none", self.grey)) if on
        ]
        classes += [] if self.shade is None else [shade_class(self.shade)]
        return render(
            "table_cell.html",
            classes=" ".join(classes),
            link=self.link,
            text=self.text,
            small=self.small,
        )

    def to_markdown(self) -> str:
        """Return the cell as it stands between two bars."""
        text = escape_markdown(f"{self.text} {self.small}".strip())
        text = f"**{text}**" if self.bold and text else text
        return f"{text} (held in)" if self.framed else text


def shade_class(shade: float) -> str:
    """Return the CSS class of a number from -1 to 1: ``up7`` or ``down20``, by its size."""
    number = round(min(1.0, abs(shade)) * SHADES)
    return f"{'up' if shade >= 0 else 'down'}{number}"


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

    def to_html(self) -> Html:
        """Return the block as HTML, in a frame that scrolls sideways on a narrow page."""
        return render(
            "table.html",
            css_class=self.css_class,
            header=self.header,
            rows=[(name, [cell.to_html() for cell in cells]) for name, cells in self.rows],
            caption=parse_inline(self.caption),
            csv=self.to_csv(),
        )

    def to_csv(self) -> str:
        """Return the table as CSV; the second lines of a column are a column of their own."""
        has_small = [any(cells[n].small for _, cells in self.rows) for n in range(self._width())]
        header = [self.header[0]]
        for name, is_double in zip(self.header[1:], has_small, strict=True):
            header += [name, f"{name}, below"] if is_double else [name]
        lines = [header]
        for name, cells in self.rows:
            line = [name]
            for cell, is_double in zip(cells, has_small, strict=True):
                line += [cell.text, cell.small] if is_double else [cell.text]
            lines.append(line)
        return csv_text(lines)

    def _width(self) -> int:
        return len(self.header) - 1

    def to_markdown(self) -> str:
        """Return the block as Markdown."""
        lines = [
            f"| {' | '.join(map(escape_markdown, self.header))} |",
            f"|{'---|' * len(self.header)}",
        ]
        for name, cells in self.rows:
            texts = [escape_markdown(name), *(cell.to_markdown() for cell in cells)]
            lines.append(f"| {' | '.join(texts)} |")
        caption = ["", Text(self.caption).to_markdown()] if self.caption else []
        return "\n".join([*lines, *caption])


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

    def to_html(self) -> Html:
        """Return the block as HTML."""
        rows = [self._row(name, estimate) for name, estimate in self.rows]
        ticks = [(f"{self._position(x):.1f}", self._tick(x)) for x in self.ticks()]
        unit = "points" if self.signed else "percent"
        caption = parse_inline(self.caption)
        return render(
            "forest.html",
            rows=rows,
            ticks=ticks,
            unit=unit,
            caption=caption,
            csv=self.to_csv(),
        )

    def to_csv(self) -> str:
        """Return the estimates as CSV, in percent or points."""
        numbers = [
            (name, *(f"{100 * x:.2f}" for x in (e.value, e.low, e.high))) for name, e in self.rows
        ]
        return csv_text([("", "value", "low", "high"), *numbers])

    def ticks(self) -> list[float]:
        """Return the round numbers on the scale that have a label: from two to seven of them.

        >>> Forest([], "", -0.33, 0.33).ticks()
        [-0.2, 0.0, 0.2]
        """
        step = next(step for step in TICK_STEPS if (self.high - self.low) / step <= 6)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(number * step, 3) for number in range(first, last + 1)]

    def _tick(self, x: float) -> str:
        return f"{100 * x:+.0f}" if self.signed and x else f"{100 * x:.0f}"

    def _row(self, name: str, e: Estimate) -> dict[str, str | None]:
        left, right, dot = (self._position(x) for x in (e.low, e.high, e.value))
        sign = "sure pos" if e.low > 0 else "sure neg" if e.high < 0 else "unsure"
        sign = sign if self.bold else "unsure"
        return {
            "name": name,
            "css_class": sign if self.signed else "plain",
            "axis": f"{self._position(0):.1f}" if self.zero else None,
            "left": f"{left:.1f}",
            "width": f"{max(0.5, right - left):.1f}",
            "dot": f"{dot:.1f}",
            "value": self._number(e),
        }

    def _position(self, x: float) -> float:
        """Return the distance of *x* from the left end, in percent of the scale."""
        return 100 * min(1.0, max(0.0, (x - self.low) / (self.high - self.low)))

    def _number(self, e: Estimate) -> str:
        return points(e) if self.signed else percent(e)

    def to_markdown(self) -> str:
        """Return the block as Markdown."""
        rows = [(name, [TableCell(self._number(estimate))]) for name, estimate in self.rows]
        return Table(["", "estimate"], rows, self.caption).to_markdown()


@dataclass(frozen=True)
class Figure:
    """Small pictures side by side.

    Raises:
        InvalidValueError: if a panel is a text, which might hold anything.
    """

    name: str
    """The first part of the names of its files in the folder of figures, for Markdown."""
    panels: Sequence[Html]
    """The pictures, each an SVG element: what `LineChart.svg` returns."""
    caption: str
    """The text below them."""

    def __post_init__(self) -> None:
        """Check the panels."""
        for panel in self.panels:
            check_html(panel)

    def to_html(self) -> Html:
        """Return the block as HTML."""
        return render("figure.html", panels=self.panels, caption=parse_inline(self.caption))

    def to_markdown(self) -> str:
        """Return the block as Markdown; the pictures are files beside the page."""
        links = " ".join(
            f"![{self.name} {number}](figures/{self.name}-{number}.svg)"
            for number in range(1, len(self.panels) + 1)
        )
        return f"{links}\n\n{Text(self.caption).to_markdown()}"


@dataclass(frozen=True)
class RawHtml:
    """A block with HTML of its own, which a template has made, and its Markdown.

    Raises:
        InvalidValueError: if the HTML is a text, which might hold anything.
    """

    markup: Html | None
    """Its HTML, from `agentgym_gen.study.report.markup.render`; None if the page has none."""
    markdown: str | Sequence[Block] = ""
    """Its Markdown: a paragraph as in `Text`, or blocks."""

    def __post_init__(self) -> None:
        """Check that the HTML is HTML."""
        if self.markup is not None:
            check_html(self.markup)

    def to_html(self) -> Html:
        """Return the block as HTML."""
        return render("nothing.html") if self.markup is None else self.markup

    def to_markdown(self) -> str:
        """Return the block as Markdown."""
        if isinstance(self.markdown, str):
            return Text(self.markdown).to_markdown()
        return join_markdown(self.markdown)


@dataclass(frozen=True)
class Document:
    """A report."""

    title: str
    """Its title."""
    blocks: list[Block] = field(default_factory=list)
    """Its blocks, in their order."""
    summary: Sequence[str] = ()
    """What it says in short, as sentences without marks."""

    def markdown(self) -> str:
        """Return the document as Markdown."""
        return join_markdown([Heading(self.title, level=1), *self.blocks]) + "\n"

    def headings(self) -> list[Heading]:
        """Return the headings, for a table of contents."""
        return [block for block in self.blocks if isinstance(block, Heading)]


def join_markdown(blocks: Sequence[Block]) -> str:
    """Return the Markdown of *blocks*, with a blank line between two of them."""
    return "\n\n".join(filter(None, (block.to_markdown() for block in blocks)))


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
