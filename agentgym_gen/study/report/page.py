"""The HTML page around a document: one file, no request to anywhere, light and dark, any width.

Its Content-Security-Policy allows the script and the styles of the page by their hashes and nothing
else, so that a browser would run no script that came in by an error of ours.
"""

from __future__ import annotations

import base64
import hashlib

from agentgym_gen.describe.line_chart import STYLE as CHART_STYLE
from agentgym_gen.study.report.document import SHADES, Document, colour, shade_class
from agentgym_gen.study.report.markup import Html, own_html, render


def render_page(document: Document) -> str:
    """Return *document* as an HTML page that needs no other file.

    Raises:
        MissingExtraError: if jinja2 is not installed.
    """
    style = render("style.html", css=own_html("page.css"), shades=_shades())
    script = own_html("page.js")
    page = render(
        "page.html",
        policy=_policy(script, (style, CHART_STYLE)),
        title=document.title,
        style=style,
        script=script,
        headings=[heading for heading in document.headings() if heading.anchor],
        blocks=[block.to_html() for block in document.blocks],
    )
    return str(page)


def _shades() -> list[tuple[str, str]]:
    """Return the CSS class and the colour of every shade of a heat map."""
    shades = [sign * number / SHADES for number in range(SHADES + 1) for sign in (1, -1)]
    return [(shade_class(shade), colour(shade)) for shade in shades]


def _policy(script: Html, styles: tuple[Html | str, ...]) -> str:
    """Return the Content-Security-Policy of a page with this *script* and these *styles*."""
    rules = (
        "default-src 'none'",
        f"script-src {_hash_source(script)}",
        f"style-src {' '.join(map(_hash_source, styles))}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def _hash_source(text: Html | str) -> str:
    digest = hashlib.sha256(str(text).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
