"""``agentgym-gen eval``: measure a model, whoever trained it."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentgym_gen.agents.prompt import FORMATS, PromptStyle
from agentgym_gen.cli.arguments import Parser, at_least, path
from agentgym_gen.cli.terminal import print_table
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.world import SPLITS

if TYPE_CHECKING:
    from agentgym_gen.evaluation import Evaluation

EVERYTHING = "rftgen/*-easy-v0"
"""What is played when nothing is named."""


def add_eval(parser: Parser) -> None:
    """Add the arguments of ``eval``."""
    number, count = at_least(1), at_least(0)
    model = "random, expert, a folder, an adapter's folder, a hub name, or a name with --base-url"
    parser.add_argument("model", metavar="MODEL", help=model)
    ids = "ids, or patterns such as 'rftgen/*-easy-v0'"
    parser.add_argument("ids", metavar="ID", nargs="*", help=f"{ids}; default {EVERYTHING}")
    parser.add_argument("--panel", metavar="NAME", help="a frozen list of tasks: core-v1, ...")
    parser.add_argument("--out", type=path, help="folder of the results; default runs/eval-MODEL")
    parser.add_argument("--split", default="test", help=", ".join(SPLITS))
    each = "tasks of each id; more of them extend the folder"
    parser.add_argument("--tasks", type=number, default=100, metavar="N", help=each)
    parser.add_argument("--samples", type=number, default=1, metavar="N", help="episodes of a task")
    interface = "preset names joined by '+'; may be given several times"
    parser.add_argument("--interface", action="append", default=[], help=interface)
    parser.add_argument("--format", default="react", help=", ".join(FORMATS))
    window = "how many past turns are shown; default all"
    parser.add_argument("--window", type=count, metavar="N", help=window)
    shots = "episodes of the expert before each episode, as earlier turns"
    parser.add_argument("--shots", type=count, default=0, metavar="N", help=shots)
    parser.add_argument("--max-turns", type=number, metavar="N", help="default: each task's own")
    parser.add_argument("--temperature", type=float, default=0.0, help="default 0")
    longest = "the most tokens of a completion"
    parser.add_argument("--max-tokens", type=number, default=512, metavar="N", help=longest)
    seed = "decides tasks, demonstrations and sampling"
    parser.add_argument("--seed", type=count, default=0, metavar="N", help=seed)
    _add_model(parser)
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.spread = "ids"
    parser.set_defaults(command=eval_model, resumable=True)


def _add_model(parser: argparse.ArgumentParser) -> None:
    number = at_least(1)
    url = "a server with an OpenAI-compatible API, such as http://localhost:8000/v1"
    parser.add_argument("--base-url", metavar="URL", help=url)
    key = "the environment variable that holds the server's key"
    parser.add_argument("--api-key-env", metavar="NAME", help=key)
    extra = "more fields of each request, as JSON, such as '{\"top_p\": 0.9}'"
    parser.add_argument("--extra", metavar="JSON", help=extra)
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for an answer")
    parser.add_argument("--base", metavar="MODEL", help="the base of an adapter, where it moved")
    plain = "give a model without a chat template a plain one"
    parser.add_argument("--plain-template", action="store_true", help=plain)
    parser.add_argument("--label", help="what the model is called in results")
    workers = "episodes at once; default 64"
    parser.add_argument("--workers", type=number, default=64, metavar="N", help=workers)


def eval_model(options: argparse.Namespace) -> None:
    """Play what is not yet played, and print the score."""
    from agentgym_gen.evaluation import EvalSettings, evaluate
    from agentgym_gen.models import Decoding

    decoding = Decoding(
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        plain_template=options.plain_template,
        api_key_env=options.api_key_env,
        connections=options.workers,
        timeout=options.timeout,
        extra=_extra(options.extra),
    )
    settings = EvalSettings(
        style=PromptStyle(format=options.format, window=options.window),
        decoding=decoding,
        split=options.split,
        shots=options.shots,
        max_turns=options.max_turns,
        seed=options.seed,
    )
    out = options.out or Path("runs") / f"eval-{_stem(options.label or options.model)}"
    bar = ProgressLine()
    evaluation = evaluate(
        options.model,
        options.ids or ([] if options.panel else [EVERYTHING]),
        out=out,
        panel=options.panel,
        interfaces=options.interface,
        tasks=options.tasks,
        samples=options.samples,
        settings=settings,
        base_url=options.base_url,
        base=options.base,
        label=options.label,
        workers=options.workers,
        log=bar.log,
        progress=bar.update,
    )
    if options.json:
        print(json.dumps(_as_json(evaluation), indent=2, ensure_ascii=False))
    else:
        _print(evaluation)


def _extra(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise InvalidValueError(
            f"`--extra` is a JSON object, such as '{{\"top_p\": 0.9}}', not {text!r}"
        )
    return value


def _stem(model: str) -> str:
    """Return a part of a folder's name that stands for *model*."""
    last = model.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in last).strip(".") or "model"


