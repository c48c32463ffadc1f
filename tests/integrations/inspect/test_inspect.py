"""`inspect eval agentgym_gen/...` plays the expert's episodes, and scores them as they went."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from expert_endpoint import expert_answers, expert_endpoint
from inspect_ai.log import EvalLog, read_eval_log

TASKS = 3


def evaluate(task: str, url: str, folder: Path, *more: str) -> EvalLog:
    """Run the command line of the docs and return its log."""
    command = [
        str(Path(sys.executable).with_name("inspect")),
        *("eval", task, "--model", "openai/expert", "--model-base-url", url),
        *(
            "-M",
            "api_key=none",
            "-M",
            "responses_api=false",
            "-T",
            f"number={TASKS}",
            "--log-dir",
            str(folder),
        ),
        *("--display", "none", *more),
    ]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return read_eval_log(str(next(folder.glob("*.eval"))))


def metrics(log: EvalLog) -> dict[str, float]:
    """Return the metrics of the one scorer."""
    assert log.results is not None
    return {
        f"{score.name}/{name}": metric.value
        for score in log.results.scores
        for name, metric in score.metrics.items()
    }


def test_the_expert_succeeds_in_a_named_task(tmp_path: Path) -> None:
    """The task is found by the entry point, and success, score and turns are the episodes'."""
    answers = expert_answers(["rftgen/ALFWorld-hard-v0"], TASKS)
    with expert_endpoint(answers) as endpoint:
        log = evaluate("agentgym_gen/alfworld_hard", endpoint.url, tmp_path)
    values = metrics(log)

    assert log.status == "success"
    assert values["success/accuracy"] == values["score/mean"] == 1
    assert values["turns/mean"] == sum(map(len, answers.values())) / TASKS
    assert values["invalid_turns/mean"] == 0


def test_any_id_and_interface_is_played(tmp_path: Path) -> None:
    """`play` takes an id; a model that knows nothing fails without an error."""
    with expert_endpoint({}) as endpoint:
        log = evaluate(
            "agentgym_gen/play",
            endpoint.url,
            tmp_path,
            *("-T", "env_id=rftgen/TextCraft-easy-v0", "-T", "interface=symbols+json"),
        )
    values = metrics(log)

    assert log.status == "success"
    assert values["success/accuracy"] == 0
    assert values["invalid_turns/mean"] == values["turns/mean"] > 1
    sent = [message["content"] for request in endpoint.requests for message in request["messages"]]
    assert not any("admissible_actions" in str(content) for content in sent)
