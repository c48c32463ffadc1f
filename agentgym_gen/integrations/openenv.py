"""OpenEnv 0.10: the environments as its ``Environment``, an application, and a client.

    from agentgym_gen.integrations.openenv import connect

    with connect("http://127.0.0.1:8000").sync() as env:
        result = env.reset(env_id="rftgen/TextCraft-easy-v0", seed=3)
        result = env.step("get 1 iron ingot")

The client talks to ``agentgym-gen serve``, which needs no OpenEnv, and to `create_app` under any
server of ASGI applications: ``uvicorn --factory agentgym_gen.integrations.openenv:create_app``.
OpenEnv's own server has a thread for each session, no token and no bounds of size or rate; it is
there for whoever deploys with OpenEnv's tools.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgym_gen.env.registration import check_env_id
from agentgym_gen.errors import BackendError, missing_extra
from agentgym_gen.server import ServedEpisode
from agentgym_gen.server.catalogue import playable_ids

if TYPE_CHECKING:
    from fastapi import FastAPI
    from openenv import GenericEnvClient

__all__ = ["OpenEnvTypes", "connect", "create_app", "environment_factory", "openenv_types"]

MAX_SESSIONS = 256
"""How many sessions OpenEnv's server plays at once by default; each has a thread."""


class OpenEnvTypes(NamedTuple):
    """The subclasses of OpenEnv's types."""

    environment: Callable[..., Any]
    """The ``Environment``; its argument is the ids that may be played."""
    action: type[Any]
    """The ``Action``: the field ``text``."""
    observation: type[Any]
    """The ``Observation``: ``text``, and whatever a reset names in ``include``."""
    client: Callable[..., Any]
    """The ``EnvClient``; actions are texts."""


def create_app(
    env_ids: Sequence[str] = (), *, max_sessions: int = MAX_SESSIONS, idle_seconds: float = 900.0
) -> FastAPI:
    """Return OpenEnv's application, in which a reset chooses id, split, task and interface.

    Args:
        env_ids: The ids that clients may play; none means all whose extras are installed.
        max_sessions: How many sessions are played at once.
        idle_seconds: After how many seconds without a message a session of MCP is closed.

    Raises:
        MissingExtraError: if openenv is not installed.
        UnknownNameError: if one of the ids is not registered.
    """
    factory, types = environment_factory(env_ids), openenv_types()
    from openenv.core.env_server import ConcurrencyConfig, create_app

    config = ConcurrencyConfig(max_concurrent_envs=max_sessions, session_timeout=idle_seconds)
    app: FastAPI = create_app(
        factory,
        types.action,
        types.observation,
        env_name="agentgym_gen",
        concurrency_config=config,
    )
    return app


def environment_factory(env_ids: Sequence[str] = ()) -> functools.partial[Any]:
    """Return what makes an OpenEnv ``Environment`` for each session.

    Args:
        env_ids: The ids that may be played; none means all whose extras are installed.

    Raises:
        MissingExtraError: if openenv is not installed.
        UnknownNameError: if one of the ids is not registered.
    """
    ids = [check_env_id(env_id) for env_id in env_ids] or playable_ids()
    return functools.partial(openenv_types().environment, ids)


def connect(url: str, token: str | None = None) -> GenericEnvClient:
    """Return a client of the server at *url*; every session of it is one connection.

    Its methods are those of OpenEnv's ``EnvClient``, of which ``sync()`` makes the blocking one.
    Where the connection is lost, `BackendError` says so once, and the next ``reset`` connects
    again.

    Args:
        url: Where the server listens, such as ``http://127.0.0.1:8000``.
        token: The token of the server, if it needs one.

    Raises:
        MissingExtraError: if openenv is not installed.
    """
    headers = None if token is None else {"Authorization": f"Bearer {token}"}
    client: GenericEnvClient = openenv_types().client(base_url=url, headers=headers)
    return client


@functools.cache
def openenv_types() -> OpenEnvTypes:
    """Return the subclasses of OpenEnv's types, which exist only where openenv is installed.

    Raises:
        MissingExtraError: if it is not.
    """
    try:
        import openenv  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "openenv":
            raise
        raise missing_extra("openenv", "openenv", "This adapter") from error
    action, observation = _message_types()
    return OpenEnvTypes(_environment_type(observation), action, observation, _client_type())


def _message_types() -> tuple[type[Any], type[Any]]:
    from openenv.core.env_server import Action, Observation
    from pydantic import ConfigDict

    class TextAction(Action):
        """What a model answers."""

        text: str

    class TextObservation(Observation):
        """What a model reads; other fields are those that a reset names in ``include``."""

        model_config = ConfigDict(extra="allow")

        text: str

    return TextAction, TextObservation


def _environment_type(observation: type[Any]) -> type[Any]:
    from openenv.core.env_server import Environment, State

    def observe(data: dict[str, Any]) -> Any:
        return observation(**data["observation"], reward=data["reward"], done=data["done"])

    class TextEnvironment(Environment):
        """One client's episodes behind OpenEnv's interface."""

        SUPPORTS_CONCURRENT_SESSIONS = True

        def __init__(self, env_ids: Sequence[str]) -> None:
            super().__init__()
            self._episode = ServedEpisode(env_ids)

        def reset(
            self,
            seed: int | None = None,
            episode_id: str | None = None,
            **fields: Any,
        ) -> Any:
            return observe(self._episode.reset({**fields, "seed": seed, "episode_id": episode_id}))

        def step(self, action: Any, timeout_s: float | None = None, **_: object) -> Any:
            return observe(self._episode.step(action.text))

        @property
        def state(self) -> State:
            return State(**self._episode.state)

        def close(self) -> None:
            self._episode.close()

    return TextEnvironment


def _client_type() -> type[Any]:
    from openenv import GenericEnvClient
    from websockets.exceptions import ConnectionClosed

    class TextEnvClient(GenericEnvClient):
        """A client whose actions are texts, and whose lost connection is one clear error."""

        def _step_payload(self, action: Any) -> dict[str, Any]:
            return {"text": action} if isinstance(action, str) else super()._step_payload(action)

        async def _send_and_receive(self, message: dict[str, Any]) -> dict[str, Any]:
            try:
                answer: dict[str, Any] = await super()._send_and_receive(message)
            except (OSError, EOFError, ConnectionClosed) as error:
                raise BackendError(
                    f"The connection to {self.base_url} is lost, and its episode with it; call "
                    f"reset() for a new one ({type(error).__name__})"
                ) from error
            return answer

    return TextEnvClient
