"""Renew transcripts and tables in the documentation: ``python -m tools.transcripts``.

A transcript stands between two comments, the first of which says what is played:

    <!-- transcript: textcraft/easy/test/0 interface=json turns=2 -->
    ...
    <!-- end -->

The expert plays. Settings other than `turns` are options of the environment. The comment
``environments`` stands before a table of environments and tiers. A test compares all of them with
the output of the environments today.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from agentgym_gen.describe.transcript import episode_lines
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import BUNDLED
from agentgym_gen.world import SPLITS, TaskId

ROOT = Path(__file__).parents[1]
TRANSCRIPT = re.compile(
    r"(?P<indent> *)<!-- transcript: (?P<task>\S+)(?P<settings>[^\n]*?) -->\n"
    r".*?(?P=indent)<!-- end -->\n",
    re.DOTALL,
)
TABLE = re.compile(r"<!-- environments -->\n.*?<!-- end -->\n", re.DOTALL)


def renew_page(page: str) -> str:
    """Return *page* with every transcript and every table replaced by a new one."""
    return TABLE.sub(lambda _: _table(), TRANSCRIPT.sub(_renew, page))


def _renew(match: re.Match[str]) -> str:
    settings = dict(word.split("=", 1) for word in match["settings"].split())
    block = ["```text", *_play(match["task"], settings).splitlines(), "```"]
    comment = f"<!-- transcript: {match['task']}{match['settings']} -->"
    lines = [comment, "", *block, "", "<!-- end -->"]
    return "".join(f"{match['indent']}{line}".rstrip() + "\n" for line in lines)


def _play(task: str, settings: dict[str, str]) -> str:
    """Return the expert's episode of *task* as text, at most ``turns`` turns of it."""
    options = {name: value for name, value in settings.items() if name != "turns"}
    env = _env(TaskId.parse(task), options)
    observation, info = env.reset(options={"task_id": task})
    turns: list[tuple[str, str]] = []
    while info["end_reason"] is None and info["turn"] < int(settings.get("turns", 1000)):
        action = env.expert_action() or ""
        turns.append((observation, action))
        observation, _, _, _, info = env.step(action)
    lines = episode_lines(turns, observation)
    return "\n\n".join(lines if info["end_reason"] else [*lines, "..."])


def _env(task: TaskId, options: dict[str, str]) -> TextEnv:
    environment = next(bundled for bundled in BUNDLED if bundled.name.lower() == task.env)
    env_id = environment.id(task.tier)
    return make_text_env(env_id, task.split, options)


def _table() -> str:
    """Return the table of environments, tiers and tasks."""
    heads = ["environment", "tier", *(f"{split} tasks" for split in SPLITS), "id"]
    rows = [heads, ["---", "---", *["---:"] * len(SPLITS), "---"]]
    for environment in BUNDLED:
        for tier in environment.tiers:
            env_id = environment.id(tier)
            tasks = make_text_env(env_id, "train").world.tasks
            sizes = [f"{tasks.size(tier, split):,}" for split in SPLITS]
            rows.append([environment.name, tier, *sizes, f"`{env_id}`"])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(["<!-- environments -->", "", *lines, "", "<!-- end -->", ""])


def main() -> int:
    """Renew every page and name those that changed."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        page = path.read_text(encoding="utf-8")
        new = renew_page(page)
        if new != page:
            path.write_text(new, encoding="utf-8")
            print(f"renewed {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
