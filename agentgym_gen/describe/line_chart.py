"""Line charts as small SVG pictures, readable on white and on black.

It draws lines and nothing else: what a value means is the caller's business. A picture is a tree of
elements until it is written, so that no name can become markup.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from agentgym_gen.describe.printable import printable_line

WIDTH, HEIGHT = 360, 250
LEFT, RIGHT, TOP, BOTTOM = 38, 10, 30, 30
"""The margins around the lines."""

TITLE_WIDTH, TITLE_LINE = 54, 14
"""How many letters a line of the title has, and the distance of two lines."""

COLOURS = ("#3b82f6", "#e8710a", "#12a150", "#c2418f", "#8b6df0", "#8a8a1c", "#0ea5b7", "#d6455d")
"""A colour for each line; further lines repeat them, dashed."""

STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#333}.grid{stroke:#8884}.legend{font-size:10px}"
    ".title{font-weight:600}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}}"
)
"""The style of a picture that stands alone; in a page, the page's own style comes after it."""


Element = ElementTree.Element


class Svg(str):
    """An SVG element; `__html__` says to a template that it is markup, and no text to escape."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return the element."""
        return str(self)


@dataclass(frozen=True)
class LineSeries:
    """One line of a chart."""

    name: str
    """Its name in the legend."""
    xs: Sequence[float]
    """The horizontal places of its points."""
    ys: Sequence[float]
    """The values of its points."""
    intervals: Sequence[tuple[float, float]] = ()
    """The ends of the interval at each point; empty draws none."""
    colour: int = 0
    """The index of its colour in `COLOURS`."""


@dataclass(frozen=True)
class LineChart:
    """A chart of lines; the vertical axis is in percent unless *percent* is false."""

    title: str
    lines: Sequence[LineSeries]
    ticks: Sequence[tuple[float, str]]
    """The places on the horizontal axis that have a label."""
    top: float = 1.0
    """The upper end of the vertical axis."""
    bottom: float = 0.0
    """The lower end of the vertical axis."""
    percent: bool = True
    """Whether the labels of the vertical axis are percent, or the values themselves."""

    def svg(self) -> Svg:
        """Return the picture."""
        picture = _element("svg", xmlns="http://www.w3.org/2000/svg", role="img")
        titles = textwrap.wrap(printable_line(self.title), TITLE_WIDTH) or [""]
        above = TITLE_LINE * (len(titles) - 1)  # a long title grows upwards
        picture.set("viewBox", f"0 {-above} {WIDTH} {HEIGHT + above}")
        picture.set("aria-label", printable_line(self.title))
        picture.append(_element("style", STYLE))
        for number, title in enumerate(titles):
            y = f"{14 - above + TITLE_LINE * number}"
            picture.append(_element("text", title, x="8", y=y, **{"class": "title"}))
        picture.extend(self._draw_axes())
        for line in self.lines:
            picture.extend(self._draw_line(line))
        picture.extend(self._draw_legend())
        return Svg(ElementTree.tostring(picture, encoding="unicode"))

    def _draw_axes(self) -> Iterator[Element]:
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            value = self.bottom + share * (self.top - self.bottom)
            label = f"{100 * value:.0f}" if self.percent else f"{value:.3g}"
            y = self._y(value)
            ends = {"x1": f"{LEFT}", "x2": f"{WIDTH - RIGHT}", "y1": f"{y:.1f}", "y2": f"{y:.1f}"}
            yield _element("line", **{"class": "grid"}, **ends)
            place = {"x": f"{LEFT - 5}", "y": f"{y + 4:.1f}", "text-anchor": "end"}
            yield _element("text", label, **place)
        for tick, name in self.ticks:
            x = self._x(tick)
            # Labels at the ends are aligned inwards, so that they are not cut off.
            anchor = "start" if x < LEFT + 30 else "end" if x > WIDTH - 60 else "middle"
            place = {"x": f"{x:.1f}", "y": f"{HEIGHT - 12}", "text-anchor": anchor}
            yield _element("text", _shorten(name, 18), **place)

    def _draw_line(self, line: LineSeries) -> Iterator[Element]:
        colour = COLOURS[line.colour % len(COLOURS)]
        points = [(self._x(x), self._y(y)) for x, y in zip(line.xs, line.ys, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        polyline = _element("polyline", points=path, fill="none", stroke=colour)
        polyline.set("stroke-width", "2")
        if line.colour >= len(COLOURS):
            polyline.set("stroke-dasharray", "5 3")
        polyline.append(_element("title", line.name))
        yield polyline
        for (low, high), (x, y) in zip(line.intervals, points, strict=False):
            bar = {"x1": f"{x:.1f}", "x2": f"{x:.1f}"}
            bar |= {"y1": f"{self._y(low):.1f}", "y2": f"{self._y(high):.1f}", "stroke": colour}
            yield _element("line", **bar, **{"stroke-opacity": ".45", "stroke-width": "3"})
            yield _element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="3", fill=colour)

    def _draw_legend(self) -> Iterator[Element]:
        lines = {line.name: line for line in self.lines}
        if len(lines) < 2:
            return
        x = float(LEFT)
        for name, line in lines.items():
            label = _shorten(name, 20)
            colour = COLOURS[line.colour % len(COLOURS)]
            yield _element("circle", cx=f"{x + 4:.0f}", cy="23", r="3.5", fill=colour)
            yield _element("text", label, x=f"{x + 11:.0f}", y="27", **{"class": "legend"})
            x += 20 + 5.2 * len(label)  # about 5.2 pixels a letter

    def _x(self, value: float) -> float:
        values = [x for line in self.lines for x in line.xs]
        low, high = min(values, default=0.0), max(values, default=1.0)
        share = (value - low) / (high - low) if high > low else 0.5
        return LEFT + 8 + share * (WIDTH - LEFT - RIGHT - 16)

    def _y(self, value: float) -> float:
        share = min(1.0, max(0.0, (value - self.bottom) / (self.top - self.bottom)))
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM - 10)


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _element(tag: str, text: str = "", /, **attributes: str) -> Element:
    """Return an element; control characters of its *text* are shown, since XML has none."""
    element = Element(tag, attributes)
    element.text = printable_line(text) or None
    return element
