"""A hook of mkdocs: links that are others on the site than in the repository.

`docs/changelog.md` and `docs/contributing.md` only name files at the root, whose links lead from
there to `docs/`. On the site the same pages stand side by side. The page of a notebook gets a link
that opens it in Colab, as soon as ``repo_url`` in `mkdocs.yml` says where the repository is: Colab
reads notebooks of public repositories on GitHub.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

COLAB = "https://colab.research.google.com/github"


def on_page_markdown(
    markdown: str,
    page: Any = None,  # noqa: ANN401  (a page of mkdocs)
    config: Mapping[str, Any] | None = None,
    **_: object,
) -> str:
    """Return *markdown*, or the file of the root that it names, with links for the site."""
    name = re.fullmatch(r'--8<-- "([A-Z]+\.md)"\s*', markdown)
    if name is not None:
        return (ROOT / name[1]).read_text(encoding="utf-8").replace("](docs/", "](")
    source = page.file.src_uri if page is not None else ""
    notebook = ROOT / "docs" / source.replace(".md", ".ipynb")
    repository = re.fullmatch(
        r"https://github\.com/([\w.-]+/[\w.-]+?)/?", str((config or {}).get("repo_url") or "")
    )
    if notebook.suffix != ".ipynb" or not notebook.is_file() or repository is None:
        return markdown
    address = f"{COLAB}/{repository[1]}/blob/main/docs/{source.replace('.md', '.ipynb')}"
    title, _, rest = markdown.partition("\n\n")
    return f"{title}\n\n[Open in Colab]({address})\n\n{rest}"
