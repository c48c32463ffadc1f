"""Record how Lucene ranks WebShop's 1,000 products, for tests without Java.

    python -m tools.webshop_golden anserini-0.22.1-fatjar.jar <folder with WebShop's small set>

Needs Java and ``pip install jpype1``; the jar is in ``pip download --no-deps pyserini==0.22.1``.
The index is built as WebShop's ``run_indexing.sh`` builds it, from documents as its
``convert_product_file_format.py`` writes them. Queries are the products' own words, as the
reference measurement had them; products are written as their places in the file and queries as
hashes, so that no text of a product gets into this project.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from agentgym_gen.envs.webshop import official
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.system.files import write_text

GOLDEN = Path(__file__).parents[1] / "tests" / "envs" / "golden" / "webshop_lucene.json"
EVERY = 5
"""Which of the queries are kept."""


def main(jar: str, folder: str) -> None:
    """Build the index, rank, and write the golden file."""
    files = official.find_files(Path(folder), official.SMALL_SET_SIZE)
    read = list(official.read_products(files, official.SMALL_SET_SIZE))
    places = {product.asin: place for place, (product, _) in enumerate(read)}
    rank = _lucene(jar, [product for product, _ in read])
    lines = [
        json.dumps([kind, places[asin], digest(query), [places[found] for found in rank(query)]])
        for kind, asin, query in list(queries(read))[::EVERY]
    ]
    write_text(GOLDEN, "[\n" + ",\n".join(lines) + "\n]\n")


def queries(read: list[tuple[Product, official.RawRecord]]) -> Iterator[tuple[str, str, str]]:
    """Yield what is asked for: its kind, the product whose words it is, and the words."""
    for product, _ in read[:400]:
        yield "query", product.asin, product.query
    for product, _ in read[:300]:
        yield "title", product.asin, product.title.lower()[:90]
    for product, about in read:
        if about.get("instruction"):
            yield "instruction", product.asin, about["instruction"].lower()


def digest(query: str) -> str:
    """Return the hash by which a query is known."""
    return hashlib.sha256(query.encode()).hexdigest()[:8]


def _lucene(jar: str, products: list[Product]) -> Callable[[str], list[str]]:
    """Return a function from a query to the numbers of the 50 products that Lucene finds."""
    import jpype

    folder = Path(tempfile.mkdtemp())
    (folder / "in").mkdir()
    documents = (json.dumps({"id": p.asin, "contents": p.index_text}) for p in products)
    (folder / "in" / "docs.jsonl").write_text("\n".join(documents), encoding="utf-8")
    indexing = ["java", "-cp", jar, "io.anserini.index.IndexCollection"]
    indexing += ["-collection", "JsonCollection", "-generator", "DefaultLuceneDocumentGenerator"]
    indexing += ["-input", str(folder / "in"), "-index", str(folder / "index"), "-threads", "1"]
    indexing += ["-storePositions", "-storeDocvectors", "-storeRaw"]
    subprocess.run(indexing, check=True, capture_output=True)
    jpype.startJVM(classpath=[jar])
    searcher = jpype.JClass("io.anserini.search.SimpleSearcher")(str(folder / "index"))
    return lambda query: [str(hit.docid) for hit in searcher.search(query, 50)]


if __name__ == "__main__":
    main(*sys.argv[1:])
