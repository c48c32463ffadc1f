"""What a study will cost, counted and timed before it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from agentgym_gen.policy import Policy
from agentgym_gen.rollout import Episode, draw_task_ids, make_text_env, run
from agentgym_gen.seeding import stream
from agentgym_gen.study.jobs import is_done, make_jobs, models_by_name
from agentgym_gen.study.plan import Plan
from agentgym_gen.study.rows import is_whole

PROBE_TURNS, PROBE_EPISODES, PROBE_COLUMNS = 3, 16, 8
"""How much the probe plays: so many turns of so many episodes of so many columns."""

UPDATE_SHARE = 1.0
"""An update is taken to last as long as the rollout that it learns from."""

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
    models = models_by_name(plan)
    jobs = [job for job in make_jobs(plan) if not is_done(plan, out, job)]
    trained = [models[job.target] for job in jobs if job.kind == "train"]
    stages = [model.stages[-1] for model in trained if model.stages]
    steps, episodes = 0, 0
    for stage in stages:
        rft = plan.rft_of(stage)
        some = max(1, round(int(rft.get("max_steps", 100)) * stage.share))
        group = int(rft.get("tasks_per_step", 8)) * int(rft.get("num_generations", 8))
        steps, episodes = steps + some, episodes + some * group
    bases = len(trained) - len(stages)
    cells = sum(not is_whole(out, cell) for cell in plan.all_cells())
    return Cost(
        models=len(trained),
        cells=cells,
        warm_steps=bases * int(plan.warm_start.get("max_steps", 0)),
        train_steps=steps,
        train_episodes=episodes,
        test_episodes=cells * plan.test.tasks * plan.test.samples,
    )


def estimate(plan: Plan, out: Path, workers: int) -> Cost:
    """Return what is still to be done, with its time from a probe on this machine.

    The probe builds or loads the model, times two steps of the warm start, and plays the first
    turns of some episodes.
    """
    from agentgym_gen.trainers import recipe_of

    found = count(plan, out)
    if not found.train_steps and not found.test_episodes:
        return found
    decoding = (plan.test.temperature, plan.test.max_new_tokens)
    recipe = recipe_of(plan.model, plan.warm_start, plan.rft, plan.style_of, decoding)
    policy, warm_seconds = recipe.pace()
    turn_seconds, turns = _time_turns(plan, policy)
    test_turns = found.test_episodes * turns
    train_turns = found.train_episodes * turns * (1 + UPDATE_SHARE)
    seconds = found.warm_steps * warm_seconds + (test_turns + train_turns) * turn_seconds
    longest = int(plan.rft.get("max_new_tokens", 32))
    tokens = (test_turns + found.train_episodes * turns) * max(plan.test.max_new_tokens, longest)
    return Cost(**{**found.__dict__, "hours": seconds / 3600 / workers, "tokens": tokens})


def _time_turns(plan: Plan, policy: Policy) -> tuple[float, float]:
    """Return the seconds of a turn, and how many turns an episode is taken to have."""
    seconds, played, limits = 0.0, 0, []
    for column in plan.columns[:PROBE_COLUMNS]:
        tasks = draw_task_ids(column, "train", PROBE_EPISODES, stream("probe", column))
        env = make_text_env(column, "train")
        env.reset(options={"task_id": tasks[0]})
        limits.append(min(env.turn_limit, plan.test.max_turns or env.turn_limit))
        episodes = [Episode(column, task, 0, {"max_turns": PROBE_TURNS}) for task in tasks]
        started = time.perf_counter()
        done = run(episodes, policy, style=plan.style_of(column))
        seconds += time.perf_counter() - started
        played += sum(len(trajectory.turns) for trajectory in done)
    return seconds / max(1, played), TURNS_SHARE * sum(limits) / len(limits)
