"""SearchQA's retrievers: keyword, meaning, and a server that is slow, dies and comes back."""

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
from agentgym_gen.envs.searchqa.retrievers.dense import Vectors, sentence_encoder
from agentgym_gen.envs.searchqa.retrievers.remote import RetryPolicy, RemoteRetriever
from agentgym_gen.envs.searchqa.retrievers.bm25 import make_retriever
from agentgym_gen.envs.searchqa.process_cache import get_or_make
from agentgym_gen.errors import BackendError, InvalidValueError, MissingExtraError

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
    """BM25."""

    def test_a_title_counts_more_than_its_text(self) -> None:
        """With a weight of 3 a word of the title comes first, however often others say it."""
        texts = [Passage("A", "owl owl owl"), Passage("Owl", "a bird"), Passage("B", "owl owl")]

        weights = {w: BM25Retriever(Corpus.of(texts), title_weight=w) for w in (1, 9)}
        assert titles(weights[1].search("owl", 1)) == ["A"]
        assert titles(weights[9].search("owl", 1)) == ["Owl"]

    def test_finds_only_what_has_a_word_of_the_query(self) -> None:
        """At most k passages, and none for an unknown word."""
        retriever = BM25Retriever(ANIMALS)

        assert titles(retriever.search("owls", 3)) == ["Owl", "Forest"]
        assert titles(retriever.search("owls", 1)) == ["Owl"]
        assert retriever.search("zebra", 3) == []

    def test_index_is_kept(self, tmp_path: pathlib.Path) -> None:
        """A second one reads what the first one wrote, and finds the same."""
        first = BM25Retriever(ANIMALS)
        [kept] = (tmp_path / "cache").glob("*.npz")
        before = kept.stat().st_mtime_ns
        second = BM25Retriever(ANIMALS)

        assert kept.stat().st_mtime_ns == before
        assert second.search("owl forest", 3) == first.search("owl forest", 3)

    def test_a_broken_index_is_made_again(self, tmp_path: pathlib.Path) -> None:
        """And found whole the next time."""
        BM25Retriever(ANIMALS)
        [kept] = (tmp_path / "cache").glob("*.npz")
        kept.write_bytes(b"half")

        assert titles(BM25Retriever(ANIMALS).search("bird", 1)) == ["Owl"]
        assert kept.stat().st_size > 4

    @pytest.mark.parametrize("weight", [0, True, "3"])
    def test_bad_title_weight(self, weight: object) -> None:
        """Is named with what is accepted."""
        with pytest.raises(InvalidValueError, match="title_weight"):
            BM25Retriever(ANIMALS, title_weight=weight)  # type: ignore[arg-type]


class Counting:
    """An encoder whose vectors count letters, and that counts its calls."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return how often each of 26 letters is in each text."""
        self.texts += texts
        return np.array([[text.lower().count(chr(97 + n)) for n in range(26)] for text in texts])


