"""Arguments that several commands take, and what they mean."""

from __future__ import annotations

import argparse
import difflib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from agentgym_gen.describe.printable import printable
from agentgym_gen.env.making import sample_task_ids
from agentgym_gen.env.registration import env_ids
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.interface import PRESETS
from agentgym_gen.seeding import stream
from agentgym_gen.world import SPLITS, TaskId

if TYPE_CHECKING:
    from agentgym_gen.models import Decoding


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, with the nearest name where one is unknown.

    The values of its last argument may stand after options, too.
    """

    spread = ""
    """The name of that argument, which takes any number of values; empty for none."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401
        """Parse *args* as argparse does, and add what it leaves over to the last argument."""
        parsed, rest = super().parse_known_args(args, namespace)
        if self.spread:
            words = [word for word in rest if not word.startswith("-")]
            rest = [word for word in rest if word.startswith("-")]
            setattr(parsed, self.spread, [*getattr(parsed, self.spread), *words])
        options = [name for action in self._actions for name in action.option_strings]
        if not hasattr(parsed, "option_names"):  # the parser of the command comes first
            long = [name for name in options if name.startswith("--")]
            parsed.option_names = {name[2:].replace("-", "_"): name for name in long}
        if rest:  # refused here, where the options are known, and not by the parser of all commands
            self.error(f"unrecognized arguments: {' '.join(rest)}{_nearest(rest[0], options)}")
        return parsed, rest

    def error(self, message: str) -> NoReturn:
        """Print *message*, and where all arguments are described; exit with code 2."""
        choice = re.fullmatch(r"(.*: invalid choice: '(.*)') \(choose from (.*)\)", message)
        if choice is not None:
            names = choice[3].replace("'", "").split(", ")
            message = f"{choice[1]}{_nearest(choice[2], names)} (choose from {', '.join(names)})"
        self.exit(2, printable(f"{self.prog}: {message} (see {self.prog} --help)") + "\n")


def _nearest(name: str, names: Iterable[str]) -> str:
    """Return words that suggest the one of *names* that is nearest to *name*, or none."""
    near = difflib.get_close_matches(name.partition("=")[0], list(names), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def add_command(commands: Any, name: str, summary: str) -> Any:  # noqa: ANN401
    """Return the parser of a new command, whose help begins with *summary*.

    Args:
        commands: What ``add_subparsers`` of a parser has returned.
        name: The command.
        summary: What it does, beginning with a small letter.
    """
    description = f"{summary[0].upper()}{summary[1:]}."
    return commands.add_parser(name, help=summary, description=description)


def at_least(least: int) -> Callable[[str], int]:
    """Return the type of an argument that is a whole number from *least* on."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) < least:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number from {least} to 999999999"
            )
        return int(text)

    return number


def path(text: str) -> Path:
    """Return *text* as a path; an empty text is refused, since it would be the working folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty, and should be a path")
    return Path(text)


def complete_with(action: argparse.Action, names: Callable[[], Iterable[str]]) -> None:
    """Let the shell complete the values of *action* with *names* (see `cli.main.complete`)."""
    action.completer = lambda **_: list(names())  # type: ignore[attr-defined]


def add_task(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that choose an environment and one of its tasks."""
    env_id = parser.add_argument("id", metavar="ID", help="for example rftgen/TextCraft-easy-v0")
    complete_with(env_id, env_ids)
    splits = "train (default), valid or test"
    split = parser.add_argument("--split", help=splits)
    complete_with(split, lambda: SPLITS)
    parser.add_argument("--task", help="a task id, such as textcraft/easy/test/17")
    seed = "chooses the tasks where --task names none; default 0"
    parser.add_argument("--seed", type=at_least(0), default=0, metavar="N", help=seed)


def add_interface(parser: argparse.ArgumentParser) -> None:
    """Add the argument that chooses an interface."""
    presets = "preset names joined by '+', such as synonyms+json; default that of the id"
    complete_with(parser.add_argument("--interface", help=presets), lambda: PRESETS)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say where a model is, and how it is sampled."""
    number = at_least(1)
    temperature = "0 (default) takes the most probable token"
    parser.add_argument("--temperature", type=float, default=0.0, metavar="N", help=temperature)
    longest = "the most tokens of a completion; default 512"
    parser.add_argument("--max-tokens", type=number, default=512, metavar="N", help=longest)
    url = "a server with an OpenAI-compatible API, such as http://localhost:8000/v1"
    parser.add_argument("--base-url", metavar="URL", help=url)
    key = "the environment variable that holds the server's key"
    parser.add_argument("--api-key-env", metavar="NAME", help=key)
    extra = "more fields of each request, as JSON: '{\"top_p\": 0.9}'; a seed of null sends none"
    parser.add_argument("--extra", metavar="JSON", help=extra)
    timeout = "seconds for an answer; default 120"
    parser.add_argument("--timeout", type=float, default=120.0, metavar="N", help=timeout)
    parser.add_argument("--base", metavar="MODEL", help="the base of an adapter, where it moved")
    plain = "give a model without a chat template a plain one"
    parser.add_argument("--plain-template", action="store_true", help=plain)


def decoding(options: argparse.Namespace, connections: int = 1) -> Decoding:
    """Return how the model of `add_model` is sampled, with so many *connections* to a server."""
    from agentgym_gen.models import Decoding

    return Decoding(
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        plain_template=options.plain_template,
        api_key_env=options.api_key_env,
        connections=connections,
        timeout=options.timeout,
        extra=_extra_fields(options.extra),
    )


def _extra_fields(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidValueError(
            f"`--extra` is a JSON object, such as '{{\"top_p\": 0.9}}', not {text!r}"
        )
    return value


def task_id(options: argparse.Namespace, number: int = 0) -> str:
    """Return the id of the task that *options* choose.

    Args:
        options: The parsed arguments of `add_task`.
        number: Which of the sampled tasks, if no task was named.

    Raises:
        InvalidValueError: if a task of another split than the one that is named.
    """
    if options.task is not None:
        named = TaskId.parse(options.task)
        if options.split not in (None, named.split):
            raise InvalidValueError(f"{named} is no task of the split {options.split!r}")
        return str(named)
    split = options.split or "train"
    rng = stream("cli", options.id, split, options.seed, number)
    return sample_task_ids(options.id, split, 1, rng)[0]


def env_options(options: argparse.Namespace) -> dict[str, object]:
    """Return the options of the environment that `add_interface` has parsed."""
    return {} if options.interface is None else {"interface": options.interface}
