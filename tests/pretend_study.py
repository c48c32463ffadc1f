"""A small study whose models are policies: nothing is learned, everything else is real."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from agentgym_gen.agents.policy import Completion, ExpertPolicy, Policy, RandomPolicy, Request
from agentgym_gen.study import Plan, Stage, TrainingRecipe, parse_plan
from agentgym_gen.study.run.schedule import Log
from agentgym_gen.system.files import write_json

SMALL = """
name = "small"
about = "Policies in the place of models."
seeds = [0, 1]

[style]
format = "action"
instruction = false

[environments.TextCraft]
interface = "menu"

[environments.Sokoban]

[test]
tasks = 6
samples = 2

[difficulty]
environments = ["Sokoban"]
arms = ["easy", "easy-medium"]
tiers = ["easy", "medium"]

[cross]
environments = ["Sokoban", "TextCraft"]

[interface]
environments = ["Sokoban"]
train = ["listed"]
test = ["native", "listed"]

[sequence]
pairs = [["Sokoban", "TextCraft"]]

[mixture]
environments = ["Sokoban", "TextCraft"]
"""


def small_plan(**changes: object) -> Plan:
    """Return the small plan, with some fields of `TestPlan` or `Plan` changed."""
    plan = parse_plan(SMALL)
    test = {k: v for k, v in changes.items() if hasattr(plan.test, k)}
    others = {k: v for k, v in changes.items() if k not in test}
    return replace(plan, test=replace(plan.test, **test), **others)  # type: ignore[arg-type]


class SkilledPolicy:
    """Acts as the expert with a probability, else at random or wrongly.

    Args:
        skill: The probability.
    """

    def __init__(self, skill: float) -> None:
        self._skill = skill

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return a completion for each request."""
        experts, randoms = ExpertPolicy().act(requests), RandomPolicy().act(requests)
        return [
            expert if request.rng.random() < self._skill else random
            for request, expert, random in zip(requests, experts, randoms, strict=True)
        ]


class PretendRecipe(TrainingRecipe):
    """A recipe whose models are policies with a skill, and whose training raises the skill.

    Args:
        fail_at: The name of the model whose training fails.
        stop_after: How many policies are loaded before the run is interrupted.
        idle_at: The name of a model, or of an arm, whose training makes no update.
    """

    def __init__(self, fail_at: str = "", stop_after: int = 1000, idle_at: str = "") -> None:
        self.fail_at, self._left, self.idle_at = fail_at, stop_after, idle_at
        self.trained: list[str] = []

    def make_base(self, folder: Path, seed: int, log: Log) -> None:
        """Write a model of little skill."""
        self._write(folder, 0.3)

    def train(self, base: Path, folder: Path, stage: Stage, seed: int, log: Log) -> None:
        """Write a model of more skill."""
        if folder.name == self.fail_at:
            raise RuntimeError("the graphics card is on fire")
        skill = json.loads((base / "recipe.json").read_text())["skill"]
        rows = [{"step": n, "success": n / 10, "episodes": 8} for n in (1, 2, 3)]
        if self.idle_at in (folder.name, folder.name.rpartition(".s")[0]):
            rows = [{**row, "groups": 2, "zero_variance_groups": 2} for row in rows]
        else:
            skill = min(1.0, skill + 0.6 * stage.share)
        self._write(folder, skill)
        (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.trained.append(folder.name)

    def load_policy(self, folder: Path) -> Policy:
        """Return the policy of a model."""
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return SkilledPolicy(json.loads((folder / "recipe.json").read_text())["skill"])

    @staticmethod
    def _write(folder: Path, skill: float) -> None:
        write_json(folder / "recipe.json", {"skill": skill})
