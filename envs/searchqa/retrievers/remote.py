"""A client of a retrieval server with Search-R1's ``/retrieve``."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agentgym_gen.envs.searchqa.corpus import Passage
from agentgym_gen.errors import BackendError, InvalidValueError

MAX_BYTES = 16 * 2**20
"""The longest reply that is read."""


@dataclass(frozen=True)
class RetryPolicy:
    """How long to wait for a server, and how often to try.

    Raises:
        InvalidValueError: if a number is out of its range.
    """

    timeout: float = 10.0
    """Seconds for one request."""
    tries: int = 3
    """How many requests are made for one query."""
    pause: float = 0.5
    """Seconds before the second request; each further pause is twice as long."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not (self.timeout > 0 and self.tries >= 1 and self.pause >= 0):
            raise InvalidValueError(
                f"A timeout is above 0, tries are 1 or more and a pause is 0 or more, not {self}"
            )


class RemoteRetriever:
    """Searches by a server over HTTP, one query a request.

    Request and reply are those of Search-R1's ``retrieval_server.py``:
    ``{"queries": [...], "topk": k, "return_scores": true}`` is answered by
    ``{"result": [[{"document": {"contents": ...}, "score": ...}, ...]]}``, where the first line of
    the contents is the title. Replies without scores are understood, too.

    Args:
        url: The whole address: ``http://127.0.0.1:8000/retrieve``.
        retry_policy: How long to wait for the server, and how often to try.

    Raises:
        InvalidValueError: if *url* is no http address.
    """

    def __init__(self, url: str, retry_policy: RetryPolicy | None = None) -> None:
        if not url.startswith(("http://", "https://")):
            raise InvalidValueError(f"A retriever's address starts with http, not {url!r}")
        self._url = url
        self._retry_policy = retry_policy or RetryPolicy()

    def search(self, query: str, k: int) -> Sequence[Passage]:
        """Return the at most *k* best passages for *query*.

        Raises:
            BackendError: if the server cannot be reached, is too slow or replies with something
                else, after all tries.
        """
        body = json.dumps({"queries": [query], "topk": k, "return_scores": True}).encode()
        pause, failure = self._retry_policy.pause, ""
        for number in range(self._retry_policy.tries):
            if number:
                time.sleep(pause)
                pause *= 2
            passages, failure = self._try(body)
            if passages is not None:
                return passages[:k]
        raise BackendError(f"{self._url} {failure}; tried {self._retry_policy.tries} times")

    def _try(self, body: bytes) -> tuple[list[Passage] | None, str]:
        """Return the passages of one request, or None and what went wrong."""
        try:
            return _passages(self._post(body)), ""
        except urllib.error.HTTPError as error:
            error.close()
            return None, f"replied {error.code} {error.reason}"
        except (OSError, http.client.HTTPException) as error:
            return None, f"did not reply: {error}"
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            return None, f"replied something else than passages: {error!r}"

    def _post(self, body: bytes) -> object:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url, body, headers)
        with urllib.request.urlopen(request, timeout=self._retry_policy.timeout) as reply:
            return json.loads(reply.read(MAX_BYTES))


def _passages(reply: Any) -> list[Passage]:  # noqa: ANN401  (JSON, whose faults are caught above)
    """Return the passages of the first query in *reply*."""
    # With scores, a document stands in a field of its own; without them, it is the result itself.
    documents = [result.get("document", result) for result in reply["result"][0]]
    pairs = [document["contents"].partition("\n") for document in documents]
    return [Passage(title, text) for title, _, text in pairs]


__all__ = ["RemoteRetriever", "RetryPolicy"]
