"""Renew transcripts and tables in the documentation: ``python -m tools.transcripts``.

A transcript stands between two comments, the first of which says what is played:

    <!-- transcript: textcraft/easy/test/0 interface=json turns=2 -->
    ...
    <!-- end -->

The expert plays. Settings other than `turns` are options of the environment. The comment
``environments`` stands before a table of environments and tiers. A test compares all of them with
what the environments say today.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import BUNDLED
from agentgym_gen.world import SPLITS, TaskId

ROOT = Path(__file__).parents[1]
PLACE = re.compile(
    r"(?P<indent> *)<!-- transcript: (?P<task>\S+)(?P<settings>[^\n]*?) -->\n"
    r".*?(?P=indent)<!-- end -->\n",
    re.DOTALL,
)
TABLE = re.compile(r"<!-- environments -->\n.*?<!-- end -->\n", re.DOTALL)


def renewed(page: str) -> str:
    """Return *page* with every transcript played again and every table made again."""
    return TABLE.sub(lambda _: _table(), PLACE.sub(_renew, page))


def _renew(place: re.Match[str]) -> str:
    settings = dict(word.split("=", 1) for word in place["settings"].split())
    block = ["```text", *_play(place["task"], settings).splitlines(), "```"]
    first = f"<!-- transcript: {place['task']}{place['settings']} -->"
    lines = [first, "", *block, "", "<!-- end -->"]
    return "".join(f"{place['indent']}{line}".rstrip() + "\n" for line in lines)


def _play(task: str, settings: dict[str, str]) -> str:
    """Return the expert's episode of *task* as text, at most ``turns`` turns of it."""
    options = {name: value for name, value in settings.items() if name != "turns"}
    env = _env(TaskId.parse(task), options)
    observation, info = env.reset(options={"task_id": task})
    said = [observation]
    over = False
    while not over and info["turn"] < int(settings.get("turns", 1000)):
        action = env.expert_action() or ""
        observation, _, terminated, truncated, info = env.step(action)
        over = terminated or truncated
        said += ["", f"> {action}", "", observation]
    if not over:
        said += ["", "..."]
    return "\n".join(said)


def _env(task: TaskId, options: dict[str, str]) -> TextEnv:
    found = next(known for known in BUNDLED if known.name.lower() == task.env)
    env_id = f"rftgen/{found.name}-{task.tier}-v{found.version}"
    return make_text_env(env_id, task.split, options)


def _table() -> str:
    """Return the table of environments, tiers and tasks."""
    heads = ["environment", "tier", *(f"{split} tasks" for split in SPLITS), "id"]
    rows = [heads, ["---", "---", *["---:"] * len(SPLITS), "---"]]
    for found in BUNDLED:
        for tier in found.tiers:
            env_id = f"rftgen/{found.name}-{tier}-v{found.version}"
            tasks = make_text_env(env_id, "train").world.tasks
            sizes = [f"{tasks.size(tier, split):,}" for split in SPLITS]
            rows.append([found.name, tier, *sizes, f"`{env_id}`"])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(["<!-- environments -->", "", *lines, "", "<!-- end -->", ""])


def main() -> int:
    """Renew every page and name those that changed."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        page = path.read_text(encoding="utf-8")
        new = renewed(page)
        if new != page:
            path.write_text(new, encoding="utf-8")
            print(f"renewed {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
