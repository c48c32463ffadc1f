"""Runs a server until a stop signal comes."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from agentgym_gen.env.registration import check_env_id
from agentgym_gen.errors import InvalidValueError, missing_extra
from agentgym_gen.server.access import Access
from agentgym_gen.server.catalogue import playable_ids
from agentgym_gen.server.limits import Limits
from agentgym_gen.system.imports import load_module
from agentgym_gen.system.signals import STOP_SIGNALS, StopSignal

if TYPE_CHECKING:
    import asyncio

    from aiohttp import web

__all__ = ["run_server"]

BACKLOG = 4096
"""How many connections wait to be accepted; the system may allow fewer."""

SHUTDOWN_SECONDS = 5.0
"""For how long requests that are being answered are waited for at the end."""

SPARE_FILES = 256
"""How many open files a server needs beside its connections."""


def run_server(
    env_ids: Sequence[str] = (),
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    limits: Limits | None = None,
    log: Callable[[str], None] = print,
) -> None:
    """Serve episodes until a stop signal comes.

    Args:
        env_ids: The ids that clients may play; none means all whose extras are installed.
        host: The address to listen on. Any but a loopback address needs a token.
        port: The port; 0 takes a free one.
        limits: The bounds.
        log: Called with a sentence that has the address, once the server listens.

    Raises:
        MissingExtraError: if aiohttp is not installed.
        UnknownNameError: if one of the ids is not registered.
        InvalidValueError: if *host* needs a token and there is none, the address cannot be listened
            on, or the system does not allow so many connections.
        StopSignal: when a stop signal has come, and all clients have been told.
    """
    import asyncio

    try:
        import aiohttp  # noqa: F401
    except ImportError as error:
        raise missing_extra("aiohttp", "serve", "A server") from error
    access = Access(host)
    ids = [check_env_id(env_id) for env_id in env_ids] or playable_ids()
    limits = limits or Limits()
    _allow_files(limits.max_sessions + SPARE_FILES)
    module = load_module("agentgym_gen.server.app", "serve")
    server = module.EpisodeServer(ids, limits, access)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        raise StopSignal(runner.run(_serve(server.application(), host, port, log)))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes a loop of uvloop, which is faster, or None if it is not installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(app: web.Application, host: str, port: int, log: Callable[[str], None]) -> int:
    """Serve *app* until a stop signal comes, and return its number."""
    import asyncio

    from aiohttp import web

    loop = asyncio.get_running_loop()
    stop: asyncio.Future[int] = loop.create_future()
    _on_stop_signals(loop, stop)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
        except OSError as error:
            reason = error.strerror or str(error)
            raise InvalidValueError(
                f"Cannot listen on {host} port {port}: {reason}; choose another address or port"
            ) from error
        address = f"[{host}]" if ":" in host else host
        log(f"Listening on http://{address}:{runner.addresses[0][1]} (Ctrl-C ends)")
        return await stop
    finally:
        await runner.cleanup()


def _on_stop_signals(loop: asyncio.AbstractEventLoop, stop: asyncio.Future[int]) -> None:
    """Let the first stop signal set *stop*; the second ends the process at once."""

    def end(number: int) -> None:
        for each in handled:
            loop.remove_signal_handler(each)
        if not stop.done():
            stop.set_result(number)

    handled = [number for number in STOP_SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    try:
        for number in handled:
            loop.add_signal_handler(number, end, number)
    except (NotImplementedError, RuntimeError, ValueError):
        handled.clear()  # not the main thread, or Windows: the caller's handlers stay


def _allow_files(number: int) -> None:
    """Raise this process's limit of open files to *number*: every connection is one.

    Raises:
        InvalidValueError: if the system does not allow so many.
    """
    if sys.platform == "win32":  # which has no such limit
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY not in (soft, hard) and hard < number:
        raise InvalidValueError(
            f"This system allows {hard:,} open files, and {number - SPARE_FILES:,} sessions need "
            f"{number:,}; allow fewer sessions, or raise it: ulimit -n"
        )
    if soft not in (resource.RLIM_INFINITY,) and soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
