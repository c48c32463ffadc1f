"""The command line: ``agentgym-gen envs | play | demo | study | calibrate | data``.

Errors are one sentence on standard error and exit code 2, never a traceback.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import gymnasium

from agentgym_gen.env import TextEnv
from agentgym_gen.errors import (
    AgentGymGenError,
    InvalidValueError,
    MissingExtraError,
    TrainingError,
)
from agentgym_gen.policy import POLICIES
from agentgym_gen.preparation import PREPARATIONS, Order, prepare
from agentgym_gen.prompt import PromptStyle
from agentgym_gen.registration import ENVIRONMENTS, check_env_id, env_ids
from agentgym_gen.rollout import Episode, draw_task_ids, make_text_env, run
from agentgym_gen.seeding import stream
from agentgym_gen.task import SPLITS, TaskId
from agentgym_gen.trajectory import Trajectory

if TYPE_CHECKING:
    from agentgym_gen.study import Study

NOT_INSTALLED = "extra"
"""What the table of environments has for one whose extra is not installed."""

HELP = "? lists what can be done, ! asks the expert, q ends"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    _open_streams()
    words = sys.argv[1:] if arguments is None else arguments
    strange = next((word for word in words if not _is_encodable(word)), None)
    if strange is not None:
        return _fail(f"The argument {strange!a} is not UTF-8; write it in UTF-8")
    options = build_parser().parse_args(words)
    command: Callable[[argparse.Namespace], None] = options.command
    try:
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
    except KeyboardInterrupt:
        goes_on = "; the same command goes on from here" if command is _study_run else ""
        print(f"\nagentgym-gen: stopped{goes_on}", file=sys.stderr)
        return 130
    return 0


def _open_streams() -> None:
    """Let output show what its encoding lacks, and input replace what is not text."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")


def _is_encodable(word: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in word)


def _fail(sentence: str) -> int:
    """Say *sentence*, drop output that cannot be written, and return the exit code."""
    print(f"agentgym-gen: {sentence}", file=sys.stderr)
    try:
        print(end="", flush=True)
    except OSError:
        sys.stdout = None
    return 2


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="agentgym-gen",
        description="Text-agent environments, an RFT trainer and the generalization study.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_envs(commands.add_parser("envs", help="list the environments"))
    _add_play(commands.add_parser("play", help="play an environment yourself"))
    _add_demo(commands.add_parser("demo", help="watch a policy play"))
    _add_study(commands.add_parser("study", help="run a generalization study"))
    _add_calibrate(commands.add_parser("calibrate", help="divide tasks by a model's success"))
    _add_data(commands.add_parser("data", help="prepare a model or data, once"))
    return parser


def _add_envs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ids", action="store_true", help="print every id, one a line")
    parser.set_defaults(command=_envs)


def _add_episode(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="for example rftgen/TextCraft-easy-v0")
    parser.add_argument("--split", default="train", help=", ".join(SPLITS))
    parser.add_argument("--interface", help="preset names joined by '+', such as synonyms+json")
    parser.add_argument("--task", help="a task id, such as textcraft/easy/test/17")
    seed = "which task is drawn without --task"
    parser.add_argument("--seed", type=_at_least(0), default=0, metavar="N", help=seed)


def _add_play(parser: argparse.ArgumentParser) -> None:
    _add_episode(parser)
    parser.set_defaults(command=_play)


def _add_demo(parser: argparse.ArgumentParser) -> None:
    _add_episode(parser)
    parser.add_argument("--policy", default="expert", choices=sorted(POLICIES))
    number = _at_least(1)
    parser.add_argument("--episodes", type=number, default=1, metavar="N", help="how many episodes")
    parser.set_defaults(command=_demo)


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) < least:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number from {least} to 999999999"
            )
        return int(text)

    return number


def _add_study(parser: argparse.ArgumentParser) -> None:
    parts = parser.add_subparsers(required=True, metavar="COMMAND")
    started = parts.add_parser("run", help="run what is not yet done, and write the report")
    _add_study_source(started)
    number = _at_least(1)
    started.add_argument("--yes", action="store_true", help="do not ask before it starts")
    started.add_argument(
        "--workers", type=number, help="jobs side by side; default one a processor"
    )
    started.add_argument("--executor", default="local", help="local or ray")
    started.add_argument("--address", default="", help="the Ray cluster to join; default a new one")
    started.set_defaults(command=_study_run)
    for name, command, told in (
        ("status", _study_status, "say how far it is"),
        ("report", _study_report, "write the report of what is there"),
    ):
        other = parts.add_parser(name, help=told)
        _add_study_source(other)
        other.set_defaults(command=command)
    printed = parts.add_parser("show", help="print a preset, to begin a plan of your own")
    printed.add_argument("preset", metavar="PRESET")
    printed.set_defaults(command=_study_show)


