"""Draw the seven environments side by side: ``python -m tools.gallery_picture``.

Each card has the beginning of an episode: what is observed, what the expert does, and what is
observed then. The eighth card has the task of one of the seven through another interface. A test
compares the picture with the environments of today.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import BUNDLED
from agentgym_gen.world import TaskId

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "environments.svg"

CARDS = (
    ("ALFWorld", "alfworld/easy/test/9", ""),
    ("WebShop", "webshop/easy/test/7", ""),
    ("SearchQA", "searchqa/medium/test/7", ""),
    ("TextWorld", "textworld/easy/test/0", ""),
    ("TextCraft", "textcraft/easy/test/5", ""),
    ("BabyAI", "babyai/easy/test/7", ""),
    ("Sokoban", "sokoban/easy/test/7", ""),
    ("Sokoban, renamed", "sokoban/easy/test/7", "renamed"),
)
"""The title of each card, its task, and its interface."""

COLUMNS, CHARS = 2, 54
BEFORE, AFTER = 9, 6
"""How many lines are shown of the first observation and of the second."""

GOAL_AT_THE_END = ("TextCraft",)
"""The cards whose first observation is shown from its end."""

LINE, FONT, CHAR_WIDTH = 17, 13, 7.85
CARD_WIDTH, CARD_HEIGHT, GAP = 448, 354, 16

FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"

Line = tuple[str, str]
"""A line of text and its colour."""

TEXT, ACTION, TITLE, SMALL = "#e4e8ea", "#8fd6a0", "#f2c879", "#9aa5ab"


def picture() -> str:
    """Return the picture as SVG."""
    rows = -(-len(CARDS) // COLUMNS)
    width = COLUMNS * CARD_WIDTH + (COLUMNS + 1) * GAP
    height = rows * CARD_HEIGHT + (rows + 1) * GAP
    title = "The seven environments, each at the beginning of an episode"
    font = f'font-family="{FONTS}" font-size="{FONT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {font}>',
        f"  <title>{title}</title>",
    ]
    for number, (name, task, interface) in enumerate(CARDS):
        x = GAP + number % COLUMNS * (CARD_WIDTH + GAP)
        y = GAP + number // COLUMNS * (CARD_HEIGHT + GAP)
        parts += _card(x, y, name, task, list(_lines(name, task, interface)))
    return "\n".join([*parts, "</svg>", ""])


def _card(x: int, y: int, name: str, task: str, lines: Sequence[Line]) -> Iterator[str]:
    yield (
        f'  <rect x="{x}" y="{y}" width="{CARD_WIDTH}" height="{CARD_HEIGHT}" rx="10" '
        'fill="#1d2529"/>'
    )
    yield _text(x + 14, y + 26, name, TITLE, ' font-weight="600"')
    yield _text(x + CARD_WIDTH - 14, y + 26, task, SMALL, ' text-anchor="end"')
    for number, (line, colour) in enumerate(lines):
        if line:
            yield _text(x + 14, y + 54 + number * LINE, line, colour)


def _text(x: float, y: float, text: str, colour: str, more: str = "") -> str:
    # The length makes another font as wide as the one that was measured.
    length = f' textLength="{len(text) * CHAR_WIDTH:.1f}" lengthAdjust="spacingAndGlyphs"'
    return (
        f'  <text x="{x}" y="{y}" fill="{colour}" xml:space="preserve"{length}{more}>'
        f"{escape(text)}</text>"
    )


def _lines(name: str, task: str, interface: str) -> Iterator[Line]:
    """Yield the first observation of *task*, the expert's action, and the next observation."""
    parsed = TaskId.parse(task)
    environment = next(bundled for bundled in BUNDLED if bundled.name.lower() == parsed.env)
    options = {"interface": interface} if interface else {}
    env = make_text_env(environment.id(parsed.tier), parsed.split, options)
    observation, _ = env.reset(options={"task_id": task})
    action = env.expert_action() or ""
    shorten = _shorten_front if name in GOAL_AT_THE_END else _shorten
    yield from ((line, TEXT) for line in shorten(observation, BEFORE))
    yield "", TEXT
    yield _shorten(f"> {action}", 1)[0], ACTION
    yield "", TEXT
    yield from ((line, TEXT) for line in _shorten(env.step(action)[0], AFTER))


def _shorten(text: str, number: int) -> list[str]:
    """Return at most *number* lines of *text*, with an ellipsis where the end is left out."""
    lines = _wrap(text)
    return lines if len(lines) <= number else [*lines[: number - 1], f"{lines[number - 1]} ..."]


def _shorten_front(text: str, number: int) -> list[str]:
    """Return at most *number* lines of *text*, with an ellipsis where the beginning is left out."""
    lines = _wrap(text)
    return lines if len(lines) <= number else ["...", *lines[1 - number :]]


def _wrap(text: str) -> list[str]:
    """Return the lines of *text*, none too long, and never two empty ones after each other."""
    lines = [
        wrapped
        for line in text.strip().splitlines()
        for wrapped in (textwrap.wrap(line, CHARS - len(" ...")) or [""])
    ]
    return [line for line, before in zip(lines, ["", *lines], strict=False) if line or before]


def main() -> int:
    """Write the picture."""
    PICTURE.write_text(picture(), encoding="utf-8")
    print(f"written {PICTURE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
