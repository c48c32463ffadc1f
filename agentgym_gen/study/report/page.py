"""The HTML page around a document: one file, no request to anywhere, light and dark, any width."""

from __future__ import annotations

import html
from importlib import resources

from agentgym_gen.study.report.document import Document, id_attribute

SCRIPT = (
    "const o=()=>{const e=document.getElementById(decodeURIComponent(location.hash.slice(1)));"
    "if(e&&e.tagName==='DETAILS'){e.open=true;e.scrollIntoView()}};"
    "addEventListener('hashchange',o);o();"
)
"""Opens the conversation that a link leads to; without it, the reader opens it by hand."""


def render_page(document: Document) -> str:
    """Return *document* as an HTML page that needs no other file."""
    title = html.escape(document.title)
    links = "".join(
        f'<a href="#{id_attribute(heading.anchor)}">{html.escape(heading.text)}</a>'
        for heading in document.headings()
    )
    css = (resources.files("agentgym_gen.study.report") / "page.css").read_text(encoding="utf-8")
    body = "\n".join(filter(None, (block.to_html() for block in document.blocks)))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{title}</title><link rel="icon" href="data:,"><style>\n{css}</style></head>\n'
        f"<body><main><h1>{title}</h1><nav>{links}</nav>\n{body}\n</main>"
        f"<script>{SCRIPT}</script></body></html>\n"
    )
