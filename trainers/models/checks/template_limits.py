r"""Whether a chat template ends in time: it is a program, and comes with the model.

jinja2's sandbox keeps a template from files and from Python, and limits ``range``; it limits
neither time nor memory: two nested loops of 100,000 run for hours, ``9 ** (9 ** 9)`` never ends. So
the template is first rendered in a child process, which is killed at a limit. A guard inside this
process, such as a trace function, would slow every prompt down, and cannot end a single operation
of C code.

The child sees the chats from which the layout is learnt, and a long one. A template that is slow
only for other chats is not noticed.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Mapping
from functools import lru_cache

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.system.python_process import python_command

MAX_CHARACTERS = 1 << 20
"""The longest template, and the longest text that one may make of the probes; published templates
have 20,000 characters at most."""

SECONDS = 5
"""How many seconds of a processor the child may take. A template of a model takes 0.01."""

WALL_SECONDS = 120
"""After how many seconds the child is killed, however busy the machine is."""

BYTES = 1 << 30
"""How much memory the child may take, where the system has such limits."""

LONG_CHAT = 100
"""How many messages the longest chat has."""

_TIME, _SIZE = 3, 4
_TIME_SIGNALS = {getattr(signal, name, 0) for name in ("SIGXCPU", "SIGKILL")}
"""SIGKILL follows at the same limit, where SIGXCPU is held up by C code."""

_REASONS = {
    _TIME: f"it takes more than {SECONDS} seconds",
    _SIZE: f"it makes a text of more than {MAX_CHARACTERS} characters, or fills the memory",
}
"""What the exit statuses of the child mean."""


def check_template_limits(template: str, variables: Mapping[str, object]) -> None:
    """Raise if *template* is too large, too slow, or makes too large a text.

    Args:
        template: The chat template.
        variables: The special tokens that it may name, such as ``eos_token``.

    Raises:
        InvalidValueError: if it exceeds a limit.
    """
    if len(template) > MAX_CHARACTERS:
        raise _refusal(f"it has {len(template)} characters, and {MAX_CHARACTERS} are the most")
    tokens = {key: str(value) for key, value in variables.items()}
    status = _status(template, json.dumps(tokens, sort_keys=True))
    if status in _REASONS:
        raise _refusal(_REASONS[status])


def _refusal(reason: str) -> InvalidValueError:
    return InvalidValueError(
        f"The chat template cannot be used: {reason}; give the tokenizer another `chat_template`"
    )


@lru_cache(maxsize=64)
def _status(template: str, tokens: str) -> int:
    """Return the exit status of the child."""
    request = json.dumps({"template": template, "tokens": tokens})
    try:
        done = subprocess.run(
            python_command("-c", _CHILD),
            input=request.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _TIME
    # The system ends it with a signal: at the limit of time SIGXCPU, or else because of its memory.
    if done.returncode < 0:
        return _TIME if -done.returncode in _TIME_SIGNALS else _SIZE
    return done.returncode


_CHILD = f"""
import json, sys
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

class Generation(Extension):
    tags = {{"generation"}}
    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)

def fail(message="", *_):
    raise ValueError(message)

request = json.loads(sys.stdin.buffer.read())
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))
    resource.setrlimit(resource.RLIMIT_AS, ({BYTES}, {BYTES}))
except (ImportError, OSError, ValueError):
    pass
text, thought = "qxz", "<think>\\nqxz\\n</think>\\n\\nqxz"
chats = [["user"], ["user", "assistant"], ["user", "assistant", "user"], ["system", "user"]]
chats.append(["user", "assistant"] * {LONG_CHAT // 2} + ["user"])
try:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = lambda value, *_, **__: json.dumps(value, default=str)
    environment.globals |= {{"raise_exception": fail, "strftime_now": lambda form: "2026-01-01"}}
    template = environment.from_string(request["template"])
    for roles in chats:
        for answer in (text, thought):
            contents = [answer if role == "assistant" else text for role in roles]
            messages = [{{"role": r, "content": c}} for r, c in zip(roles, contents)]
            length = 0
            try:
                for part in template.generate(
                    messages=messages, add_generation_prompt=True, **json.loads(request["tokens"])
                ):
                    length += len(part)
                    if length > {MAX_CHARACTERS}:
                        sys.exit({_SIZE})
            except MemoryError:
                raise
            except Exception:
                pass  # what it refuses is a question for the caller, who renders it again
except MemoryError:
    sys.exit({_SIZE})
except Exception:
    pass
"""
"""The program of the child; it imports jinja2 alone, as transformers sets it up."""
