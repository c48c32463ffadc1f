"""One episode as chat messages, for a model of any kind and a trainer of any make.

    session = Session("rftgen/TextCraft-easy-v0", "textcraft/easy/train/17")
    messages = session.start()
    while not session.done:
        reply = session.reply(my_model(session.messages))

What a model must not read (admissible actions, success, score) stands in ``reply.info`` and in
`Session.result`, never in a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from agentgym_gen.agents.completions.reader import call_in, read_completion
from agentgym_gen.agents.policy import Completion
from agentgym_gen.agents.prompt import (
    ChatMessage,
    PastTurn,
    PromptStyle,
    Tools,
    build,
    observation_message,
    rule_of,
)
from agentgym_gen.agents.trajectory import Trajectory, Turn
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.errors import EpisodeOverError, InvalidValueError, unknown_name
from agentgym_gen.world import EndReason, TaskId

__all__ = ["REWARDS", "Reply", "Session", "SessionResult"]

REWARDS = ("success", "score", "return")
"""What an episode can be rewarded by: reaching the goal, how much of it, or the step rewards."""


class Reply(NamedTuple):
    """What came of one answer."""

    message: ChatMessage
    """The observation as a message of the user, or of the tool that was called."""
    reward: float
    """The reward of this turn; over an episode they add up to its reward."""
    done: bool
    """Whether the episode is over."""
    info: dict[str, Any]
    """The ``info`` of the environment, which is not for the model."""


@dataclass(frozen=True)
class SessionResult:
    """How an episode went, or has gone so far."""

    reward: float
    """The sum of the rewards."""
    success: bool
    """Whether the goal was reached."""
    score: float
    """How much of the task was done, 0 to 1."""
    turns: int
    """How many turns were taken."""
    invalid_turns: int
    """How many of them had an action that could not be carried out."""
    truncated_turns: int
    """How many of them had a completion that ran into the limit of new tokens."""
    lenient_turns: int
    """How many of them only the lenient reader could read."""
    end_reason: str | None
    """A value of `EndReason`, or None while the episode goes on."""


class Session:
    """One episode: messages out, answers in.

    Args:
        env_id: A registered id; keyword arguments may follow it after a ``?``.
        task_id: The task, of any split.
        interface_index: Which interface of a `Randomized` is played.
        style: How the episode becomes a prompt.
        options: Keyword arguments of the environment, such as ``interface``.
        reward: ``success`` or ``score`` of the whole episode, paid at its end, or ``return``: the
            environment's reward of each step.
        env: An environment of *env_id* and the split of the task to play in; None makes one.

    Raises:
        UnknownNameError: if there is no such id or kind of reward.
        InvalidValueError: if *task_id* is malformed.
    """

    def __init__(  # noqa: PLR0913  (what an episode is, and three settings with defaults)
        self,
        env_id: str,
        task_id: str,
        *,
        interface_index: int = 0,
        style: PromptStyle | None = None,
        options: Mapping[str, Any] | None = None,
        reward: str = "success",
        env: TextEnv | None = None,
    ) -> None:
        if reward not in REWARDS:
            raise unknown_name("kind of reward", reward, REWARDS)
        split = TaskId.parse(task_id).split
        self.env = env or make_text_env(env_id, split, options)
        """The environment."""
        self.style = (style or PromptStyle()).for_env(env_id)
        """How the episode becomes a prompt."""
        self._env_id, self._task_id, self._reward = env_id, task_id, reward
        self._index = interface_index
        self._info: dict[str, Any] | None = None
        self._observation = self._instruction = self._error = ""
        self._functions: Tools = ()
        self._rule = ""
        self._past: list[PastTurn] = []
        self._turns: list[Turn] = []

    def start(self) -> list[ChatMessage]:
        """Start the episode, or start it again, and return the messages that open it.

        Raises:
            BackendError: if the software behind the world cannot make it.
        """
        self._info = None
        which = {"task_id": self._task_id, "interface_index": self._index}
        self._observation, self._info = self.env.reset(options=which)
        has_functions = self.style.format in ("functions", "function_calling")
        rules = self.env.functions.instruction if has_functions else self.env.instruction
        self._instruction = rules if self.style.instruction else ""
        self._functions = self.env.functions.schemas if has_functions else ()
        self._rule = rule_of(self.style.format, self._functions)
        self._past, self._turns, self._error = [], [], ""
        return list(self.messages)

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        """All messages that a model reads before its next answer, as the style has them."""
        self._current()
        return build(self.style, self._instruction, self._past, self._observation, self._rule)

    @property
    def observation(self) -> str:
        """The current observation, without the rules before it."""
        self._current()
        return self._observation

    @property
    def tools(self) -> Tools:
        """The functions of the episode as OpenAI's ``tools``, for the format ``functions``.

        A chat template or a server takes them beside the messages. They stay the same while the
        episode lasts; other formats have none.
        """
        self._current()
        return self._functions if self.style.format == "functions" else ()

    @property
    def done(self) -> bool:
        """Whether the episode is over."""
        return self._current()["end_reason"] is not None

    @property
    def info(self) -> dict[str, Any]:
        """The ``info`` of the environment, which is not for the model."""
        return self._current()

    def reply(self, completion: Completion | str) -> Reply:
        """Take the turn that *completion* means.

        Args:
            completion: The model's answer as text, or as a `Completion` that has tokens as well.

        Raises:
            EpisodeOverError: if the episode has not begun, or is over.
        """
        if self.done:
            raise EpisodeOverError("This episode is over; call `start()` for another one")
        if isinstance(completion, str):
            completion = Completion(completion)
        if completion.action is None:
            action, lenient = read_completion(self.style, completion.text, self.env)
        else:
            action, lenient = completion.action, False
        before = self._observation
        self._observation, step_reward, _, _, self._info = self.env.step(action)
        valid = self._info["valid_action"]
        text = action if isinstance(action, str) else action.text
        self._turns.append(Turn(before, completion, text, float(step_reward), valid, lenient))
        call = call_in(self.style, completion.text) if self.tools else None
        self._past.append(PastTurn(before, completion.text, call))
        message = observation_message(self._observation, len(self._past) - 1 if call else None)
        return Reply(message, self._paid(float(step_reward)), self.done, self._info)

    def end(self, reason: EndReason, error: str = "") -> None:
        """End the episode before the environment does: no answer will come, or it cannot begin.

        Args:
            reason: Why, such as `EndReason.POLICY_ERROR`.
            error: What went wrong, in one sentence.

        Raises:
            EpisodeOverError: if the episode is over.
        """
        if self._info is None:
            self._info = {"success": False, "score": 0.0, "end_reason": None}
        if self.done:
            raise EpisodeOverError("This episode is over; call `start()` for another one")
        self._info = {**self._info, "end_reason": str(reason)}
        self._error = error

    def result(self) -> SessionResult:
        """Return how the episode went, or has gone so far."""
        info = self._current()
        step_rewards = sum(turn.reward for turn in self._turns)
        return SessionResult(
            reward=step_rewards if self._reward == "return" else self._paid(0.0),
            success=info["success"],
            score=info["score"],
            turns=len(self._turns),
            invalid_turns=sum(not turn.valid for turn in self._turns),
            truncated_turns=sum(turn.completion.truncated for turn in self._turns),
            lenient_turns=sum(turn.lenient for turn in self._turns),
            end_reason=info["end_reason"],
        )

    def trajectory(self, sample: int = 0) -> Trajectory:
        """Return the record of the episode.

        Args:
            sample: Which of several episodes of the task it is.

        Raises:
            InvalidValueError: if the episode is not over.
        """
        info = self._current()
        if info["end_reason"] is None:
            raise InvalidValueError("A trajectory is the record of an episode that is over")
        return Trajectory(
            env_id=self._env_id,
            task_id=self._task_id,
            interface=str(self.env.interface_of(TaskId.parse(self._task_id), self._index)),
            sample=sample,
            turns=tuple(self._turns),
            last_observation=self._observation,
            success=info["success"],
            score=info["score"],
            end_reason=cast("str", info["end_reason"]),
            error=self._error,
        )

    def close(self) -> None:
        """Release what the environment holds; `start` works again afterwards."""
        self.env.close()

    def _paid(self, step_reward: float) -> float:
        if self._reward == "return":
            return step_reward
        return float(self._current()[self._reward]) if self.done else 0.0

    def _current(self) -> dict[str, Any]:
        if self._info is None:
            raise EpisodeOverError("No episode has begun; call `start()` first")
        return self._info
