"""The files of the page: one template, one style, one script, and what a browser may do with them.

The policy allows scripts and styles from the page's own place and nothing else, and a script's
address only where the page's own function has made it. Texts of episodes are put into the page as
text.
"""

from __future__ import annotations

from importlib import resources

from agentgym_gen.study.report.markup import render_from

__all__ = ["FILES", "PAGE", "page_files", "policy"]

PAGE = "index.html"
"""The file of the page."""

PACKAGE = "agentgym_gen.viewer"

FILES = ("viewer.css", "viewer.js")
"""The files beside it."""


def page_files(title: str) -> dict[str, str]:
    """Return the texts of the page's files, by their names.

    Args:
        title: What stands in the title of the page.

    Raises:
        MissingExtraError: if jinja2 is not installed.
    """
    folder = resources.files(PACKAGE) / "page"
    page = str(render_from(PACKAGE, "page", PAGE, title=title, policy=policy("'self' file:")))
    return {PAGE: page + "\n"} | {
        name: (folder / name).read_text(encoding="utf-8") for name in FILES
    }


def policy(own: str = "'self'") -> str:
    """Return the Content-Security-Policy of the page.

    Args:
        own: Where its scripts and styles are from.
    """
    rules = (
        "default-src 'none'",
        f"script-src {own}",
        f"style-src {own}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types viewer",
    )
    return "; ".join(rules)
