"""``agentgym-gen calibrate``: divide tasks by a model's success."""

from __future__ import annotations

import argparse
from pathlib import Path

from agentgym_gen.agents.policy import POLICIES
from agentgym_gen.agents.prompt import FORMATS, PromptStyle
from agentgym_gen.cli.arguments import at_least, complete_with, path
from agentgym_gen.cli.terminal import ProgressLine, print_line
from agentgym_gen.env.registration import check_env_id, env_ids
from agentgym_gen.ids import EnvId
from agentgym_gen.world import SPLITS


def add_calibrate(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``calibrate``."""
    number = at_least(1)
    env_id = parser.add_argument("id", metavar="ID", help="for example rftgen/TextCraft-v0")
    complete_with(env_id, env_ids)
    model = "random, expert, a folder or a hub name"
    complete_with(parser.add_argument("--model", required=True, help=model), lambda: POLICIES)
    parser.add_argument("--out", type=path, help="the start of the lists' names; default lists/ID")
    each = "tasks of each split; default 200"
    parser.add_argument("--tasks", type=number, default=200, metavar="N", help=each)
    samples = "episodes of each task; default 8"
    parser.add_argument("--samples", type=number, default=8, metavar="N", help=samples)
    threshold = "tasks with at least this success are easy; default 0.5"
    parser.add_argument("--threshold", type=float, default=0.5, help=threshold)
    parser.add_argument(
        "--split", action="append", help="a split, several times for several; default all"
    )
    form = f"how a model is asked: {', '.join(FORMATS)}; default react"
    parser.add_argument("--format", default="react", help=form)
    parser.add_argument("--temperature", type=float, default=1.0, help="default 1")
    longest = "the most tokens of a completion; default 256"
    parser.add_argument("--max-tokens", type=number, default=256, metavar="N", help=longest)
    keep = "keep the episodes in OUT.trajectories.jsonl, for agentgym-gen view"
    parser.add_argument("--keep-episodes", action="store_true", help=keep)
    parser.set_defaults(command=calibrate_tasks, resumable=True)


def calibrate_tasks(options: argparse.Namespace) -> None:
    """Play the tasks, write the lists and say how many tasks each has."""
    from agentgym_gen.models import Decoding, identify
    from agentgym_gen.study.run.calibrate import Calibration, calibrate, resolve_policy

    parts = EnvId.parse(check_env_id(options.id))
    stem = options.out or Path("lists") / parts.replace(query=()).label.lower()
    splits = tuple(options.split or SPLITS)
    calibration = Calibration(
        options.id,
        options.tasks,
        options.samples,
        options.threshold,
        splits,
        keep_episodes=options.keep_episodes,
    )
    decoding = {"temperature": options.temperature, "max_tokens": options.max_tokens}
    Decoding(**decoding)  # checks them for a policy without a model, too
    policy = resolve_policy(options.model, **decoding)
    style = PromptStyle(format=options.format)
    sizes = calibrate(
        calibration,
        policy,
        stem,
        model=options.model,
        made_of=identify(options.model).as_dict() | decoding,
        style=style,
        log=print_line,
        progress=ProgressLine("episodes").update,
    )
    for kind, size in sizes.items():
        if size:
            print_line(f"{size} tasks in {stem}.{kind}.txt")