def _print(evaluation: Evaluation) -> None:
    """Print the table of an evaluation, its score and where everything lies."""
    from agentgym_gen.evaluation import column_scores, score_line

    rows: list[tuple[str, ...]] = [
        ("environment", "tier", "interface", "success", "95 % interval", "n", "score")
    ]
    scores = column_scores(evaluation)
    for score in scores:
        rate = score.success
        interval = f"{100 * rate.low:.1f} to {100 * rate.high:.1f}"
        rows.append(
            (
                score.environment,
                score.tier,
                score.column.interface,
                f"{100 * rate.value:.1f}",
                interval,
                str(rate.tasks),
                f"{score.score:.3f}",
            )
        )
    print_table(rows)
    print()
    print(score_line(evaluation))
    unanswered = sum(score.unanswered for score in scores)
    if unanswered:
        print(
            f"{unanswered} episodes ended because no answer came, and count as failures; the same "
            "command plays them again"
        )
    page = evaluation.path / "report.html"
    print(page if page.exists() else evaluation.path)


def _as_json(evaluation: Evaluation) -> dict[str, Any]:
    from agentgym_gen.evaluation import column_scores, mean_score, score_line

    scores = column_scores(evaluation)
    mean = mean_score(scores)
    return {
        "score": score_line(evaluation),
        "success": {"mean": mean.value, "low": mean.low, "high": mean.high, "n": mean.tasks},
        "complete": evaluation.complete,
        "panel": evaluation.record["panel"],
        "out": str(evaluation.path),
        "columns": [
            {
                "column": score.column.name,
                "env_id": score.column.env_id,
                "interface": score.column.interface,
                "mean": score.success.value,
                "low": score.success.low,
                "high": score.success.high,
                "n": score.success.tasks,
                "episodes": score.episodes,
                "score": score.score,
                "unanswered": score.unanswered,
            }
            for score in scores
        ],
    }


class ProgressLine:
    """One line on standard error that counts episodes; without a terminal, a line each tenth."""

    INTERVAL = 0.2
    """The seconds between two updates of the line."""

    def __init__(self) -> None:
        self._live = sys.stderr is not None and sys.stderr.isatty()
        self._started = self._shown = 0.0
        self._wins = self._tenth = 0

    def log(self, line: str) -> None:
        """Print *line* to standard error, so that ``--json`` has standard output to itself."""
        if sys.stderr is not None:
            print(line, file=sys.stderr, flush=True)
        self._started = time.monotonic()  # the line about the cost is the last one

    def update(self, done: int, total: int, success: bool) -> None:
        """Show that *done* of *total* episodes have ended."""
        now = time.monotonic()
        self._wins += success
        left = (now - self._started) * (total - done) / max(1, done)
        text = f"{done}/{total} episodes, {self._wins} solved, {_duration(left)}"
        if self._live and (now - self._shown >= self.INTERVAL or done == total):
            self._shown = now
            print(f"\r{text:<60}", end="\n" if done == total else "", file=sys.stderr, flush=True)
        elif not self._live and sys.stderr is not None and done * 10 // total > self._tenth:
            self._tenth = done * 10 // total
            print(text, file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    """Return how long *seconds* are, for people.

    >>> _duration(5), _duration(150), _duration(9000)
    ('5 s left', '3 min left', '2.5 h left')
    """
    if seconds < 60:
        return f"{math.ceil(seconds)} s left"
    return (
        f"{math.ceil(seconds / 60)} min left" if seconds < 3600 else f"{seconds / 3600:.1f} h left"
    )
