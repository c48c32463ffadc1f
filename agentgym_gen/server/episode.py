"""The episodes of one client, one after another: resets and actions in, observations out."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from agentgym_gen.agents.completions.calls import write_call
from agentgym_gen.agents.session import Reply, Session
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.errors import AgentGymGenError, EpisodeOverError, InvalidValueError
from agentgym_gen.interface.syntax.functions import FunctionCall
from agentgym_gen.seeding import stream
from agentgym_gen.server.messages import ResetRequest
from agentgym_gen.world import Command, Malformed

__all__ = ["ServedEpisode"]


class ServedEpisode:
    """What one client plays; one thread at a time calls it.

    The data that it returns has the form of OpenEnv's: ``{"observation": {"text": ...}, "reward":
    ..., "done": ...}``. The text is the message of the user that a model reads: `Session` writes
    it. Admissible actions, success and the like are beside it only if the reset names them.

    Args:
        env_ids: The ids that a client may play; the first one if it names none.
    """

    def __init__(self, env_ids: Sequence[str]) -> None:
        self._env_ids = tuple(env_ids)
        self._env: TextEnv | None = None
        self._env_key = ""
        self._session: Session | None = None
        self._request: ResetRequest | None = None
        self._task_id = ""
        self.is_quick = False
        """Whether a step takes less time than the way to a thread and back."""

    def reset(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Start an episode and return its first observation.

        Args:
            fields: Those of `ResetRequest`, as plain data. A mistake in them changes nothing: the
                episode before goes on.

        Raises:
            InvalidValueError: if a field is unknown or has a value that is not accepted.
            MissingExtraError: if the environment needs an extra that is not installed.
            BackendError: if the software behind the world fails.
        """
        request = self.check(fields)
        env, key = self._env_for(request)
        task_id = request.task_id or _sample_task(env, request)
        session = Session(
            request.env_id,
            task_id,
            interface_index=request.interface_index,
            style=request.style,
            reward=request.reward,
            env=env,
        )
        try:
            text = session.start()[0]["content"]
        except InvalidValueError:
            raise  # the task is not one of the environment, which goes on with the one before
        except AgentGymGenError:
            self._session = None
            raise
        if self._env is not None and self._env is not env:
            self._env.close()
        self._env, self._env_key = env, key
        self._session, self._request, self._task_id = session, request, task_id
        self.is_quick = env.world.steps_in_process
        return {"observation": self._observe(text), "reward": None, "done": False}

    def check(self, fields: Mapping[str, Any]) -> ResetRequest:
        """Return what *fields* of a reset mean.

        Raises:
            InvalidValueError: if a field is unknown or has a value that is not accepted.
        """
        return ResetRequest.parse(fields, self._env_ids, self._env_ids[0])

    def step(self, text: str) -> dict[str, Any]:
        """Take the turn that *text* means and return what came of it.

        Raises:
            EpisodeOverError: if no episode has begun, or it is over.
        """
        reply: Reply = self._playing.reply(text)
        observation = self._observe(reply.message["content"])
        return {"observation": observation, "reward": reply.reward, "done": reply.done}

    def read(self, text: str) -> Command | Malformed:
        """Return the command that *text* spells now, or why it spells none.

        Raises:
            EpisodeOverError: if no episode has begun.
        """
        return self.env.read(text)

    def write(self, command: Command) -> str | None:
        """Return *command* as an action of this episode; None if its interface cannot name it now.

        Raises:
            EpisodeOverError: if no episode has begun.
        """
        try:
            return self.env.write(command)
        except ValueError:  # a menu has no number for it
            return None

    @property
    def functions(self) -> tuple[dict[str, Any], ...]:
        """The verbs of the episode as OpenAI's ``tools`` have them; none where `call` takes none.

        They stay the same while the episode lasts.
        """
        if self._session is None or self._session.style.format not in ("action", "functions"):
            return ()
        return self.env.functions.schemas

    def call(self, call: FunctionCall) -> dict[str, Any]:
        """Take the turn that *call* of one of the `functions` means; see `step`.

        Raises:
            InvalidValueError: if there is no such function, or its arguments are not those of its
                schema; no turn is taken.
            EpisodeOverError: if no episode has begun, or it is over.
        """
        action = self.env.functions.action(call, call.name)
        if isinstance(action, Malformed):
            raise InvalidValueError(f"This is no action, and no turn was taken: {action.reason}")
        is_call = self._playing.style.format == "functions"
        return self.step(write_call(call) if is_call else action)

    @property
    def state(self) -> dict[str, Any]:
        """How the episode goes, for the program that trains or tests and not for the model."""
        if self._session is None or self._request is None:
            return {"episode_id": None, "step_count": 0}
        result, info = self._session.result(), self._info
        return {
            "episode_id": self._request.episode_id,
            "step_count": result.turns,
            "env_id": self._request.env_id,
            "task_id": self._task_id,
            "interface": info["interface"],
            "turn_limit": self._session.env.turn_limit,
            "done": self._session.done,
            "reward": result.reward,
            "success": result.success,
            "score": result.score,
            "invalid_turns": result.invalid_turns,
            "end_reason": result.end_reason,
        }

    def close(self) -> None:
        """Release what the environment holds; a later reset works again."""
        self._session = None
        if self._env is not None:
            self._env.close()

    @property
    def env(self) -> TextEnv:
        """The environment of the current episode.

        Raises:
            EpisodeOverError: if no episode has begun.
        """
        return self._playing.env

    @property
    def _playing(self) -> Session:
        if self._session is None:
            raise EpisodeOverError("No episode has begun; call `reset()` first")
        return self._session

    @property
    def _info(self) -> dict[str, Any]:
        return self._playing.info

    def _observe(self, text: str) -> dict[str, Any]:
        observation: dict[str, Any] = {"text": text}
        if self._request is not None:
            observation |= {name: self._info[name] for name in self._request.include}
        return observation

    def _env_for(self, request: ResetRequest) -> tuple[TextEnv, str]:
        """Return an environment for *request*, and its kind: the last one, if it is of that."""
        key = f"{request.env_id} {request.split} {sorted(request.options.items())}"
        if self._env is not None and key == self._env_key:
            return self._env, key
        return make_text_env(request.env_id, request.split, request.options), key


def _sample_task(env: TextEnv, request: ResetRequest) -> str:
    """Return a task of *env*: any, or the one that the seed of *request* decides."""
    seed = secrets.randbits(63) if request.seed is None else request.seed
    rng = stream("serve", request.env_id, request.split, entropy=seed)
    if env.task_list is not None:
        return env.task_list[int(rng.integers(len(env.task_list)))]
    tier = env.tiers[int(rng.integers(len(env.tiers)))]
    index = int(rng.integers(env.world.tasks.size(tier, env.split)))
    return str(env.world.tasks.task_id(tier, env.split, index))
