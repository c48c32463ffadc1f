"""The Model Context Protocol: an episode as tools, one for each of its verbs.

At first there are the tools ``start`` and ``act``. When an episode has started, each of its verbs
is a tool with a JSON schema, beside ``act``, which takes any action as text: for a client that does
not list the tools anew, and for a verb that is called like one of the two.

The messages are JSON-RPC, one in a request of HTTP and one in its response ("Streamable HTTP",
revision 2025-06-18); before the response to ``start`` comes the notification that the list of tools
has changed. What the client may not choose, such as the task of a test, is in the address:
``/mcp?env_id=rftgen/Sokoban-easy-v0&task_id=sokoban/easy/test/7``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from agentgym_gen.errors import AgentGymGenError, EpisodeOverError
from agentgym_gen.interface.syntax.functions import FunctionCall
from agentgym_gen.server.episode import ServedEpisode
from agentgym_gen.server.messages import RequestError, error_of

__all__ = ["McpSession"]

VERSIONS = ("2025-06-18", "2025-03-26", "2024-11-05")
"""The revisions that are spoken, the latest first."""

INSTRUCTIONS = (
    "A text environment. Call `start` for the rules and the first observation. From then on each "
    "verb of the episode is a tool: list the tools again. `act` takes an action as text. Take one "
    "action at a time until an answer says that the episode is over."
)

INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32600, -32601, -32602
"""The codes of JSON-RPC."""

LIST_CHANGED = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
"""Tells a client to list the tools again."""

OVER = "The episode is over."

NUMBERS = ("seed", "interface_index", "max_turns")
"""The fields of a reset that are numbers: an address has texts only."""

FIXED = ("env_id", "task_id", "split", "interface", "reward", "format", *NUMBERS)
"""What an address may choose."""

TEXT = {"type": "string"}
ACT = {
    "name": "act",
    "description": "Take one action, written as text, and return what is observed then.",
    "inputSchema": {
        "type": "object",
        "properties": {"action": {**TEXT, "description": "the action, as the rules describe it"}},
        "required": ["action"],
    },
}


class McpSession:
    """Answers the messages of one MCP client.

    Args:
        episode: What the client plays.
        query: The parameters of its address.
    """

    def __init__(self, episode: ServedEpisode, query: Mapping[str, str]) -> None:
        self._episode, self._query = episode, dict(query)
        self._verb_tools: list[dict[str, Any]] = []
        self._notifications: list[dict[str, Any]] = []

    def take_notifications(self) -> list[dict[str, Any]]:
        """Return the notifications that go before the last response; each is returned once."""
        notifications, self._notifications = self._notifications, []
        return notifications

    def answer(self, message: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the response to a JSON-RPC *message*, or None to a notification."""
        method, number = message.get("method"), message.get("id")
        if not isinstance(method, str) or message.get("jsonrpc") != "2.0":
            return _failure(number, INVALID_REQUEST, "A message of JSON-RPC 2.0 has a method")
        if number is None:
            return None
        params = message.get("params") or {}
        if not isinstance(params, dict):
            return _failure(number, INVALID_PARAMS, "`params` is an object")
        try:
            result = self._result(method, params)
        except AgentGymGenError as error:
            return _failure(number, INVALID_PARAMS, str(error_of(error)))
        if result is None:
            return _failure(number, METHOD_NOT_FOUND, f"There is no method {method!r}")
        return {"jsonrpc": "2.0", "id": number, "result": result}

    def _result(self, method: str, params: Mapping[str, Any]) -> dict[str, Any] | None:
        if method == "initialize":
            return self._initialize(params)
        if method == "ping":
            return {}
        if method == "tools/list":
            return {"tools": [self._start_tool(), *self._verb_tools, ACT]}
        if method == "tools/call":
            return self._call(params)
        return None

    def _initialize(self, params: Mapping[str, Any]) -> dict[str, Any]:
        self._episode.check(self._fields())
        wanted = params.get("protocolVersion")
        return {
            "protocolVersion": wanted if wanted in VERSIONS else VERSIONS[0],
            "capabilities": {"tools": {"listChanged": True}},
            "serverInfo": {"name": "agentgym_gen", "version": version("agentgym-gen")},
            "instructions": INSTRUCTIONS,
        }

    def _start_tool(self) -> dict[str, Any]:
        free = {} if "env_id" in self._query else {"env_id": {**TEXT, "description": "its id"}}
        return {
            "name": "start",
            "description": "Start an episode and return the rules and the first observation.",
            "inputSchema": {"type": "object", "properties": free},
        }

    def _call(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name, arguments = params.get("name"), params.get("arguments") or {}
        names = ["start", *(tool["name"] for tool in self._verb_tools), "act"]
        if not isinstance(name, str) or name not in names or not isinstance(arguments, dict):
            raise RequestError(f"The tools are {names}, each with an object of arguments")
        try:
            if name == "start":
                return _content(self._start(arguments))
            if name == "act":
                return _content(self._act(arguments))
            return _content(_shown(self._episode.call(FunctionCall(name, arguments))))
        except EpisodeOverError:
            return {**_content("No episode is being played; call `start` first"), "isError": True}
        except AgentGymGenError as error:
            return {**_content(str(error_of(error))), "isError": True}

    def _start(self, arguments: Mapping[str, Any]) -> str:
        for name in arguments:
            if name != "env_id" or "env_id" in self._query:
                raise RequestError(f"`start` has no argument {name!r} here")
        data = self._episode.reset({**arguments, **self._fields()})
        tools = [_tool(schema) for schema in self._episode.functions]
        tools = [tool for tool in tools if tool["name"] not in ("start", "act")]
        if tools != self._verb_tools:
            self._verb_tools, self._notifications = tools, [LIST_CHANGED]
        return str(data["observation"]["text"])

    def _act(self, arguments: Mapping[str, Any]) -> str:
        action = arguments.get("action")
        if not isinstance(action, str) or len(arguments) != 1:
            raise RequestError("`act` has one argument, the text 'action'")
        return _shown(self._episode.step(action))

    def _fields(self) -> dict[str, Any]:
        """Return the fields of a reset that the address has chosen."""
        fields: dict[str, Any] = {}
        for name, value in self._query.items():
            if name not in FIXED:
                raise RequestError(f"An address of MCP has no parameter {name!r}: {list(FIXED)}")
            is_number = name in NUMBERS and value.isascii() and value.isdigit() and len(value) < 20
            fields[name] = int(value) if is_number else value
        return fields


def _tool(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a function, as OpenAI's ``tools`` have it, as a tool of MCP."""
    function = schema["function"]
    return {
        "name": function["name"],
        "description": function["description"],
        "inputSchema": function["parameters"],
    }


def _shown(data: Mapping[str, Any]) -> str:
    """Return what the client reads after a turn."""
    text = str(data["observation"]["text"])
    return f"{text}\n\n{OVER}" if data["done"] else text


def _content(text: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}]}


def _failure(number: object, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}
