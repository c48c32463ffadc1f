"""The strict reader: a completion means an action if it has exactly the form that was asked for.

Where the original of an environment reads a whole completion, this reader passes it on whole.
"""

from __future__ import annotations

from agentgym_gen.agents.completions.calls import TextWithCall, parse_object, read_call
from agentgym_gen.env import TextEnv
from agentgym_gen.interface.syntax.functions import FunctionCall
from agentgym_gen.world import Malformed

__all__ = ["ACT", "read_json_call", "read_strictly"]

ACT = "act"
"""The one tool of the format ``tool``."""


def read_strictly(form: str, completion: str, env: TextEnv) -> str | Malformed:
    """Return the action of *completion* in the format *form*, or why it has none.

    A ReAct completion without the word ``Action:`` is passed on whole, so that the environment
    answers it as the original does; one that has the word twice is refused in every environment.
    """
    if form == "react":
        parts = completion.split("Action:")
        if len(parts) > 2:
            return Malformed(completion, f"it has {len(parts) - 1} actions instead of one")
        return parts[1].strip() if len(parts) == 2 else completion
    if form == "action":
        return completion.strip("\n")
    if form == "tool":
        return _read_act(completion)
    read = read_json_call if form == "function_calling" else read_call
    answer = read(completion)
    if answer is None:
        return Malformed(completion, "it is not one function call")
    return env.functions.action(answer.call, completion)


def read_json_call(completion: str) -> TextWithCall | None:
    """Return the call in AgentGym's JSON; None if there is none.

    As there, the object reaches from the first brace to the last, whatever stands around it, and
    has the fields ``thought``, ``function_name`` and ``arguments``.
    """
    _, brace, rest = completion.partition("{")
    inside, closing, _ = rest.rpartition("}")
    fields = parse_object(f"{brace}{inside}{closing}") if closing else None
    if fields is None or "thought" not in fields:
        return None
    name, arguments = fields.get("function_name"), fields.get("arguments")
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return None
    return TextWithCall(str(fields["thought"]), FunctionCall(name, arguments))


def _read_act(completion: str) -> str | Malformed:
    answer = read_call(completion)
    if answer is None or answer.call.name != ACT:
        return Malformed(completion, f"it is not one call of {ACT!r}")
    action = answer.call.arguments.get("action")
    if not isinstance(action, str):
        return Malformed(completion, 'its argument "action" is no text')
    return action
