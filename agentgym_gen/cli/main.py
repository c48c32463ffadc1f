"""The command line: ``agentgym-gen envs | show | play | demo | study | calibrate | data``.

Errors are one sentence on standard error and exit code 2, never a traceback. A signal that asks to
end is one sentence, too, and 128 more than its number.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import gymnasium

from agentgym_gen.agents.policy import POLICIES
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.cli.study import RESUMABLE, add_calibrate, add_data, add_study, at_least
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env, sample_task_ids
from agentgym_gen.env.registration import ENVIRONMENTS, env_ids
from agentgym_gen.errors import AgentGymGenError, MissingExtraError
from agentgym_gen.seeding import stream
from agentgym_gen.system.signals import stoppable
from agentgym_gen.world import SPLITS, TaskId

NOT_INSTALLED = "extra"
"""What the table of environments has for one whose extra is not installed."""

NARROWEST = 20
"""Characters a line: less would show letters, not words."""

HELP = "? lists what can be done, ! asks the expert, q ends"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    _open_streams()
    words = sys.argv[1:] if arguments is None else arguments
    strange = next((word for word in words if not _is_encodable(word)), None)
    if strange is not None:
        return _fail(_why_strange(strange))
    options = build_parser().parse_args(words)
    with stoppable():
        return _carried_out(options)


def _carried_out(options: argparse.Namespace) -> int:
    """Do what *options* say and return the exit code."""
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        if command in RESUMABLE and not _is_somewhere():
            return _fail("The working folder is gone; change to one that is there")
        command(options)
        print(end="", flush=True)
    except (AgentGymGenError, gymnasium.error.Error) as error:
        return _fail(str(error))
    except BrokenPipeError:
        # The reader has left, as `head` does; nothing more is to be said, not even at exit.
        sys.stdout = None
        return 0
    except OSError as error:
        return _fail(": ".join(map(str, filter(None, (error.strerror or error, error.filename)))))
    except KeyboardInterrupt as stopped:
        goes_on = "; the same command goes on from here" if command in RESUMABLE else ""
        return _fail(f"stopped{goes_on}", getattr(stopped, "code", 130))
    return 0


def _is_somewhere() -> bool:
    try:
        return bool(Path.cwd())
    except FileNotFoundError:
        return False


def _open_streams() -> None:
    """Let output show what its encoding lacks, and input replace what is not text."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")


def _is_encodable(word: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in word)


def _why_strange(word: str) -> str:
    try:
        os.fsencode(word).decode("utf-8")
    except UnicodeDecodeError:
        return f"The argument {word!a} is not UTF-8; write it in UTF-8"
    encoding = sys.getfilesystemencoding()
    return f"The argument {word!a} cannot be read as {encoding}; set the variable PYTHONUTF8=1"


