"""``agentgym-gen demo``: watch a policy play."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from agentgym_gen.agents.policy import POLICIES, Completion, ConcurrentPolicy, Policy, Request
from agentgym_gen.agents.prompt import FORMATS, PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.cli.arguments import (
    add_interface,
    add_model,
    add_task,
    at_least,
    complete_with,
    decoding,
    env_options,
    task_id,
)
from agentgym_gen.cli.terminal import (
    BOLD,
    CYAN,
    GREEN,
    RED,
    ProgressLine,
    paint,
    print_json,
)
from agentgym_gen.describe.printable import printable
from agentgym_gen.describe.transcript import format_episode


def add_demo(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``demo``."""
    add_task(parser)
    add_interface(parser)
    policy = "expert (default), random, or a model: a folder, an adapter, a name on the hub or of"
    action = parser.add_argument(
        "--policy", default="expert", metavar="MODEL", help=f"{policy} the server at --base-url"
    )
    complete_with(action, lambda: POLICIES)
    number = at_least(1)
    parser.add_argument(
        "--episodes", type=number, default=1, metavar="N", help="how many episodes; default 1"
    )
    form = f"how a model is asked: {', '.join(FORMATS)}; default react"
    parser.add_argument("--format", default="react", help=form)
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="print the episodes as JSON")
    parser.set_defaults(command=demo)


def demo(options: argparse.Namespace) -> None:
    """Play the episodes, print each when it has ended, and count the wins."""
    task_ids = [task_id(options, number) for number in range(options.episodes)]
    keywords = env_options(options)
    episodes = [Episode(options.id, task, n, keywords) for n, task in enumerate(task_ids)]
    line = ProgressLine("turns")

    def print_episode(trajectory: Trajectory) -> None:
        line.clear()
        if not options.json:
            print(f"{_in_colours(printable(format_episode(trajectory, completions=True)))}\n")

    policy, style = _open(options, line)
    trajectories = run(episodes, policy, style=style, on_end=print_episode, max_concurrent=1)
    wins = sum(trajectory.success for trajectory in trajectories)
    if options.json:
        played = list(map(_as_json, trajectories))
        print_json({"policy": options.policy, "won": wins, "episodes": played})
    else:
        name = printable(options.policy)
        print(f"{name} policy: {wins} of {len(trajectories)} episodes won")


def _open(
    options: argparse.Namespace, line: ProgressLine
) -> tuple[Policy | ConcurrentPolicy, PromptStyle]:
    """Return who plays, and the style of its prompts; a model shows its turns on *line*."""
    from agentgym_gen.models import identify, open_policy

    style, sampling = PromptStyle(format=options.format, reader="lenient"), decoding(options)
    if options.policy in POLICIES and options.base_url is None:
        return POLICIES[options.policy](), PromptStyle(format="action", instruction=False)
    identity = identify(options.policy, base_url=options.base_url, base=options.base)
    policy = open_policy(identity, sampling)
    if isinstance(policy, ConcurrentPolicy):
        return _WatchedServer(policy, line), style
    return _WatchedModel(policy, line), style


class _WatchedModel:
    """A model in memory that says at which turn it is, because an answer takes a while."""

    def __init__(self, policy: Policy, line: ProgressLine) -> None:
        self._policy, self._line = policy, line

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        _show_turn(self._line, requests[0])
        return self._policy.act(requests)


class _WatchedServer:
    """The same of a server."""

    def __init__(self, policy: ConcurrentPolicy, line: ProgressLine) -> None:
        self._policy, self._line = policy, line

    def answer(self, request: Request) -> Completion:
        _show_turn(self._line, request)
        return self._policy.answer(request)


def _show_turn(line: ProgressLine, request: Request) -> None:
    if line.live:
        line.show(f"{request.env.task.id}: turn {request.turn + 1} of {request.env.turn_limit}")


def _in_colours(text: str) -> str:
    """Return the *text* of an episode with its parts in colours, on a terminal that has them."""
    ended = GREEN if "=== success" in text.rpartition("\n")[2] else RED
    lines = text.split("\n")
    painted = [paint(line, CYAN) if line.startswith("> ") else line for line in lines[1:-1]]
    return "\n".join([paint(lines[0], BOLD), *painted, paint(lines[-1], ended)])


def _as_json(trajectory: Trajectory) -> dict[str, Any]:
    """Return an episode of ``demo --json``; docs/command-line.md describes it."""
    return {
        "env_id": trajectory.env_id,
        "task_id": trajectory.task_id,
        "interface": trajectory.interface,
        "success": trajectory.success,
        "score": trajectory.score,
        "reward": trajectory.total_reward,
        "end_reason": trajectory.end_reason,
        "error": trajectory.error,
        "turns": [
            {
                "observation": turn.observation,
                "completion": turn.completion.text,
                "action": turn.action,
                "valid": turn.valid,
                "reward": turn.reward,
            }
            for turn in trajectory.turns
        ],
        "last_observation": trajectory.last_observation,
    }
