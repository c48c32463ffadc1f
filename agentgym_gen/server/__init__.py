"""A server of episodes: what OpenEnv's clients, a browser and MCP clients play over a network.

What lives here: `Limits`, the episodes and sessions of clients, the messages between them, and the
web application that `run_server` runs (aiohttp, the extra ``api``). What does not: OpenEnv's own
classes, which are in `agentgym_gen.integrations.openenv`.
"""

from agentgym_gen.server.episode import ServedEpisode
from agentgym_gen.server.limits import Limits
from agentgym_gen.server.messages import INCLUDABLE, RequestError, ResetRequest

__all__ = ["INCLUDABLE", "Limits", "RequestError", "ResetRequest", "ServedEpisode"]
