"""What commands print with: colours and progress."""

import io

import pytest

from agentgym_gen.cli.terminal import BOLD, ProgressLine, paint, print_json


class Terminal(io.StringIO):
    """A text stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@pytest.mark.parametrize(
    ("variables", "text"),
    [({}, "\x1b[1mhead\x1b[0m"), ({"NO_COLOR": "1"}, "head"), ({"TERM": "dumb"}, "head")],
)
def test_colours_can_be_switched_off(
    variables: dict[str, str], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal has colours unless NO_COLOR is set, or it is a dumb one; a file has none."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert paint("head", BOLD, Terminal()) == text
    assert paint("head", BOLD, io.StringIO()) == "head"


def test_progress_is_one_line_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shorter text covers the longer one before it, and the end leaves the line."""
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(ProgressLine, "INTERVAL", 0.0)
    line = ProgressLine("tasks")
    for done in range(3):
        line.update(done, 2, "a long note" if done == 1 else "")
    first, second = stream.getvalue().split("\r")[1:]

    assert first.startswith("1/2 tasks, a long note, ")
    assert second.startswith("2/2 tasks, 0 s left")
    assert len(second.removesuffix("\n")) >= len(first)
    assert second.endswith("\n")


def test_progress_in_a_log_is_a_line_each_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    """A hundred steps are ten lines; what was there at the beginning does not count as speed."""
    line = ProgressLine("tasks")
    for done in range(50, 101):
        line.update(done, 100)
    lines = capsys.readouterr().err.splitlines()

    assert [text.split()[0] for text in lines] == [f"{n}/100" for n in (51, 60, 70, 80, 90, 100)]


def test_progress_without_standard_error_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed stream is no error."""
    monkeypatch.setattr("sys.stderr", None)
    line = ProgressLine()
    line.update(0, 2)
    line.update(1, 2)
    line.log("text")
    line.clear()


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal obeys nothing in it: control characters and directions of writing are escapes."""
    print_json({"text": "\x1b[2J \u202e \x9b"})
    out = capsys.readouterr().out

    assert out.isascii()
    assert "\x1b" not in out
