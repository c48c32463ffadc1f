"""Folders with real episodes of every kind that the viewer reads: played in a small world."""

from __future__ import annotations

from pathlib import Path

from pretend_study import PretendRecipe

from agentgym_gen import Episode, RandomPolicy, Registered, register, run, sample_task_ids, stream
from agentgym_gen.agents.policy import Completion, Policy, Request
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.agents.trajectory_files import write_trajectories
from agentgym_gen.evaluation import EvalSettings, evaluate
from agentgym_gen.study import parse_plan, run_plan

CORRIDOR = "rftgen/Corridor-easy-v0"

PLAN = """
name = "tiny"
about = "About."
seeds = [0]
[style]
format = "action"
instruction = false
[environments.Sokoban]
[test]
tasks = 2
samples = 1
max_turns = 4
[difficulty]
environments = ["Sokoban"]
arms = ["easy"]
tiers = ["easy"]
"""


def register_corridor() -> None:
    """Register the world of `toy_world`."""
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def write_eval(folder: Path, model: str = "random", tasks: int = 3) -> Path:
    """Evaluate *model* on the corridor through two interfaces and return the folder."""
    settings = EvalSettings(max_turns=6)
    interfaces = ["native", "json"]
    evaluate(model, [CORRIDOR], out=folder, tasks=tasks, interfaces=interfaces, settings=settings)
    return folder


def write_study(folder: Path) -> Path:
    """Run a study whose models are policies and return its folder."""
    run_plan(parse_plan(PLAN), folder, log=str, recipe=PretendRecipe())
    return folder


class TokenPolicy:
    """Wraps a policy and adds made-up tokens: one for each word, the last of them unlikely."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def act(self, requests: list[Request]) -> list[Completion]:
        """Return the answers of the policy with tokens."""
        return [self._with_tokens(answer.text) for answer in self._policy.act(requests)]

    @staticmethod
    def _with_tokens(text: str) -> Completion:
        number = len(text.split(" "))
        logprobs = (-0.01,) * (number - 1) + (-3.0,)
        return Completion(text, (1, 2), tuple(range(number)), logprobs)


def play(number: int = 4, samples: int = 1, interface: str = "native") -> list[Trajectory]:
    """Return episodes of the corridor with tokens."""
    task_ids = sample_task_ids(CORRIDOR, "train", number, stream("played"))
    options = {"interface": interface}
    episodes = [
        Episode(CORRIDOR, task_id, sample, options)
        for task_id in task_ids
        for sample in range(samples)
    ]
    return run(episodes, TokenPolicy(RandomPolicy()))  # type: ignore[arg-type]


def write_lines(path: Path, number: int = 4) -> Path:
    """Write a file of trajectories and return it."""
    write_trajectories(path, play(number), decode=lambda token: f"<{token}>", arm="mine", step=3)
    return path
