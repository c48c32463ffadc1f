"""The command line: ``agentgym-gen envs | show | play | demo | eval | compare | train | ...``.

An error is one sentence on standard error and exit code 2, never a traceback. A stop signal is one
sentence, too, and the exit code is 128 more than its number.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import gymnasium

from agentgym_gen.cli.arguments import Parser, add_command
from agentgym_gen.cli.calibrate import add_calibrate
from agentgym_gen.cli.compare import add_compare
from agentgym_gen.cli.demo import add_demo
from agentgym_gen.cli.envs import add_envs
from agentgym_gen.cli.eval import add_eval
from agentgym_gen.cli.play import add_play
from agentgym_gen.cli.setup.data import add_data
from agentgym_gen.cli.setup.new import add_new
from agentgym_gen.cli.sharing.export import add_export
from agentgym_gen.cli.sharing.serve import add_serve
from agentgym_gen.cli.sharing.view import add_view
from agentgym_gen.cli.show import add_show
from agentgym_gen.cli.study import add_study
from agentgym_gen.cli.terminal import RED, paint
from agentgym_gen.cli.training.train import add_train
from agentgym_gen.describe.printable import printable
from agentgym_gen.errors import AgentGymGenError
from agentgym_gen.system.processors import launched_processes
from agentgym_gen.system.signals import raise_on_stop_signals

EXAMPLES = """\
examples:
  agentgym-gen demo rftgen/TextCraft-easy-v0          watch the expert
  agentgym-gen show rftgen/Sokoban-easy-v0 --interface json
                                                      one task through two interfaces
  agentgym-gen study run quick                        train and test, in about half an hour
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    _prepare_streams()
    words = sys.argv[1:] if arguments is None else arguments
    undecodable = next((word for word in words if not _is_decodable(word)), None)
    if undecodable is not None:
        return _fail(_why_undecodable(undecodable))
    parser = build_parser()
    complete(parser)
    if not words:
        parser.print_help()
        return 0
    options = parser.parse_args(words)
    with raise_on_stop_signals():
        return run_command(options)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = Parser(
        prog="agentgym-gen",
        description="Text environments, reinforcement fine-tuning, and a study of what transfers.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {version('agentgym-gen')}"
    )
    parser.set_defaults(resumable=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_envs(add_command(commands, "envs", "list the environments"))
    add_show(add_command(commands, "show", "show one task through several interfaces"))
    add_play(add_command(commands, "play", "play an environment yourself"))
    add_demo(add_command(commands, "demo", "watch a policy play"))
    add_eval(add_command(commands, "eval", "measure a model on the environments"))
    add_compare(add_command(commands, "compare", "compare evaluated models"))
    add_view(add_command(commands, "view", "show episodes in the browser"))
    add_study(add_command(commands, "study", "train and test many models by a plan"))
    add_train(add_command(commands, "train", "train one model as a file describes"))
    add_calibrate(
        add_command(commands, "calibrate", "list the tasks that a model finds easy, and hard")
    )
    add_serve(add_command(commands, "serve", "let other programs play over a network"))
    add_export(add_command(commands, "export", "write files for other programs"))
    add_new(add_command(commands, "new", "begin a package with a world of your own"))
    add_data(add_command(commands, "data", "prepare a model or data ahead"))
    return parser


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer a shell that asks how a word can go on, and exit; do nothing if none asks.

    The shell does so after ``eval "$(register-python-argcomplete agentgym-gen)"``.
    """
    if "_ARGCOMPLETE" not in os.environ:
        return
    try:
        import argcomplete
    except ImportError:
        sys.exit(1)  # the shell reads no sentence here, and completes nothing
    argcomplete.autocomplete(parser)


def run_command(options: argparse.Namespace) -> int:
    """Run the command of *options* and return the exit code.

    Args:
        options: ``command``, the function of a command, with its arguments; and ``resumable``,
            whether the same command goes on where it was stopped.
    """
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        if options.resumable and not _has_working_folder():
            return _fail("The working folder is gone; change to one that is there")
        command(options)
        print(end="", flush=True)
    except (AgentGymGenError, gymnasium.error.Error) as error:
        return _fail(_with_options(str(error), options))
    except BrokenPipeError:
        # The reader has left, as `head` does; nothing more is written, not even at exit.
        sys.stdout = None
        return 0
    except OSError as error:
        return _fail(": ".join(map(str, filter(None, (error.strerror or error, error.filename)))))
    except KeyboardInterrupt as stop:
        code = getattr(stop, "code", 130)
        if not launched_processes().is_main:
            return int(code)  # one of several says it
        advice = "; the same command goes on from here" if options.resumable else ""
        return _fail(f"stopped{advice}", code)
    return 0


def _with_options(sentence: str, options: argparse.Namespace) -> str:
    """Return *sentence*, in which arguments of functions are called like options of the command.

    What is wrong in a file keeps the names of the file.
    """
    if re.search(r", line \d+: ", sentence):
        return sentence
    names: dict[str, str] = getattr(options, "option_names", {})
    return re.sub(r"`(\w+)`", lambda match: names.get(match[1], match[0]), sentence)


def _has_working_folder() -> bool:
    try:
        return bool(Path.cwd())
    except FileNotFoundError:
        return False


def _prepare_streams() -> None:
    """Let output escape what its encoding lacks, and input replace what is not text."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")


def _is_decodable(word: str) -> bool:
    """Return whether *word* is text: Python stands a lone surrogate for a byte that is none."""
    return not any("\ud800" <= letter <= "\udfff" for letter in word)


def _why_undecodable(word: str) -> str:
    try:
        os.fsencode(word).decode("utf-8")
    except UnicodeDecodeError:
        return f"The argument {word!a} is not UTF-8; write it in UTF-8"
    encoding = sys.getfilesystemencoding()
    return f"The argument {word!a} cannot be read as {encoding}; set the variable PYTHONUTF8=1"


def _fail(sentence: str, code: int = 2) -> int:
    """Print *sentence* as an error, drop output that cannot be written, and return *code*."""
    try:
        print(end="", flush=True)
    except OSError:
        sys.stdout = None
    if sys.stderr is None:
        return code
    try:
        # After a signal the terminal shows ^C, or half a progress bar: begin a new line.
        start = "\n" if code > 128 and sys.stderr.isatty() else ""
        name = paint("agentgym-gen:", RED, sys.stderr)
        print(f"{start}{name} {printable(sentence)}", file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = None
    return code


if __name__ == "__main__":
    sys.exit(main())
