"""What a study will cost, counted and timed before it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from agentgym_gen.agents.policy import Policy
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.env.making import make_text_env, sample_task_ids
from agentgym_gen.seeding import stream
from agentgym_gen.study.jobs import is_done, make_jobs, models_by_name
from agentgym_gen.study.plan import Plan, Stage
from agentgym_gen.study.rows import is_whole
from agentgym_gen.study.statistics import Floats

PROBE_TURNS, PROBE_EPISODES, PROBE_COLUMNS = 3, 16, 8
"""How much the probe plays: so many turns of so many episodes of so many columns."""

UPDATE_SHARE = 0.5
"""An update is taken to last so long in units of the rollout that it learns from."""

TURNS_SHARE = 0.6
"""An episode is taken to last this share of its turn limit."""


@dataclass(frozen=True)
class Cost:
    """What is still to be done of a study."""

    models: int
    """How many models are made or trained."""
    cells: int
    """How many cells are tested."""
    warm_steps: int
    """How many steps of warm starts."""
    train_steps: int
    """How many steps of reinforcement."""
    train_episodes: int
    """How many episodes these play."""
    test_episodes: int
    """How many episodes are tested."""
    hours: float | None = None
    """About how long it takes, on all workers together."""
    tokens: float | None = None
    """About how many tokens are sampled."""

    def __str__(self) -> str:
        """Return it in words."""
        told = (
            f"{self.models} models to train, {self.cells} cells to test: {self.train_steps:,} "
            f"training steps with {self.train_episodes:,} episodes, {self.test_episodes:,} test "
            f"episodes"
        )
        if self.hours is None or self.tokens is None:
            return told
        length = f"{self.hours:.1f} hours" if self.hours >= 1 else f"{60 * self.hours:.0f} minutes"
        return (
            f"{told}; at most {self.tokens / 1e6:.1f} million sampled tokens; roughly {length} "
            "(from a timed probe)"
        )


def count(plan: Plan, out: Path) -> Cost:
    """Return what is still to be done of *plan* in *out*, without its time."""
    return _counted(plan, _work(plan, out))


def _counted(plan: Plan, work: _Work) -> Cost:
    return Cost(
        models=work.bases + len(work.trainings),
        cells=len(work.columns),
        warm_steps=work.bases * int(plan.warm_start.get("max_steps", 0)),
        train_steps=sum(training.steps for training in work.trainings),
        train_episodes=sum(training.episodes for training in work.trainings),
        test_episodes=len(work.columns) * plan.test.tasks * plan.test.samples,
    )


def estimate(plan: Plan, out: Path, workers: int) -> Cost:
    """Return what is still to be done, with its time from a probe on this machine.

    The probe builds or loads the model, times two steps of the warm start, and plays the first
    turns of some episodes.
    """
    from agentgym_gen.trainers import recipe_of

    work = _work(plan, out)
    found = _counted(plan, work)
    if not found.train_steps and not found.test_episodes:
        return found
    decoding = (plan.test.temperature, plan.test.max_new_tokens)
    recipe = recipe_of(plan.model, plan.warm_start, plan.rft, plan.style_of, decoding)
    policy, warm_seconds = recipe.pace()
    paces = _Paces(plan, policy)
    each = plan.test.tasks * plan.test.samples
    tests = [paces.of(column, plan.test.max_turns) * each for column in work.columns]
    trainings = [
        paces.of(env_id, training.max_turns) * (training.episodes / len(training.env_ids))
        for training in work.trainings
        for env_id in training.env_ids
    ]
    played: Floats = np.sum([_NOTHING, *tests], axis=0)
    trained: Floats = np.sum([_NOTHING, *trainings], axis=0)
    seconds = found.warm_steps * warm_seconds + played[0] + trained[0] * (1 + UPDATE_SHARE)
    longest = int(plan.rft.get("max_new_tokens", 32))
    tokens = played[1] * plan.test.max_new_tokens + trained[1] * longest
    return replace(found, hours=float(seconds) / 3600 / workers, tokens=float(tokens))


@dataclass(frozen=True)
class _Training:
    """A training that is still to be done."""

    env_ids: tuple[str, ...]
    steps: int
    episodes: int
    max_turns: int | None


@dataclass(frozen=True)
class _Work:
    """What is still to be done: base models, trainings, and the column of each cell."""

    bases: int
    trainings: list[_Training]
    columns: list[str]


def _work(plan: Plan, out: Path) -> _Work:
    models = models_by_name(plan)
    jobs = [job for job in make_jobs(plan) if not is_done(plan, out, job)]
    made = [models[job.target] for job in jobs if job.kind == "train"]
    stages = [model.stages[-1] for model in made if model.stages]
    return _Work(
        bases=len(made) - len(stages),
        trainings=[_training(plan, stage) for stage in stages],
        columns=[cell.column for cell in plan.all_cells() if not is_whole(out, cell)],
    )


def _training(plan: Plan, stage: Stage) -> _Training:
    rft = plan.rft_of(stage)
    steps = max(1, round(int(rft.get("max_steps", 100)) * stage.share))
    group = int(rft.get("tasks_per_step", 8)) * int(rft.get("num_generations", 8))
    return _Training(stage.env_ids, steps, steps * group, rft.get("max_turns"))


_NOTHING = np.zeros(2)


class _Paces:
    """How long an episode of each environment takes, and how many turns it has.

    Timed on the columns of a plan, on the first of them only where there are many; any other
    environment is taken for the mean of those.
    """

    def __init__(self, plan: Plan, policy: Policy) -> None:
        timed = [_time_turns(plan, policy, column) for column in plan.columns[:PROBE_COLUMNS]]
        self._of_column = dict(zip(plan.columns, timed, strict=False))
        self._usual = tuple(np.mean(timed, axis=0))

    def of(self, env_id: str, max_turns: int | None) -> Floats:
        """Return the seconds and the turns of an episode with at most *max_turns*."""
        seconds, limit = self._of_column.get(env_id, self._usual)
        turns = TURNS_SHARE * min(limit, max_turns or limit)
        return np.array([seconds * turns, turns])


def _time_turns(plan: Plan, policy: Policy, column: str) -> tuple[float, float]:
    """Return the seconds of a turn of *column*, and its turn limit."""
    tasks = sample_task_ids(column, "train", PROBE_EPISODES, stream("probe", column))
    env = make_text_env(column, "train")
    env.reset(options={"task_id": tasks[0]})
    episodes = [Episode(column, task, 0, {"max_turns": PROBE_TURNS}) for task in tasks]
    started = time.perf_counter()
    done = run(episodes, policy, style=plan.style_of(column))
    turns = sum(len(trajectory.turns) for trajectory in done)
    return (time.perf_counter() - started) / max(1, turns), float(env.turn_limit)
