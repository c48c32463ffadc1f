"""Line charts as small SVG pictures, that are read on white and on black."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 360, 250
LEFT, RIGHT, TOP, BOTTOM = 38, 10, 30, 30

COLOURS = ("#3b82f6", "#e8710a", "#12a150", "#c2418f", "#8b6df0", "#8a8a1c", "#0ea5b7", "#d6455d")
"""A colour for each line; with more lines they come again, dashed."""

STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#333}.grid{stroke:#8884}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}}"
)
"""The style of a picture that stands alone; in a page, the page's own comes after it."""


@dataclass(frozen=True)
class LineSeries:
    """One line of a chart."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    intervals: Sequence[tuple[float, float]] = ()
    """The ends of the interval at each place; empty draws none."""
    colour: int = 0
    """Which of `COLOURS`."""


@dataclass(frozen=True)
class LineChart:
    """A chart of lines from 0 to 100 percent."""

    title: str
    lines: Sequence[LineSeries]
    ticks: Sequence[tuple[float, str]]
    """The places on the horizontal axis that have a name."""
    top: float = 1.0
    """The upper end of the vertical axis."""

    def svg(self) -> str:
        """Return the picture."""
        parts = [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                f'role="img" '
                f'aria-label="{html.escape(self.title, quote=True)}"><style>{STYLE}</style>'
            ),
            f'<text x="{LEFT}" y="14" font-weight="600">{html.escape(_shorten(self.title, 52))}</text>',
            *self._frame(),
            *(mark for line in self.lines for mark in self._draw(line)),
            *self._legend(),
            "</svg>",
        ]
        return "".join(parts)

    def _frame(self) -> list[str]:
        marks = []
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            y = self._y(share * self.top)
            marks.append(
                f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">'
                f"{100 * share * self.top:.0f}</text>"
            )
        for x, name in self.ticks:
            place = self._x(x)
            anchor = "start" if place < LEFT + 30 else "end" if place > WIDTH - 60 else "middle"
            marks.append(
                f'<text x="{place:.1f}" y="{HEIGHT - 12}" text-anchor="{anchor}">'
                f"{html.escape(_shorten(name, 18))}</text>"
            )
        return marks

    def _draw(self, line: LineSeries) -> list[str]:
        colour = COLOURS[line.colour % len(COLOURS)]
        dash = ' stroke-dasharray="5 3"' if line.colour >= len(COLOURS) else ""
        places = [(self._x(x), self._y(y)) for x, y in zip(line.xs, line.ys, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        marks = [
            (
                f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}>'
                f"<title>{html.escape(line.name)}</title></polyline>"
            )
        ]
        for (low, high), (x, y) in zip(line.intervals, places, strict=False):
            marks.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{self._y(low):.1f}" y2="{self._y(high):.1f}" '
                f'stroke="{colour}" stroke-opacity=".45" stroke-width="3"/>'
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
            )
        return marks

    def _legend(self) -> list[str]:
        marks, x = [], float(LEFT)
        shown = {line.name: line for line in self.lines}
        if len(shown) < 2:
            return []
        for name, line in shown.items():
            told = _shorten(name, 20)
            colour = COLOURS[line.colour % len(COLOURS)]
            marks.append(
                f'<circle cx="{x + 4:.0f}" cy="23" r="3.5" fill="{colour}"/>'
                f'<text x="{x + 11:.0f}" y="27" style="font-size:10px">{html.escape(told)}</text>'
            )
            x += 20 + 5.2 * len(told)
        return marks

    def _x(self, x: float) -> float:
        places = [place for line in self.lines for place in line.xs]
        low, high = min(places, default=0.0), max(places, default=1.0)
        share = (x - low) / (high - low) if high > low else 0.5
        return LEFT + 8 + share * (WIDTH - LEFT - RIGHT - 16)

    def _y(self, y: float) -> float:
        share = min(1.0, max(0.0, y / self.top))
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM - 10)


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