class TestMeaning:
    """Dense retrieval."""

    def test_nearest_vectors_first(self) -> None:
        """Long and short texts alike: only the angle counts."""
        corpus = Corpus.of([Passage("x", "yy"), Passage("a", "b" * 50), Passage("ab", "")])
        found = DenseRetriever(corpus, Counting()).search("ab", 3)

        assert titles(found) == ["ab", "a", "x"]

    def test_vectors_are_kept_under_the_models_name(self) -> None:
        """The passages are encoded once, a query each time."""
        first, second = Counting(), Counting()
        DenseRetriever(ANIMALS, first, name="letters").search("wolf", 1)
        DenseRetriever(ANIMALS, second, name="letters").search("wolf", 1)

        assert (len(first.texts), second.texts) == (4, ["wolf"])

    def test_e5_has_its_prefixes(self) -> None:
        """As its authors ask for; others have none."""
        encode = Counting()
        DenseRetriever(ANIMALS, encode, name="models/e5-base-v2").search("wolf", 1)

        assert encode.texts[0].startswith("passage: Wolf\n")
        assert encode.texts[-1] == "query: wolf"

    def test_without_its_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The error says what to install."""
        monkeypatch.setitem(sys.modules, "sentence_transformers", None)
        with pytest.raises(MissingExtraError, match=r"pip install 'agentgym-gen\[searchqa\]'"):
            SearchQA(retriever="dense:some/model")

    def test_a_local_model(self, tmp_path: pathlib.Path) -> None:
        """With sentence-transformers itself and a tiny model made here, if it is installed."""
        pytest.importorskip("sentence_transformers")
        make_tiny_model(tmp_path / "model")
        retriever = DenseRetriever(ANIMALS, sentence_encoder(str(tmp_path / "model")))

        assert titles(retriever.search(ANIMALS[2].contents, 1)) == ["Owl"]


def make_tiny_model(folder: pathlib.Path) -> None:
    """Write a transformers model of one random layer to *folder*; its words are averaged."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    words = sorted({word for one in ANIMALS for word in one.contents.lower().split()})
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
        self.asked: list[dict[str, Any]] = []
        self.reply: Any = {
            "result": [[{"document": {"id": "1", "contents": '"Lima"\nIn Peru.'}, "score": 0.5}]]
        }
        self.status, self.delay = 200, 0.0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
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
                outer.asked.append(json.loads(body))
                time.sleep(outer.delay)
                said = outer.reply
                data = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: object) -> None:
                pass  # a client that did not wait

        self._http = Quiet(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that works."""
    made = Server()
    yield made
    made.stop()


QUICK = RetryPolicy(timeout=0.3, tries=2, pause=0.01)


class TestServer:
    """Search-R1's /retrieve."""

    def test_request_and_reply_are_search_r1s(self, server: Server) -> None:
        """Queries, topk and return_scores go out; contents come back, the title first."""
        found = RemoteRetriever(server.url).search("capital of Peru", 3)

        assert server.asked == [{"queries": ["capital of Peru"], "topk": 3, "return_scores": True}]
        assert found == [Passage('"Lima"', "In Peru.")]

    def test_replies_without_scores_are_understood(self, server: Server) -> None:
        """The server leaves them out when it is told to."""
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
    def test_faults_are_told(self, server: Server, reply: object, status: int, why: str) -> None:
        """With the address and the number of tries."""
        server.reply, server.status = reply, status
        with pytest.raises(BackendError, match=f"{server.port}/retrieve .*{why}.*tried 2 times"):
            RemoteRetriever(server.url, QUICK).search("x", 3)

        assert len(server.asked) == 2

    def test_a_slow_server_is_given_up(self, server: Server) -> None:
        """After the time-out of each try."""
        server.delay = 2.0
        with pytest.raises(BackendError, match="timed out"):
            RemoteRetriever(server.url, QUICK).search("x", 3)

    def test_an_episode_outlives_its_server(self, server: Server) -> None:
        """Slow, dead, back again: each is an observation, and the episode is won."""
        env = TextEnv(
            "agentgym_gen.envs.searchqa:SearchQA",
            tier="easy",
            retriever=RemoteRetriever(server.url, QUICK),
        )
        env.reset(options={"task_id": "searchqa/easy/train/0"})
        seen = []
        for change in (lambda: None, lambda: setattr(server, "delay", 2.0), server.stop, None):
            if change is None:
                server.delay = 0.0
                server.start()
            else:
                change()
            observation, reward, over, cut, info = env.step("<search>Peru</search>")
            seen.append((observation[:21], info["valid_action"], reward, over or cut))
        gold = env.task.content.answers[0]
        _, reward, _, _, info = env.step(f"<answer>{gold}</answer>")

        down = ("The search engine is ", False, 0.0, False)
        up = ("<information>Doc 1(Ti", True, 0.0, False)
        assert seen == [up, down, down, up]
        assert (reward, info["success"]) == (1.0, True)

    @pytest.mark.parametrize("setting", [{"timeout": 0}, {"tries": 0}, {"pause": -1.0}])
    def test_bad_patience(self, setting: dict[str, float]) -> None:
        """Is an error with the numbers."""
        with pytest.raises(InvalidValueError, match="Patience"):
            RetryPolicy(**setting)  # type: ignore[arg-type]

    def test_bad_address(self) -> None:
        """Only http is asked."""
        with pytest.raises(InvalidValueError, match="file:///etc"):
            RemoteRetriever("file:///etc/passwd")


class TestFourth:
    """A retriever of one's own."""

    @pytest.mark.parametrize("spec", ["bm", "", 3, None, "bm25:x"])
    def test_what_is_none(self, spec: Any) -> None:  # noqa: ANN401  (anything)
        """Is an error that says what is accepted, or which module is missing."""
        with pytest.raises(InvalidValueError, match=r"retriever|module"):
            make_retriever(spec, lambda: ANIMALS, "animals")

    def test_by_name(self) -> None:
        """A function of a module is called with the corpus, once."""
        spec = "agentgym_gen.envs.searchqa.retrievers.bm25:BM25Retriever"
        made = make_retriever(spec, lambda: ANIMALS, "animals by name")

        assert titles(made.search("bird", 1)) == ["Owl"]
        assert make_retriever(spec, lambda: ANIMALS, "animals by name") is made

    def test_by_name_without_search(self) -> None:
        """Is an error."""
        with pytest.raises(InvalidValueError, match="has no `search"):
            make_retriever("builtins:list", lambda: ANIMALS, "animals as a list")


class TestSharing:
    """One index a process."""

    def test_worlds_share_their_retriever(self) -> None:
        """However many there are."""
        assert SearchQA()._retriever is SearchQA(k=5)._retriever

    def test_threads_wait_for_the_first(self) -> None:
        """What is slow to make is made once."""
        made: list[int] = []

        def slowly() -> int:
            time.sleep(0.05)
            made.append(1)
            return len(made)

        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            got = list(threads.map(lambda _: get_or_make("slow thing", slowly), range(8)))

        assert (got, made) == ([1] * 8, [1])

    def test_threads_search_alike(self) -> None:
        """Four at once find what one finds."""
        retriever = SearchQA()._retriever
        queries = [f"{word} city" for word in ("Lima", "Oslo", "Cairo", "Quito")] * 25
        alone = [retriever.search(query, 3) for query in queries]
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            assert list(threads.map(lambda query: retriever.search(query, 3), queries)) == alone
