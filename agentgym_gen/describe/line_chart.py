"""Line charts as small SVG pictures, readable on white and on black.

It draws lines and nothing else: what a value means is the caller's business.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 360, 250
LEFT, RIGHT, TOP, BOTTOM = 38, 10, 30, 30
"""The margins around the lines."""

COLOURS = ("#3b82f6", "#e8710a", "#12a150", "#c2418f", "#8b6df0", "#8a8a1c", "#0ea5b7", "#d6455d")
"""A colour for each line; further lines repeat them, dashed."""

STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#333}.grid{stroke:#8884}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}}"
)
"""The style of a picture that stands alone; in a page, the page's own style comes after it."""


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

    def svg(self) -> str:
        """Return the picture."""
        title = html.escape(_shorten(self.title, 52))
        parts = [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                f'role="img" '
                f'aria-label="{html.escape(self.title, quote=True)}"><style>{STYLE}</style>'
            ),
            f'<text x="{LEFT}" y="14" font-weight="600">{title}</text>',
            *self._draw_axes(),
            *(mark for line in self.lines for mark in self._draw_line(line)),
            *self._draw_legend(),
            "</svg>",
        ]
        return "".join(parts)

    def _draw_axes(self) -> list[str]:
        marks = []
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            value = self.bottom + share * (self.top - self.bottom)
            label = f"{100 * value:.0f}" if self.percent else f"{value:.3g}"
            y = self._y(value)
            marks.append(
                f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">'
                f"{label}</text>"
            )
        for tick, name in self.ticks:
            x = self._x(tick)
            # Labels at the ends are aligned inwards, so that they are not cut off.
            anchor = "start" if x < LEFT + 30 else "end" if x > WIDTH - 60 else "middle"
            marks.append(
                f'<text x="{x:.1f}" y="{HEIGHT - 12}" text-anchor="{anchor}">'
                f"{html.escape(_shorten(name, 18))}</text>"
            )
        return marks

    def _draw_line(self, line: LineSeries) -> list[str]:
        colour = COLOURS[line.colour % len(COLOURS)]
        dash = ' stroke-dasharray="5 3"' if line.colour >= len(COLOURS) else ""
        points = [(self._x(x), self._y(y)) for x, y in zip(line.xs, line.ys, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        marks = [
            (
                f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}>'
                f"<title>{html.escape(line.name)}</title></polyline>"
            )
        ]
        for (low, high), (x, y) in zip(line.intervals, points, strict=False):
            marks.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{self._y(low):.1f}" y2="{self._y(high):.1f}" '
                f'stroke="{colour}" stroke-opacity=".45" stroke-width="3"/>'
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
            )
        return marks

    def _draw_legend(self) -> list[str]:
        marks, x = [], float(LEFT)
        lines = {line.name: line for line in self.lines}
        if len(lines) < 2:
            return []
        for name, line in lines.items():
            label = _shorten(name, 20)
            colour = COLOURS[line.colour % len(COLOURS)]
            marks.append(
                f'<circle cx="{x + 4:.0f}" cy="23" r="3.5" fill="{colour}"/>'
                f'<text x="{x + 11:.0f}" y="27" style="font-size:10px">{html.escape(label)}</text>'
            )
            x += 20 + 5.2 * len(label)  # about 5.2 pixels a letter
        return marks

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
