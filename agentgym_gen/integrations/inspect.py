"""Tasks of Inspect AI, one for each tier of each bundled environment, and `play` for any id.

The entry point ``inspect_ai`` of the package names this module, so that
``inspect eval agentgym_gen/alfworld_hard`` finds them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from agentgym_gen.agents import Completion, PromptStyle
from agentgym_gen.env.making import task_rows
from agentgym_gen.env.registration import BUNDLED
from agentgym_gen.integrations.required import required
from agentgym_gen.integrations.rows import start_session

with required("inspect_ai", "'agentgym-gen[inspect]'"):
    from inspect_ai import Task, task
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ChatMessageUser
    from inspect_ai.scorer import Score, Scorer, Target, accuracy, mean, scorer, stderr
    from inspect_ai.solver import Generate, Solver, TaskState, solver

__all__ = ["episode", "outcome", "play"]

_METRICS: dict[str, list[Any]] = {
    "success": [accuracy(), stderr()],
    "score": [mean(), stderr()],
    **{name: [mean()] for name in ("turns", "invalid_turns", "truncated_turns")},
}


@solver
def episode(format: str = "react") -> Solver:
    """Return what plays the episode of a sample until it ends, or Inspect stops it."""
    style = PromptStyle(format)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        session = await asyncio.to_thread(start_session, state.metadata, style=style)
        state.messages = [ChatMessageUser(content=session.messages[0]["content"])]
        state.store.set("episode", asdict(session.result()))
        while not (session.done or state.completed):
            state = await generate(state)
            truncated = state.output.stop_reason == "max_tokens"
            completion = Completion(state.output.completion, truncated=truncated)
            observation = session.reply(completion).message["content"]
            state.messages.append(ChatMessageUser(content=observation))
            state.store.set("episode", asdict(session.result()))
        return state

    return solve


@scorer(metrics=_METRICS)
def outcome() -> Scorer:
    """Return what scores an episode by its own result."""

    async def score(state: TaskState, _: Target) -> Score:
        result = state.store.get("episode")
        return Score(value={name: float(result[name]) for name in _METRICS}, metadata=result)

    return score


@task
def play(
    env_id: str = "rftgen/TextCraft-easy-v0",
    number: int = 50,
    split: str = "test",
    seed: int = 0,
    interface: str | None = None,
    format: str = "react",
) -> Task:
    """Return the evaluation of a model on *number* tasks of any registered environment."""
    samples = [
        Sample(id=row["task_id"], input=row["task_id"], metadata=dict(row))
        for row in task_rows([env_id], number, split, seed, interface)
    ]
    return Task(dataset=samples, solver=episode(format), scorer=outcome())


def _task_of(env_id: str) -> Callable[..., Task]:
    def make(
        number: int = 50,
        split: str = "test",
        seed: int = 0,
        interface: str | None = None,
        format: str = "react",
    ) -> Task:
        return play(env_id, number, split, seed, interface, format)

    return make


for _registered in BUNDLED:
    for _tier in _registered.tiers:
        task(name=f"{_registered.name}_{_tier}".lower())(
            _task_of(f"rftgen/{_registered.name}-{_tier}-v0")
        )
