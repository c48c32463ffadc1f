"""`vf-eval agentgym-gen-vf` plays the expert's episodes, and records them as they went."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from expert_endpoint import expert_answers, expert_endpoint
from verifiers.v1.utils.loaders import load_taskset

from agentgym_gen import task_rows
from agentgym_gen.integrations.verifiers import SessionConfig, SessionEnv

ENVS = ["rftgen/TextCraft-easy-v0"]
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # where agentgym_gen_vf lies
TASKS = 2  # the agent's program is started for each turn


def evaluate(url: str, folder: Path) -> list[dict[str, Any]]:
    """Run the command line of the docs, and return the traces that it wrote."""
    home = Path(sys.executable).parent
    settings = {
        "--model": "expert",
        "--client.base-url": url,
        "--env.taskset.env-ids": json.dumps(ENVS),
        "--env.taskset.number": str(TASKS),
    }
    words = [word for pair in settings.items() for word in pair]
    done = subprocess.run(
        [str(home / "vf-eval"), "agentgym-gen-vf", "--no-push", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        env={
            **os.environ,
            "PRIME_API_KEY": "none",
            "PATH": f"{home}:{os.environ['PATH']}",
            "PYTHONPATH": str(HERE),
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = next(folder.rglob("traces.jsonl")).read_text(encoding="utf-8").splitlines()
    return [trace for line in lines for trace in json.loads(line)["traces"]]


def test_the_expert_succeeds(tmp_path: Path) -> None:
    """Reward and metrics are those of the episodes, and no message tells more than it should."""
    answers = expert_answers(ENVS, TASKS)
    with expert_endpoint(answers) as endpoint:
        traces = evaluate(endpoint.url, tmp_path)

    assert len(traces) == TASKS
    assert [trace["rewards"]["success"]["score"] for trace in traces] == [1.0] * TASKS
    turns = sorted(trace["metrics"]["episode_turns"] for trace in traces)
    assert turns == sorted(map(len, answers.values()))
    assert all(trace["metrics"]["episode_invalid_turns"] == 0 for trace in traces)
    texts = json.dumps([node["message"] for trace in traces for node in trace["nodes"]])
    assert "admissible" not in texts


def test_a_taskset_has_the_rows_of_its_settings() -> None:
    """Tasks, interfaces and prompts are those of `task_rows`, and a longer one begins the same."""
    settings = {"id": "agentgym-gen-vf", "env_ids": ENVS, "split": "train", "interface": "random"}
    assert issubclass(SessionEnv, vf.Env)
    rows = task_rows(ENVS, 3, "train", interface="random")
    taskset = vf_taskset({**settings, "number": 3})
    assert [task.data.name for task in taskset] == [row["task_id"] for row in rows]
    infos = [task.data.info for task in taskset]
    assert [info["interface_index"] for info in infos] == [row["interface_index"] for row in rows]


def vf_taskset(settings: dict[str, Any]) -> Any:
    """Return the taskset that verifiers makes of *settings*."""
    return load_taskset(SessionConfig.model_validate(settings))
