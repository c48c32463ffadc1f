"""A hook of mkdocs: pages that stand at the root of the repository, with the links of the site.

`docs/changelog.md` and `docs/contributing.md` only name their files, whose links lead from the root
to `docs/`. On the site the same pages stand side by side.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return *markdown*, or the file of the root that it names, with links for the site."""
    name = re.fullmatch(r'--8<-- "([A-Z]+\.md)"\s*', markdown)
    if name is None:
        return markdown
    return (ROOT / name[1]).read_text(encoding="utf-8").replace("](docs/", "](")
