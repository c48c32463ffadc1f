"""Two processes make the update that one makes with the joined batch."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from systems import needs

from agentgym_gen.trainers.parallel.distributed import Distributed

PROGRAM = """
import sys
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.trainers import RFTConfig, RFTTrainer, SFTConfig, SFTTrainer, demonstrations
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny

import agentgym_gen
agentgym_gen.register(agentgym_gen.Registered("Corridor", "toy_world:CorridorWorld"))
texts = ["You are at door 1. Goal: to open door 4.", "walk to door 2", "It opens.", "wait"]
model, tokenizer = build_tiny(texts, size=TinySize(1, 16, 2, 300, 512))
envs, style = ["rftgen/Corridor-easy-v0"], PromptStyle("action", instruction=False)
shown = demonstrations(envs, tokenizer, style, number=20)
warm = SFTConfig(
    max_steps=40, learning_rate=1e-2, batch_size=8, lora_rank=0, micro_batch_tokens=200
)
SFTTrainer(model, tokenizer, warm, shown).train()
args = RFTConfig(
    output_dir=sys.argv[1], max_steps=2, tasks_per_step=3, num_generations=4, max_turns=3,
    max_new_tokens=8, lora_rank=2, learning_rate=1e-2, micro_batch_tokens=200, valid_coef=1.0,
    turn_cost=0.01, eval_steps=2, eval_tasks=3, save_steps=0,
)
RFTTrainer(
    model=model, tokenizer=tokenizer, envs=envs, args=args, style=style
).train()
"""

GRADIENTS = """
import sys
import torch
from agentgym_gen.trainers.parallel.distributed import Distributed

processes = Distributed()
weights = [torch.nn.Parameter(torch.zeros(())) for _ in range(3)]
weights[1].grad = torch.tensor(float(processes.rank + 1))
if processes.is_main:
    weights[2].grad = torch.tensor(1.0)
processes.sum_gradients(weights)
sums = [None if weight.grad is None else float(weight.grad) for weight in weights]
with open(f"{sys.argv[1]}/{processes.rank}.txt", "w") as file:
    file.write(str(sums))
torch.distributed.destroy_process_group()
"""

THREADS = """
import os
import sys
from pathlib import Path
import torch
from agentgym_gen.trainers.parallel import distributed

processes = distributed.Distributed()
processes.sum(1.0)
import torch._dynamo
distributed._leave_group()
names = [(path / "comm").read_text().strip() for path in Path("/proc/self/task").iterdir()]
Path(sys.argv[1], f"{processes.rank}.txt").write_text(" ".join(n for n in names if "gloo" in n))
"""


def start(program: Path, folder: Path, *launcher: str) -> None:
    """Run the training into *folder*."""
    command = [sys.executable, *launcher, str(program), str(folder)]
    root = Path(__file__).parents[2]
    environ = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": f"{root}{os.pathsep}{root / 'tests'}",
    }
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path: Path) -> None:
    """The adapters and the rows are the same but for rounding, and one process writes."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    start(program, tmp_path / "one")
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node=2", "--master-port=29517")
    start(program, tmp_path / "two", *launcher)
    rows = [
        [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    ]
    states = [
        torch.load(tmp_path / name / "step_000002" / "optimizer.pt")["state"]
        for name in ("one", "two")
    ]

    assert [row["step"] for row in rows[1]] == [1, 2]
    assert rows[0][0]["gradient_norm"] > 0
    for key in ("success", "valid", "reward", "loss", "gradient_norm", "entropy", "train_tokens"):
        # sums of float32 in another order
        expected = pytest.approx([r[key] for r in rows[1]], rel=1e-5, abs=1e-6)
        assert [r[key] for r in rows[0]] == expected, key
    assert rows[0][1]["eval/valid"] == rows[1][1]["eval/valid"]
    for number, state in states[0].items():
        torch.testing.assert_close(state["exp_avg"], states[1][number]["exp_avg"])


@needs("Linux", "a folder of the threads of a process")
def test_no_thread_of_a_group_outlives_it(tmp_path: Path) -> None:
    """One that frees a tensor while the interpreter ends would abort the process."""
    program = tmp_path / "program.py"
    program.write_text(THREADS)
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node=2", "--master-port=29515")
    start(program, tmp_path, *launcher)

    assert [(tmp_path / f"{rank}.txt").read_text() for rank in range(2)] == ["", ""]


def test_a_weight_without_a_gradient_in_any_process_keeps_none(tmp_path: Path) -> None:
    """AdamW skips it, as in one process; where one process has a gradient, all get the sum."""
    program = tmp_path / "program.py"
    program.write_text(GRADIENTS)
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node=2", "--master-port=29516")
    start(program, tmp_path, *launcher)

    for rank in range(2):
        assert (tmp_path / f"{rank}.txt").read_text() == "[None, 3.0, 1.0]"


def test_one_of_several_processes_warns(caplog: pytest.LogCaptureFixture) -> None:
    """A warning of a training is about all of them."""
    processes, logger = Distributed(), logging.getLogger("agentgym_gen.test")
    for rank in (0, 1):
        processes.rank = rank
        processes.logger(logger).warning("process %d", rank)

    assert [record.getMessage() for record in caplog.records] == ["process 0"]
