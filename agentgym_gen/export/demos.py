"""Demonstrations as rows: the messages of an expert's episode, and which episode it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, TypedDict

from agentgym_gen.agents.prompt import ChatMessage, PromptStyle, wrap_action
from agentgym_gen.agents.session import Session
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env, sample_task_ids
from agentgym_gen.env.registration import check_env_id
from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.seeding import stream

__all__ = ["SPLITS", "DemoPlan", "DemoRow", "demo_rows"]

SPLITS = ("train", "valid")
"""The splits that may be exported: ``test`` is for the final evaluation only."""


class DemoRow(TypedDict):
    """One episode that reached the goal."""

    messages: list[ChatMessage]
    """What the model reads and answers, from the rules to the last action."""
    env_id: str
    """The environment's id."""
    task_id: str
    """The task."""
    interface: str
    """The interface of the episode."""


@dataclass(frozen=True)
class DemoPlan:
    """Which demonstrations are exported.

    Raises:
        UnknownNameError: if one of the ids or splits is not known.
        InvalidValueError: if there is no id or no split, the style has a window, or its format is
            ``functions``.
    """

    env_ids: tuple[str, ...]
    """The environments; each has the same number of tasks."""
    tasks: int
    """How many tasks of each environment and split."""
    splits: tuple[str, ...] = ("train",)
    """The splits, of `SPLITS`."""
    seed: int = 0
    """The root of the choice of tasks."""
    interface: str | None = None
    """The interface; None takes that of each id."""
    style: PromptStyle = field(default_factory=PromptStyle)
    """How an episode becomes messages."""

    def __post_init__(self) -> None:
        """Check the fields."""
        if not self.env_ids or not self.splits:
            raise InvalidValueError("A plan has at least one environment id and one split")
        for env_id in self.env_ids:
            check_env_id(env_id)
        for split in self.splits:
            if split not in SPLITS:
                advice = "the split 'test' is for the final evaluation"
                raise unknown_name("split of demonstrations", split, SPLITS, advice)
        if self.style.window is not None:
            raise InvalidValueError(
                "A demonstration is one growing conversation: a style with a `window` has none"
            )
        if "functions" in {style.format for style in self.style.each()}:
            raise InvalidValueError(
                "A row has no place for the functions of an episode, so the format 'functions' "
                "cannot be exported; choose 'function_calling', which has them in its texts"
            )

    def as_json(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        return asdict(self)


def demo_rows(plan: DemoPlan, split: str) -> Iterator[DemoRow | None]:
    """Yield a row for each task of *split*, or None where the expert does not reach the goal.

    The rows of a plan are the same every time.

    Args:
        plan: The plan.
        split: One of its splits.
    """
    options = {} if plan.interface is None else {"interface": plan.interface}
    for env_id in dict.fromkeys(map(check_env_id, plan.env_ids)):
        rng = stream("demonstrations", env_id, split, entropy=plan.seed)
        task_ids = sample_task_ids(env_id, split, plan.tasks, rng, options)
        env = make_text_env(env_id, split, options)
        try:
            for number, task_id in enumerate(dict.fromkeys(task_ids)):
                yield _play(env, env_id, task_id, number, plan.style)
        finally:
            env.close()


def _play(
    env: TextEnv, env_id: str, task_id: str, number: int, style: PromptStyle
) -> DemoRow | None:
    session = Session(env_id, task_id, interface_index=number, style=style, env=env)
    session.start()
    while not session.done:
        action = env.expert_action()
        if action is None:
            return None
        call = env.functions.call(action) if session.style.format == "function_calling" else None
        session.reply(wrap_action(session.style, action, call=call))
    if not session.result().success:
        return None
    messages = list(session.messages[:-1])  # the last observation is answered by nobody
    return DemoRow(
        messages=messages, env_id=env_id, task_id=task_id, interface=session.info["interface"]
    )
