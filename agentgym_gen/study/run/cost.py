"""What a study will cost: counted from the plan, and timed by a probe before it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from agentgym_gen.agents.policy import Policy
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.env.making import make_text_env, sample_task_ids
from agentgym_gen.seeding import stream
from agentgym_gen.study.analysis.statistics import Floats
from agentgym_gen.study.plan.plan import Plan, Stage
from agentgym_gen.study.results.folder import ResultsFolder
from agentgym_gen.study.run.jobs import is_done, make_jobs, models_by_name
from agentgym_gen.study.run.recipes import recipe_of

PROBE_TURNS, PROBE_EPISODES, PROBE_COLUMNS = 3, 16, 8
"""The size of the probe: so many turns of so many episodes of so many columns."""

UPDATE_SHARE = 0.5
"""How long an update is assumed to take, as a share of the rollout before it."""

TURNS_SHARE = 0.6
"""How long an episode is assumed to be, as a share of its turn limit."""


@dataclass(frozen=True)
class Cost:
    """What is still to be done of a study."""

    models: int
    """How many models are made or trained."""
    cells: int
    """How many cells are tested."""
    warm_steps: int
    """How many steps the warm starts have."""
    train_steps: int
    """How many steps of reinforcement fine-tuning there are."""
    train_episodes: int
    """How many episodes these steps play."""
    test_episodes: int
    """How many episodes are played in tests."""
    hours: float | None = None
    """About how long it takes with all workers; None if no probe was timed."""
    tokens: float | None = None
    """At most how many tokens are sampled; None if no probe was timed."""

    def __str__(self) -> str:
        """Return the cost in words."""
        counts = (
            f"{self.models} models to train, {self.cells} cells to test: {self.train_steps:,} "
            f"training steps with {self.train_episodes:,} episodes, {self.test_episodes:,} test "
            f"episodes"
        )
        if self.hours is None or self.tokens is None:
            return counts
        length = f"{self.hours:.1f} hours" if self.hours >= 1 else f"{60 * self.hours:.0f} minutes"
        return (
            f"{counts}; at most {self.tokens / 1e6:.1f} million sampled tokens; roughly {length} "
            "(from a timed probe)"
        )


def count_cost(plan: Plan, out: Path) -> Cost:
    """Return what is still to be done of *plan* in *out*, without its time."""
    return _count(plan, _remaining_work(plan, out))


def remaining_trainings(plan: Plan, out: Path) -> list[tuple[str, ...]]:
    """Return the environment ids of each training of *plan* that is still to be done in *out*."""
    return [training.env_ids for training in _remaining_work(plan, out).trainings]


def _count(plan: Plan, work: _RemainingWork) -> Cost:
    return Cost(
        models=work.bases + len(work.trainings),
        cells=len(work.columns),
        warm_steps=work.bases * int(plan.warm_start.get("max_steps", 0)),
        train_steps=sum(training.steps for training in work.trainings),
        train_episodes=sum(training.episodes for training in work.trainings),
        test_episodes=len(work.columns) * plan.test.tasks * plan.test.samples,
    )


def estimate_cost(plan: Plan, out: Path, workers: int) -> Cost:
    """Return what is still to be done, with its time from a probe on this machine.

    The probe builds or loads the model, times two steps of the warm start, and plays the first
    turns of some episodes.
    """
    work = _remaining_work(plan, out)
    cost = _count(plan, work)
    if not cost.train_steps and not cost.test_episodes:
        return cost
    decoding = (plan.test.temperature, plan.test.max_new_tokens)
    recipe = recipe_of(plan.model, plan.warm_start, plan.rft, plan.style_of, decoding)
    policy, warm_seconds = recipe.measure_speed()
    times = _EpisodeTimes(plan, policy)
    column_episodes = plan.test.tasks * plan.test.samples
    tests = [times.of(column, plan.test.max_turns) * column_episodes for column in work.columns]
    trainings = [
        times.of(env_id, training.max_turns) * (training.episodes / len(training.env_ids))
        for training in work.trainings
        for env_id in training.env_ids
    ]
    # Each is a pair: seconds, turns.
    test_total: Floats = np.sum([_NOTHING, *tests], axis=0)
    train_total: Floats = np.sum([_NOTHING, *trainings], axis=0)
    train_seconds = train_total[0] * (1 + UPDATE_SHARE)
    seconds = cost.warm_steps * warm_seconds + test_total[0] + train_seconds
    train_tokens = int(plan.rft.get("max_new_tokens", plan.test.max_new_tokens))
    tokens = test_total[1] * plan.test.max_new_tokens + train_total[1] * train_tokens
    return replace(cost, hours=float(seconds) / 3600 / workers, tokens=float(tokens))


@dataclass(frozen=True)
class _Training:
    """A training that is still to be done."""

    env_ids: tuple[str, ...]
    steps: int
    episodes: int
    max_turns: int | None


@dataclass(frozen=True)
class _RemainingWork:
    """What is still to be done: base models, trainings, and the column of each cell."""

    bases: int
    trainings: list[_Training]
    columns: list[str]


def _remaining_work(plan: Plan, out: Path) -> _RemainingWork:
    models, results = models_by_name(plan), ResultsFolder(out, plan)
    jobs = [job for job in make_jobs(plan) if not is_done(plan, out, job)]
    untrained = [models[job.target] for job in jobs if job.kind == "train"]
    untrained = [model for model in untrained if plan.given_model(model) is None]
    stages = [model.stages[-1] for model in untrained if model.stages]
    return _RemainingWork(
        bases=len(untrained) - len(stages),
        trainings=[_training(plan, stage) for stage in stages],
        columns=[cell.column for cell in plan.all_cells() if not results.is_complete(cell)],
    )


def _training(plan: Plan, stage: Stage) -> _Training:
    rft = plan.rft_of(stage)
    steps = max(1, round(int(rft.get("max_steps", 100)) * stage.share))
    step_episodes = int(rft.get("tasks_per_step", 8)) * int(rft.get("num_generations", 8))
    return _Training(stage.env_ids, steps, steps * step_episodes, rft.get("max_turns"))


_NOTHING = np.zeros(2)


class _EpisodeTimes:
    """How long an episode of each environment takes, and how many turns it has.

    The first columns of the plan are timed, at most `PROBE_COLUMNS`; any other environment is
    assumed to take their mean.
    """

    def __init__(self, plan: Plan, policy: Policy) -> None:
        timed = [_time_turns(plan, policy, column) for column in plan.columns[:PROBE_COLUMNS]]
        self._of_column = dict(zip(plan.columns, timed, strict=False))
        self._mean = tuple(np.mean(timed, axis=0))

    def of(self, env_id: str, max_turns: int | None) -> Floats:
        """Return the seconds and the turns of an episode with at most *max_turns*."""
        seconds, limit = self._of_column.get(env_id, self._mean)
        turns = TURNS_SHARE * min(limit, max_turns or limit)
        return np.array([seconds * turns, turns])


def _time_turns(plan: Plan, policy: Policy, column: str) -> tuple[float, float]:
    """Return the seconds of a turn of *column*, and its turn limit."""
    tasks = sample_task_ids(column, "train", PROBE_EPISODES, stream("probe", column))
    env = make_text_env(column, "train")
    env.reset(options={"task_id": tasks[0]})
    episodes = [Episode(column, task, 0, {"max_turns": PROBE_TURNS}) for task in tasks]
    started = time.perf_counter()
    trajectories = run(episodes, policy, style=plan.style_of(column))
    turns = sum(len(trajectory.turns) for trajectory in trajectories)
    return (time.perf_counter() - started) / max(1, turns), float(env.turn_limit)
