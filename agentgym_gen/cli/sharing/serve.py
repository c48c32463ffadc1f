"""``agentgym-gen serve``: play the environments over a network."""

from __future__ import annotations

import argparse

from agentgym_gen.cli.arguments import at_least
from agentgym_gen.cli.terminal import print_line


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``serve``."""
    number = at_least(1)
    parser.add_argument("ids", metavar="ID", nargs="*", default=[], help="only these; default all")
    where = "the address to listen on; default 127.0.0.1, and any but loopback needs a token"
    parser.add_argument("--host", type=host, default="127.0.0.1", help=where)
    parser.add_argument(
        "--port", type=port, default=8000, metavar="N", help="default 8000; 0 takes a free one"
    )
    most = "sessions at once; default 4096"
    parser.add_argument("--max-sessions", type=number, default=4096, metavar="N", help=most)
    idle = "seconds without a message after which a session is closed; default 900"
    parser.add_argument("--idle-seconds", type=number, default=900, metavar="N", help=idle)
    size = "the most bytes of a message; default 65536"
    parser.add_argument("--max-bytes", type=number, default=65536, metavar="N", help=size)
    rate = "messages a second of a session, and requests of an address; default 1000"
    parser.add_argument("--rate", type=number, default=1000, metavar="N", help=rate)
    parser.set_defaults(command=serve)


def serve(options: argparse.Namespace) -> None:
    """Serve until a stop signal comes."""
    from agentgym_gen.server import Limits
    from agentgym_gen.server.run import run_server

    limits = Limits(options.max_sessions, options.idle_seconds, options.max_bytes, options.rate)
    run_server(options.ids, host=options.host, port=options.port, limits=limits, log=print_line)


def host(text: str) -> str:
    """Return *text*, the name or the address of a machine, if it has no port and no scheme."""
    if "/" in text or text.count(":") == 1:
        raise argparse.ArgumentTypeError(f"{text!r} is more than a host; --port takes the port")
    return text


def port(text: str) -> int:
    """Return the number of a port that *text* spells."""
    number = at_least(0)(text)
    if number > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to 65535")
    return number
