"""``agentgym-gen demo``: watch a policy play."""

from __future__ import annotations

import argparse

from agentgym_gen.agents.policy import POLICIES
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.cli.arguments import add_interface, add_task, at_least, env_options, task_id
from agentgym_gen.cli.terminal import print_line
from agentgym_gen.describe.transcript import format_episode


def add_demo(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``demo``."""
    add_task(parser)
    add_interface(parser)
    parser.add_argument("--policy", default="expert", choices=sorted(POLICIES))
    number = at_least(1)
    parser.add_argument("--episodes", type=number, default=1, metavar="N", help="how many episodes")
    parser.set_defaults(command=demo)


def demo(options: argparse.Namespace) -> None:
    """Play the episodes, print each when it has ended, and count the wins."""
    task_ids = [task_id(options, number) for number in range(options.episodes)]
    keywords = env_options(options)
    episodes = [Episode(options.id, task, n, keywords) for n, task in enumerate(task_ids)]
    policy = POLICIES[options.policy]()
    style = PromptStyle(format="action", instruction=False)
    trajectories = run(episodes, policy, style=style, on_end=_print_episode, max_concurrent=1)
    wins = sum(trajectory.success for trajectory in trajectories)
    print(f"{options.policy} policy: {wins} of {len(trajectories)} episodes won")


def _print_episode(trajectory: Trajectory) -> None:
    print_line(f"{format_episode(trajectory)}\n")
