"""Steps a second, reset time and memory of every environment, as a Markdown table.

    python benchmarks/environments.py [--seconds 2]

A step is one call of `step` with a random admissible action and includes the list of admissible
actions in `info`. Times are CPU time of the process, which other programs hardly change. Memory
is the greatest resident size of a process that holds 1 and then 100 instances, each row in a
process of its own; KB an instance is what Python itself allocates for each further one. TextWorld,
whose tasks take seconds to make, has benchmarks of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import tracemalloc

import numpy as np

RESETS = 100
INSTANCES = 100


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="how long steps are counted")
    parser.add_argument("--only", help="one id, whose figures are printed as JSON")
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(options.only, options.seconds)))
        return
    print(
        "| environment | steps/s | wrapped by `make` | reset ms, mean / p95 / max "
        "| MB with 1 / 100 | KB an instance |"
    )
    print("|---|---|---|---|---|---|")
    for env_id in tier_ids():
        figures = measure_in_process(env_id, options.seconds)
        print(
            f"| {env_id} | {figures['steps']:,.0f} | {figures['wrapped']:,.0f} "
            f"| {figures['mean']:.1f} / {figures['p95']:.1f} / {figures['max']:.1f} "
            f"| {figures['one']:.0f} / {figures['many']:.0f} | {figures['each']:.1f} |",
            flush=True,
        )


def tier_ids() -> list[str]:
    """Return the id of every tier of every environment whose tasks are made quickly."""
    from agentgym_gen.env.registration import ENVIRONMENTS

    quick = [environment for environment in ENVIRONMENTS.values() if environment.slow_tasks is None]
    return [e.id(tier) for e in quick for tier in e.tiers]


def measure_in_process(env_id: str, seconds: float) -> dict[str, float]:
    """Return the figures of *env_id*, measured in a new process."""
    command = [sys.executable, __file__, "--only", env_id, "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def measure(env_id: str, seconds: float) -> dict[str, float]:
    """Return the figures of *env_id*."""
    import gymnasium

    import agentgym_gen  # noqa: F401  (registers the ids)

    single_mb, all_mb, instance_kb = _memory(env_id)
    wrapped = gymnasium.make(env_id)
    figures = {
        "one": single_mb,
        "many": all_mb,
        "each": instance_kb,
        "steps": _steps_per_second(wrapped.unwrapped, seconds),
        "wrapped": _steps_per_second(wrapped, seconds),
    }
    times = _reset_times(wrapped)
    figures |= {"mean": times.mean(), "p95": np.quantile(times, 0.95), "max": times.max()}
    return {name: float(value) for name, value in figures.items()}


def _memory(env_id: str) -> tuple[float, float, float]:
    """Return the MB of a process with one instance and with all, and the KB of an instance."""
    import gymnasium

    instances = [_reset(gymnasium.make(env_id))]
    single_mb = _resident_mb()
    instances += [_reset(gymnasium.make(env_id)) for _ in range(INSTANCES - 1)]
    all_mb = _resident_mb()
    tracemalloc.start()
    instances += [_reset(gymnasium.make(env_id)) for _ in range(INSTANCES)]
    instance_kb = tracemalloc.get_traced_memory()[0] / INSTANCES / 2**10
    tracemalloc.stop()
    return single_mb, all_mb, instance_kb


def _reset(env):  # noqa: ANN001, ANN202  (any Gymnasium environment)
    env.reset(seed=0)
    return env


def _resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def _steps_per_second(env, seconds: float) -> float:  # noqa: ANN001  (any Gymnasium environment)
    rng = np.random.default_rng(0)
    choices = rng.random(4096).tolist()  # numbers made ahead, so that they are not timed
    _, info = env.reset(seed=0)
    steps, spent = 0, 0.0
    while spent < seconds:
        start = time.process_time()
        over = False
        while not over:
            actions = info["admissible_actions"]
            action = actions[int(choices[steps % 4096] * len(actions))]
            _, _, terminated, truncated, info = env.step(action)
            over = terminated or truncated
            steps += 1
        spent += time.process_time() - start
        _, info = env.reset()
    return steps / spent


def _reset_times(env) -> np.ndarray:  # noqa: ANN001  (any Gymnasium environment)
    times = []
    env.reset(seed=1)
    for _ in range(RESETS):
        start = time.process_time()
        env.reset()
        times.append(1000 * (time.process_time() - start))
    return np.array(times)


if __name__ == "__main__":
    main()