def _add_study_source(parser: argparse.ArgumentParser) -> None:
    known = "a TOML file, a results folder, or a preset: quick, small, paper-3b, paper-7b"
    parser.add_argument("study", metavar="STUDY", help=known)
    parser.add_argument("--out", type=Path, help="the results folder; default runs/NAME")


def _add_calibrate(parser: argparse.ArgumentParser) -> None:
    number = _at_least(1)
    parser.add_argument("id", metavar="ENV", help="for example rftgen/TextCraft-v0")
    parser.add_argument("--model", required=True, help="random, expert, a folder or a hub name")
    parser.add_argument("--out", type=Path, help="where the lists go; default lists/ENV")
    parser.add_argument("--tasks", type=number, default=200, metavar="N", help="tasks of a split")
    parser.add_argument("--samples", type=number, default=8, metavar="N", help="episodes of a task")
    parser.add_argument("--threshold", type=float, default=0.5, help="easy from this success on")
    parser.add_argument("--split", action="append", help="only these splits; default all")
    parser.add_argument("--format", default="react", help="react, action or tool")
    parser.add_argument("--temperature", type=float, default=1.0, help="of a model")
    parser.add_argument("--max-new-tokens", type=number, default=256, help="of a model")
    parser.set_defaults(command=_calibrate)


def _add_data(parser: argparse.ArgumentParser) -> None:
    kinds = "; ".join(f"{name}: {one.summary}" for name, one in PREPARATIONS.items())
    parser.add_argument("name", metavar="NAME", help=kinds)
    number = _at_least(1)
    ahead = "make the first N tasks of each tier and split ahead"
    parser.add_argument("--prepare", type=number, metavar="N", help=ahead)
    parser.add_argument("--tier", help="of this tier only")
    parser.add_argument("--split", help="of this split only")
    side = "processes side by side; default one a processor"
    parser.add_argument("--workers", type=number, metavar="N", help=side)
    parser.set_defaults(command=_data)


def _envs(options: argparse.Namespace) -> None:
    if options.ids:
        print("\n".join(env_ids()))
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
    return draw_task_ids(options.id, options.split, 1, rng)[0]


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
    played = run(episodes, policy, style=style, on_end=_show, slots=1)
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


def _data(options: argparse.Namespace) -> None:
    order = Order(options.prepare, options.tier, options.split, options.workers)
    prepare(options.name, _say, order)


def _open_study(options: argparse.Namespace) -> Study:
    from agentgym_gen.study import Study

    folder = Path(options.study)
    if (folder / "plan.json").is_file():
        return Study.open(folder)
    return Study(options.study, options.out)


def _study_run(options: argparse.Namespace) -> None:
    from agentgym_gen.study.cost import estimate
    from agentgym_gen.study.executors import default_workers
    from agentgym_gen.study.run import check_out

    study = _open_study(options)
    workers = options.workers or default_workers()
    check_out(study.plan, study.out)
    _say(f"Study {study.plan.name} in {study.out}, {workers} jobs at a time")
    _say(f"To do: {estimate(study.plan, study.out, workers)}")
    if not options.yes:
        _ask_to_go_on()
    outcome = study.run(
        workers=workers, executor=options.executor, address=options.address, say=_say
    )
    _say(f"\nWritten to {study.report()}")
    if outcome.failed:
        raise TrainingError(
            f"{len(outcome.failed)} jobs failed, the first is {next(iter(outcome.failed))!r}, and "
            f"{len(outcome.blocked)} need them; see failure.json in their folders, mend the cause, "
            "and run the study again: it goes on from there"
        )


def _ask_to_go_on() -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise InvalidValueError("Nobody is there to be asked; add --yes to start at once")
    if input("Start? [y/N] ").strip().lower() not in ("y", "yes"):
        raise KeyboardInterrupt


def _study_status(options: argparse.Namespace) -> None:
    from agentgym_gen.study.status import status_lines

    print("\n".join(status_lines(_open_study(options))))


def _study_report(options: argparse.Namespace) -> None:
    print(f"Written to {_open_study(options).report()}")


def _study_show(options: argparse.Namespace) -> None:
    from agentgym_gen.study import preset_text

    print(preset_text(options.preset), end="")


def _calibrate(options: argparse.Namespace) -> None:
    from agentgym_gen.study.calibrate import Calibration, calibrate, load_any_policy

    name = check_env_id(options.id).rpartition("/")[2].rsplit("-v", 1)[0].lower()
    stem = options.out or Path("lists") / name
    splits = tuple(options.split or SPLITS)
    asked = Calibration(options.id, options.tasks, options.samples, options.threshold, splits)
    policy = load_any_policy(options.model, options.temperature, options.max_new_tokens)
    style = PromptStyle(format=options.format)
    sizes = calibrate(asked, policy, stem, model=options.model, style=style, say=_say)
    for kind, size in sizes.items():
        print(f"{size} tasks in {stem}.{kind}.txt")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
