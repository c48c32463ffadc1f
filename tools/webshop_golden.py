"""Record how Lucene ranks WebShop's 1,000 products, for tests without Java.

    python -m tools.webshop_golden anserini-0.22.1-fatjar.jar <folder with WebShop's small set>

Needs Java and ``pip install jpype1``; the jar is in ``pip download --no-deps pyserini==0.22.1``.
The index is built as WebShop's ``run_indexing.sh`` builds it, from documents as its
``convert_product_file_format.py`` writes them. Queries are the products' own words, as in the
reference measurement. Products are written as their positions in the file and queries as hashes, so
that no text of a product is in this project.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from agentgym_gen.envs.webshop.official import dataset
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.system.files import write_text

GOLDEN = Path(__file__).parents[1] / "tests" / "envs" / "golden" / "webshop_lucene.json"
EVERY = 5
"""One query of so many is in the golden file."""


def main(jar: str, folder: str) -> None:
    """Build the index, rank, and write the golden file."""
    files = dataset.find_files(Path(folder), dataset.SMALL_SET_SIZE)
    records = list(dataset.read_products(files, dataset.SMALL_SET_SIZE))
    positions = {product.asin: position for position, (product, _) in enumerate(records)}
    search = _lucene(jar, [product for product, _ in records])
    lines = [
        json.dumps(
            [kind, positions[asin], digest(query), [positions[hit] for hit in search(query)]]
        )
        for kind, asin, query in list(queries(records))[::EVERY]
    ]
    write_text(GOLDEN, "[\n" + ",\n".join(lines) + "\n]\n")


def queries(records: list[tuple[Product, dataset.RawRecord]]) -> Iterator[tuple[str, str, str]]:
    """Yield the queries: the kind of each, the product whose words it is, and its words."""
    for product, _ in records[:400]:
        yield "query", product.asin, product.query
    for product, _ in records[:300]:
        yield "title", product.asin, product.title.lower()[:90]
    for product, attribute_record in records:
        if attribute_record.get("instruction"):
            yield "instruction", product.asin, attribute_record["instruction"].lower()


def digest(query: str) -> str:
    """Return the hash that stands for *query* in the golden file."""
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
