"""SearchQA's retrievers: keywords, vectors, and a server that is slow, dies and comes back."""

import concurrent.futures
import http.server
import json
import pathlib
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.searchqa import BM25Retriever, Corpus, DenseRetriever, Passage, SearchQA
from agentgym_gen.envs.searchqa.process_cache import get_or_make
from agentgym_gen.envs.searchqa.retrievers import RemoteRetriever, RetryPolicy, make_retriever
from agentgym_gen.envs.searchqa.retrievers.dense import Vectors, sentence_encoder
from agentgym_gen.errors import BackendError, InvalidValueError, MissingExtraError

WORLD = "agentgym_gen.envs.searchqa:SearchQA"
ANIMALS = Corpus.of(
    [
        Passage("Wolf", "A wolf is an animal of the forest."),
        Passage("Forest", "Trees. A wolf lives here, an owl lives here."),
        Passage("Owl", "An owl is a bird."),
    ]
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTGYM_GEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def titles(passages: Sequence[Passage]) -> list[str]:
    """Return the titles of *passages*."""
    return [passage.title for passage in passages]


class TestKeywords:
    """Keyword search by BM25."""

    def test_a_title_counts_more_than_its_text(self) -> None:
        """With a large weight the passage with the word in its title comes first."""
        passages = [Passage("A", "owl owl owl"), Passage("Owl", "a bird"), Passage("B", "owl owl")]
        light, heavy = (BM25Retriever(Corpus.of(passages), title_weight=w) for w in (1, 9))

        assert titles(light.search("owl", 1)) == ["A"]
        assert titles(heavy.search("owl", 1)) == ["Owl"]

    def test_the_weight_of_titles_is_an_option_of_the_world(self, tmp_path: pathlib.Path) -> None:
        """`title_weight=1` ranks as plain Lucene does, and other retrievers have no weight."""
        path = tmp_path / "corpus.jsonl"
        rows = [("A", "owl owl, night"), ("Owl", "a bird"), ("B", "an owl")]
        lines = [json.dumps({"title": title, "text": text}) for title, text in rows]
        path.write_text("\n".join(lines), encoding="utf-8")
        first_results = []
        for options in ({}, {"title_weight": 9}, {"title_weight": 1}):
            env = TextEnv(WORLD, corpus=str(path), k=1, **options)  # type: ignore[arg-type]
            env.reset(seed=0)
            first_results.append(env.step("<search>owl</search>")[0])

        assert ["Title: Owl" in result for result in first_results] == [True, True, False]
        with pytest.raises(InvalidValueError, match="`title_weight` is an option of 'bm25'"):
            SearchQA(retriever="http://127.0.0.1/retrieve", title_weight=2)

    def test_finds_only_what_has_a_word_of_the_query(self) -> None:
        """A search finds at most k passages, and none for an unknown word."""
        retriever = BM25Retriever(ANIMALS)

        assert titles(retriever.search("owls", 3)) == ["Owl", "Forest"]
        assert titles(retriever.search("owls", 1)) == ["Owl"]
        assert retriever.search("zebra", 3) == []

    def test_index_is_kept(self, tmp_path: pathlib.Path) -> None:
        """A second retriever reads the index of the first, and finds the same."""
        first = BM25Retriever(ANIMALS)
        [index_file] = (tmp_path / "cache").glob("*.npz")
        before = index_file.stat().st_mtime_ns
        second = BM25Retriever(ANIMALS)

        assert index_file.stat().st_mtime_ns == before
        assert second.search("owl forest", 3) == first.search("owl forest", 3)

    def test_a_broken_index_is_made_again(self, tmp_path: pathlib.Path) -> None:
        """A broken index is built and written again."""
        BM25Retriever(ANIMALS)
        [index_file] = (tmp_path / "cache").glob("*.npz")
        index_file.write_bytes(b"half")

        assert titles(BM25Retriever(ANIMALS).search("bird", 1)) == ["Owl"]
        assert index_file.stat().st_size > 4

    @pytest.mark.parametrize("weight", [0, True, "3"])
    def test_bad_title_weight(self, weight: object) -> None:
        """A bad weight of titles is an error that names the option."""
        with pytest.raises(InvalidValueError, match="title_weight"):
            BM25Retriever(ANIMALS, title_weight=weight)  # type: ignore[arg-type]


class LetterEncoder:
    """An encoder whose vectors count letters, and that records its texts."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return how often each of 26 letters is in each text."""
        self.texts += texts
        return np.array([[text.lower().count(chr(97 + n)) for n in range(26)] for text in texts])


class TestDense:
    """Dense retrieval."""

    def test_nearest_vectors_first(self) -> None:
        """The passages with the greatest cosine come first, however long their texts are."""
        corpus = Corpus.of([Passage("x", "yy"), Passage("a", "b" * 50), Passage("ab", "")])
        passages = DenseRetriever(corpus, LetterEncoder()).search("ab", 3)

        assert titles(passages) == ["ab", "a", "x"]

    def test_vectors_are_kept_under_the_models_name(self) -> None:
        """Under one name the passages are encoded once, and a query each time."""
        first, second = LetterEncoder(), LetterEncoder()
        DenseRetriever(ANIMALS, first, name="letters").search("wolf", 1)
        DenseRetriever(ANIMALS, second, name="letters").search("wolf", 1)

        assert (len(first.texts), second.texts) == (4, ["wolf"])

    def test_e5_has_its_prefixes(self) -> None:
        """A model called E5 gets the prefixes that its authors prescribe."""
        encode = LetterEncoder()
        DenseRetriever(ANIMALS, encode, name="models/e5-base-v2").search("wolf", 1)

        assert encode.texts[0].startswith("passage: Wolf\n")
        assert encode.texts[-1] == "query: wolf"

    def test_without_its_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without sentence-transformers the error says what to install."""
        monkeypatch.setitem(sys.modules, "sentence_transformers", None)
        with pytest.raises(MissingExtraError, match=r"pip install 'agentgym-gen\[searchqa\]'"):
            SearchQA(retriever="dense:some/model")

    def test_a_local_model(self, tmp_path: pathlib.Path) -> None:
        """A tiny local model is loaded by sentence-transformers, where it is installed."""
        pytest.importorskip("sentence_transformers")
        make_tiny_model(tmp_path / "model")
        retriever = DenseRetriever(ANIMALS, sentence_encoder(str(tmp_path / "model")))

        assert titles(retriever.search(ANIMALS[2].contents, 1)) == ["Owl"]


def make_tiny_model(folder: pathlib.Path) -> None:
    """Write a transformers model with one random layer to *folder*."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    words = sorted({word for passage in ANIMALS for word in passage.contents.lower().split()})
    vocabulary = folder.parent / "vocab.txt"
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary.write_text("\n".join([*special, *words, ".", ","]), encoding="utf-8")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=100, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(str(vocabulary)).save_pretrained(folder)


class Server:
    """A server of Search-R1's protocol, which a test can stop, start and slow down."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.reply: Any = {
            "result": [[{"document": {"id": "1", "contents": '"Lima"\nIn Peru.'}, "score": 0.5}]]
        }
        self.status, self.delay = 200, 0.0
        with socket.socket() as probe:  # the system chooses a free port
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.start()

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.port}/retrieve"

    def start(self) -> None:
        """Serve in a thread."""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append(json.loads(body))
                time.sleep(outer.delay)
                reply = outer.reply
                data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        class QuietServer(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: object) -> None:
                pass  # a client that did not wait

        self._http = QuietServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that works."""
    running = Server()
    yield running
    running.stop()


IMPATIENT = RetryPolicy(timeout=0.3, tries=2, pause=0.01)


class TestServer:
    """A server of Search-R1's ``/retrieve``."""

    def test_request_and_reply_are_search_r1s(self, server: Server) -> None:
        """The request has Search-R1's keys, and the first line of the contents is the title."""
        passages = RemoteRetriever(server.url).search("capital of Peru", 3)

        assert server.requests == [
            {"queries": ["capital of Peru"], "topk": 3, "return_scores": True}
        ]
        assert passages == [Passage('"Lima"', "In Peru.")]

    def test_replies_without_scores_are_understood(self, server: Server) -> None:
        """A reply without scores, which the server can be set to give, is read as well."""
        server.reply = {"result": [[{"contents": "A\none"}, {"contents": "B\ntwo"}]]}

        assert titles(RemoteRetriever(server.url).search("x", 1)) == ["A"]

    @pytest.mark.parametrize(
        ("reply", "status", "why"),
        [
            (b"not json", 200, "something else than passages"),
            ({"result": []}, 200, "something else than passages"),
            ({"detail": "no"}, 200, "something else than passages"),
            ({"result": [[{"document": {"text": "x"}}]]}, 200, "something else than passages"),
            ({}, 503, "replied 503"),
        ],
    )
    def test_faults_are_reported(
        self, server: Server, reply: object, status: int, why: str
    ) -> None:
        """The error has the address, the fault and the number of tries."""
        server.reply, server.status = reply, status
        with pytest.raises(BackendError, match=f"{server.port}/retrieve .*{why}.*tried 2 times"):
            RemoteRetriever(server.url, IMPATIENT).search("x", 3)

        assert len(server.requests) == 2

    def test_a_slow_server_is_given_up(self, server: Server) -> None:
        """A slow server is given up after the time-out of each try."""
        server.delay = 2.0
        with pytest.raises(BackendError, match="timed out"):
            RemoteRetriever(server.url, IMPATIENT).search("x", 3)

    def test_an_episode_outlives_its_server(self, server: Server) -> None:
        """While the server is slow or dead, each search has an observation; then it works again."""
        env = TextEnv(
            "agentgym_gen.envs.searchqa:SearchQA",
            tier="easy",
            retriever=RemoteRetriever(server.url, IMPATIENT),
        )
        env.reset(options={"task_id": "searchqa/easy/train/0"})
        steps = []
        for change in (lambda: None, lambda: setattr(server, "delay", 2.0), server.stop, None):
            if change is None:
                server.delay = 0.0
                server.start()
            else:
                change()
            observation, reward, terminated, truncated, info = env.step("<search>Peru</search>")
            ended = terminated or truncated
            steps.append((observation[:21], info["valid_action"], reward, ended))
        gold = env.task.content.answers[0]
        _, reward, _, _, info = env.step(f"<answer>{gold}</answer>")

        down = ("The search engine is ", False, 0.0, False)
        up = ("<information>Doc 1(Ti", True, 0.0, False)
        assert steps == [up, down, down, up]
        assert (reward, info["success"]) == (1.0, True)

    @pytest.mark.parametrize("setting", [{"timeout": 0}, {"tries": 0}, {"pause": -1.0}])
    def test_bad_retry_policy(self, setting: dict[str, float]) -> None:
        """A number out of its range is an error that shows all of them."""
        with pytest.raises(InvalidValueError, match="RetryPolicy"):
            RetryPolicy(**setting)  # type: ignore[arg-type]

    def test_bad_address(self) -> None:
        """An address that is not http is an error."""
        with pytest.raises(InvalidValueError, match="file:///etc"):
            RemoteRetriever("file:///etc/passwd")


class TestCustomRetriever:
    """A user's retriever."""

    @pytest.mark.parametrize("spec", ["bm", "", 3, None, "bm25:x"])
    def test_unknown_retriever(self, spec: Any) -> None:  # noqa: ANN401  (anything)
        """An unknown retriever is an error that says what is accepted or what is missing."""
        with pytest.raises(InvalidValueError, match=r"retriever|module"):
            make_retriever(spec, lambda: ANIMALS, "animals")

    def test_by_name(self) -> None:
        """A function of a module is called with the corpus, once a process."""
        spec = "agentgym_gen.envs.searchqa.retrievers:BM25Retriever"
        retriever = make_retriever(spec, lambda: ANIMALS, "animals by name")

        assert titles(retriever.search("bird", 1)) == ["Owl"]
        assert make_retriever(spec, lambda: ANIMALS, "animals by name") is retriever

    def test_by_name_without_search(self) -> None:
        """What the function returns needs the method `search`."""
        with pytest.raises(InvalidValueError, match="has no `search"):
            make_retriever("builtins:list", lambda: ANIMALS, "animals as a list")


class TestProcessCache:
    """One index a process."""

    def test_worlds_share_their_retriever(self) -> None:
        """All worlds of a process share one retriever."""
        assert SearchQA()._retriever is SearchQA(k=5)._retriever

    def test_threads_wait_for_the_first(self) -> None:
        """Threads that need the same thing at once make it once."""
        calls: list[int] = []

        def make_slowly() -> int:
            time.sleep(0.05)
            calls.append(1)
            return len(calls)

        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            values = list(threads.map(lambda _: get_or_make("slow thing", make_slowly), range(8)))

        assert (values, calls) == ([1] * 8, [1])

    def test_threads_search_alike(self) -> None:
        """Four threads at once find what a single one finds."""
        retriever = SearchQA()._retriever
        queries = [f"{word} city" for word in ("Lima", "Oslo", "Cairo", "Quito")] * 25
        expected = [retriever.search(query, 3) for query in queries]
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            assert list(threads.map(lambda query: retriever.search(query, 3), queries)) == expected
