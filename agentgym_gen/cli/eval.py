"""``agentgym-gen eval``: measure a model, whoever trained it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentgym_gen.agents.policy import POLICIES
from agentgym_gen.agents.prompt import FORMATS, READERS, PromptStyle
from agentgym_gen.cli.arguments import Parser, add_model, at_least, complete_with, decoding, path
from agentgym_gen.cli.terminal import ProgressLine, print_json, print_table
from agentgym_gen.env.registration import env_ids
from agentgym_gen.interface import PRESETS

if TYPE_CHECKING:
    from agentgym_gen.evaluation import Evaluation

EVERYTHING = "rftgen/*-easy-v0"
"""What is played when nothing is named."""


def add_eval(parser: Parser) -> None:
    """Add the arguments of ``eval``."""
    number, count = at_least(1), at_least(0)
    model = "random, expert, a folder, an adapter's folder, a hub name, or a name with --base-url"
    complete_with(parser.add_argument("model", metavar="MODEL", help=model), lambda: POLICIES)
    ids = "ids, or patterns such as 'rftgen/*-easy-v0'"
    action = parser.add_argument(
        "ids", metavar="ID", nargs="*", default=[], help=f"{ids}; default {EVERYTHING}"
    )
    complete_with(action, env_ids)
    panel = "play a frozen list of tasks: core-v1, shift-v1 or paper-v1"
    complete_with(parser.add_argument("--panel", metavar="NAME", help=panel), _panels)
    parser.add_argument("--out", type=path, help="folder of the results; default runs/eval-MODEL")
    parser.add_argument("--split", default="test", help="train, valid or test (default)")
    each = "tasks of each id; default 100. More of them extend the folder"
    parser.add_argument("--tasks", type=number, metavar="N", help=each)
    samples = "episodes of each task; default 1"
    parser.add_argument("--samples", type=number, default=1, metavar="N", help=samples)
    interface = "preset names joined by '+'; several times for several interfaces"
    action = parser.add_argument("--interface", action="append", default=[], help=interface)
    complete_with(action, lambda: PRESETS)
    _add_prompt(parser)
    parser.add_argument(
        "--max-turns", type=number, metavar="N", help="the turn limit; default each task's own"
    )
    seed = "decides tasks, demonstrations and sampling; default 0"
    parser.add_argument("--seed", type=count, default=0, metavar="N", help=seed)
    add_model(parser)
    parser.add_argument("--label", help="what the model is called in results; default its name")
    workers = "episodes at once; default 64"
    parser.add_argument("--workers", type=number, default=64, metavar="N", help=workers)
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.spread = "ids"
    parser.set_defaults(command=eval_model, resumable=True)


def _panels() -> list[str]:
    from agentgym_gen.evaluation.panel import panel_names

    return panel_names()


def _add_prompt(parser: argparse.ArgumentParser) -> None:
    count = at_least(0)
    form = f"how a model is asked: {', '.join(FORMATS)}; default react"
    parser.add_argument("--format", default="react", help=form)
    reader = "how answers are read: lenient (default), or strict, as in training"
    parser.add_argument("--reader", default="lenient", choices=READERS, help=reader)
    window = "how many past turns are shown; default all"
    parser.add_argument("--window", type=count, metavar="N", help=window)
    shots = "demonstrations before each episode, as earlier turns; default 0"
    parser.add_argument("--shots", type=count, default=0, metavar="N", help=shots)


def eval_model(options: argparse.Namespace) -> None:
    """Play what is not yet played, and print the score."""
    from agentgym_gen.evaluation import EvalSettings, evaluate

    sampling = decoding(options, connections=options.workers)
    settings = EvalSettings(
        style=PromptStyle(format=options.format, window=options.window, reader=options.reader),
        decoding=sampling,
        split=options.split,
        shots=options.shots,
        max_turns=options.max_turns,
        seed=options.seed,
    )
    out = options.out or Path("runs") / f"eval-{_stem(options.label or options.model)}"
    bar = SolvedLine()
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
        progress=bar.count,
    )
    if options.json:
        print_json(_as_json(evaluation))
    else:
        _print(evaluation)


def _stem(model: str) -> str:
    """Return a part of a folder's name that stands for *model*."""
    last = model.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in last).strip(".") or "model"


def _print(evaluation: Evaluation) -> None:
    """Print the table of an evaluation, its score and where everything lies."""
    from agentgym_gen.evaluation import column_scores, score_line
    from agentgym_gen.evaluation.score import prompt_warning

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
    if warning := prompt_warning(scores):
        print(f"\n{warning}")
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


class SolvedLine(ProgressLine):
    """A progress line of episodes that also counts those that were solved."""

    def __init__(self) -> None:
        super().__init__("episodes")
        self._wins = 0

    def count(self, done: int, total: int, success: bool) -> None:
        """Show that *done* of *total* episodes have ended, the last with *success*."""
        self._wins += success
        self.update(done, total, f"{self._wins} solved")
