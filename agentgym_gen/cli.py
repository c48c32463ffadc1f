"""The command line: ``agentgym-gen envs | play | demo | study``.

Errors are one sentence on standard error and exit code 2, never a traceback.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import gymnasium

from agentgym_gen.env import TextEnv
from agentgym_gen.errors import AgentGymGenError
from agentgym_gen.policy import POLICIES
from agentgym_gen.prompt import PromptStyle
from agentgym_gen.registration import ENVIRONMENTS, env_ids
from agentgym_gen.rollout import Episode, draw_task_ids, make_text_env, run
from agentgym_gen.seeding import stream
from agentgym_gen.task import SPLITS, TaskId
from agentgym_gen.trajectory import Trajectory

HELP = "? lists what can be done, ! asks the expert, q ends"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = build_parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        command(options)
    except (AgentGymGenError, gymnasium.error.Error) as error:
        print(f"agentgym-gen: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader has left, as `head` does; nothing more is to be said, not even at exit.
        sys.stdout = None  # type: ignore[assignment]
        return 0
    except OSError as error:
        print(f"agentgym-gen: {error.strerror or error}: {error.filename}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nagentgym-gen: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


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
    return parser


def _add_envs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ids", action="store_true", help="print every id, one a line")
    parser.set_defaults(command=_envs)


def _add_episode(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="for example rftgen/TextCraft-easy-v0")
    parser.add_argument("--split", default="train", help=", ".join(SPLITS))
    parser.add_argument("--interface", help="preset names joined by '+', such as synonyms+json")
    parser.add_argument("--task", help="a task id, such as textcraft/easy/test/17")
    parser.add_argument("--seed", type=int, default=0, help="which task is drawn without --task")


def _add_play(parser: argparse.ArgumentParser) -> None:
    _add_episode(parser)
    parser.set_defaults(command=_play)


def _add_demo(parser: argparse.ArgumentParser) -> None:
    _add_episode(parser)
    parser.add_argument("--policy", default="expert", choices=sorted(POLICIES))
    parser.add_argument("--episodes", type=int, default=1, help="how many episodes")
    parser.set_defaults(command=_demo)


def _add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("preset", metavar="PRESET", help="quick")
    parser.add_argument("--out", type=Path, help="the results folder; default runs/PRESET")
    parser.add_argument("--report", action="store_true", help="only rewrite the report")
    parser.set_defaults(command=_study)


def _envs(options: argparse.Namespace) -> None:
    if options.ids:
        print("\n".join(env_ids()))
        return
    rows = [("environment", "tier", *(f"{split} tasks" for split in SPLITS), "id")]
    for environment in ENVIRONMENTS.values():
        for tier in environment.tiers:
            env_id = f"rftgen/{environment.name}-{tier}-v{environment.version}"
            tasks = make_text_env(env_id, "train").world.tasks
            sizes = [f"{tasks.size(tier, split):,}" for split in SPLITS]
            rows.append((environment.name, tier, *sizes, env_id))
    _print_table(rows)
    print(f"\n{len(env_ids())} ids with the interface variants: agentgym-gen envs --ids")


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
    while True:
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
            print(f"  {hint}" if hint else "  The goal cannot be reached from here any more.")
        elif said:
            return said


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


def _study(options: argparse.Namespace) -> None:
    from agentgym_gen.study import load_study, report_study, run_study

    study = load_study(options.preset)
    out = options.out or Path("runs") / options.preset
    if not options.report:
        run_study(study, out, say=print)
    print(report_study(study, out))


if __name__ == "__main__":
    sys.exit(main())
