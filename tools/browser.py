"""A headless Chromium that tests and benchmarks drive, through its debugging pipe."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

BROWSER = (
    None
    if sys.platform == "win32"
    else shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
)
"""The browser of this machine, if there is one that can be driven: its pipes have numbers, which
Windows has not."""

LIMIT = 120.0
"""For how many seconds a condition is waited for."""

KEY_CODES = {"Enter": 13, "Escape": 27, "Tab": 9}


class Browser:
    """One page; a context manager.

    Args:
        folder: Where the browser keeps its profile.
        width: The width of the page in pixels.
        dark: Whether the page is dark.
    """

    def __init__(self, folder: Path, width: int = 1280, *, dark: bool = False) -> None:
        self.messages: list[str] = []
        """What the browser has written to the console of the page, and its errors."""
        self.requests: list[str] = []
        """The addresses that the page has loaded."""
        self._profile, self._width, self._dark = folder / "profile", width, dark
        self._number, self._session = 0, ""
        self._buffer = b""

    def __enter__(self) -> Self:
        """Start the browser."""
        # The browser reads descriptor 3 and writes 4; the pipes are moved above them before.
        theirs_in, self._ours_out = map(_above, os.pipe())
        self._ours_in, theirs_out = map(_above, os.pipe())

        def connect() -> None:
            os.dup2(theirs_in, 3)
            os.dup2(theirs_out, 4)

        self._process = subprocess.Popen(
            [
                *(str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu"),
                *("--remote-debugging-pipe", "--hide-scrollbars", "--no-first-run"),
                *(f"--user-data-dir={self._profile}", "about:blank"),
            ],
            pass_fds=(3, 4),
            preexec_fn=connect,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if self._dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        size = {"width": self._width, "height": 900, "deviceScaleFactor": 1}
        self.call("Emulation.setDeviceMetricsOverride", mobile=self._width < 500, **size)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the browser with all its processes."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._ours_in)
        os.close(self._ours_out)

    def call(self, method: str, **params: Any) -> Any:  # noqa: ANN401
        """Send a command of the DevTools protocol and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._ours_out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            piece = os.read(self._ours_in, 1 << 20)
            if not piece:
                raise RuntimeError("The browser has ended")
            self._buffer += piece
        raw, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(raw)
        if answer.get("method") == "Network.requestWillBeSent":
            self.requests.append(answer["params"]["request"]["url"])
        if answer.get("method") in (
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Log.entryAdded",
        ):
            self.messages.append(json.dumps(answer["params"]))
        return answer

    def open(self, address: str) -> None:
        """Open *address*."""
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'")

    def run(self, script: str) -> Any:  # noqa: ANN401
        """Return the value of the JavaScript expression *script*."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = LIMIT) -> None:
        """Wait until the JavaScript expression *condition* is true, for so many *seconds*."""
        end = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            if time.monotonic() > end:
                raise TimeoutError(f"{condition} is not true; the page: {self.text('body')[:800]}")
            time.sleep(0.02)

    def text(self, selector: str) -> str:
        """Return the visible text of the first element that *selector* names."""
        return str(self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def press(self, *keys: str) -> None:
        """Press *keys*, one after another, as a keyboard does."""
        for key in keys:
            text = {} if key in KEY_CODES and key != "Enter" else {"text": key}
            text = {"text": "\r"} if key == "Enter" else text
            code = {"key": key, "windowsVirtualKeyCode": KEY_CODES.get(key, 0)}
            self.call("Input.dispatchKeyEvent", type="keyDown", **code, **text)
            self.call("Input.dispatchKeyEvent", type="keyUp", **code)

    def click(self, selector: str) -> None:
        """Click the first element that *selector* names."""
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def choose(self, selector: str, value: str) -> None:
        """Choose *value* in the menu that *selector* names."""
        menu = f"document.querySelector({json.dumps(selector)})"
        self.run(
            f"{menu}.value = {json.dumps(value)};"
            f"{menu}.dispatchEvent(new Event('change', {{bubbles: true}}))"
        )

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Write a picture of the page to *path*."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))


def _above(descriptor: int) -> int:
    """Return a copy of *descriptor* above those that the browser uses, and close it."""
    import fcntl  # Windows has none, and `BROWSER` is None there

    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return copy