def _fail(sentence: str, code: int = 2) -> int:
    """Say *sentence*, drop output that cannot be written, and return the exit *code*."""
    try:
        print(end="", flush=True)
    except OSError:
        sys.stdout = None
    if sys.stderr is None:
        return code
    try:
        # A terminal has shown the ^C, or half a bar.
        begin = "\n" if code > 128 and sys.stderr.isatty() else ""
        print(f"{begin}agentgym-gen: {sentence}", file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = None
    return code


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="agentgym-gen",
        description="Text-agent environments, an RFT trainer and the generalization study.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_envs(commands.add_parser("envs", help="list the environments"))
    _add_show(commands.add_parser("show", help="see one task through several interfaces"))
    _add_play(commands.add_parser("play", help="play an environment yourself"))
    _add_demo(commands.add_parser("demo", help="watch a policy play"))
    add_study(commands.add_parser("study", help="run a generalization study"))
    add_calibrate(commands.add_parser("calibrate", help="divide tasks by a model's success"))
    add_data(commands.add_parser("data", help="prepare a model or data, once"))
    return parser


def _add_envs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ids", action="store_true", help="print every id, one a line")
    described = "print what experts read and say, and how far environments and interfaces are apart"
    parser.add_argument("--describe", action="store_true", help=described)
    number = "how many tasks are played for it, 10 by default"
    parser.add_argument("--tasks", type=at_least(1), default=10, metavar="N", help=number)
    parser.set_defaults(command=_envs)


def _add_episode(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="for example rftgen/TextCraft-easy-v0")
    parser.add_argument("--split", default="train", help=", ".join(SPLITS))
    parser.add_argument("--task", help="a task id, such as textcraft/easy/test/17")
    seed = "which task is drawn without --task"
    parser.add_argument("--seed", type=at_least(0), default=0, metavar="N", help=seed)


def _add_interface(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--interface", help="preset names joined by '+', such as synonyms+json")


def _add_show(parser: argparse.ArgumentParser) -> None:
    _add_episode(parser)
    told = "an interface; may be given several times, native comes first if it is only once"
    parser.add_argument("--interface", action="append", default=[], metavar="NAME", help=told)
    turns = "how many actions are shown"
    parser.add_argument("--turns", type=at_least(0), default=3, metavar="N", help=turns)
    parser.add_argument("--instruction", action="store_true", help="show the instruction, too")
    width = "characters a line; that of the terminal by default"
    parser.add_argument("--width", type=at_least(NARROWEST), metavar="N", help=width)
    parser.set_defaults(command=_show_beside)


def _add_play(parser: argparse.ArgumentParser) -> None:
    _add_episode(parser)
    _add_interface(parser)
    parser.set_defaults(command=_play)


def _add_demo(parser: argparse.ArgumentParser) -> None:
    _add_episode(parser)
    _add_interface(parser)
    parser.add_argument("--policy", default="expert", choices=sorted(POLICIES))
    number = at_least(1)
    parser.add_argument("--episodes", type=number, default=1, metavar="N", help="how many episodes")
    parser.set_defaults(command=_demo)


def _envs(options: argparse.Namespace) -> None:
    if options.ids:
        print("\n".join(env_ids()))
        return
    if options.describe:
        _describe(options.tasks)
        return
    rows = [("environment", "tier", *(f"{split} tasks" for split in SPLITS), "id")]
    for environment in ENVIRONMENTS.values():
        for tier in environment.tiers:
            env_id = f"rftgen/{environment.name}-{tier}-v{environment.version}"
            rows.append((environment.name, tier, *_sizes(env_id, tier), env_id))
    _print_table(rows)
    print(f"\n{len(env_ids())} ids with the interface variants: agentgym-gen envs --ids")
    if any(NOT_INSTALLED in row for row in rows):
        extras = sorted({known.extra for known in ENVIRONMENTS.values() if known.extra})
        print(
            f"{NOT_INSTALLED}: not installed; run: pip install 'agentgym-gen[{','.join(extras)}]'"
        )


def _describe(number: int) -> None:
    from agentgym_gen.describe.tables import installed, tables

    environments, missing = installed()
    for heading, rows in tables(environments, number):
        print(f"{heading}\n")
        _print_table(rows)
        print(flush=True)
    if missing:
        print(f"{NOT_INSTALLED}: {', '.join(missing)}")


def _sizes(env_id: str, tier: str) -> list[str]:
    """Return how many tasks each split has, as far as the extra of the environment is there."""
    try:
        tasks = make_text_env(env_id, "train").world.tasks
    except MissingExtraError:
        return [NOT_INSTALLED] * len(SPLITS)
    return [f"{tasks.size(tier, split):,}" for split in SPLITS]


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = (
            cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        )
        print("  ".join(cells).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def _env_options(options: argparse.Namespace) -> dict[str, object]:
    return {} if options.interface is None else {"interface": options.interface}


def _task_id(options: argparse.Namespace, number: int = 0) -> str:
    if options.task is not None:
        return str(TaskId.parse(options.task))
    rng = stream("cli", options.id, options.split, options.seed, number)
    return sample_task_ids(options.id, options.split, 1, rng)[0]


def _show_beside(options: argparse.Namespace) -> None:
    from agentgym_gen.describe.side_by_side import columns, side_by_side

    task_id = _task_id(options)
    given = options.interface
    interfaces = given if len(given) > 1 else ["native", *(given or ["synonyms"])]
    turns, first = options.turns, options.instruction
    told = columns(options.id, task_id, interfaces, turns=turns, instruction=first)
    shown = [replace(one, texts=tuple(map(_printable, one.texts))) for one in told]
    width = options.width or max(NARROWEST, shutil.get_terminal_size().columns)
    print(f"{task_id}\n\n{side_by_side(shown, width)}")


def _play(options: argparse.Namespace) -> None:
    task_id = _task_id(options)
    env = make_text_env(options.id, TaskId.parse(task_id).split, _env_options(options))
    observation, info = env.reset(options={"task_id": task_id})
    print(f"{task_id}\n\n{env.instruction}\n\n{HELP}\n\n{_printable(observation)}")
    while info["end_reason"] is None:
        action = _ask(env)
        if action is None:
            print("You left.")
            return
        observation, reward, _, _, info = env.step(action)
        print(f"{_printable(observation)}\n[turn {info['turn']}, reward {reward:g}]")
    print(f"The end: {info['end_reason']}, score {info['score']:.2f}")


def _ask(env: TextEnv) -> str | None:
    """Return what the person does, answering questions about it first; None is to leave."""
    while sys.stdin is not None and sys.stdout is not None:
        try:
            said = input("> ").strip()
        except EOFError:
            return None
        if said == "q":
            return None
        if said == "?":
            print("\n".join(f"  {action}" for action in env.admissible_actions))
        elif said == "!":
            hint = env.expert_action()
            print(f"  {hint}" if hint else "  The expert sees no way from here.")
        elif said:
            return said
    return None


def _demo(options: argparse.Namespace) -> None:
    ids = [_task_id(options, number) for number in range(options.episodes)]
    keywords = _env_options(options)
    episodes = [Episode(options.id, task, n, keywords) for n, task in enumerate(ids)]
    policy = POLICIES[options.policy]()
    style = PromptStyle(format="action", instruction=False)
    played = run(episodes, policy, style=style, on_end=_show, max_concurrent=1)
    wins = sum(trajectory.success for trajectory in played)
    print(f"{options.policy} policy: {wins} of {len(played)} episodes won")


def _show(trajectory: Trajectory) -> None:
    print(f"=== {trajectory.task_id} ({trajectory.interface} interface)")
    for turn in trajectory.turns:
        print(f"{_printable(turn.observation)}\n> {_printable(turn.action)}")
    print(_printable(trajectory.last_observation))
    print(
        f"=== {trajectory.end_reason}: {len(trajectory.turns)} turns, "
        f"reward {trajectory.total_reward:g}, score {trajectory.score:.2f}\n"
    )


def _printable(text: str) -> str:
    """Return *text* with its control characters shown: a terminal would obey them."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


if __name__ == "__main__":
    sys.exit(main())
